"""How numbers are rounded for people: bounds away from what they bound, and without exponents."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

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


def apart(values: Sequence[float]) -> list[str]:
    """Write rising numbers with as many digits as part each from its neighbours, and two more.

    At least three digits of each are told, and all that stand before the point.
    """
    gaps = [b - a for a, b in pairwise(values)]
    nearest = [min(gap) for gap in zip([math.inf, *gaps], [*gaps, math.inf], strict=True)]
    return [_to_parts(value, gap) for value, gap in zip(values, nearest, strict=True)]


def _to_parts(value: float, gap: float) -> str:
    """Write a number to a hundredth of a gap, or to three digits where those are more."""
    if value == 0 or gap <= 0:
        return in_full(value + 0.0)
    if gap == math.inf:
        return in_full(float(f"{value:.10g}"))
    finest = min(math.floor(math.log10(gap)), math.floor(math.log10(abs(value))))
    return in_full(round(value, max(0, 2 - finest)))


def within(value: float, spread: float) -> str:
    """Write four digits, or as many as tell a number to a thousandth of what others spread over."""
    digits = 4
    if value and spread > 0:
        finer = math.ceil(math.log10(abs(value)) - math.log10(spread))
        digits = max(digits, min(17, 4 + finer))
    return short(value, digits)


def minus(text: str) -> str:
    """Give a number's text the minus sign of print."""
    return f"−{text[1:]}" if text.startswith("-") else text


def percent(share: float, towards: Callable[[float, int], float]) -> str:
    """Write a bound in percent, rounded `up` or `down`, with a digit after the point below 10."""
    digits = 0 if share >= 0.1 else digits_that_part(100 * share, 100, 1)
    return f"{towards(100 * share, digits):.{digits}f}%"


def digits_that_part(value: float, whole: float, least: int) -> int:
    """Give how many digits part a value from 0 and from the whole, `least` or more, at most 6."""
    fine = (d for d in range(least, 6) if value in (0, whole) or 0 < round(value, d) < whole)
    return next(fine, 6)
