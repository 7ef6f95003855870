"""The terms of an additive model: step functions of one feature or of two, kept as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from explain_distill._arrays import take_checked
from explain_distill._types import FloatArray, IntArray, ReadableRows, Scores
from explain_distill.students.additive_bins import MISSING, bin_numbers, coarse_bins

SWEEPS, PURE = 1000, 1e-12  # at most so many, until means are so small beside the table


@dataclass(frozen=True, eq=False)
class Term:
    """A step function of one feature, or of two together.

    Parameters
    ----------
    features : tuple of int
        One readable feature, or two.
    cuts : tuple of ndarray of shape (n_cuts,)
        For each of the features, increasing, in raw units; a value at a cut lies above it.
    table : ndarray of shape (n_bins, n_scores) or (n_bins_a, n_bins_b, n_scores)
        What each bin adds to the scores. The first bin of a feature is that of missing values, and
        the next one lies below its first cut: ``n_bins = n_cuts + 2``.
    weights : ndarray of shape (n_bins,) or (n_bins_a, n_bins_b)
        The share of the transfer rows in each bin.
    """

    features: tuple[int, ...]
    cuts: tuple[FloatArray, ...]
    table: FloatArray
    weights: FloatArray

    @classmethod
    def empty(cls, features: tuple[int, ...], cuts: Sequence[FloatArray], n_scores: int) -> Term:
        """Build a term of zeros, to be filled."""
        bins = tuple(len(c) + 2 for c in cuts)
        return cls(features, tuple(cuts), np.zeros((*bins, n_scores)), np.zeros(bins))

    def bins(self, X: ReadableRows) -> tuple[IntArray, ...]:
        """Give the bins of rows ``(n_samples, n_readable)``: one array a feature."""
        return tuple(
            bin_numbers(X[:, feature], cuts)
            for feature, cuts in zip(self.features, self.cuts, strict=True)
        )

    def __call__(self, X: ReadableRows) -> Scores:
        """Say what the term adds to the scores of rows: ``(n_samples, n_scores)``."""
        return np.asarray(self.table[self.bins(X)])

    @property
    def strength(self) -> FloatArray:
        """How far the term moves each score, as a mean over the transfer rows: ``(n_scores,)``."""
        return self._mean(np.abs(self.table))

    def centred(self) -> tuple[Term, FloatArray]:
        """Give the term with mean 0 over the transfer rows, and its means ``(n_scores,)``.

        Where no transfer row misses a feature, a missing value says nothing: it adds 0.
        """
        means = self._mean(self.table)
        table = self.table - means
        for axis in range(len(self.features)):
            if not np.moveaxis(self.weights, axis, 0)[MISSING].any():
                np.moveaxis(table, axis, 0)[MISSING] = 0.0
        return replace(self, table=table), means

    def _mean(self, table: FloatArray) -> FloatArray:
        axes = tuple(range(self.weights.ndim))
        return np.asarray((table * self.weights[..., None]).sum(axis=axes))

    def to_arrays(self, name: str) -> dict[str, np.ndarray]:
        """Give the arrays under names that begin with `name`, for saving."""
        arrays = {f"{name}.table": self.table, f"{name}.weights": self.weights}
        arrays |= {f"{name}.cuts.{axis}": cuts for axis, cuts in enumerate(self.cuts)}
        return {key: np.ascontiguousarray(array) for key, array in arrays.items()}

    @classmethod
    def from_arrays(
        cls,
        arrays: Mapping[str, np.ndarray],
        name: str,
        features: tuple[int, ...],
        n_scores: int,
    ) -> Term:
        """Read what `to_arrays` wrote.

        Raises
        ------
        ValueError
            Where the arrays do not fit together.
        """
        names = [f"{name}.cuts.{axis}" for axis in range(len(features))]
        found = take_checked(arrays, {key: (np.size(arrays[key]),) for key in names})
        term = cls.empty(features, [found[key] for key in names], n_scores)
        if any((np.diff(cuts) <= 0).any() for cuts in term.cuts):
            raise ValueError(f"the cuts of {name} must increase")
        shapes = {f"{name}.table": term.table.shape, f"{name}.weights": term.weights.shape}
        checked = take_checked(arrays, shapes)
        if (checked[f"{name}.weights"] < 0).any():
            raise ValueError(f"the weights of {name} must not be negative")
        return replace(term, table=checked[f"{name}.table"], weights=checked[f"{name}.weights"])


def purified(terms: list[Term]) -> list[Term]:
    """Move what a pair says of each of its features alone into the terms of those features.

    The sum of the terms stays what it is. Afterwards a pair's mean over the transfer rows is 0
    along each of its bins, so that a feature's own term says all that it does by itself.

    Parameters
    ----------
    terms : list of Term
        Each feature of a pair has a term of its own among them, and its cuts in the pair are some
        of the cuts there.

    References
    ----------
    Lengerich, Tan, Chang, Hooker & Caruana (2020), Purifying interaction effects with the
    functional ANOVA.
    """
    tables = {term.features: term.table.copy() for term in terms}
    cuts = {term.features[0]: term.cuts[0] for term in terms if len(term.features) == 1}
    for term in terms:
        if len(term.features) == 1:
            continue
        table, moved = _purified(term)
        tables[term.features] = table
        for feature, fewer, part in zip(term.features, term.cuts, moved, strict=True):
            tables[(feature,)] += part[coarse_bins(cuts[feature], fewer)]
    return [replace(term, table=tables[term.features]) for term in terms]


def _purified(term: Term) -> tuple[FloatArray, tuple[FloatArray, FloatArray]]:
    """Take the means along both axes out of a pair's table, until none is left."""
    table = term.table.copy()
    # Bins that no transfer row reaches weigh next to nothing, and yet have a mean.
    weights = term.weights[..., None] + 1e-9 / term.weights.size
    rows, columns = np.zeros_like(table[:, 0]), np.zeros_like(table[0])
    for _ in range(SWEEPS):
        by_row = (table * weights).sum(axis=1) / weights.sum(axis=1)
        table -= by_row[:, None]
        by_column = (table * weights).sum(axis=0) / weights.sum(axis=0)
        table -= by_column
        rows, columns = rows + by_row, columns + by_column
        if np.abs(by_column).max() < PURE * np.abs(term.table).max():
            break
    return table, (rows, columns)
