"""The splits of an axis-parallel tree: which leaf a row comes to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from explain_distill._types import BoolArray, FloatArray, IntArray

EVERYTHING = float(np.finfo(np.float64).max)
"""The threshold of a split that asks only whether its feature is missing."""


@dataclass(frozen=True, eq=False)
class Splits:
    """The inner nodes of a binary tree, each of which compares one feature with a threshold.

    Splits are numbered level by level from the root, 0; leaves from left to right.

    Parameters
    ----------
    children : ndarray of shape (n_splits, 2), int64
        Left and right; another split where not negative, leaf ``-1 - child`` otherwise.
    features : ndarray of shape (n_splits,), int64
    thresholds : ndarray of shape (n_splits,), float64
        A row goes left where its value is not greater.
    missing_left : ndarray of shape (n_splits,), bool
        Whether a row goes left whose value is missing.
    """

    children: IntArray
    features: IntArray
    thresholds: FloatArray
    missing_left: BoolArray

    @property
    def n_leaves(self) -> int:
        """The number of leaves: one more than splits."""
        return len(self.children) + 1

    @cached_property
    def levels(self) -> IntArray:
        """How many splits lie above each split: ``(n_splits,)``."""
        levels = np.zeros(len(self.children), dtype=np.int64)
        for split, pair in enumerate(self.children):
            levels[pair[pair >= 0]] = levels[split] + 1
        return levels

    @property
    def depth(self) -> int:
        """The number of splits on the longest way."""
        return int(self.levels.max()) + 1 if len(self.levels) else 0

    @cached_property
    def below(self) -> BoolArray:
        """Whether each leaf lies below each split: ``(n_splits, n_leaves)``."""
        below = np.zeros((len(self.children), self.n_leaves), dtype=bool)
        for split in reversed(range(len(self.children))):
            for child in self.children[split]:
                if child >= 0:
                    below[split] |= below[child]
                else:
                    below[split, -1 - child] = True
        return below

    def leaves_of(self, X: FloatArray, start: int | None = None) -> IntArray:
        """Give the leaf of each row.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        start : int, optional
            The child at which all rows begin; the root where left out.

        Returns
        -------
        ndarray of shape (n_samples,), int64
        """
        root = 0 if len(self.children) else -1
        place = np.full(len(X), root if start is None else start, dtype=np.int64)
        moving = np.flatnonzero(place >= 0)
        while len(moving):  # once a level
            split = place[moving]
            right = self.goes_right(split, X[moving, self.features[split]])
            place[moving] = self.children[split, right.astype(np.int64)]
            moving = moving[place[moving] >= 0]
        return -1 - place

    def goes_right(self, split: int | IntArray, value: FloatArray) -> BoolArray:
        """Say which values ``(n_samples,)`` of a split's feature, or of each one's, go right."""
        missing = np.isnan(value) & np.logical_not(self.missing_left[split])
        return np.asarray((value > self.thresholds[split]) | missing)

    def check(self, n_features: int) -> None:
        """Refuse splits that make no tree, or ask for features that are not there.

        Raises
        ------
        ValueError
        """
        n = len(self.children)
        parents, children = np.repeat(np.arange(n), 2), self.children.ravel()
        inner = children >= 0
        if not np.array_equal(np.sort(children[inner]), np.arange(1, n)):
            raise ValueError("each split but the first must be reached once")
        if (children[inner] <= parents[inner]).any():
            raise ValueError("a split must come after the one that leads to it")
        if n and not np.array_equal(np.sort(-1 - children[~inner]), np.arange(n + 1)):
            raise ValueError("each leaf must be reached once")
        if n and not 0 <= self.features.min() <= self.features.max() < n_features:
            raise ValueError("a split asks for a feature that is not there")


def numbered(
    root: int,
    children: IntArray,
    features: IntArray,
    thresholds: FloatArray,
    missing_left: BoolArray,
) -> Splits:
    """Give the tree below `root`, its splits numbered anew and its leaves from left to right.

    Parameters
    ----------
    root : int
        The first split, or negative for a tree of one leaf.
    children : ndarray of shape (n, 2)
        Any negative number is a leaf.
    features, thresholds, missing_left : ndarray of shape (n,)
    """
    order: list[int] = []
    level = [root] if root >= 0 else []
    while level:
        order += level
        level = [int(child) for split in level for child in children[split] if child >= 0]
    place = {split: number for number, split in enumerate(order)}
    renamed = np.zeros((len(order), 2), dtype=np.int64)
    n_leaves, ahead = 0, [(root, -1, 0)]
    while ahead:
        child, parent, side = ahead.pop()
        if child >= 0:
            ahead += [(int(children[child, s]), place[child], s) for s in (1, 0)]
        else:
            n_leaves += 1
        if parent >= 0:
            renamed[parent, side] = place[child] if child >= 0 else -n_leaves
    return Splits(
        renamed,
        np.asarray(features, dtype=np.int64)[order],
        np.asarray(thresholds, dtype=np.float64)[order],
        np.asarray(missing_left, dtype=bool)[order],
    )


def with_usual_sides(splits: Splits, X: FloatArray, weights: FloatArray) -> Splits:
    """Send missing values the way of most rows, where no row that comes to a split lacks one.

    Parameters
    ----------
    splits : Splits
    X : ndarray of shape (n_samples, n_features)
        The rows that the tree learned.
    weights : ndarray of shape (n_samples,)
    """
    missing_left = splits.missing_left.copy()
    leaves = splits.leaves_of(X)
    for split, below in enumerate(splits.below):
        rows = below[leaves]
        values, counts = X[rows, splits.features[split]], weights[rows]
        if not np.isnan(values).any():
            right = splits.goes_right(split, values)
            missing_left[split] = counts[right].sum() <= counts[~right].sum()
    return replace(splits, missing_left=missing_left)
