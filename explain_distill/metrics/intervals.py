"""Intervals: exact for proportions, by Hall's transformed t for means, else by bootstrap."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from explain_distill._random import generator
from explain_distill._types import BoolArray, FloatArray, IntArray
from explain_distill.metrics.mean_bounds import (
    bounded_mean_bound,
    by_group,
    rests_on_few,
    skewed_mean_bound,
)

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
        Rows of one group (a patient) are no independent draws. The interval is then that of as
        many rows as would be worth the same (Korn & Graubard 1998); where all rows agree, of as
        many as there are groups.

    References
    ----------
    Clopper & Pearson (1934), The use of confidence or fiducial limits illustrated in the case of
    the binomial, Biometrika 26, 404-413. Korn & Graubard (1998), Confidence intervals for
    proportions with small expected number of positive counts estimated from survey data, Survey
    Methodology 24, 193-201.
    """
    from scipy.stats import beta

    share = float(np.mean(holds))
    n = float(len(holds)) if groups is None else independent_rows(holds, groups)
    k, tail = n * share, (1 - LEVEL) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if share > 0 else 0.0
    high = float(beta.ppf(1 - tail, k + 1, n - k)) if share < 1 else 1.0
    return Estimate(share, low, high, len(holds), LEVEL)


def independent_rows(holds: BoolArray, groups: IntArray) -> float:
    """Say how many independent rows are worth as much as rows in groups.

    Their proportion has the same variance, which counts for less where few groups tell of it, or
    where a few large ones tell most of it: what the variance is worth is that of groups whose rows
    all go together as much (Imbens & Kolesár 2016). By `benchmarks/intervals.py`, the lower end is
    too high in 7% of draws of groups whose sizes vary as much as their mean; 2.5% are allowed.

    References
    ----------
    Imbens & Kolesár (2016), Robust standard errors in small samples: some practical advice, Review
    of Economics and Statistics 98, 701-712.
    """
    from scipy.stats import t

    sums, sizes = by_group(holds.astype(np.float64), groups)
    n_groups, n, share = len(sums), len(holds), float(np.mean(holds))
    if n_groups < 2 or share in (0.0, 1.0):
        return n_groups
    variance = n_groups / (n_groups - 1) * float(np.square((sums - share * sizes) / n).sum())
    rows = n if variance == 0 else min(share * (1 - share) / variance, n)
    largest = float(sizes @ sizes) / n  # a row's own group has so many rows, on the mean
    together = np.clip((n / rows - 1) / (largest - 1), 0, 1) if largest > 1 else 0.0
    parts = sizes * (1 + (sizes - 1) * together)
    worth = max(float(parts.sum() ** 2 / (parts @ parts)), 2.0)
    end = (1 + LEVEL) / 2
    return float(rows * (t.ppf(end, n - 1) / t.ppf(end, worth - 1)) ** 2)


def mean(
    values: FloatArray,
    groups: IntArray | None = None,
    *,
    within: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Estimate the mean of a figure that each row has.

    Both ends are those of Student's t, made symmetric by Hall's transformation
    (`skewed_mean_bound`): of skewed figures of few rows it covers more often than the bootstrap. A
    figure that is the same in every row gets no interval: its rows are too few to tell how far it
    can be off. So does one whose variance rests on too few rows (`rests_on_few`): how large
    the others can be that are as rare is then not known. If it cannot leave a range, its interval
    is that of any figure in it (`bounded_mean_bound`).

    Parameters
    ----------
    values : ndarray of shape (n_samples,)
    groups : ndarray of shape (n_samples,), optional
        Rows that belong together.
    within : tuple of two floats, optional
        What the figure cannot leave.

    References
    ----------
    Hall (1992), On the removal of skewness by transformation, Journal of the Royal Statistical
    Society B 54, 221-228.
    """
    value, n = float(np.mean(values)), len(values)
    sums, sizes = by_group(np.asarray(values, dtype=np.float64), groups)
    if len(sums) < 2 or np.ptp(values) == 0:
        return Estimate(value, n=n)
    level = (1 + LEVEL) / 2
    if rests_on_few(sums, sizes):
        if not np.isfinite(within).all():
            return Estimate(value, n=n)
        low = -bounded_mean_bound(-sums, sizes, -within[0], level=level)
        high = bounded_mean_bound(sums, sizes, within[1], level=level)
    else:
        low = -skewed_mean_bound(-sums, sizes, level=level)
        high = skewed_mean_bound(sums, sizes, level=level)
    return estimate(value, max(low, within[0]), min(high, within[1]), n)


def estimate(value: float, low: float | None, high: float | None, n: int) -> Estimate:
    """Give a figure with its interval at `LEVEL`, or without where its ends tell nothing."""
    if low is None or high is None or not np.isfinite([low, high]).all() or low >= high:
        return Estimate(value, n=n)
    return Estimate(value, float(low), float(high), n, LEVEL)


def mean_of_few(values: FloatArray, within: tuple[float, float] = (0.0, 1.0)) -> Estimate:
    """Estimate the mean of a figure within a range from a handful of draws: ``(n_draws,)``.

    Both ends are `bounded_mean_bound`: however close a few are to one another, they do not tell how
    far off those are that were not drawn.
    """
    ones, level = np.ones(len(values)), (1 + LEVEL) / 2
    low = -bounded_mean_bound(-values, ones, -within[0], level=level)
    high = bounded_mean_bound(values, ones, within[1], level=level)
    return estimate(float(np.mean(values)), max(low, within[0]), min(high, within[1]), len(values))


def mean_share(shares: FloatArray, groups: IntArray | None = None) -> Estimate:
    """Estimate the mean of shares from 0 to 1, one a row: ``(n_samples,)``.

    As `mean` does; where every share is 1, the lower end is Clopper & Pearson's for "a row is 1",
    and likewise the upper end where every share is 0.
    """
    if np.all(shares == 1.0) or np.all(shares == 0.0):
        return proportion(shares == 1.0, groups)
    return mean(shares, groups, within=(0.0, 1.0))


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
    return estimate(value, low, high, n)


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
