"""The arrays of a fitted soft tree, and what is made of them: a smaller tree, or a sharper one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from explain_distill._types import FloatArray
from explain_distill.students.gate_refinement import HardTree
from explain_distill.students.tree_network import path_probabilities
from explain_distill.students.tree_shape import Children, followed, places, reached, without

SMALLEST = 1e-300  # of a mixed probability
BLOCK_ROWS = 1024  # rows asked at a time, so that what they need stays in the cache


@dataclass(frozen=True, eq=False)
class TreeParts:
    """A soft tree of any shape, on prepared rows.

    Parameters
    ----------
    children : ndarray of shape (n_gates, 2)
        See `tree_shape`.
    weights : ndarray of shape (n_prepared, n_gates)
    biases, inverse_temperatures : ndarray of shape (n_gates,)
    outputs : ndarray of shape (n_leaves, n_scores)
        Log-probabilities, or values.
    slopes : ndarray of shape (n_leaves, n_prepared, n_scores) or None
        The linear models of the leaves.
    classify : bool
    """

    children: Children
    weights: FloatArray
    biases: FloatArray
    inverse_temperatures: FloatArray
    outputs: FloatArray
    slopes: FloatArray | None
    classify: bool

    def logits(self, prepared: FloatArray) -> FloatArray:
        """Give each gate's logit of going right: ``(n, n_gates)``."""
        return (prepared @ self.weights + self.biases) * self.inverse_temperatures

    def paths(self, prepared: FloatArray) -> FloatArray:
        """Give each leaf's probability: ``(n_leaves, n)``."""
        return self._reached(prepared)[len(self.children) :]

    def likeliest_leaf(self, prepared: FloatArray) -> np.ndarray:
        """Give the leaf of the greatest path probability: ``(n,)``."""
        right = expit(self.logits(prepared).T)
        # No side of the likeliest path is less probable than a leaf's equal share, so that the
        # difference from 1 is exact enough here, and costs no second exponential.
        paths = reached(self.children, right, 1 - right)[len(right) :]
        return np.asarray(paths.argmax(axis=0))

    def followed_leaf(self, prepared: FloatArray) -> np.ndarray:
        """Give the leaf to which the more probable side of each gate leads: ``(n,)``."""
        return followed(self.children, self.logits(prepared).T)

    def answer_of(self, leaf: np.ndarray, prepared: FloatArray) -> FloatArray:
        """Answer each row with one leaf alone: ``(n, n_scores)``."""
        answers = self.outputs[leaf]
        if self.slopes is None:
            return answers
        return np.asarray(answers + np.einsum("np,npk->nk", prepared, self.slopes[leaf]))

    def answer_of_mixture(self, prepared: FloatArray) -> FloatArray:
        """Answer with the leaves, mixed by their probabilities: ``(n, n_scores)``."""
        paths = self.paths(prepared)
        if self.slopes is not None:
            held = np.tensordot(prepared, self.slopes, axes=(1, 1)) + self.outputs
            return np.asarray(np.einsum("ln,nlk->nk", paths, held))
        if not self.classify:
            return paths.T @ self.outputs
        return np.log(np.maximum(paths.T @ np.exp(self.outputs), SMALLEST))

    def differentiable_mixture(self, prepared: Tensor) -> Tensor:
        """Give `answer_of_mixture` as a differentiable function of float64 rows."""
        weights, biases, units, outputs = (
            torch.from_numpy(array)
            for array in (self.weights, self.biases, self.inverse_temperatures, self.outputs)
        )
        paths = path_probabilities(self.children, (prepared @ weights + biases) * units)
        if self.slopes is not None:
            held = torch.einsum("np,lpk->nlk", prepared, torch.from_numpy(self.slopes)) + outputs
            return torch.einsum("nl,nlk->nk", paths, held)
        if not self.classify:
            return paths @ outputs
        return (paths @ outputs.exp()).clamp_min(SMALLEST).log()

    def pruned(self, prepared: FloatArray, least: float) -> TreeParts:
        """Take out the branches that no row takes with a probability above `least`."""
        blocks = (prepared[i : i + BLOCK_ROWS] for i in range(0, len(prepared), BLOCK_ROWS))
        most = np.max([self._reached(block).max(axis=1) for block in blocks], axis=0)
        children, gates, leaves = without(self.children, most[places(self.children)] <= least)
        return replace(
            self,
            children=children,
            weights=np.ascontiguousarray(self.weights[:, gates]),
            biases=self.biases[gates],
            inverse_temperatures=self.inverse_temperatures[gates],
            outputs=self.outputs[leaves],
            slopes=None if self.slopes is None else self.slopes[leaves],
        )

    def refined(
        self, prepared: FloatArray, labels: FloatArray, weights: FloatArray, rounds: int
    ) -> TreeParts:
        """Refine the path of a tree with constant leaves, see `HardTree`.

        Parameters
        ----------
        prepared : ndarray of shape (n, n_prepared)
        labels : ndarray of shape (n, n_scores)
            Probabilities, or values.
        weights : ndarray of shape (n,)
        rounds : int
        """
        units = self.inverse_temperatures
        hard = HardTree(
            self.children, self.weights * units, self.biases * units, self.outputs, self.classify
        )
        for _ in range(rounds):
            hard.refine(prepared, labels, weights)
        return replace(
            self, weights=hard.weights / units, biases=hard.biases / units, outputs=hard.answers
        )

    def _reached(self, prepared: FloatArray) -> FloatArray:
        logits = self.logits(prepared).T
        return reached(self.children, expit(logits), expit(-logits))
