"""Which values parameters may have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from numbers import Integral, Real
from typing import Any

from explain_distill.exceptions import DataError, UnknownNameError


@dataclass(frozen=True)
class Range:
    """The numbers from one to another, both included.

    Parameters
    ----------
    low : float
    high : float, default=inf
    whole : bool, default=False
        Whether they are whole.
    without_low, without_high : bool, default=False
        Whether an end is not among them.
    remedy : str
        What to do about a value that is not.
    """

    low: float
    high: float = inf
    whole: bool = False
    without_low: bool = False
    without_high: bool = False
    remedy: str = "Leave it out for the default."

    def __contains__(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, Integral if self.whole else Real):
            return False
        number = float(value)
        above = number > self.low if self.without_low else number >= self.low
        below = number < self.high if self.without_high else number <= self.high
        return above and below and number < inf

    def __str__(self) -> str:
        if self.high == inf:
            ends = f"{'above' if self.without_low else 'at least'} {self.low:g}"
            return f"a whole number of {ends}" if self.whole else ends
        ends = f"from {self.low:g} to {'less than ' if self.without_high else ''}{self.high:g}"
        if self.without_low:
            ends = (
                f"above {self.low:g}, {'below' if self.without_high else 'at most'} {self.high:g}"
            )
        return f"a whole number {ends}" if self.whole else ends


def check_ranges(parameters: Mapping[str, Any], ranges: Mapping[str, Range]) -> None:
    """Refuse parameters that are out of range or no numbers.

    Raises
    ------
    DataError
    """
    for name, known in ranges.items():
        if parameters[name] not in known:
            raise DataError(
                f"{name} must be {known}; however, got {parameters[name]!r}. {known.remedy}"
            )


def check_choices(parameters: Mapping[str, Any], choices: Mapping[str, Sequence[str]]) -> None:
    """Refuse parameters that are not among the words they may be.

    Raises
    ------
    UnknownNameError
    """
    for name, known in choices.items():
        if parameters[name] not in known:
            raise UnknownNameError.of(name, str(parameters[name]), known)
