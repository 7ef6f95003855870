"""The soft decision tree as a torch module, for training and for gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explain_distill._types import FloatArray
from explain_distill.students.both_ways import BothWays
from explain_distill.students.matching import SMALLEST
from explain_distill.students.tree_passes import Held, TreePasses, penalty_weights
from explain_distill.students.tree_shape import Children

Judge: TypeAlias = Callable[[Tensor], tuple[float, Tensor]]
"""Takes what was mixed ``(n_scores, n)``; gives the loss and its slope along it."""

MOST_SPACES = 4  # for batches of different sizes
Answer = Literal["probabilities", "scores"]


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
        self._spaces: dict[int, TreePasses] = {}

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
            return (self.outputs().exp() @ paths).clamp_min(float(SMALLEST)).log().T
        return (self.outputs() @ paths).T

    def set_gradients(self, prepared: BothWays, judge: Judge, each_leaf: bool = False) -> float:
        """Set the parameters' gradients without autograd.

        Its book-keeping costs a small tree more than the products do. Parameters and `scale` may
        change between two calls, but in place only.

        Parameters
        ----------
        prepared : BothWays
            Rows ``(n, n_inputs)``.
        judge : callable
            Takes what was mixed ``(n_scores, n)``, probabilities or values, in memory that the next
            call uses again; gives the loss and its slope along it.
        each_leaf : bool, default=False
            Whether the leaves' log-probabilities are mixed instead, which makes a loss of the
            leaves weighted by their path probabilities.

        Returns
        -------
        float
            The loss, `penalty` times the imbalance included.
        """
        held: Held = "values"
        if self.answer == "probabilities":
            held = "logarithms" if each_leaf else "shares"
        space = self._space(len(prepared.rows))
        mixed = space.mix(self.sharpness, held, prepared.columns)
        if held == "shares":
            mixed.clamp_min_(float(SMALLEST))
        loss, slope = judge(mixed)
        space.slopes(slope, held, prepared.rows, self.penalty)
        return float(loss + self.penalty * space.imbalance)

    def _space(self, n: int) -> TreePasses:
        """Give the memory of the passes for so many rows; an epoch's last batch has fewer."""
        space, weights, leaves = self._spaces.get(n), self.weights, self.leaves
        if space is None or not space.sets(weights.grad, leaves.grad):
            if len(self._spaces) == MOST_SPACES:
                self._spaces.clear()
            learned = weights, self.biases, self.log_inverse_temperatures, leaves
            space = self._spaces[n] = TreePasses(n, *learned, self.scale, self.penalty_decay)
        space.weighs = self.penalty > 0
        return space


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
