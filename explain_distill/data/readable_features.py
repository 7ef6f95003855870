"""Readable features: the matrix that students work on, in raw units, with names a person can read.

Numbers stay as they are, NaN kept. A category becomes its levels (``sex=female``), each 0 or 1; a
missing category has none of them. A boolean stays one column of 0 and 1. Of molecules they are
descriptors and counts of fragments; see `chemical_features`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from explain_distill._types import IntArray, ReadableRows, Rows
from explain_distill.data.features import Feature, Schema


@dataclass(frozen=True)
class ReadableFeature:
    """One column of the matrix that students work on.

    Parameters
    ----------
    name : str
        ``"age"`` or ``"sex=female"``.
    column : int
        The raw column it belongs to; of molecules its own place, since it is of no fragment alone.
    level : str or None
        The level that it stands for; None for numbers and booleans.
    unit : str or None
    binary : bool
        Whether it holds 0 and 1 only.
    """

    name: str
    column: int
    level: str | None = None
    unit: str | None = None
    binary: bool = False


@dataclass(frozen=True)
class ReadableFeatures:
    """How raw columns become readable features, and how shares of features go back to columns.

    Parameters
    ----------
    schema : Schema
    """

    schema: Schema

    @cached_property
    def features(self) -> tuple[ReadableFeature, ...]:
        """The readable features in order, length ``n_readable``."""
        if self.of_molecules:
            from explain_distill.data.chemical_features import names_and_units
            from explain_distill.data.environments import environment_names

            counted = environment_names(self.schema.environments)
            told = enumerate((*names_and_units(), *((name, None) for name in counted)))
            return tuple(ReadableFeature(name, place, unit=unit) for place, (name, unit) in told)
        return tuple(
            readable
            for column, feature in enumerate(self.schema.features)
            for readable in _readable(feature, column)
        )

    @property
    def of_molecules(self) -> bool:
        """Whether rows are molecules, of whose readable features none is of one column alone."""
        return self.schema.molecules is not None

    @cached_property
    def names(self) -> list[str]:
        """The readable features' names."""
        return [feature.name for feature in self.features]

    @cached_property
    def columns(self) -> IntArray:
        """The raw column of each readable feature: ``(n_readable,)``."""
        return np.array([feature.column for feature in self.features], dtype=np.int64)

    def transform(self, rows: Rows) -> ReadableRows:
        """Turn raw rows ``(n_samples, n_columns)`` into ``(n_samples, n_readable)``."""
        rows = np.asarray(rows, dtype=np.float64)
        if self.of_molecules:
            from explain_distill.data.chemical_features import features_of
            from explain_distill.data.environments import environment_counts
            from explain_distill.data.molecules import numbers_of

            numbers = numbers_of(rows)
            told = features_of(numbers)
            if not self.schema.environments:
                return told
            counted = environment_counts(numbers.tolist(), self.schema.environments)
            return np.concatenate([told, counted], axis=1)
        if not any(feature.kind == "category" for feature in self.schema.features):
            return rows
        out = rows[:, self.columns]
        for column, feature in enumerate(self.schema.features):
            if feature.kind == "category":
                codes = np.arange(len(feature.levels), dtype=np.float64)
                out[:, self.columns == column] = rows[:, [column]] == codes
        return out


def _readable(feature: Feature, column: int) -> list[ReadableFeature]:
    if feature.kind == "category":
        return [
            ReadableFeature(f"{feature.name}={level}", column, level=level, binary=True)
            for level in feature.levels
        ]
    return [
        ReadableFeature(feature.name, column, unit=feature.unit, binary=feature.kind == "boolean")
    ]
