"""Small linear models for the leaves of a tree, each of a few features."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explain_distill._arrays import take_checked
from explain_distill._types import BoolArray, FloatArray, IntArray, Scores
from explain_distill.metrics.scores import probabilities_of_score, score_of_probabilities
from explain_distill.students.leaf_answers import Labelled
from explain_distill.students.splits import Splits
from explain_distill.students.tree_pruning import prune

BLOCK_ROWS = 4096  # answered at a time
LEAST_ROWS = 10  # of a leaf, for each feature that it weighs
LEAST_SPREAD = 1e-5  # of a feature in a leaf, in units of its deviation over all rows
RIDGE = 1e-3  # in units of a feature's variance in the leaf
HARD_DOUBT, SOFT_DOUBT = 0.1, 1e-3  # of labels that are all classes, and that hold zeros
LEAST_WEIGHT = 0.02  # of a row whose label is sure; one of two equal probabilities weighs 0.52
LEAF_COST = 1e-4  # of all rows: a leaf that saves less is not kept


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

    @cached_property
    def weighed(self) -> BoolArray:
        """Which of a leaf's columns weigh anything: ``(n_leaves, n_terms)``."""
        return np.asarray((self.weights != 0).any(axis=2))

    def answer(self, leaves: IntArray, prepared: FloatArray) -> Scores:
        """Sum for rows ``(n, n_prepared)`` in their leaves ``(n,)``: ``(n, n_scores)``."""
        sums = self.constants[leaves]
        for start in range(0, len(leaves), BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            here = leaves[block]
            values = np.take_along_axis(prepared[block], self.columns[here], axis=1)
            # What weighs nothing adds nothing, even where it is beyond all numbers.
            values = np.where(self.weighed[here], values, 0.0)
            sums[block] += np.einsum("nt,ntk->nk", values, self.weights[here])
        return np.asarray(sums)

    def slopes(self, leaf: int, n_prepared: int) -> FloatArray:
        """Give a leaf's weights of all columns: ``(n_prepared, n_scores)``."""
        slopes = np.zeros((n_prepared, self.weights.shape[2]))
        np.add.at(slopes, self.columns[leaf], self.weights[leaf])
        return slopes

    def n_features(self, origin: IntArray) -> IntArray:
        """How many features each leaf weighs, by the feature of each column: ``(n_leaves,)``."""
        pairs = zip(self.columns, self.weighed, strict=True)
        return np.array([len(set(origin[columns[used]])) for columns, used in pairs])

    def only(self, kept: BoolArray, constants: Scores) -> LinearLeaves:
        """Give a copy in which leaves that are not `kept` are constant."""
        return LinearLeaves(
            np.where(kept[:, None], self.constants, constants),
            np.where(kept[:, None], self.columns, 0),
            np.where(kept[:, None, None], self.weights, 0.0),
        )

    def scaled(self, unit: float, centre: float) -> LinearLeaves:
        """Give a copy whose answers are in another unit and from another centre."""
        constants = self.constants * unit + centre
        return LinearLeaves(constants, self.columns, self.weights * unit)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Give the arrays by name, for saving."""
        names = ("constants", "columns", "weights")
        return {f"{PREFIX}{name}": np.ascontiguousarray(getattr(self, name)) for name in names}

    @classmethod
    def from_arrays(
        cls, arrays: dict[str, np.ndarray], shape: tuple[int, ...], origin: IntArray, most: int
    ) -> LinearLeaves:
        """Read what `to_arrays` wrote.

        Parameters
        ----------
        arrays : dict of str to ndarray
        shape : tuple of int
            Leaves and scores.
        origin : ndarray of shape (n_prepared,)
            The feature of each prepared column.
        most : int
            Features that a leaf may weigh.

        Raises
        ------
        ValueError
            Where the arrays do not fit together.
        """
        columns = arrays.get(f"{PREFIX}columns")
        if columns is None or columns.ndim != 2:
            raise ValueError(f"{PREFIX}columns must have a row for each leaf")
        whole = {f"{PREFIX}columns": (shape[0], columns.shape[1])}
        real = {f"{PREFIX}constants": shape, f"{PREFIX}weights": (*columns.shape, shape[1])}
        taken = take_checked(arrays, whole, np.int64) | take_checked(arrays, real)
        if columns.size and not 0 <= columns.min() <= columns.max() < len(origin):
            raise ValueError(f"{PREFIX}columns names a column that is not there")
        names = ("constants", "columns", "weights")
        leaves = cls(*(taken[f"{PREFIX}{name}"] for name in names))
        for named, used in zip(leaves.columns, leaves.weighed, strict=True):
            if len(set(named[used])) < used.sum():
                raise ValueError(f"{PREFIX}columns names a column twice in a leaf")
        if leaves.n_features(origin).max(initial=0) > most:
            raise ValueError(f"a leaf must weigh at most {most} features")
        return leaves


PREFIX = "linear_leaves."


@dataclass(frozen=True, eq=False)
class LeafLesson:
    """What linear leaves learn, and how they are judged.

    They learn scores. A row of classes counts the more the less sure its label is, much as in a
    logistic regression, for there the answer is decided. Labels that hold zeros, which have no
    score, are mixed with a little of their mean.

    Parameters
    ----------
    prepared : ndarray of shape (n, n_prepared)
        Of about unit variance over all rows.
    origin : ndarray of shape (n_prepared,)
        The feature of each column; the columns of a feature count as one.
    labelled : Labelled
    most_features : int
    """

    prepared: FloatArray
    origin: IntArray
    labelled: Labelled
    most_features: int

    @cached_property
    def scores(self) -> Scores:
        """What is learned: ``(n, n_scores)``."""
        labels = self.labelled.labels
        if not self.labelled.classify:
            return labels
        if (labels == 0).any():
            doubt = HARD_DOUBT if (labels.max(axis=1) == 1).all() else SOFT_DOUBT
            mean = np.average(labels, axis=0, weights=self.labelled.weights)
            labels = (1 - doubt) * labels + doubt * mean
        return score_of_probabilities(labels)

    @cached_property
    def weights(self) -> FloatArray:
        """How much each row counts: ``(n,)``."""
        if not self.labelled.classify:
            return self.labelled.weights
        sure = self.labelled.labels.max(axis=1)
        return np.asarray(self.labelled.weights * (1 + LEAST_WEIGHT - sure))

    def fit(self, rows: IntArray) -> tuple[Scores, IntArray, FloatArray]:
        """Fit one leaf to some rows: its constants, its columns, and their weights.

        Features are taken one by one, each the one that lowers the squared error most together with
        those taken before, for all scores at once, as long as the Bayesian information criterion
        falls; then they are weighed anew.

        References
        ----------
        Chen, Billings & Luo (1989), Orthogonal least squares methods and their application to
        non-linear system identification. Schwarz (1978), Estimating the dimension of a model.
        """
        rows = rows[self.weights[rows] > 0]
        n_scores = self.scores.shape[1]
        if not len(rows):
            return np.zeros(n_scores), np.zeros(0, dtype=np.int64), np.zeros((0, n_scores))
        weights = self.weights[rows]
        share = weights / weights.sum()
        X, scores = self.prepared[rows], self.scores[rows]
        centre, level = share @ X, share @ scores
        X, within = (part * np.sqrt(share)[:, None] for part in (X - centre, scores - level))
        spread = np.sqrt(np.square(X).sum(axis=0))
        unit = np.where(spread > LEAST_SPREAD, spread, np.inf)  # a constant explains nothing
        X /= unit
        n = 1 / np.square(share).sum()  # rows of equal weight that would tell as much
        most = min(self.most_features, len(rows) // LEAST_ROWS)
        gram, moments = X.T @ X, X.T @ within
        chosen = self._chosen(gram, moments, float(np.square(within).sum()), n, most)
        among = gram[np.ix_(chosen, chosen)] + RIDGE * np.eye(len(chosen))
        slopes = np.linalg.solve(among, moments[chosen]) / unit[chosen, None]
        return np.asarray(level - centre[chosen] @ slopes), chosen, slopes

    def _chosen(
        self, gram: FloatArray, moments: FloatArray, unexplained: float, n: float, most: int
    ) -> IntArray:
        """Choose the columns that explain most, of at most so many features."""
        gram, moments = gram + RIDGE * np.eye(len(gram)), moments.copy()
        columns: list[int] = []
        features: set[int] = set()
        least = 1 - np.exp(-np.log(n) / n)  # of what is unexplained, by the criterion
        while True:
            gains = np.square(moments).sum(axis=1) / np.maximum(np.diag(gram), RIDGE)
            gains[columns] = 0.0
            if len(features) >= most:
                gains[~np.isin(self.origin, list(features))] = 0.0
            best = int(gains.argmax())
            if not gains[best] > least * unexplained:
                return np.array(columns, dtype=np.int64)
            unexplained -= float(gains[best])
            columns.append(best)
            features.add(int(self.origin[best]))
            # What the column explains is taken out of the others, and of the scores.
            part = gram[best] / gram[best, best]
            moments -= np.outer(part, moments[best])
            gram = gram - np.outer(part, gram[best])

    def fit_leaves(self, leaves: IntArray, n_leaves: int) -> LinearLeaves:
        """Fit each leaf to its rows, by the leaf of each row ``(n,)``."""
        order = np.argsort(leaves, kind="stable")
        ends = np.cumsum(np.bincount(leaves, minlength=n_leaves))
        found = [self.fit(rows) for rows in np.split(order, ends[:-1])]
        n_terms, n_scores = max(len(columns) for _, columns, _ in found), self.scores.shape[1]
        together = LinearLeaves(
            np.stack([constants for constants, _, _ in found]),
            np.zeros((n_leaves, n_terms), dtype=np.int64),
            np.zeros((n_leaves, n_terms, n_scores)),
        )
        for leaf, (_, columns, slopes) in enumerate(found):
            together.columns[leaf, : len(columns)] = columns
            together.weights[leaf, : len(columns)] = slopes
        return together

    def better_leaves(self, leaves: IntArray, constants: Scores) -> LinearLeaves:
        """Fit each leaf, and keep the sums that lose less than one answer for all its rows.

        Parameters
        ----------
        leaves : ndarray of shape (n,)
        constants : ndarray of shape (n_leaves, n_scores)
            The scores of that answer.
        """
        linear = self.fit_leaves(leaves, len(constants))

        def loss(scores: Scores) -> FloatArray:
            costs = self.labelled.weights * self._costs(scores, np.arange(len(leaves)))
            return np.bincount(leaves, costs, len(constants)).astype(np.float64)

        better = loss(linear.answer(leaves, self.prepared)) < loss(constants[leaves])
        return linear.only(np.asarray(better), constants)

    def _costs(self, scores: Scores, rows: IntArray) -> FloatArray:
        given = probabilities_of_score(scores) if self.labelled.classify else scores
        return self.labelled.costs_of(given, rows)

    def prune(self, splits: Splits, leaves: IntArray, most_leaves: int) -> Splits:
        """Give the subtree whose linear leaves lose least, as M5 prunes (Quinlan 1992).

        A leaf that saves less than `LEAF_COST` of all rows is not kept.

        Parameters
        ----------
        splits : Splits
        leaves : ndarray of shape (n,)
            The leaf of each row.
        most_leaves : int
        """
        nodes = np.concatenate([splits.below, np.eye(splits.n_leaves, dtype=bool)])
        losses = np.zeros(len(nodes))
        for node, below in enumerate(nodes):
            rows = np.flatnonzero(below[leaves])
            constants, columns, slopes = self.fit(rows)
            costs = self._costs(constants + self.prepared[np.ix_(rows, columns)] @ slopes, rows)
            losses[node] = float(self.labelled.weights[rows] @ costs)
        losses += LEAF_COST * float(self.labelled.weights.sum())
        n = len(splits.children)
        return prune(splits, most_leaves, losses[:n], losses[n:])
