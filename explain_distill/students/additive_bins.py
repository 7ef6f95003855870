"""The bins of an additive model: where a feature is cut, and which bin a value lies in."""

from __future__ import annotations

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.students.cuts import quantile_neighbours

MISSING = 0
"""The bin of a missing value; the others follow in order, one more than there are cuts."""


def bin_numbers(values: FloatArray, cuts: FloatArray) -> IntArray:
    """Give the bins of values ``(n_samples,)``: from 0 to ``len(cuts) + 1``.

    A value at a cut lies above it.
    """
    bins = np.searchsorted(cuts, values, side="right") + 1
    bins[np.isnan(values)] = MISSING
    return np.asarray(bins)


def feature_cuts(values: FloatArray, n_bins: int) -> FloatArray:
    """Cut a feature half-way between its values, or at quantiles where they are many.

    A feature that never varies has no cut; one that is a constant or missing has one.
    """
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    if len(distinct) < 2:
        return distinct if len(known) < len(values) else distinct[:0]
    few = len(distinct) <= n_bins
    low, high = (distinct[:-1], distinct[1:]) if few else quantile_neighbours(known, n_bins - 1)
    middles = low / 2 + high / 2
    return np.unique(np.where(middles > low, middles, high))


def fewer_cuts(cuts: FloatArray, n_bins: int) -> FloatArray:
    """Keep some of the cuts, evenly spread, so that at most `n_bins` bins are left."""
    if len(cuts) < n_bins:
        return cuts
    return cuts[np.linspace(0, len(cuts) - 1, n_bins + 1)[1:-1].round().astype(np.int64)]


def coarse_bins(cuts: FloatArray, fewer: FloatArray) -> IntArray:
    """Say in which bin between fewer cuts each bin between `cuts` lies: ``(n_cuts + 2,)``.

    Parameters
    ----------
    cuts : ndarray of shape (n_cuts,)
    fewer : ndarray of shape (n_fewer,)
        Some of the cuts.
    """
    lower_ends = np.concatenate([[np.nan, -np.inf], cuts])
    return bin_numbers(lower_ends, fewer)
