"""How numbers are rounded for people: bounds away from what they bound, and without exponents."""

from __future__ import annotations

import math

WITHOUT_EXPONENT = 1e12


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
