"""Refinement of a hardened soft tree by alternating optimisation over its nodes."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional

from explain_distill._types import FloatArray
from explain_distill.students.tree_shape import Children, followed, levels, places

STEPS = 60  # of descent on the gates of one level
LEARNING_RATE = 0.03
BLOCK_ROWS = 2048  # of which all gates are asked at once


class HardTree:
    """A tree that sends each row down one side of each gate, refined on labelled rows.

    In turn, from the lowest level to the root, each gate is given the rows that reach it, asked
    which side answers each of them better as the tree below now stands, and fitted to that
    by weighted logistic regression; it keeps its old weights where the new ones would cost more.
    Then each leaf takes the mean label of its rows. The loss on these rows never grows.

    Parameters
    ----------
    children : ndarray of shape (n_gates, 2)
    weights : ndarray of shape (n_inputs, n_gates)
    biases : ndarray of shape (n_gates,)
    answers : ndarray of shape (n_leaves, n_scores)
        Log-probabilities, or values.
    classify : bool

    References
    ----------
    Carreira-Perpiñán & Tavallali (2018), Alternating optimization of decision trees, with
    application to learning sparse oblique trees.
    """

    def __init__(
        self,
        children: Children,
        weights: FloatArray,
        biases: FloatArray,
        answers: FloatArray,
        classify: bool,
    ) -> None:
        self.children, self.classify = children, classify
        self.weights, self.biases, self.answers = weights.copy(), biases.copy(), answers.copy()

    def loss(self, prepared: FloatArray, labels: FloatArray) -> float:
        """Give the mean loss: cross-entropy, or squared error."""
        return float(self._costs(self._leaves_of(prepared), labels).mean())

    def refine(
        self, prepared: FloatArray, labels: FloatArray, weights: FloatArray | None = None
    ) -> None:
        """Go over all nodes once.

        Parameters
        ----------
        prepared : ndarray of shape (n, n_inputs)
        labels : ndarray of shape (n, n_scores)
            Probabilities, or values.
        weights : ndarray of shape (n,), optional
        """
        weights = np.ones(len(prepared)) if weights is None else weights
        below = places(self.children)
        for here in levels(self.children)[::-1]:
            parts = [
                self._gains(prepared[block], labels[block], below, here)
                for block in _blocks(len(prepared))
            ]
            at, gain = (np.concatenate(part) for part in zip(*parts, strict=True))
            reached = at >= 0
            self._fit_gates(here, prepared[reached], at[reached], (gain * weights)[reached])
        self._fit_leaves(prepared, labels, weights)

    def _gains(
        self, prepared: FloatArray, labels: FloatArray, below: Children, here: np.ndarray
    ) -> tuple[np.ndarray, FloatArray]:
        """Say which of the gates `here` each row comes to, and what going right saves it there.

        Returns
        -------
        at : ndarray of shape (n,)
            -1 where a row comes to none of them.
        gain : ndarray of shape (n,)
        """
        gates, logits = len(self.children), self._logits(prepared)
        place = np.full(2 * gates + 1, -1)
        place[here] = np.arange(len(here))
        start = np.zeros(len(prepared), dtype=np.int64)
        at = place[self._walked(logits, below, start, place >= 0)]
        sides = below[here[np.maximum(at, 0)]]
        nowhere = np.zeros(2 * gates + 1, dtype=bool)
        left, right = (
            self._costs(self._walked(logits, below, side, nowhere) - gates, labels)
            for side in sides.T
        )
        return at, left - right

    def _walked(
        self, logits: FloatArray, below: Children, node: np.ndarray, halts: np.ndarray
    ) -> np.ndarray:
        """Give where rows come to from their nodes: a leaf, or a node that halts them."""
        gates, rows = len(self.children), np.arange(len(logits))
        for _ in levels(self.children):
            asked = np.minimum(node, gates - 1)
            moves = (node < gates) & ~halts[node]
            side = (logits[rows, asked] > 0).astype(np.int64)
            node = np.where(moves, below[asked, side], node)
        return node

    def _leaves_of(self, prepared: FloatArray) -> np.ndarray:
        found = [
            followed(self.children, self._logits(prepared[block]).T)
            for block in _blocks(len(prepared))
        ]
        return np.concatenate(found)

    def _logits(self, prepared: FloatArray) -> FloatArray:
        return prepared @ self.weights + self.biases

    def _costs(self, leaf: np.ndarray, labels: FloatArray) -> FloatArray:
        """Give what each row loses at its leaf."""
        if self.classify:
            return -(self.answers[leaf] * labels).sum(axis=1)
        return np.asarray(np.square(self.answers[leaf] - labels).sum(axis=1))

    def _fit_gates(
        self, here: np.ndarray, prepared: FloatArray, chosen: np.ndarray, gain: FloatArray
    ) -> None:
        """Fit gates to the sides that answer better; `gain` is what going right saves a row."""
        rows = torch.as_tensor(prepared, dtype=torch.float32)
        place, weight = torch.from_numpy(chosen), torch.as_tensor(np.abs(gain), dtype=torch.float32)
        sign = torch.as_tensor(np.sign(gain), dtype=torch.float32)
        old = self.weights[:, here], self.biases[here]
        weights = torch.tensor(old[0], dtype=torch.float32, requires_grad=True)
        biases = torch.tensor(old[1], dtype=torch.float32, requires_grad=True)
        fixed = torch.as_tensor(old[0] != 0, dtype=torch.float32)
        mass = torch.zeros(len(here)).index_add_(0, place, weight).clamp_min(1e-12)
        share = weight / mass[place]
        optimizer = torch.optim.Adam([weights, biases], lr=LEARNING_RATE)
        for _ in range(STEPS):
            optimizer.zero_grad()
            logits = (rows @ (weights * fixed) + biases).gather(1, place[:, None])[:, 0]
            loss = (share * functional.softplus(-sign * logits)).sum()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        new = (weights.detach() * fixed).double().numpy(), biases.detach().double().numpy()
        costs = [self._lost(prepared, chosen, gain, len(here), *gate) for gate in (old, new)]
        better = costs[1] < costs[0]
        self.weights[:, here[better]] = new[0][:, better]
        self.biases[here[better]] = new[1][better]

    @staticmethod
    def _lost(
        prepared: FloatArray,
        chosen: np.ndarray,
        gain: FloatArray,
        n_gates: int,
        weights: FloatArray,
        biases: FloatArray,
    ) -> FloatArray:
        """Give what each gate's rows lose by going to the worse side: ``(n_gates,)``."""
        logits = np.einsum("ij,ij->i", prepared, weights.T[chosen]) + biases[chosen]
        lost = np.where(logits > 0, np.maximum(-gain, 0), np.maximum(gain, 0))
        return np.bincount(chosen, lost, minlength=n_gates).astype(np.float64)

    def _fit_leaves(self, prepared: FloatArray, labels: FloatArray, weights: FloatArray) -> None:
        leaf = self._leaves_of(prepared)
        n_leaves = len(self.answers)
        count = np.bincount(leaf, weights, minlength=n_leaves)
        sums = [np.bincount(leaf, weights * column, minlength=n_leaves) for column in labels.T]
        total = np.stack(sums, axis=1)
        found = count > 0
        mean = total[found] / count[found, None]
        self.answers[found] = np.log(np.maximum(mean, 1e-12)) if self.classify else mean


def _blocks(n: int) -> list[slice]:
    return [slice(start, start + BLOCK_ROWS) for start in range(0, n, BLOCK_ROWS)]
