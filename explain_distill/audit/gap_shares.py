"""All gaps of attributions together, as a share of all of the teacher's importance.

A share is a ratio of two means of the same rows, and is bounded as one (Fieller 1954, Some problems
in interval estimation, Journal of the Royal Statistical Society B 16, 175-185).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

from explain_distill._types import BoolArray, FloatArray, IntArray
from explain_distill.audit.gaps import cross_fitted
from explain_distill.metrics.mean_bounds import group_means
from explain_distill.metrics.paired import unlimited_mean_bound

MOST_SHARE = 1000.0
"""A larger share of the teacher's importance is as good as no bound."""

LEADING = 5
"""The features by which a certificate is summed up: the teacher's most important ones."""


def leading_of(importance: FloatArray) -> IntArray:
    """Give the places of the players that matter most to the teacher."""
    ranked = np.argsort(-importance, kind="stable")[:LEADING]
    return np.asarray(ranked[importance[ranked] > 0])


def leading_elsewhere(importance: FloatArray, groups: IntArray | None) -> BoolArray:
    """Mark in each half of the rows the players that lead in the other.

    Parameters
    ----------
    importance : ndarray of shape (n, n_players)
    groups : ndarray of shape (n,), optional
        Rows that belong together, none of which are parted.

    Returns
    -------
    ndarray of shape (n, n_players), bool
    """
    codes = np.arange(len(importance))
    if groups is not None:
        codes = np.unique(groups, return_inverse=True)[1]
    marks = np.zeros(importance.shape, dtype=bool)
    for half in (0, 1):
        here, other = codes % 2 == half, codes % 2 != half
        among = None if groups is None else groups[other]
        told = np.array([group_means(each, among)[0].mean() for each in importance[other].T])
        marks[np.ix_(here, leading_of(told))] = True
    return marks


def share_at_most(
    gaps: FloatArray, importance: FloatArray, groups: IntArray | None, level: float
) -> tuple[float | None, float | None]:
    """Give rows' gaps as a share of their importance, on the mean, and its upper bound.

    The share is at most r where the mean over rows of ``gap - r importance`` is at most 0
    (Fieller 1954), so that the importance may be an estimate of the same rows, which must not be
    too large: it is cross-fitted. None where no r is bounded: the teacher is then not shown to give
    any feature weight.

    Parameters
    ----------
    gaps, importance : ndarray of shape (n,)
        Of all players that count, together.
    """
    above, ones = group_means(gaps, groups)
    whole, _ = group_means(importance, groups)
    if whole.mean() <= 0:
        return None, None
    if not above.any():
        return 0.0, 0.0
    share = float(above.mean() / whole.mean())

    def most_beyond(r: float) -> float:
        return unlimited_mean_bound(above - r * whole, ones, level=level)

    return share, _root(most_beyond, share, MOST_SHARE)


def share_at_least(
    share: float | None,
    halves: tuple[FloatArray, ...],
    teacher: tuple[FloatArray, FloatArray],
    groups: IntArray | None,
    level: float,
) -> float | None:
    """Give the lower bound of all gaps as a share of all importance.

    As `share_at_most`, but that the gaps must not be too large, nor the importance too small: gaps
    are cross-fitted, the importance is as measured.
    """
    if not share:
        return share
    if len(halves) < 2:
        return None
    below, ones = group_means(cross_fitted(*halves).sum(axis=1), groups)
    as_measured = np.abs(np.mean(teacher, axis=0)).max(axis=2).sum(axis=1)
    too_large, _ = group_means(as_measured, groups)

    def least_beyond(r: float) -> float:
        return -unlimited_mean_bound(r * too_large - below, ones, level=level)

    return _root(least_beyond, 0.0, max(share, 1e-12)) or 0.0


def _root(function: Callable[[float], float], low: float, high: float) -> float | None:
    """Give where a falling function comes down to 0; None where it does not between the two."""
    if function(low) <= 0:
        return low
    if function(high) > 0:
        return None
    return float(brentq(function, low, high, xtol=1e-9 * max(1.0, low)))
