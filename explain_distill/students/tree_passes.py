"""The passes forward and back through a soft tree, derived by hand."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor, nn

from explain_distill._compiled import Floats, compiled

Held: TypeAlias = Literal["shares", "logarithms", "values"]
"""What leaves hold: a distribution, its logarithms, or values."""


class TreePasses:
    """A pass forward and one back, in memory that each step uses again: fresh memory costs more.

    So do views, between two products. It reads the parameters and sets their gradients where they
    lie, so both may change only in place.

    Forward, the probability of a leaf is doubled level by level:
    ``reach(right child) = reach(node) σ(gate)``, ``reach(left child) = reach(node) σ(-gate)``.
    Backward, the loss's slope along a path probability is averaged level by level:
    ``v(node) = σ(-gate) v(left) + σ(gate) v(right)``, and the slope along a gate is
    ``reach(node) σ(gate) σ(-gate) (v(right) - v(left))``.

    Each is one compiled loop over gates and rows, however deep the tree, and takes no logarithm of
    a path; what remains are the products of rows and weights, one forward and one backward.

    Attributes
    ----------
    gates : Tensor of shape (n_gates, n)
        The logit of going right; on the way back, the loss's slope along a gate's weighted sum
        takes its place.
    right : Tensor of shape (n_gates, n)
        The probability of going right; on the way back, the loss's slope along the probability of
        reaching the gate takes its place.
    reach : Tensor of shape (2 * n_gates + 1, n)
        The probability that a row reaches a node: gates, then leaves.
    values : Tensor of shape (n_leaves, n)
        The loss's slope along the probability of reaching a leaf.
    mixed : Tensor of shape (n_scores, n)
        What the leaves hold, by the probabilities of reaching them.
    along : Tensor of shape (n_scores, n_leaves)
        The loss's slope along what the leaves hold.
    weight : Tensor of shape (2 * n_gates + 1,)
        What the logarithm of a node's mass counts in the penalty.
    pull : Tensor of shape (2 * n_gates + 1,)
        The penalty's slope along the probability of reaching a node, its ancestors included.
    """

    def __init__(
        self,
        n: int,
        weights: nn.Parameter,
        biases: nn.Parameter,
        log_inverse_temperatures: nn.Parameter,
        leaves: nn.Parameter,
        scale: Tensor,
        decay: float,
    ) -> None:
        gates = len(weights)
        depth = (gates + 1).bit_length() - 1
        self.weights = weights.detach()
        self.n, self.weighs = n, False
        self.imbalance = 0.0
        self.gates, self.right = torch.empty(2, gates, n)
        self.reach, self.values = torch.ones(2 * gates + 1, n), torch.empty(gates + 1, n)
        self.along_weights = slope_of(weights)
        self.weight, self.pull = penalty_weights(depth, decay), torch.zeros(2 * gates + 1)
        self._leaf_reach = self.reach[gates:]
        self._rows_by_leaf = self._leaf_reach.T
        self.mixed, self.along = torch.empty(len(leaves), n), torch.empty_like(leaves.detach())
        self._held = {held: torch.empty_like(leaves.detach()) for held in get_args(Held)}
        self._held_by_leaf = {held: memory.T for held, memory in self._held.items()}
        self._leaves, self._scale, self._along_leaves = leaves.detach(), scale, slope_of(leaves)
        shares, logarithms = self._held["shares"].numpy(), self._held["logarithms"].numpy()
        self._sharing = self._leaves.numpy(), scale.numpy(), shares, logarithms
        self._unsharing = self.along.numpy(), shares, scale.numpy(), self._along_leaves.numpy()
        unit = np.empty(gates, np.float32)
        shifts = biases, log_inverse_temperatures
        learned = [parameter.detach()[:, 0].numpy() for parameter in shifts]
        found = [slope_of(parameter)[:, 0].numpy() for parameter in shifts]
        down = self.gates.numpy(), self.right.numpy(), self.reach.numpy()
        self._down = (*learned, unit, *down, *np.empty((2, n), np.float32))
        self._weighing = self.reach.numpy(), self.weight.numpy(), self.pull.numpy()
        self._up = (self.pull.numpy(), unit, *down, self.values.numpy(), *found)

    def sets(self, along_weights: Tensor | None, along_leaves: Tensor | None) -> bool:
        """Say whether these are the gradients that it sets."""
        return along_weights is self.along_weights and along_leaves is self._along_leaves

    def mix(self, sharpness: float, held: Held, columns: Tensor) -> Tensor:
        """Mix what the leaves hold for rows, ``(n_inputs, n)``: ``(n_scores, n)``.

        Also sets `imbalance`, Frosst & Hinton's penalty, and its slope, where that `weighs`.
        """
        torch.mm(self.weights, columns, out=self.gates)
        _pass_down(sharpness, *self._down)
        if self.weighs:
            self.imbalance = _weigh(*self._weighing)
        if held == "values":
            torch.mul(self._leaves, self._scale, out=self._held[held])
        else:
            _share(held == "logarithms", *self._sharing)
        return torch.mm(self._held[held], self._leaf_reach, out=self.mixed)

    def slopes(self, slope: Tensor, held: Held, prepared: Tensor, penalty: float) -> None:
        """Carry the loss's slope along what was mixed ``(n_scores, n)`` back.

        Sets the parameters' gradients, which the next pass sets anew.
        """
        torch.mm(self._held_by_leaf[held], slope, out=self.values)
        _pass_up(penalty if self.weighs else 0.0, *self._up)
        torch.mm(self.gates, prepared, out=self.along_weights)
        torch.mm(slope, self._rows_by_leaf, out=self.along)
        if held == "values":
            torch.mul(self.along, self._scale, out=self._along_leaves)
        else:
            _unshare(held == "logarithms", *self._unsharing)


_ONE, _HALF, _LEAST = np.float32(1), np.float32(0.5), np.float32(-87)
_LOG2E = np.float32(1.44269504)
_LN2_HIGH, _LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_P0, _P1, _P2 = np.float32(1.9875692e-4), np.float32(1.3981999507e-3), np.float32(8.333452e-3)
_P3, _P4, _P5 = np.float32(4.1665796e-2), np.float32(1.6666667e-1), np.float32(0.5)
_BIAS, _MANTISSA = np.int32(127), np.int32(23)


@compiled
def _exp(x: np.float32) -> tuple[np.float32, np.int32]:
    """Give ``exp(x)``, for x of -87 to 0, as a fraction and the bits of a power of 2.

    It is Cephes' `expf` (Moshier 1992), ``2**k exp(f)`` with a polynomial for ``exp(f)``: unlike a
    call of a library, it is computed for several numbers at once. What is below -87 is taken for
    it.
    """
    x = max(x, _LEAST)
    k = np.floor(x * _LOG2E + _HALF)
    x = x - k * _LN2_HIGH - k * _LN2_LOW
    y = ((((_P0 * x + _P1) * x + _P2) * x + _P3) * x + _P4) * x + _P5
    return y * x * x + x + _ONE, (np.int32(k) + _BIAS) << _MANTISSA


@compiled
def _pass_down(
    sharpness: float,
    biases: Floats,
    log_inverse_temperatures: Floats,
    unit: Floats,
    gates: Floats,
    right: Floats,
    reach: Floats,
    fraction: Floats,
    power: Floats,
) -> None:
    """Set the gates' logits, the probabilities of either way, and what reaches each node.

    Both probabilities follow from ``exp(-|gate|)`` without cancelling. Each inner loop reads and
    writes few arrays, without which it would be computed row by row.
    """
    n_gates, n = gates.shape
    exponent = power.view(np.int32)
    for gate in range(n_gates):
        own = np.float32(np.exp(log_inverse_temperatures[gate]) * sharpness)
        bias = biases[gate]
        unit[gate] = own
        logits, probabilities = gates[gate], right[gate]
        here, to_left, to_right = reach[gate], reach[2 * gate + 1], reach[2 * gate + 2]
        for row in range(n):
            logit = (logits[row] + bias) * own
            logits[row] = logit
            fraction[row], exponent[row] = _exp(-abs(logit))
        for row in range(n):
            small = fraction[row] * power[row]
            larger = _ONE / (_ONE + small)
            smaller = small * larger
            probabilities[row] = larger if logits[row] >= 0 else smaller
            fraction[row] = smaller if logits[row] >= 0 else larger
        for row in range(n):
            to_right[row] = here[row] * probabilities[row]
        for row in range(n):
            to_left[row] = here[row] * fraction[row]


@compiled
def _weigh(reach: Floats, weight: Floats, pull: Floats) -> float:
    """Give the penalty, and set its slope along what reaches each node."""
    penalty = 0.0
    for node in range(len(reach)):
        mass = reach[node].sum() + np.float32(1e-6)
        penalty += weight[node] * np.log(mass)
        pull[node] = weight[node] / mass
        if node:
            pull[node] += pull[(node - 1) // 2]
    return penalty


@compiled
def _pass_up(
    penalty: float,
    pull: Floats,
    unit: Floats,
    gates: Floats,
    right: Floats,
    reach: Floats,
    values: Floats,
    along_biases: Floats,
    along_temperatures: Floats,
) -> None:
    """Carry the leaves' values to the root, and set the slopes along what the gates weigh."""
    n_gates, n = gates.shape
    for gate in range(n_gates - 1, -1, -1):
        own, along_bias, along_temperature = unit[gate], np.float32(0), np.float32(0)
        child, here, probabilities = 2 * gate + 1, gates[gate], right[gate]
        below, first = (right, child) if child < n_gates else (values, child - n_gates)
        to_left, to_right, reaches_left = below[first], below[first + 1], reach[child]
        more, least = np.float32(0), np.float32(0)
        if child >= n_gates and penalty > 0:  # gates hold what their leaves were pulled by
            least = np.float32(penalty * pull[child])
            more = np.float32(penalty * pull[child + 1]) - least
        for row in range(n):
            difference = to_right[row] - to_left[row] + more
            along = reaches_left[row] * probabilities[row] * difference
            probabilities[row] = to_left[row] + probabilities[row] * difference + least
            along_temperature += along * here[row]
            along_bias += along * own
            here[row] = along * own
        along_biases[gate], along_temperatures[gate] = along_bias, along_temperature


@compiled
def _share(
    as_logarithms: bool, leaves: Floats, scale: Floats, shares: Floats, logarithms: Floats
) -> None:
    """Set each leaf's distribution, the softmax of what it holds times a scale.

    Parameters
    ----------
    as_logarithms : bool
        Whether its logarithms are set, too.
    leaves, shares, logarithms : ndarray of shape (n_scores, n_leaves)
    scale : ndarray of shape (n_scores, 1)
    """
    n_scores, n_leaves = leaves.shape
    highest, total, fraction, power = np.empty((4, n_leaves), np.float32)
    exponent = power.view(np.int32)
    highest[:] = -np.inf
    for score in range(n_scores):
        unit = scale[score, 0]
        for leaf in range(n_leaves):
            highest[leaf] = max(highest[leaf], leaves[score, leaf] * unit)
    total[:] = 0 * highest  # no number, where the highest is infinite
    for score in range(n_scores):
        unit = scale[score, 0]
        for leaf in range(n_leaves):
            fraction[leaf], exponent[leaf] = _exp(leaves[score, leaf] * unit - highest[leaf])
        for leaf in range(n_leaves):
            shares[score, leaf] = fraction[leaf] * power[leaf]
        for leaf in range(n_leaves):
            total[leaf] += shares[score, leaf]
    for score in range(n_scores):
        for leaf in range(n_leaves):
            shares[score, leaf] /= total[leaf]
    if as_logarithms:
        beyond = highest + np.log(total)
        for score in range(n_scores):
            for leaf in range(n_leaves):
                logarithms[score, leaf] = leaves[score, leaf] * scale[score, 0] - beyond[leaf]


@compiled
def _unshare(
    along_logarithms: bool, along: Floats, shares: Floats, scale: Floats, found: Floats
) -> None:
    """Carry a slope along shares, or along their logarithms, back through the softmax.

    Parameters
    ----------
    along, shares : ndarray of shape (n_scores, n_leaves)
        The loss's slope along each leaf's distribution or its logarithm, and the distribution.
    scale : ndarray of shape (n_scores, 1)
        By which what the leaves hold was multiplied.
    found : ndarray of shape (n_scores, n_leaves)
        Is set to the loss's slope along what the leaves hold.
    """
    n_scores, n_leaves = along.shape
    mean = np.zeros(n_leaves, np.float32)
    for score in range(n_scores):
        for leaf in range(n_leaves):
            mean[leaf] += along[score, leaf] * (_ONE if along_logarithms else shares[score, leaf])
    for score in range(n_scores):
        for leaf in range(n_leaves):
            own = along[score, leaf] * (_ONE if along_logarithms else shares[score, leaf])
            found[score, leaf] = scale[score, 0] * (own - mean[leaf] * shares[score, leaf])


def slope_of(parameter: nn.Parameter) -> Tensor:
    """Give a parameter's gradient, making room for it the first time."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


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
