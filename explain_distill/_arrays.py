"""Arrays block by block, and arrays from a file: nothing of those is believed unchecked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from explain_distill._types import FloatArray


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


def in_blocks(
    function: Callable[[FloatArray], FloatArray], rows: FloatArray, size: int
) -> FloatArray:
    """Apply a function of rows block by block, so that memory stays flat."""
    if len(rows) <= size:
        return function(rows)
    return np.concatenate([function(rows[i : i + size]) for i in range(0, len(rows), size)])
