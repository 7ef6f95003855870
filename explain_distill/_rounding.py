"""How numbers are rounded for people: bounds away from what they bound, and without exponents."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

WITHOUT_EXPONENT = 1e15


def down(value: float, digits: int) -> float:
    """Round downwards to so many decimals, but for what is a matter of floating point."""
    return math.floor(round(value * 10**digits, 6)) / 10**digits


def up(value: float, digits: int) -> float:
    """Round upwards to so many decimals, but for what is a matter of floating point."""
    return math.ceil(round(value * 10**digits, 6)) / 10**digits


def short(value: float, digits: int = 4) -> str:
    """Write so many significant digits, and all that stand before the point."""
    if 10.0**digits <= abs(value) < WITHOUT_EXPONENT:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def in_full(value: float) -> str:
    """Write as many digits as tell a number from all others, where that needs no exponent."""
    if value == 0 or 1e-4 <= abs(value) < WITHOUT_EXPONENT:
        return np.format_float_positional(value, trim="-")
    return repr(float(value))


def percent(share: float, towards: Callable[[float, int], float]) -> str:
    """Write a bound in percent, rounded `up` or `down`, with a digit after the point below 10."""
    digits = 0 if share >= 0.1 else digits_that_part(100 * share, 100, 1)
    return f"{towards(100 * share, digits):.{digits}f}%"


def digits_that_part(value: float, whole: float, least: int) -> int:
    """Give how many digits part a value from 0 and from the whole, `least` or more, at most 6."""
    fine = (d for d in range(least, 6) if value in (0, whole) or 0 < round(value, d) < whole)
    return next(fine, 6)
