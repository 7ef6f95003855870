"""Small linear models for the leaves of a tree, each of a few features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explain_distill._arrays import take_checked
from explain_distill._types import BoolArray, FloatArray, IntArray, Scores
from explain_distill.metrics.scores import probabilities_of_score, score_of_probabilities
from explain_distill.students.base import is_hard
from explain_distill.students.leaf_answers import Labelled

RIDGE = 1e-3  # in units of the features' variance over all rows
LEAST_GAIN = 1e-6  # of a leaf's variance, below which a feature is not taken
DOUBT = 0.1  # of a hard label
LEAST_WEIGHT = 0.02  # of a row whose label is sure, where one that is quite unsure weighs about 1
LEAST_ROWS = 10  # of a leaf, for each feature that it weighs


@dataclass(frozen=True, eq=False)
class LinearLeaves:
    """What each leaf adds up: a constant, and a few prepared columns by their weights.

    Parameters
    ----------
    constants : ndarray of shape (n_leaves, n_scores)
        The sums of a row whose prepared columns are all 0.
    columns : ndarray of shape (n_leaves, n_terms), int64
        The prepared columns that a leaf weighs; where it weighs fewer, the rest weigh nothing.
    weights : ndarray of shape (n_leaves, n_terms, n_scores)
    """

    constants: Scores
    columns: IntArray
    weights: FloatArray

    def answer(self, leaves: IntArray, prepared: FloatArray) -> Scores:
        """Sum for rows ``(n, n_prepared)`` in their leaves ``(n,)``: ``(n, n_scores)``."""
        values = np.take_along_axis(prepared, self.columns[leaves], axis=1)
        return np.asarray(
            self.constants[leaves] + np.einsum("nt,ntk->nk", values, self.weights[leaves])
        )

    def slopes(self, leaf: int, n_prepared: int) -> FloatArray:
        """Give a leaf's weights of all columns: ``(n_prepared, n_scores)``."""
        slopes = np.zeros((n_prepared, self.weights.shape[2]))
        np.add.at(slopes, self.columns[leaf], self.weights[leaf])
        return slopes

    @property
    def n_weighed(self) -> IntArray:
        """How many columns each leaf weighs: ``(n_leaves,)``."""
        return np.asarray((self.weights != 0).any(axis=2).sum(axis=1))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Give the arrays by name, for saving."""
        return {
            "linear_leaves.constants": np.ascontiguousarray(self.constants),
            "linear_leaves.columns": np.ascontiguousarray(self.columns),
            "linear_leaves.weights": np.ascontiguousarray(self.weights),
        }

    @classmethod
    def from_arrays(
        cls, arrays: dict[str, np.ndarray], shape: tuple[int, ...], n_prepared: int
    ) -> LinearLeaves:
        """Read what `to_arrays` wrote, for `shape` leaves and scores.

        Raises
        ------
        ValueError
            Where the arrays do not fit together.
        """
        columns = arrays["linear_leaves.columns"]
        if columns.ndim != 2:
            raise ValueError("linear_leaves.columns must have a row for each leaf")
        shapes = {
            "linear_leaves.constants": shape,
            "linear_leaves.weights": (*columns.shape, shape[1]),
        }
        taken = take_checked(arrays, shapes)
        taken |= take_checked(
            arrays, {"linear_leaves.columns": (shape[0], columns.shape[1])}, np.int64
        )
        if columns.size and not 0 <= columns.min() <= columns.max() < n_prepared:
            raise ValueError("linear_leaves.columns names a column that is not there")
        return cls(
            taken["linear_leaves.constants"],
            taken["linear_leaves.columns"],
            taken["linear_leaves.weights"],
        )

    def only(self, kept: BoolArray, constants: Scores) -> LinearLeaves:
        """Give a copy in which leaves that are not `kept` are constant."""
        return LinearLeaves(
            np.where(kept[:, None], self.constants, constants),
            np.where(kept[:, None], self.columns, 0),
            np.where(kept[:, None, None], self.weights, 0.0),
        )


def better_leaves(
    prepared: FloatArray,
    origin: IntArray,
    labelled: Labelled,
    leaves: IntArray,
    constants: Scores,
    most_features: int,
) -> LinearLeaves:
    """Fit linear leaves to labels, and keep those that lose less than a constant answer.

    They learn scores. A row of classes counts the more the less sure its label is, much as in a
    logistic regression, for there the answer is decided. A hard label, which has no score, stands
    for one that is sure up to `DOUBT`.

    Parameters
    ----------
    prepared, origin, leaves, most_features
        See `fit_linear_leaves`.
    labelled : Labelled
    constants : ndarray of shape (n_leaves, n_scores)
        Scores.

    Returns
    -------
    LinearLeaves
    """
    scores, weights, n_leaves = labelled.labels, labelled.weights, len(constants)
    if labelled.classify:
        hard = is_hard(scores)[:, None]
        softened = scores * (1 - DOUBT) + DOUBT * probabilities_of_score(constants)[leaves]
        scores = score_of_probabilities(np.where(hard, softened, scores))
        weights = weights * (1 + LEAST_WEIGHT - labelled.labels.max(axis=1))
    linear = fit_linear_leaves(prepared, origin, scores, weights, leaves, n_leaves, most_features)

    def loss(answers: Scores) -> FloatArray:
        costs = labelled.weights * labelled.costs_of(_as_labels(answers, labelled.classify))
        return np.bincount(leaves, costs, n_leaves).astype(np.float64)

    better = loss(linear.answer(leaves, prepared)) < loss(constants[leaves])
    return linear.only(np.asarray(better), constants)


def _as_labels(scores: Scores, classify: bool) -> FloatArray:
    return probabilities_of_score(scores) if classify else scores


def fit_linear_leaves(
    prepared: FloatArray,
    origin: IntArray,
    scores: Scores,
    weights: FloatArray,
    leaves: IntArray,
    n_leaves: int,
    most_features: int,
) -> LinearLeaves:
    """Fit each leaf's scores by least squares on the features that explain most of them.

    Features are taken one by one, each the one that lowers the leaf's squared error most together
    with those taken before, for all scores at once; then they are weighed anew.

    Parameters
    ----------
    prepared : ndarray of shape (n, n_prepared)
        Of about unit variance over all rows.
    origin : ndarray of shape (n_prepared,)
        The feature of each column; the columns of a feature count as one.
    scores : ndarray of shape (n, n_scores)
    weights : ndarray of shape (n,)
    leaves : ndarray of shape (n,)
        The leaf of each row.
    n_leaves : int
    most_features : int

    Returns
    -------
    LinearLeaves

    References
    ----------
    Quinlan (1992), Learning with continuous classes, for trees with linear leaves. Chen, Billings &
    Luo (1989), Orthogonal least squares methods and their application to non-linear system
    identification, for the order of the features.
    """
    n_scores = scores.shape[1]
    order = np.argsort(leaves, kind="stable")
    ends = np.cumsum(np.bincount(leaves, minlength=n_leaves))
    found = []
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        rows = order[start:end]
        rows = rows[weights[rows] > 0]
        most = min(most_features, len(rows) // LEAST_ROWS)
        found.append(_fitted(prepared[rows], origin, scores[rows], weights[rows], most))
    n_terms = max(len(columns) for _, columns, _ in found)
    together = LinearLeaves(
        np.stack([constants for constants, _, _ in found]),
        np.zeros((n_leaves, n_terms), dtype=np.int64),
        np.zeros((n_leaves, n_terms, n_scores)),
    )
    for leaf, (_, columns, slopes) in enumerate(found):
        together.columns[leaf, : len(columns)] = columns
        together.weights[leaf, : len(columns)] = slopes
    return together


def _fitted(
    X: FloatArray, origin: IntArray, scores: Scores, weights: FloatArray, most: int
) -> tuple[Scores, IntArray, FloatArray]:
    """Give one leaf's constants, the columns that it weighs, and their weights."""
    if not len(X):
        return np.zeros(scores.shape[1]), np.zeros(0, dtype=np.int64), np.zeros((0, len(scores.T)))
    share = weights / weights.sum()
    centre, level = share @ X, share @ scores
    X = (X - centre) * np.sqrt(share)[:, None]
    within = (scores - level) * np.sqrt(share)[:, None]
    gram, moments = X.T @ X, X.T @ within
    chosen = _chosen(gram, moments, origin, float(np.square(within).sum()), most)
    among = gram[np.ix_(chosen, chosen)] + RIDGE * np.eye(len(chosen))
    slopes = np.linalg.solve(among, moments[chosen])
    return np.asarray(level - centre[chosen] @ slopes), chosen, slopes


def _chosen(
    gram: FloatArray, moments: FloatArray, origin: IntArray, variance: float, most: int
) -> IntArray:
    """Choose the columns that explain most, of at most so many features."""
    gram, moments = gram + RIDGE * np.eye(len(gram)), moments.copy()
    columns: list[int] = []
    features: set[int] = set()
    while True:
        gains = np.square(moments).sum(axis=1) / np.maximum(np.diag(gram), RIDGE)
        gains[columns] = 0.0
        if len(features) >= most:
            gains[~np.isin(origin, list(features))] = 0.0
        best = int(gains.argmax())
        if not gains[best] > LEAST_GAIN * variance:
            return np.array(columns, dtype=np.int64)
        columns.append(best)
        features.add(int(origin[best]))
        # What the column explains is taken out of the others, and of the scores.
        share = gram[best] / gram[best, best]
        moments -= np.outer(share, moments[best])
        gram = gram - np.outer(share, gram[best])
