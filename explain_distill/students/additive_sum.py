"""The sum of an additive model's terms, evaluated without a Python loop over features a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explain_distill._types import FloatArray, IntArray, ReadableRows, Scores
from explain_distill.students.additive_bins import MISSING, bin_numbers
from explain_distill.students.additive_terms import Term

FEW_CELLS = 1 << 20  # rows times cuts that are compared at once; of more, each feature is searched


class TermSum:
    """Adds terms up, in their order, so that a row's score does not depend on its batch.

    Parameters
    ----------
    terms : sequence of Term
    n_scores : int
    """

    def __init__(self, terms: Sequence[Term], n_scores: int) -> None:
        self.n_scores = n_scores
        searched: dict[tuple[int, bytes], int] = {}
        self.cuts: list[FloatArray] = []
        features: list[int] = []
        # A term with one feature has a second axis of one bin, that of a search without cuts.
        axes = np.zeros((len(terms), 2), dtype=np.int64)
        strides = np.zeros((len(terms), 2), dtype=np.int64)
        for place, term in enumerate(terms):
            steps = [1] if len(term.features) == 1 else [term.weights.shape[1], 1]
            for axis, (feature, cuts) in enumerate(zip(term.features, term.cuts, strict=True)):
                key = (feature, cuts.tobytes())
                if key not in searched:
                    searched[key] = len(searched)
                    features.append(feature)
                    self.cuts.append(cuts)
                axes[place, axis] = searched[key]
                strides[place, axis] = steps[axis]
        self.features = np.array(features, dtype=np.int64)
        self.axes, self.strides = axes, strides
        sizes = [term.weights.size for term in terms]
        self.starts = np.cumsum([0, *sizes])[:-1].astype(np.int64)
        tables = [term.table.reshape(-1, n_scores) for term in terms]
        self.tables = np.concatenate([np.zeros((0, n_scores)), *tables])
        most = max(map(len, self.cuts), default=0)
        self.padded = np.full((len(self.cuts), most), np.inf)
        for row, cuts in zip(self.padded, self.cuts, strict=True):
            row[: len(cuts)] = cuts

    def __call__(self, X: ReadableRows) -> Scores:
        """Sum the terms of rows ``(n_samples, n_readable)``: ``(n_samples, n_scores)``."""
        if not len(self.axes):
            return np.zeros((len(X), self.n_scores))
        bins = self._bins(X)
        score = np.zeros((len(X), self.n_scores))
        if len(X) * self.padded.size <= FEW_CELLS:
            cells = self.starts + (bins[:, self.axes] * self.strides).sum(axis=2)
            return score + np.cumsum(self.tables[cells], axis=1)[:, -1]
        for start, (a, b), (step_a, step_b) in zip(
            self.starts, self.axes, self.strides, strict=True
        ):
            cells = start + bins[:, a] * step_a
            if step_b:
                cells += bins[:, b]
            score += self.tables[cells]
        return score

    def _bins(self, X: ReadableRows) -> IntArray:
        """Give the bin in each search: ``(n_samples, n_searches)``."""
        values = X[:, self.features]
        if len(X) * self.padded.size > FEW_CELLS:
            columns = [bin_numbers(v, cuts) for v, cuts in zip(values.T, self.cuts, strict=True)]
            return np.stack(columns, axis=1)
        bins = np.count_nonzero(values[:, :, None] >= self.padded, axis=2) + 1
        bins[np.isnan(values)] = MISSING
        return bins
