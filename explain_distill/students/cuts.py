"""Where a feature may be cut: between neighbouring values of the rows that a tree learns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explain_distill._types import FloatArray, ReadableRows
from explain_distill.students.splits import EVERYTHING, Splits

MOST_CUTS = 1023  # a feature; one of more values is cut between its quantiles


@dataclass(frozen=True, eq=False)
class Cuts:
    """The places between which each feature's values are told apart, and codes for values.

    A value's code is the number of cuts below it, so that ``code <= j`` where the value is not
    above cut j. Trees are grown on codes, which are small whole numbers in any unit.

    Parameters
    ----------
    below, above : tuple of ndarray of shape (n_cuts,)
        For each feature the values of the rows next to each cut, ascending.
    """

    below: tuple[FloatArray, ...]
    above: tuple[FloatArray, ...]

    @classmethod
    def fit(cls, X: ReadableRows) -> Cuts:
        """Find the cuts of rows ``(n_samples, n_readable)``."""
        sides = [_neighbours(column) for column in X.T]
        return cls(tuple(low for low, _ in sides), tuple(high for _, high in sides))

    @property
    def most(self) -> int:
        """The largest number of cuts of a feature."""
        return max(len(low) for low in self.below)

    def codes(self, X: ReadableRows) -> FloatArray:
        """Give the code of each value, missing as NaN: ``(n_samples, n_readable)``."""
        codes = np.empty(X.shape)
        for feature, low in enumerate(self.below):
            codes[:, feature] = np.searchsorted(low, X[:, feature], side="left")
        codes[np.isnan(X)] = np.nan
        return codes

    def in_raw_units(self, splits: Splits) -> Splits:
        """Turn thresholds of codes into short numbers that send the rows the same ways."""
        thresholds = [
            self.threshold(int(feature), int(code))
            for feature, code in zip(splits.features, splits.thresholds, strict=True)
        ]
        return Splits(
            splits.children, splits.features, np.array(thresholds, float), splits.missing_left
        )

    def threshold(self, feature: int, code: int) -> float:
        """Give a short number that parts the values up to a code from those above it."""
        if code >= len(self.below[feature]):
            return EVERYTHING
        return short_between(float(self.below[feature][code]), float(self.above[feature][code]))


def _neighbours(column: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give the values on both sides of each cut of a column."""
    known = column[~np.isnan(column)]
    values = np.unique(known)
    if len(values) - 1 <= MOST_CUTS:
        return values[:-1], values[1:]
    return quantile_neighbours(known, MOST_CUTS)


def quantile_neighbours(values: FloatArray, most: int) -> tuple[FloatArray, FloatArray]:
    """Give the values on both sides of at most so many cuts, which part rows evenly.

    A value that many rows share is cut off from those that follow it.

    Parameters
    ----------
    values : ndarray of shape (n,)
        None missing.
    most : int
    """
    distinct = np.unique(values)
    low = np.unique(np.quantile(values, np.linspace(0, 1, most + 2)[1:-1], method="lower"))
    low = low[low < distinct[-1]]
    return low, distinct[np.searchsorted(distinct, low, side="right")]


def short_between(low: float, high: float) -> float:
    """Give the number of fewest digits in the middle half between two, not below `low`.

    Parameters
    ----------
    low, high : float
        ``low < high``; the number found is less than `high`.
    """
    first, middle, last = ((1 - share) * low + share * high for share in (0.25, 0.5, 0.75))
    for digits in range(1, 17):
        number = float(f"{middle:.{digits}g}")
        if first <= number <= last and low <= number < high:
            return number
    return low
