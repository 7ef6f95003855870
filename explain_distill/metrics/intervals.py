"""Intervals: exact for proportions, by bootstrap for the rest."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from explain_distill._random import generator
from explain_distill._types import BoolArray, FloatArray

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


def proportion(holds: BoolArray) -> Estimate:
    """Estimate a proportion with the interval of Clopper & Pearson (1934).

    Parameters
    ----------
    holds : ndarray of shape (n_samples,)
        Whether each row has the property.
    """
    from scipy.stats import binomtest

    n = len(holds)
    test = binomtest(int(np.sum(holds)), n)
    interval = test.proportion_ci(LEVEL, method="exact")
    return Estimate(float(np.mean(holds)), float(interval.low), float(interval.high), n, LEVEL)


def mean(values: FloatArray, seed: int = 0) -> Estimate:
    """Estimate the mean of a figure that each row has, ``(n_samples,)``, by bootstrap."""
    return bootstrap(lambda sample, axis=-1: np.mean(sample, axis=axis), values, seed=seed)


def mean_share(shares: FloatArray, seed: int = 0) -> Estimate:
    """Estimate the mean of shares from 0 to 1, one a row: ``(n_samples,)``.

    By bootstrap; where every share is 1, the lower end is Clopper & Pearson's for "a row is 1", and
    likewise the upper end where every share is 0.
    """
    if np.all(shares == 1.0) or np.all(shares == 0.0):
        return proportion(shares == 1.0)
    return mean(shares, seed)


def bootstrap(
    statistic: Callable[..., Any],
    *columns: np.ndarray,
    vectorized: bool = True,
    seed: int = 0,
) -> Estimate:
    """Estimate a figure of rows by resampling the rows.

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
    vectorized : bool, default=True
    seed : int, default=0
    """
    from scipy.stats import DegenerateDataWarning
    from scipy.stats import bootstrap as resample

    n = len(columns[0])
    value = float(statistic(*columns))
    if n < 2:
        return Estimate(value, n=n)
    methods = ("BCa", "percentile") if n <= BCA_ROWS else ("percentile",)
    low = high = np.nan
    for method in methods:
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
            return Estimate(value, low, high, n, LEVEL)
    return Estimate(value, n=n)
