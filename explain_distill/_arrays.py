"""Arrays that come from a file: nothing is believed of them before it is checked."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


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
