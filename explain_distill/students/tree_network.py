"""The soft decision tree as a torch module, with a backward pass derived by hand."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explain_distill._types import FloatArray
from explain_distill.students.tree_shape import Children

Answer = Literal["probabilities", "scores"]
SMALLEST = 1e-37  # of a mixed probability: the smallest that float32 holds in full precision


class TreeNetwork(nn.Module):
    """A complete soft decision tree of prepared rows, for training and for gradients.

    Nodes are numbered as in a heap: the root is 0, the children of node i are ``2i + 1`` (left) and
    ``2i + 2`` (right), and the leaves follow the gates from left to right. All arrays hold nodes by
    rows of data, so that the nodes of one level are one block of memory.

    Parameters
    ----------
    n_inputs, n_scores, depth : int
    answer : {"probabilities", "scores"}
        Whether leaves hold distributions, mixed as such, or values.
    scale : ndarray of shape (n_scores,)
        The unit of what the leaves hold.
    linear : bool, default=False
        Whether a leaf adds a linear model of the prepared row to what it holds.
    """

    def __init__(
        self,
        n_inputs: int,
        n_scores: int,
        depth: int,
        answer: Answer,
        scale: FloatArray,
        linear: bool = False,
    ) -> None:
        super().__init__()
        gates, leaves = 2**depth - 1, 2**depth
        self.depth, self.answer = depth, answer
        self.weights = nn.Parameter(torch.randn(gates, n_inputs) / n_inputs**0.5)
        self.biases = nn.Parameter(torch.zeros(gates, 1))
        self.log_inverse_temperatures = nn.Parameter(torch.zeros(gates, 1))
        self.leaves = nn.Parameter(0.1 * torch.randn(n_scores, leaves))
        self.slopes = nn.Parameter(torch.zeros(n_scores * leaves, n_inputs)) if linear else None
        self.scale: Tensor
        self.level: Tensor
        self.register_buffer("scale", torch.from_numpy(scale).float().reshape(-1, 1))
        self.register_buffer("level", torch.floor(torch.log2(torch.arange(1.0, gates + 1))))
        self.sharpness = 1.0
        self.penalty, self.penalty_decay = 0.0, 0.5
        self.imbalance: Tensor = torch.zeros(())
        self._workspace: _Workspace | None = None

    def gates(self, prepared: Tensor) -> Tensor:
        """Give the logit of going right: ``(n_gates, n)`` of rows ``(n, n_inputs)``."""
        raw = torch.addmm(self.biases, self.weights, prepared.T)
        return raw * (self.log_inverse_temperatures.exp() * self.sharpness)

    def outputs(self) -> Tensor:
        """Give what the leaves hold ``(n_scores, n_leaves)``: log-probabilities or values."""
        held = self.leaves * self.scale
        return functional.log_softmax(held, dim=0) if self.answer == "probabilities" else held

    def forward(self, prepared: Tensor) -> Tensor:
        """Map rows ``(n, n_inputs)`` to softened scores ``(n, n_scores)``, up to a row's constant.

        May be differentiated any number of times, also by the rows. Sets `imbalance`, Frosst &
        Hinton's penalty of these rows, where `penalty` is not 0.
        """
        gates, paths = self.gates(prepared), torch.ones(1, len(prepared), dtype=prepared.dtype)
        masses = [paths.sum(dim=1)]
        for level in range(self.depth):
            first, end = 2**level - 1, 2 ** (level + 1) - 1
            right, left = torch.sigmoid(gates[first:end]), torch.sigmoid(-gates[first:end])
            paths = torch.stack([paths * left, paths * right], dim=1).flatten(0, 1)
            masses.append(paths.sum(dim=1))
        if self.penalty:
            self.imbalance, _ = _imbalance(torch.cat(masses), self.penalty_decay**self.level)
        if self.slopes is not None:
            held = self.slopes @ prepared.T
            held = held.reshape(len(self.leaves), -1, len(prepared)) * self.scale[:, None]
            return ((self.outputs()[:, :, None] + held) * paths).sum(dim=1).T
        if self.answer == "probabilities":
            return (self.outputs().exp() @ paths).clamp_min(SMALLEST).log().T
        return (self.outputs() @ paths).T

    def learn(self, prepared: Tensor) -> Tensor:
        """Do what `forward` does, to be differentiated once by the parameters before the next call."""
        if self.slopes is not None:
            return self.forward(prepared)
        held = self.outputs()
        if self.answer == "probabilities":
            return self._mixed(prepared, held.exp()).clamp_min(SMALLEST).log().T
        return self._mixed(prepared, held).T

    def leaf_cross_entropy(self, prepared: Tensor, labels: Tensor) -> Tensor:
        """Give Frosst & Hinton's loss: each leaf's cross-entropy, weighted by its path probability.

        Parameters
        ----------
        prepared : Tensor of shape (n, n_inputs)
        labels : Tensor of shape (n, n_classes)
        """
        return -(self._mixed(prepared, self.outputs()) * labels.T).sum() / len(prepared)

    def _mixed(self, prepared: Tensor, held: Tensor) -> Tensor:
        n = len(prepared)
        if self._workspace is None or self._workspace.n != n:
            self._workspace = _Workspace(self.depth, n)
        weight = self.penalty_decay**self.level if self.penalty else None
        mixed, self.imbalance = _Mixture.apply(self.gates(prepared), held, weight, self._workspace)
        return mixed


class _Workspace:
    """Memory of one batch of `n` rows, used again in each step: reaching fresh memory costs more.

    Attributes
    ----------
    reach : Tensor of shape (2 * n_gates + 1, n)
        The probability that a row reaches a node: gates, then leaves.
    right, left : Tensor of shape (n_gates, n)
        The probability of going right, or left, at a node.
    slope : Tensor of shape (n_gates, n)
    step : int
        Counts forward passes: a backward pass must belong to the last one.
    """

    def __init__(self, depth: int, n: int) -> None:
        gates = 2**depth - 1
        self.n, self.depth, self.step = n, depth, 0
        self.right, self.left, self.slope = (torch.empty(gates, n) for _ in range(3))
        self.reach = torch.empty(2 * gates + 1, n)
        self.reach[0] = 1
        self.values = [torch.empty(2**level, n) for level in range(depth + 1)]
        self.difference = torch.empty(2 ** (depth - 1), n)
        self.levels = [self._views(level) for level in range(depth)]

    def _views(self, level: int) -> tuple[Tensor, ...]:
        """Give the blocks of one level, and of its children on either side."""
        first, end = 2**level - 1, 2 ** (level + 1) - 1
        children = self.reach[end : 2 * end + 1].view(end - first, 2, self.n)
        below = self.values[level + 1].view(end - first, 2, self.n)
        here = (self.reach[first:end], self.right[first:end], self.left[first:end])
        return (*here, children[:, 0], children[:, 1], below[:, 0], below[:, 1])


class _Mixture(torch.autograd.Function):
    """What the leaves hold, mixed by their path probabilities, and the imbalance of the gates.

    Forward, the probability of a leaf is doubled level by level:
    ``reach(right child) = reach(node) σ(gate)``, ``reach(left child) = reach(node) σ(-gate)``.
    Backward, the loss's slope along a path probability is averaged level by level:
    ``v(node) = σ(-gate) v(left) + σ(gate) v(right)``, and the slope along a gate is
    ``reach(node) σ(gate) σ(-gate) (v(right) - v(left))``.

    Both cost a few passes over gates × rows, however deep the tree, and no logarithm of a path.
    """

    @staticmethod
    def forward(
        ctx: Any, gates: Tensor, held: Tensor, weight: Tensor | None, space: _Workspace
    ) -> tuple[Tensor, Tensor]:
        torch.sigmoid(gates, out=space.right)
        torch.neg(gates, out=space.left).sigmoid_()
        for reach, right, left, to_left, to_right, *_ in space.levels:
            torch.mul(reach, right, out=to_right)
            torch.mul(reach, left, out=to_left)
        space.step += 1
        ctx.space, ctx.held, ctx.step, ctx.pull = space, held, space.step, None
        imbalance = gates.new_zeros(())
        if weight is not None:
            imbalance, ctx.pull = _imbalance(space.reach.sum(dim=1), weight)
        return held @ space.reach[len(gates) :], imbalance

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, Tensor, None, None]:
        space: _Workspace = ctx.space
        if ctx.step != space.step:
            raise RuntimeError("A tree's batch must be differentiated before it sees the next one.")
        slope, along_imbalance = slopes
        leaves = space.reach[len(space.slope) :]
        torch.mm(ctx.held.T, slope, out=space.values[-1])
        if ctx.pull is not None:
            space.values[-1].add_((ctx.pull * along_imbalance)[:, None])
        along_gates = torch.mul(space.right, space.left, out=space.slope)
        along_gates.mul_(space.reach[: len(along_gates)])
        for level in reversed(range(space.depth)):
            _, right, _, _, _, value_left, value_right = space.levels[level]
            difference = torch.sub(
                value_right, value_left, out=space.difference[: len(value_right)]
            )
            along_gates[2**level - 1 : 2 ** (level + 1) - 1].mul_(difference)
            torch.addcmul(value_left, right, difference, out=space.values[level])
        return along_gates, slope @ leaves.T, None, None


def _imbalance(mass: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Give Frosst & Hinton's penalty and its slope along a row's path probabilities.

    ``-Σᵢ wᵢ [½ log αᵢ + ½ log(1 - αᵢ)]``, αᵢ being the mean of node i's probability of going right,
    weighted by the probability that a row reaches it.

    Parameters
    ----------
    mass : Tensor of shape (2 * n_gates + 1,)
        The sum over rows of the probability of reaching each node.
    weight : Tensor of shape (n_gates,)

    Returns
    -------
    penalty : Tensor of shape ()
    pull : Tensor of shape (n_leaves,)
    """
    gates = len(weight)
    mass = mass + 1e-6
    by_node = torch.zeros_like(mass)
    by_node[1:] = -0.5 * weight.repeat_interleave(2)
    by_node[:gates] += weight
    penalty = (by_node * mass.log()).sum()
    pull = by_node / mass.detach()
    for first in (2**level - 1 for level in range(1, (gates + 1).bit_length())):
        above = pull[(first - 1) // 2 : first]
        pull[first : 2 * first + 1] += above.repeat_interleave(2)
    return penalty, pull[gates:]


def path_probabilities(children: Children, gates: Tensor) -> Tensor:
    """Give each leaf's probability in a tree of any shape, differentiable without end.

    Parameters
    ----------
    children : ndarray of shape (n_gates, 2)
    gates : Tensor of shape (n, n_gates)
        Logits of going right.

    Returns
    -------
    Tensor of shape (n, n_leaves)
    """
    here, paths = np.zeros(1, dtype=np.int64), gates.new_ones(len(gates), 1)
    found: list[Tensor] = []
    names: list[np.ndarray] = []
    while len(here):
        sides = torch.stack([-gates[:, here], gates[:, here]], dim=2)
        below, nodes = (paths[:, :, None] * torch.sigmoid(sides)).flatten(1), children[here].ravel()
        found.append(below[:, nodes < 0])
        names.append(-1 - nodes[nodes < 0])
        here, paths = nodes[nodes >= 0], below[:, nodes >= 0]
    return torch.cat(found, dim=1)[:, np.argsort(np.concatenate(names))]
