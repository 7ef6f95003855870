"""Intervals: exact for proportions, by bootstrap for the rest."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from explain_distill._random import generator
from explain_distill._types import BoolArray, FloatArray, IntArray

LEVEL = 0.95
RESAMPLES = 999
BCA_ROWS = 2000  # up to so many rows the jackknife of BCa is cheap


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval.

    Parameters
    ----------
    value : float
    low, high : float or None
        None where an interval means nothing.
    n : int or None
        The number of rows it rests on.
    level : float or None
        The confidence level of the interval.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    level: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3f}"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def proportion(holds: BoolArray, groups: IntArray | None = None) -> Estimate:
    """Estimate a proportion with the interval of Clopper & Pearson (1934).

    Parameters
    ----------
    holds : ndarray of shape (n_samples,)
        Whether each row has the property.
    groups : ndarray of shape (n_samples,), optional
        Rows of one group (a patient) are no independent draws. Groups are then resampled as wholes;
        where all rows agree, the exact interval is that of as many rows as there are groups.
    """
    from scipy.stats import binomtest

    n_independent = len(holds) if groups is None else len(np.unique(groups))
    if groups is not None and 0 < np.mean(holds) < 1:
        return mean(holds.astype(np.float64), groups)
    successes = int(np.sum(holds)) if groups is None else int(np.all(holds)) * n_independent
    interval = binomtest(successes, n_independent).proportion_ci(LEVEL, method="exact")
    low, high = float(interval.low), float(interval.high)
    return Estimate(float(np.mean(holds)), low, high, len(holds), LEVEL)


def mean(values: FloatArray, groups: IntArray | None = None, *, seed: int = 0) -> Estimate:
    """Estimate the mean of a figure that each row has, ``(n_samples,)``, by bootstrap."""
    return bootstrap(
        lambda sample, axis=-1: np.mean(sample, axis=axis), values, groups=groups, seed=seed
    )


def mean_share(shares: FloatArray, groups: IntArray | None = None) -> Estimate:
    """Estimate the mean of shares from 0 to 1, one a row: ``(n_samples,)``.

    By bootstrap; where every share is 1, the lower end is Clopper & Pearson's for "a row is 1", and
    likewise the upper end where every share is 0.
    """
    if np.all(shares == 1.0) or np.all(shares == 0.0):
        return proportion(shares == 1.0, groups)
    return mean(shares, groups)


def bootstrap(
    statistic: Callable[..., Any],
    *columns: np.ndarray,
    groups: IntArray | None = None,
    vectorized: bool = True,
    seed: int = 0,
) -> Estimate:
    """Estimate a figure of rows by resampling the rows, or whole groups of rows.

    The interval is bias-corrected and accelerated (BCa, Efron 1987); the percentile interval
    stands in where that is not defined, or where there are more than 2 000 rows, which need no
    correction. A figure that no resampling changes (every row is right, say) gets no interval:
    its rows are too few to tell how far it can be off.

    Parameters
    ----------
    statistic : callable
        Takes the columns, and `axis` where it is vectorized.
    *columns : ndarray of shape (n_samples,)
        Resampled together.
    groups : ndarray of shape (n_samples,), optional
        Rows that belong together, such as those of a patient (Davison & Hinkley 1997, section 3.8).
    vectorized : bool, default=True
    seed : int, default=0
    """
    n = len(columns[0])
    value = float(statistic(*columns))
    if groups is not None:
        members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
        whole = partial(_of_groups, statistic, columns, members)
        low, high = _interval(whole, (np.arange(len(members)),), False, seed)
    else:
        low, high = _interval(statistic, columns, vectorized, seed)
    if low is None or high is None:
        return Estimate(value, n=n)
    return Estimate(value, low, high, n, LEVEL)


def _of_groups(
    statistic: Callable[..., Any],
    columns: tuple[np.ndarray, ...],
    members: list[IntArray],
    chosen: IntArray,
) -> Any:
    """Compute the statistic of the rows of some groups, a group drawn twice counting twice."""
    rows = np.concatenate([members[group] for group in chosen])
    return statistic(*(column[rows] for column in columns))


def _interval(
    statistic: Callable[..., Any],
    columns: tuple[np.ndarray, ...],
    vectorized: bool,
    seed: int,
) -> tuple[float | None, float | None]:
    """Give the ends of the bootstrap interval, or None twice where there is none."""
    from scipy.stats import DegenerateDataWarning
    from scipy.stats import bootstrap as resample

    n = len(columns[0])
    if n < 2:
        return None, None
    for method in ("BCa", "percentile") if n <= BCA_ROWS else ("percentile",):
        with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
            warnings.simplefilter("ignore", DegenerateDataWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            found = resample(
                columns,
                statistic,
                n_resamples=RESAMPLES,
                batch=max(1, (1 << 22) // n),
                vectorized=vectorized,
                paired=True,
                confidence_level=LEVEL,
                method=method,
                rng=generator(seed, "bootstrap"),
            ).confidence_interval
        low, high = float(found.low), float(found.high)
        if np.isfinite(low) and np.isfinite(high) and low < high:
            return low, high
    return None, None
