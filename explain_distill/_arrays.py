"""Arrays block by block, and arrays and numbers from files, which are not believed unchecked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import numpy as np

from explain_distill._types import FloatArray, Json


def take_checked(
    arrays: Mapping[str, np.ndarray],
    shapes: Mapping[str, tuple[int, ...]],
    dtype: type = np.float64,
) -> dict[str, np.ndarray]:
    """Take named arrays, of these shapes and of this type.

    Raises
    ------
    ValueError
        Where an array is absent, of another shape or type, or holds a number that is not finite.
    """
    for name, shape in shapes.items():
        if name not in arrays:
            raise ValueError(f"the array {name} is absent")
        array = arrays[name]
        if array.shape != shape or array.dtype != dtype:
            raise ValueError(
                f"{name} is {array.dtype} of shape {array.shape}, not {np.dtype(dtype)} of {shape}"
            )
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds a number that is not finite")
    return {name: arrays[name] for name in shapes}


def take_number(config: Json, name: str, *, positive: bool = False) -> float:
    """Take a named number of a JSON object.

    Raises
    ------
    ValueError
        Where it is no finite number, or not above 0 where it must be.
    """
    value = config[name]
    if not is_number(value) or (positive and value <= 0):
        rule = "a finite number above 0" if positive else "a finite number"
        raise ValueError(f"{name} is {value!r}, not {rule}")
    return float(value)


def is_number(value: Any) -> bool:
    """Say whether a value of a JSON object is a finite number."""
    return type(value) in (int, float) and bool(abs(value) <= sys.float_info.max)


def is_count(value: Any) -> bool:
    """Say whether a value is a whole number above 0."""
    return type(value) is not bool and isinstance(value, Integral) and int(value) > 0


def in_blocks(
    function: Callable[[FloatArray], FloatArray], rows: FloatArray, size: int
) -> FloatArray:
    """Apply a function of rows block by block, so that memory stays flat."""
    if len(rows) <= size:
        return function(rows)
    return np.concatenate([function(rows[i : i + size]) for i in range(0, len(rows), size)])
