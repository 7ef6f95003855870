"""Rows that a tree asks its teacher about, where a leaf has few."""

from __future__ import annotations

import numpy as np

from explain_distill._types import IntArray, Rows


def coalitions_within(
    rows: Rows, leaves: IntArray, wanted: IntArray, rng: np.random.Generator
) -> Rows:
    """Mix training rows of the same leaf, column by column.

    A leaf of an axis-parallel tree is a box, and each column of the mixture comes from one of two
    rows in it: so the mixture lies in the same leaf.

    Parameters
    ----------
    rows : ndarray of shape (n_train, n_columns)
        Raw rows.
    leaves : ndarray of shape (n_train,)
        The leaf of each.
    wanted : ndarray of shape (n_leaves,)
        How many mixtures of each leaf's rows; none is made of a leaf with less than two.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (at most wanted.sum(), n_columns)

    References
    ----------
    Craven & Shavlik (1996), Extracting tree-structured representations of trained networks: rows
    are drawn under a leaf's constraints from each feature's distribution there. Bastani, Kim &
    Bastani (2017), Interpretability via model extraction.
    """
    order = np.argsort(leaves, kind="stable")
    counts = np.bincount(leaves, minlength=len(wanted))
    leaf = np.repeat(np.arange(len(wanted)), np.where(counts < 2, 0, wanted))
    first = (np.cumsum(counts) - counts)[leaf]
    one, other = (order[first + rng.integers(counts[leaf])] for _ in range(2))
    kept = rng.random((len(leaf), rows.shape[1])) < rng.random((len(leaf), 1))
    return np.where(kept, rows[one], rows[other])
