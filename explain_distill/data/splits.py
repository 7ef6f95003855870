"""Parting rows in two: every stratum on both sides, and no group or time on both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.exceptions import DataError

N_DRAWS = 500
"""So many ways to part the groups are tried; the most balanced one is taken."""


def check_share(share: float) -> None:
    """Refuse a share of rows of which nothing, or everything, would be on one side.

    Raises
    ------
    DataError
        Where it does not lie between 0 and 1.
    """
    if not 0 < share < 1:
        raise DataError(
            f"The share of the rows to set apart must lie between 0 and 1; however, got {share:g}. "
            "Give a share such as 0.25."
        )


def draw_rows(
    strata: IntArray, names: Sequence[str], share: float, rng: np.random.Generator
) -> IntArray:
    """Choose a share of the rows of each stratum.

    Parameters
    ----------
    strata : ndarray of shape (n_samples,)
        The stratum of each row: its class.
    names : sequence of str
        What to call each stratum in an error.
    share : float
        Between 0 and 1.
    rng : Generator

    Returns
    -------
    ndarray of shape (n_chosen,)
        Indices of rows, ascending; at least one of each stratum, and not all of any.

    Raises
    ------
    DataError
        Where a stratum has one row.
    """
    chosen = []
    for stratum in np.unique(strata):
        rows = rng.permutation(np.flatnonzero(strata == stratum))
        if len(rows) < 2:
            raise DataError(
                f"{names[stratum]} must have at least 2 rows to stand on both sides of a split; "
                f"however, it has {len(rows)}. Give more rows of it."
            )
        chosen.append(rows[: int(np.clip(round(share * len(rows)), 1, _most(len(rows))))])
    return np.sort(np.concatenate(chosen))


def latest_rows(
    strata: IntArray, times: FloatArray, names: Sequence[str], share: float
) -> IntArray:
    """Choose the latest rows; those of one time are all chosen, or none.

    Parameters
    ----------
    strata : ndarray of shape (n_samples,)
        The stratum of each row: its class.
    times : ndarray of shape (n_samples,)
    names : sequence of str
        What to call each stratum in an error.
    share : float
        Between 0 and 1; met as nearly as may be.

    Returns
    -------
    ndarray of shape (n_chosen,)
        Indices of rows, ascending.

    Raises
    ------
    DataError
        Where all rows are of one time, or a stratum has earlier or later rows only.
    """
    starts = np.unique(times)[1:]
    if not len(starts):
        raise DataError(
            "Rows must be of 2 times at least to be split by time; however, all are of one. Name "
            "another column, or split at random."
        )
    off = [abs(float(np.mean(times >= start)) - share) for start in starts]
    late = times >= starts[int(np.argmin(off))]
    for stratum in np.unique(strata):
        here = late[strata == stratum]
        if here.all() or not here.any():
            raise DataError(
                f"{names[stratum]} must have rows before and after a split by time; however, all "
                f"{len(here)} are {'late' if here.all() else 'early'}. Split at random."
            )
    return np.flatnonzero(late)


def draw_groups(
    strata: IntArray,
    groups: np.ndarray,
    names: Sequence[str],
    share: float,
    rng: np.random.Generator,
) -> IntArray:
    """Choose whole groups that hold a share of the rows of each stratum, as nearly as may be.

    Parameters
    ----------
    strata, groups : ndarray of shape (n_samples,)
        The stratum and the group of each row.
    names : sequence of str
        What to call each stratum in an error.
    share : float
        Between 0 and 1.
    rng : Generator

    Returns
    -------
    ndarray of shape (n_chosen,)
        Indices of rows, ascending; at least one group of each stratum, and not all of any.

    Raises
    ------
    DataError
        Where a stratum has one group, or no way to part the groups was found.
    """
    _, group = np.unique(groups, return_inverse=True)
    present, stratum = np.unique(strata, return_inverse=True)
    rows = np.zeros((group.max() + 1, len(present)))
    np.add.at(rows, (group, stratum), 1)
    n_groups = (rows > 0).sum(axis=0)
    if n_groups.min() < 2:
        raise DataError(
            f"{names[present[n_groups.argmin()]]} must come from at least 2 groups to stand on "
            "both sides of a split that parts no group; however, it comes from 1. Give rows of "
            "further groups, or split without groups."
        )
    return np.flatnonzero(np.isin(group, _most_balanced(rows, share, rng)))


def _most_balanced(rows: FloatArray, share: float, rng: np.random.Generator) -> IntArray:
    """Choose groups from their numbers of rows in each stratum: ``(n_groups, n_strata)``."""
    limits = [_most(count) for count in (rows > 0).sum(axis=0)]
    best, least = None, np.inf
    for _ in range(N_DRAWS):
        order = rng.permutation(len(rows))
        sums = rows[order].cumsum(axis=0)
        fair = np.abs(sums[:-1].sum(axis=1) - share * rows.sum()).argmin() + 1
        every_stratum = (sums > 0).all(axis=1).argmax() + 1
        some = order[: max(fair, every_stratum)]
        counts = (rows[some] > 0).sum(axis=0)
        imbalance = np.abs(rows[some].sum(axis=0) / rows.sum(axis=0) - share).sum()
        if (counts <= limits).all() and imbalance < least:
            best, least = some, imbalance
    if best is None:
        raise DataError(
            "Each class of the target must stand on both sides of a split that parts no group; "
            f"however, none of {N_DRAWS} ways to part the {len(rows)} groups does so. Give rows of "
            "further groups, or split without groups."
        )
    return best


def _most(count: int) -> int:
    """Give the most rows or groups of a stratum to choose.

    Three or more leave two behind, so that the larger part can be split once more.
    """
    return max(1, count - 2)
