"""Two models on the same rows: how much more the one loses than the other, at the most."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.stats import beta, norm

from explain_distill._types import FloatArray, IntArray
from explain_distill.metrics.intervals import LEVEL, bootstrap

STEP = 1e-12  # beside the ends of a search, where a root need not be looked for


def excess_bound(
    first: FloatArray, second: FloatArray, groups: IntArray | None = None, *, level: float = LEVEL
) -> float:
    """Bound from above how much more the first of two models loses than the second.

    Losses of 0 and 1 are bounded by `paired_share_bound`, others, and those of rows in groups, by
    bootstrap. Where no row tells the two models apart, no resampling would; groups then count as
    single rows.

    Parameters
    ----------
    first, second : ndarray of shape (n_samples,)
        What each loses on the same rows: 1 for an error, or any figure.
    groups : ndarray of shape (n_samples,), optional
        Rows that belong together.
    level : float, default=0.95
        So often the bound lies above the difference of the expected losses.

    Returns
    -------
    float
        In units of the losses.
    """
    difference = np.asarray(first, dtype=np.float64) - second
    binary = bool(np.isin([first, second], (0, 1)).all())
    if binary and (groups is None or not difference.any()):
        n = len(difference) if groups is None else len(np.unique(groups))
        more, less = int((difference > 0).sum()), int((difference < 0).sum())
        return paired_share_bound(more, less, n, level=level)
    # A one-sided bound is the end of a two-sided interval that leaves out as much on each side.
    found = bootstrap(np.mean, difference, groups=groups, level=2 * level - 1)
    return float(difference.max()) if found.high is None else found.high


def paired_share_bound(more: int, less: int, n: int, *, level: float = LEVEL) -> float:
    """Bound the difference of two shares of the same rows from above.

    The bound is the largest difference Δ that the score test of Tango (1998) does not reject::

        more - less - n Δ = -z sqrt(n (2 q + Δ (1 - Δ)))

    where q is the most likely probability of `less` under Δ. Without a row that only the second
    share counts, the exact bound of one share (Clopper & Pearson 1934) takes its place, which is
    more cautious.

    Parameters
    ----------
    more, less : int
        Rows that only the first, and only the second share counts.
    n : int
        Rows in all.
    level : float, default=0.95

    Returns
    -------
    float
        From -1 to 1.

    References
    ----------
    Tango (1998), Equivalence test and confidence interval for the difference in proportions for
    the paired-sample design, Statistics in Medicine 17, 891-908.
    """
    if less == 0:
        return float(beta.ppf(level, more + 1, n - more)) if more < n else 1.0
    z = float(norm.ppf(level))

    def below(difference: float) -> float:
        q = _likeliest_less(more, less, n, difference)
        spread = math.sqrt(n * (2 * q + difference * (1 - difference)))
        return more - less - n * difference + z * spread

    return float(brentq(below, (more - less) / n + STEP, 1 - STEP))


def _likeliest_less(more: int, less: int, n: int, difference: float) -> float:
    """Give the most likely probability of `less` where that of `more` exceeds it by so much."""
    linear = (2 * n - more + less) * difference - more - less
    constant = -less * difference * (1 - difference)
    root = (math.sqrt(max(linear**2 - 8 * n * constant, 0.0)) - linear) / (4 * n)
    return max(root, -difference, 0.0)


def fewest_rows(margin: float, *, level: float = LEVEL) -> int:
    """Say how many rows can keep `paired_share_bound` within a margin, if none tells apart."""
    return math.ceil(math.log1p(-level) / math.log1p(-margin) - 1e-9)
