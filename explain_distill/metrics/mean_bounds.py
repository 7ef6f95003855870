"""The mean of a figure of rows that come in groups, bounded from above, at any level.

All bounds take the sum of the figure over each group and the number of rows in it, ``(n_groups,)``
each; a row of its own is a group of one. The mean is that of rows: the sum of sums by the sum of
sizes. None resamples, so that a level far beyond what 999 resamples tell costs no more.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm, t

from explain_distill._types import FloatArray, IntArray

LEAST_WORTH, LEAST_SHARE = 3.0, 0.25
"""Where the variance of a figure without limits rests on fewer rows, or on less of few rows, no
interval is told of it."""

MOST_STAKED = 0.5  # of the capital
NEAR = 1e-10  # how near to the ends of its range a root is looked for


def by_group(figure: FloatArray, groups: IntArray | None) -> tuple[FloatArray, FloatArray]:
    """Give each group's sum of a figure, and the number of its rows: ``(n_groups,)`` twice."""
    if groups is None:
        return figure, np.ones(len(figure))
    codes = np.unique(groups, return_inverse=True)[1]
    sums, sizes = np.bincount(codes, weights=figure), np.bincount(codes)
    return np.asarray(sums, dtype=np.float64), sizes.astype(np.float64)


def group_means(figure: FloatArray, groups: IntArray | None) -> tuple[FloatArray, FloatArray]:
    """Give each group's mean of a figure, and ones: each group counts once ``(n_groups,)`` twice.

    Of groups of unequal size, a mean over groups can be bounded without knowing how large one is
    that was not drawn.
    """
    sums, sizes = by_group(figure, groups)
    return sums / sizes, np.ones(len(sums))


def rows_worth(sums: FloatArray, sizes: FloatArray) -> float:
    """Say on how many rows, or groups of them, the variance of a figure rests.

    ``(Σ d²)² / Σ d⁴`` of the deviations d from the mean: k, if k rows out of many are off by as
    much and no other is; a third of all rows, if the figure is normal. It is Kish's (1965) number
    of rows worth as much as weighted ones, the weights being each row's part in the variance.

    Parameters
    ----------
    sums, sizes : ndarray of shape (n_groups,)

    Returns
    -------
    float
        From 1 to the number of groups; 0 where nothing deviates.

    References
    ----------
    Kish (1965), Survey sampling, Wiley, section 8.2.
    """
    deviations = np.abs(sums - sums.sum() / sizes.sum() * sizes)
    if not deviations.any():
        return 0.0
    parts = np.square(deviations / deviations.max())
    return float(parts.sum() ** 2 / np.square(parts).sum())


def rests_on_few(sums: FloatArray, sizes: FloatArray) -> bool:
    """Say whether too few rows, or groups, make up the variance of a figure (see `rows_worth`).

    That is fewer than three, or than a quarter where there are fewer than twelve in all; of five
    and fewer it is never said.
    """
    return rows_worth(sums, sizes) < min(LEAST_WORTH, LEAST_SHARE * len(sums))


def skewed_mean_bound(sums: FloatArray, sizes: FloatArray, *, level: float) -> float:
    """Bound the mean by Student's t, made symmetric by Hall's transformation.

    The studentised mean T of n skewed figures is skewed itself, the other way. Of skewness g, it
    is turned into ``T + u T² / 3 + u² T³ / 27 + u / 6`` with ``u = g / sqrt(n)``, whose quantile is
    Student's and whose inverse is a cube root. The deviation of a ratio of sums is linearised.

    Parameters
    ----------
    sums, sizes : ndarray of shape (n_groups,)
        Of two groups at the least.
    level : float
        So often the bound lies above the expected mean.

    Returns
    -------
    float

    References
    ----------
    Hall (1992), On the removal of skewness by transformation, Journal of the Royal Statistical
    Society B 54, 221-228.
    Zhou & Gao (2000), One-sided confidence intervals for means of positively skewed distributions,
    The American Statistician 54, 100-104.
    """
    n, mean = len(sums), sums.sum() / sizes.sum()
    errors = (sums - mean * sizes) / sizes.mean()
    deviation = errors.std(ddof=1)
    if deviation == 0:
        return float(mean)
    u = np.mean((errors / errors.std()) ** 3) / np.sqrt(n)
    quantile = -t.ppf(level, n - 1)
    if abs(u) > NEAR:
        quantile = 3 / u * (np.cbrt(1 + u * (quantile - u / 6)) - 1)
    return float(mean - quantile * deviation / np.sqrt(n))


def bounded_mean_bound(
    sums: FloatArray, sizes: FloatArray, highest: float, *, level: float
) -> float:
    """Bound the mean of a figure whose mean is at most `highest` in every group.

    A group that reaches the highest is added to those that were seen; groups are given weights that
    sum to 1, every such weighting being as likely (Dirichlet); the bound is the quantile of the
    weighted mean. Of figures 0 and 1 it is the exact bound of Clopper & Pearson
    (1934); for all others its coverage is proven in parts, and was never seen to fail. The added
    group is as large as the group of a row is on average: of groups of unequal size, a large one
    that was not seen counts most.

    Parameters
    ----------
    sums, sizes : ndarray of shape (n_groups,)
    highest : float
        No less than any group's mean.
    level : float
        Above 0.7, say: so often the bound lies above the expected mean, or more often.

    Returns
    -------
    float
        `highest` at the most.

    References
    ----------
    Gaffke (2005), Three test statistics for a nonparametric one-sided hypothesis on the mean of a
    nonnegative variable, Mathematical Methods of Statistics 14, 451-467.
    Learned-Miller & Thomas (2019), A new confidence interval for the mean of a bounded random
    variable, arXiv:1905.06208.
    """
    below = np.maximum(highest * sizes - sums, 0.0)
    room = below.sum() / sizes.sum()
    if room == 0:
        return float(highest)
    # How far below the highest each group is, in units of what all of them are.
    below = np.append(below / room, 0.0) / sizes.mean()
    weights = np.append(sizes, sizes @ sizes / sizes.sum()) / sizes.mean()

    def beyond(share: float) -> float:
        return _probability_below_zero(below - share * weights) - (1 - level)

    return float(highest - brentq(beyond, NEAR, 1 - NEAR) * room)


def betting_mean_bound(
    sums: FloatArray, sizes: FloatArray, highest: float, *, level: float, seed: int = 0
) -> float:
    """Bound the mean of a figure from 0 to `highest`, at any number of groups, by betting.

    Against each mean that is claimed, a gambler stakes on lower figures, by what the figures before
    told; that its capital ever exceeds ``1 / (1 - level)`` is as unlikely as `level` says where the
    claim is true (Ville's inequality), and so the bound is the lowest claim that is refuted.
    Nothing is approximated where groups are of one size. Where they are not, a group's figure is
    its sum by the mean size, whose highest is that of the largest group.

    Parameters
    ----------
    sums, sizes : ndarray of shape (n_groups,)
        Independent draws, in any order.
    highest : float
        No less than any row's figure can be.
    level : float
    seed : int, default=0
        Of the order in which the gambler sees them.

    Returns
    -------
    float
        `highest` at the most.

    References
    ----------
    Waudby-Smith & Ramdas (2024), Estimating means of bounded random variables by betting, Journal
    of the Royal Statistical Society B 86, 1-27 (the stakes of theorem 3, one-sided).
    """
    top = highest * float(sizes.max() / sizes.mean())
    if top <= 0:
        return 0.0
    figures = np.random.default_rng(seed).permutation(sums / sizes.mean() / top)
    n, wanted = len(figures), np.log(1 / (1 - level))
    count = np.arange(1, n + 1)
    means = (0.5 + np.cumsum(figures)) / (count + 1)
    squares = (0.25 + np.cumsum((figures - means) ** 2)) / (count + 1)
    before = np.concatenate([[0.25], squares[:-1]])  # what is known of the variance by then
    stakes = np.sqrt(2 * wanted / (n * before))

    def gained(claim: float) -> float:
        most = MOST_STAKED / max(1 - claim, NEAR)
        return float(np.log1p(np.minimum(stakes, most) * (claim - figures)).sum() - wanted)

    low = float(figures.mean())
    if gained(1.0) <= 0:
        return float(highest)
    # Capital grows with the claim, but for the limit of what is staked: the highest root counts.
    claims = np.linspace(low, 1.0, 257)
    kept = [claim for claim in claims if gained(claim) <= 0]
    start = kept[-1] if kept else low
    root = brentq(gained, start, min(start + claims[1] - claims[0], 1.0), xtol=1e-12)
    return min(float(root) * top, float(highest))


def _probability_below_zero(factors: FloatArray) -> float:
    """Say how likely ``sum(factors * E)`` is negative, each E exponential; both signs must occur.

    By the saddlepoint, which for figures 0 and 1 lifts a bound by 0.6% at the most (Lugannani &
    Rice 1980, in the form of Barndorff-Nielsen 1986).
    """

    def slope(at: float) -> float:
        return float(np.sum(factors / (1 - at * factors)))

    at = brentq(slope, (1 - NEAR) / factors.min(), (1 - NEAR) / factors.max(), xtol=1e-14)
    depth = np.sum(np.log1p(-at * factors))
    root = np.sign(at) * np.sqrt(2 * max(depth, 0.0))
    if abs(root) < 1e-4:
        return 0.5
    spread = at * np.sqrt(np.sum((factors / (1 - at * factors)) ** 2))
    return float(norm.cdf(root + np.log(spread / root) / root))
