"""The passes forward and back through a soft tree, derived by hand."""

from __future__ import annotations

import torch
from torch import Tensor


class TreePasses:
    """A pass forward and one back, in memory that each step uses again: fresh memory costs more.

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
    differences : Tensor of shape (n_gates, n)
        How much more the loss's slope is along the path to the right than along that to the left.
    along_weights : Tensor of shape (n_gates, n_inputs), or None before the first pass
        The loss's slope along the gates' weights.
    weight : Tensor of shape (2 * n_gates + 1,)
        What the logarithm of a node's mass counts in the penalty.
    pull : Tensor of shape (2 * n_gates + 1,)
        The penalty's slope along the probability of reaching a node.
    """

    def __init__(self, depth: int, n: int, decay: float) -> None:
        gates = 2**depth - 1
        self.n, self.weighs = n, False
        self.imbalance = torch.zeros(())
        self.along_weights: Tensor | None = None
        self.gates, self.right, self.left = (torch.empty(gates, n) for _ in range(3))
        self.slope, self.differences = torch.empty(gates, n), torch.empty(gates, n)
        self.reach = torch.empty(2 * gates + 1, n)
        self.reach[0] = 1
        self.values = [torch.empty(2**level, n) for level in range(depth + 1)]
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
        for reach, right, left, to_left, to_right, *_ in self.levels:
            torch.mul(reach, right, out=to_right)
            torch.mul(reach, left, out=to_left)
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
        pull, weight = self.pull[len(self.slope) :, None], penalty if self.weighs else 0.0
        torch.addmm(pull, held.T, slope, beta=weight, out=self.values[-1])
        for _, right, _, _, _, to_left, to_right, difference, value in self.levels[::-1]:
            torch.sub(to_right, to_left, out=difference)
            torch.addcmul(to_left, right, difference, out=value)
        torch.mul(self.reach[2::2], self.left, out=self.slope).mul_(self.differences)
        along_temperatures = torch.mul(self.slope, self.gates, out=self.left).sum(1, True)
        self.slope.mul_(unit)
        if self.along_weights is None:
            self.along_weights = self.slope @ prepared
        torch.mm(self.slope, prepared, out=self.along_weights)
        return self.along_weights, self.slope.sum(1, True), along_temperatures, along_held

    def _views(self, level: int) -> tuple[Tensor, ...]:
        """Give the blocks of one level, and of its children on either side."""
        here = slice(2**level - 1, 2 ** (level + 1) - 1)
        children, below = self._children(self.reach, level), self.values[level + 1]
        below = below.view(-1, 2, self.n)
        return (
            self.reach[here],
            self.right[here],
            self.left[here],
            children[:, 0],
            children[:, 1],
            below[:, 0],
            below[:, 1],
            self.differences[here],
            self.values[level],
        )

    @staticmethod
    def _children(nodes: Tensor, level: int) -> Tensor:
        """View the children of a level's nodes pair by pair."""
        below = nodes[2 ** (level + 1) - 1 : 2 ** (level + 2) - 1]
        return below.view(-1, 2, *nodes.shape[1:])


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
