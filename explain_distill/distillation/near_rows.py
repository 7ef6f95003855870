"""How near training rows are to each other, numbers and categories together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explain_distill._types import BoolArray, IntArray, Rows
from explain_distill.data.features import Schema


def held_discrete(schema: Schema) -> BoolArray:
    """Say which raw columns hold codes of levels and no numbers: ``(n_columns,)``."""
    return np.array([feature.kind != "number" for feature in schema.features], dtype=bool)


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Training rows as points, whose squared distance adds up over the raw columns.

    A number is standardised, a missing one stands at the mean with an indicator beside it. A
    category has a coordinate for each level, missing being one. So two rows that differ in a level
    are apart by 2, as much as two random rows are, on average, in a number (compare the
    heterogeneous distances of Wilson & Martinez 1997).

    Parameters
    ----------
    points : ndarray of shape (n_train, n_coordinates)
        float32.
    column : ndarray of shape (n_coordinates,)
        The raw column that each coordinate tells of.
    """

    points: np.ndarray
    column: IntArray

    @classmethod
    def of(cls, X: Rows, discrete: BoolArray) -> Coordinates:
        """Take the points of rows ``(n_train, n_columns)``."""
        parts = [
            _levels(values) if by_level else _standardised(values)
            for values, by_level in zip(X.T, discrete, strict=True)
        ]
        widths = [part.shape[1] for part in parts]
        return cls(np.concatenate(parts, axis=1), np.repeat(np.arange(len(parts)), widths))

    @cached_property
    def same(self) -> IntArray:
        """The number of the first row that is the same as each row: ``(n_train,)``."""
        _, first, place = np.unique(self.points, axis=0, return_index=True, return_inverse=True)
        return np.asarray(first[place], dtype=np.int64)

    def nearest(self) -> IntArray:
        """Give the number of the nearest row that is another for each row: ``(n_train,)``."""
        from sklearn.neighbors import NearestNeighbors

        distinct = np.unique(self.same)
        if len(distinct) < 2:
            return np.zeros(len(self.points), dtype=np.int64)
        index = NearestNeighbors(n_neighbors=1).fit(self.points[distinct])
        # Asked without rows, the index leaves each row out of its own neighbours.
        nearest = distinct[index.kneighbors(return_distance=False)[:, 0]]
        return np.asarray(nearest[np.searchsorted(distinct, self.same)], dtype=np.int64)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Give a number's coordinates: ``(n_train, 1)``, or 2 where some are missing."""
    missing = np.isnan(values)
    known = values[~missing]
    centre = known.mean() if len(known) else 0.0
    scale = known.std() if len(known) and np.ptp(known) > 0 else np.inf
    coordinates = [np.where(missing, 0.0, (values - centre) / scale)]
    if missing.any():
        coordinates.append(np.sqrt(2) * missing)
    return np.stack(coordinates, axis=1).astype(np.float32)


def _levels(codes: np.ndarray) -> np.ndarray:
    """Give a category's coordinates, one a level: ``(n_train, n_levels)``."""
    levels, place = np.unique(codes, return_inverse=True)  # all missing values are one level
    return np.eye(len(levels), dtype=np.float32)[place]
