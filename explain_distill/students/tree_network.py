"""The soft decision tree as a torch module, with a backward pass derived by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explain_distill._types import FloatArray
from explain_distill.students.tree_shape import Children

Judge: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Takes outputs ``(n_scores, n)``; gives the loss and its slope along them."""

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
        self.register_buffer("scale", torch.from_numpy(scale).float().reshape(-1, 1))
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

    def leaf_slopes(self) -> Tensor | None:
        """Give the linear models of the leaves ``(n_leaves, n_inputs, n_scores)``, if any."""
        if self.slopes is None:
            return None
        slopes = self.slopes.reshape(*self.leaves.shape, -1) * self.scale[:, None]
        return slopes.permute(1, 2, 0)

    @torch.no_grad()
    def start_at(self, weights: FloatArray, biases: FloatArray) -> None:
        """Start from given gates ``(n_gates, n_inputs)`` and ``(n_gates,)``, where they ask."""
        asks = torch.from_numpy(np.abs(weights).sum(axis=1) > 0)
        self.weights[asks] = 0.1 * self.weights[asks] + torch.from_numpy(weights).float()[asks]
        self.biases[asks, 0] = torch.from_numpy(biases).float()[asks]

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
            weight = penalty_weights(self.depth, self.penalty_decay)
            self.imbalance = torch.dot(weight, (torch.cat(masses) + 1e-6).log())
        if self.slopes is not None:
            held = self.slopes @ prepared.T
            held = held.reshape(len(self.leaves), -1, len(prepared)) * self.scale[:, None]
            return ((self.outputs()[:, :, None] + held) * paths).sum(dim=1).T
        if self.answer == "probabilities":
            return (self.outputs().exp() @ paths).clamp_min(SMALLEST).log().T
        return (self.outputs() @ paths).T

    def learn(self, prepared: Tensor) -> Tensor:
        """Do what `forward` does, to be differentiated once by the parameters before the next call.

        Returns
        -------
        Tensor of shape (n_scores, n)
        """
        if self.slopes is not None:
            return self.forward(prepared).T
        held, space = self.outputs(), self._space(len(prepared))
        if self.answer == "probabilities":
            held = held.exp()
        mixed, self.imbalance = _Mixture.apply(  # type: ignore[no-untyped-call]
            self.weights, self.biases, self.log_inverse_temperatures, held, prepared, space
        )
        return mixed.clamp_min(SMALLEST).log() if self.answer == "probabilities" else mixed

    @torch.no_grad()
    def set_gradients(self, prepared: Tensor, judge: Judge, each_leaf: bool = False) -> Tensor:
        """Set the parameters' gradients without autograd.

        Its book-keeping costs a small tree more than the products do.

        Parameters
        ----------
        prepared : Tensor of shape (n, n_inputs)
        judge : callable
            Takes outputs ``(n_scores, n)``; gives the loss and its slope along them.
        each_leaf : bool, default=False
            Whether the outputs to be judged are the leaves' log-probabilities mixed, which makes a
            loss of the leaves weighted by their path probabilities, instead of the logarithm of the
            mixed probabilities.

        Returns
        -------
        Tensor of shape ()
            The loss, `penalty` times the imbalance included.
        """
        space = self._space(len(prepared))
        logs = self.outputs()
        mixes = self.answer == "probabilities" and not each_leaf
        shares = logs.exp() if self.answer == "probabilities" else logs
        held = shares if mixes or self.answer == "scores" else logs
        unit = self.log_inverse_temperatures.exp().mul_(self.sharpness)
        mixed = space.mix(self.weights, self.biases, unit, held, prepared)
        outputs = mixed.clamp_min_(SMALLEST).log() if mixes else mixed
        loss, slope = judge(outputs)
        if mixes:
            slope = (slope / mixed).masked_fill_(mixed <= SMALLEST, 0.0)
        found = space.slopes(slope, held, unit, prepared, self.penalty)
        self.weights.grad, self.biases.grad, self.log_inverse_temperatures.grad, along = found
        if mixes:
            along = along.mul_(shares)
        if self.answer == "probabilities":
            along = along - shares * along.sum(dim=0)
        self.leaves.grad = along.mul_(self.scale)
        return loss + self.penalty * space.imbalance

    def _space(self, n: int) -> _Workspace:
        if self._workspace is None or self._workspace.n != n:
            self._workspace = _Workspace(self.depth, n, self.penalty_decay)
        self._workspace.sharpness, self._workspace.weighs = self.sharpness, self.penalty > 0
        return self._workspace


class _Workspace:
    """A pass forward and a pass back, in memory that each step uses again: fresh memory costs more.

    Forward, the probability of a leaf is doubled level by level:
    ``reach(right child) = reach(node) σ(gate)``, ``reach(left child) = reach(node) σ(-gate)``.
    Backward, the loss's slope along a path probability is averaged level by level:
    ``v(node) = σ(-gate) v(left) + σ(gate) v(right)``, and the slope along a gate is
    ``reach(node) σ(gate) σ(-gate) (v(right) - v(left))``.

    Both cost a few passes over gates × rows, however deep the tree, and no logarithm of a path;
    what remains are the products of rows and weights, one forward and one backward.

    Attributes
    ----------
    reach : Tensor of shape (2 * n_gates + 1, n)
        The probability that a row reaches a node: gates, then leaves.
    gates : Tensor of shape (n_gates, n)
        The logit of going right.
    right, left : Tensor of shape (n_gates, n)
        The probability of going right, or left.
    slope : Tensor of shape (n_gates, n)
        The loss's slope along a gate's logit.
    weight : Tensor of shape (2 * n_gates + 1,)
        What the logarithm of a node's mass counts in the penalty.
    pull : Tensor of shape (2 * n_gates + 1,)
        The penalty's slope along the probability of reaching a node.
    step : int
        Counts forward passes: a backward pass must belong to the last one.
    """

    def __init__(self, depth: int, n: int, decay: float) -> None:
        gates = 2**depth - 1
        self.n, self.step, self.sharpness, self.weighs = n, 0, 1.0, False
        self.imbalance = torch.zeros(())
        self.gates, self.right, self.left, self.slope = (torch.empty(gates, n) for _ in range(4))
        self.reach = torch.empty(2 * gates + 1, n)
        self.reach[0] = 1
        self.values = [torch.empty(2**level, n) for level in range(depth + 1)]
        self.difference = torch.empty(2 ** (depth - 1), n)
        self.weight, self.pull = penalty_weights(depth, decay), torch.empty(2 * gates + 1)
        self.levels = [self._views(level) for level in range(depth)]
        self.above = [
            (self.pull[2**i - 1 : 2 ** (i + 1) - 1, None], self._children(self.pull, i))
            for i in range(depth)
        ]

    def mix(
        self, weights: Tensor, biases: Tensor, unit: Tensor, held: Tensor, prepared: Tensor
    ) -> Tensor:
        """Mix what the leaves hold ``(n_scores, n_leaves)`` for rows: ``(n_scores, n)``.

        Also sets `imbalance`, Frosst & Hinton's penalty, and its slope, where that `weighs`.
        """
        torch.addmm(biases, weights, prepared.T, out=self.gates).mul_(unit)
        torch.sigmoid(self.gates, out=self.right)
        torch.neg(self.gates, out=self.left).sigmoid_()
        for reach, right, left, _, to_left, to_right, *_ in self.levels:
            torch.mul(reach, right, out=to_right)
            torch.mul(reach, left, out=to_left)
        self.step += 1
        if self.weighs:
            mass = self.reach.sum(dim=1).add_(1e-6)
            torch.div(self.weight, mass, out=self.pull)
            for above, below in self.above:
                below.add_(above)
            self.imbalance = torch.dot(self.weight, mass.log_())
        return held @ self.reach[len(weights) :]

    def slopes(
        self, slope: Tensor, held: Tensor, unit: Tensor, prepared: Tensor, penalty: float
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Carry the loss's slope along what was mixed ``(n_scores, n)`` back.

        Returns
        -------
        tuple of Tensor
            The slopes along weights, biases, logarithms of the inverse temperatures, and along what
            the leaves hold.
        """
        along_held = slope @ self.reach[len(self.slope) :].T
        torch.mm(held.T, slope, out=self.values[-1])
        if self.weighs:
            self.values[-1].add_(self.pull[len(self.slope) :, None], alpha=penalty)
        torch.mul(self.right, self.left, out=self.slope)
        self.slope.mul_(self.reach[: len(self.slope)])
        for _, right, _, along, _, _, to_left, to_right, difference, value in self.levels[::-1]:
            torch.sub(to_right, to_left, out=difference)
            along.mul_(difference)
            torch.addcmul(to_left, right, difference, out=value)
        along_temperatures = torch.mul(self.slope, self.gates, out=self.left).sum(1, True)
        self.slope.mul_(unit)
        return self.slope @ prepared, self.slope.sum(1, True), along_temperatures, along_held

    def _views(self, level: int) -> tuple[Tensor, ...]:
        """Give the blocks of one level, and of its children on either side."""
        here = slice(2**level - 1, 2 ** (level + 1) - 1)
        children, below = self._children(self.reach, level), self.values[level + 1]
        below = below.view(-1, 2, self.n)
        return (
            self.reach[here],
            self.right[here],
            self.left[here],
            self.slope[here],
            children[:, 0],
            children[:, 1],
            below[:, 0],
            below[:, 1],
            self.difference[: 2**level],
            self.values[level],
        )

    @staticmethod
    def _children(nodes: Tensor, level: int) -> Tensor:
        """View the children of a level's nodes pair by pair."""
        below = nodes[2 ** (level + 1) - 1 : 2 ** (level + 2) - 1]
        return below.view(-1, 2, *nodes.shape[1:])


class _Mixture(torch.autograd.Function):
    """What the leaves hold, mixed by their path probabilities, and the imbalance of the gates."""

    @staticmethod
    def forward(
        ctx: Any,
        weights: Tensor,
        biases: Tensor,
        log_inverse_temperatures: Tensor,
        held: Tensor,
        prepared: Tensor,
        space: _Workspace,
    ) -> tuple[Tensor, Tensor]:
        unit = log_inverse_temperatures.exp() * space.sharpness
        mixed = space.mix(weights, biases, unit, held, prepared)
        ctx.space, ctx.step = space, space.step
        ctx.held, ctx.prepared, ctx.unit = held, prepared, unit
        return mixed, space.imbalance

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        if ctx.step != ctx.space.step:
            raise RuntimeError("A tree's batch must be differentiated before it sees the next one.")
        found = ctx.space.slopes(slopes[0], ctx.held, ctx.unit, ctx.prepared, float(slopes[1]))
        return *found, None, None


def penalty_weights(depth: int, decay: float) -> Tensor:
    """Say what the logarithm of each node's mass counts in Frosst & Hinton's penalty.

    The penalty is ``-Σᵢ decayᵈ [½ log αᵢ + ½ log(1 - αᵢ)]`` for gates i at depth d, αᵢ being the
    mean of the gate's probability of going right, weighted by the probability that a row reaches
    it: the mass of its right child over its own.

    Returns
    -------
    Tensor of shape (2 ** (depth + 1) - 1,)
    """
    level = torch.floor(torch.log2(torch.arange(1.0, 2 ** (depth + 1))))
    own, of_parent = decay**level, -0.5 * decay ** (level - 1)
    own[2**depth - 1 :] = 0.0
    of_parent[0] = 0.0
    return own + of_parent


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
