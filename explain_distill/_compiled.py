"""Loops that are compiled the first time they run, and kept beside their source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile a function of arrays and numbers by numba (Lam, Pitrou & Seibert 2015).

    A division by zero gives infinity, as in numpy. Sums may be taken in any order, so that several
    terms are added at once; what is no number stays so. Where nothing can be kept on disk, the
    function is compiled in each process anew. Other threads go on while it runs.
    """
    options: dict[str, Any] = {
        "error_model": "numpy",
        "fastmath": {"contract", "reassoc"},
        "nogil": True,
    }
    try:
        return cast(Function, njit(cache=True, **options)(function))
    except RuntimeError:  # numba found no folder to write to
        return cast(Function, njit(**options)(function))
