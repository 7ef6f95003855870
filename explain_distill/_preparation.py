"""Imputation and scaling that live inside a model: nobody outside ever sees scaled units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explain_distill._arrays import take_checked
from explain_distill._types import BoolArray, FloatArray, ReadableRows
from explain_distill.exceptions import DataError

FURTHEST = 1e18
"""Standard deviations that a prepared value is from the mean at most: float32 can square it."""
NORMAL = (2 / np.pi) ** 0.5
"""A normal variable's mean absolute deviation, in standard deviations."""
UNTOLD = 0.1  # the share of rows in which a feature was missing, where it is not known
SMALLEST_SPREAD = 1e-30
"""Of a column that is no constant; and its inverse the largest value. Networks learn in float32."""


@dataclass(frozen=True, eq=False)
class Preparation:
    """Median imputation, standardisation and missing-value indicators for readable features.

    A prepared matrix holds the ``n_readable`` standardised features, then one indicator column for
    each feature that was missing somewhere when the preparation was fitted: ``n_prepared`` columns.

    Parameters
    ----------
    fill : ndarray of shape (n_readable,)
        What stands in for a missing value: the median.
    centre, scale : ndarray of shape (n_readable,)
        Mean and standard deviation after imputation, in raw units; the scale of a constant is
        infinite, so that it is always 0 when prepared.
    indicated : ndarray of shape (n_indicated,)
        The features that have an indicator of being missing.
    missing : ndarray of shape (n_indicated,), optional
        The shares of rows in which they were; older files do not say.
    """

    fill: FloatArray
    centre: FloatArray
    scale: FloatArray
    indicated: np.ndarray
    missing: FloatArray | None = None

    @classmethod
    def fit(cls, readable: ReadableRows, names: Sequence[str] | None = None) -> Preparation:
        """Take the statistics from rows ``(n_samples, n_readable)``.

        Raises
        ------
        DataError
            Where a column's values are too large or too near each other; named, if it has a name.
        """
        missing = np.isnan(readable)
        fill = np.zeros(readable.shape[1])
        known = ~missing.all(axis=0)
        fill[known] = np.nanmedian(readable[:, known], axis=0)
        imputed = np.where(missing, fill, readable)
        with np.errstate(over="ignore", invalid="ignore"):
            centre, scale = imputed.mean(axis=0), imputed.std(axis=0)
        # Nothing was learned of a column that was constant, so that no value of it may speak.
        constant = imputed.max(axis=0) == imputed.min(axis=0)
        scale[constant] = np.inf
        largest = np.where(constant, 0.0, np.abs(imputed).max(axis=0))
        _check_spread(largest, scale, names or range(len(scale)))
        shares = missing.mean(axis=0)
        indicated = np.flatnonzero(shares)
        return cls(fill, centre, scale, indicated, shares[indicated])

    @property
    def n_prepared(self) -> int:
        """The number of prepared columns."""
        return len(self.fill) + len(self.indicated)

    @property
    def origin(self) -> np.ndarray:
        """The readable feature of each prepared column: ``(n_prepared,)``."""
        return np.concatenate([np.arange(len(self.fill)), self.indicated])

    def spread(self, binary: BoolArray) -> FloatArray:
        """Give each prepared column's mean absolute deviation where it was fitted.

        What is not binary is taken to vary as a normal variable of its standard deviation does.

        Parameters
        ----------
        binary : ndarray of shape (n_readable,), bool
            Which features hold two values only, one apart.

        Returns
        -------
        ndarray of shape (n_prepared,)
        """
        deviations = np.where(binary & np.isfinite(self.scale), 2 * self.scale, NORMAL)
        missing = np.full(len(self.indicated), UNTOLD) if self.missing is None else self.missing
        return np.concatenate([deviations, 2 * missing * (1 - missing)])

    def __call__(self, readable: ReadableRows) -> FloatArray:
        """Turn ``(n_samples, n_readable)`` into ``(n_samples, n_prepared)``."""
        missing = np.isnan(readable)
        if not missing.any() and not len(self.indicated):
            return self._scaled(readable)
        scaled = self._scaled(np.where(missing, self.fill, readable))
        return np.concatenate([scaled, missing[:, self.indicated].astype(np.float64)], axis=1)

    def _scaled(self, imputed: FloatArray) -> FloatArray:
        with np.errstate(over="ignore"):
            scaled = (imputed - self.centre) / self.scale
        return np.asarray(np.minimum(np.maximum(scaled, -FURTHEST), FURTHEST))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Give the statistics as named arrays, for saving."""
        arrays: dict[str, np.ndarray] = {
            "preparation.fill": self.fill,
            "preparation.centre": self.centre,
            "preparation.scale": self.scale,
            "preparation.indicated": self.indicated.astype(np.int64),
        }
        if self.missing is not None and len(self.missing):
            arrays["preparation.missing"] = self.missing
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Preparation:
        """Read what `to_arrays` wrote.

        Raises
        ------
        ValueError
            Where the arrays do not fit together.
        """
        fill, centre, scale, indicated = (
            arrays[f"preparation.{name}"] for name in ("fill", "centre", "scale", "indicated")
        )
        if fill.ndim != 1 or indicated.ndim != 1:
            raise ValueError("the preparation's arrays must have one axis")
        finite = np.where(np.isposinf(scale), 1.0, scale)
        shapes = {f"preparation.{name}": fill.shape for name in ("fill", "centre", "scale")}
        take_checked({**arrays, "preparation.scale": finite}, shapes)
        if not (finite > 0).all():
            raise ValueError("preparation.scale must be positive")
        take_checked(arrays, {"preparation.indicated": indicated.shape}, np.int64)
        if len(indicated) and not 0 <= indicated.min() <= indicated.max() < len(fill):
            raise ValueError("preparation.indicated names a feature that is not there")
        missing = arrays.get("preparation.missing")
        if missing is not None:
            take_checked(arrays, {"preparation.missing": indicated.shape})
            if ((missing <= 0) | (missing > 1)).any():
                raise ValueError("preparation.missing must be shares")
        return cls(fill, centre, scale, indicated, missing)


def _check_spread(largest: FloatArray, spread: FloatArray, names: Sequence[str | int]) -> None:
    """Refuse features whose size single precision, in which networks learn, cannot hold.

    Raises
    ------
    DataError
    """
    wrong = (spread < SMALLEST_SPREAD) | (largest > 1 / SMALLEST_SPREAD)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise DataError(
            f"Columns must spread over {SMALLEST_SPREAD:.0e} or more and lie within "
            f"±{1 / SMALLEST_SPREAD:.0e}; however, {names[place]!r} spreads over "
            f"{spread[place]:.3g} and reaches {largest[place]:.3g}. Give it in other units."
        )
