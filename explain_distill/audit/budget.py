"""The best student that a budget of time, memory and questions allows.

Limits are of cost and of size, which say nothing of what test rows answer. Of the students within
all limits, the one is chosen that leaves least of the teacher's score unexplained on validation
rows, from which no student learned. Test rows choose nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from explain_distill._arrays import is_number
from explain_distill._rounding import short
from explain_distill._types import Json
from explain_distill.audit.comparison import Comparison
from explain_distill.exceptions import DataError, UnknownNameError

LIMITS = {
    "row_milliseconds": "cost.row_milliseconds",
    "row_milliseconds_p99": "cost.row_milliseconds_p99",
    "rows_per_second": "cost.rows_per_second",
    "fit_seconds": "cost.fit_seconds",
    "money_per_million": "cost.money_per_million",
    "bytes": "cost.bytes",
    "leaves": "complexity.leaves",
    "depth": "complexity.depth",
    "parameters": "complexity.parameters",
    "features_per_split": "complexity.features_per_split",
    "features_per_leaf": "complexity.features_per_leaf",
    "terms": "complexity.terms",
}
"""What a budget may limit, and the figure of results.json that it is."""

RULE = re.compile(r"\s*([A-Za-z_0-9]+)\s*(<=|>=)\s*([0-9.eE+-]+)\s*")


@dataclass(frozen=True)
class Limit:
    """A figure may be at most, or must be at least, so much.

    Parameters
    ----------
    name : str
        Of `LIMITS`.
    most : bool
        Whether `value` is the most that it may be, else the least.
    value : float
    """

    name: str
    most: bool
    value: float

    def __str__(self) -> str:
        return f"{self.name}{'<=' if self.most else '>='}{self.value:.12g}"

    def broken_by(self, comparison: Comparison, student: str) -> str:
        """Say how a student breaks the limit; nothing where it keeps it."""
        found = comparison.get(student, LIMITS[self.name])
        if found is None:
            return f"has no {self.name}"
        kept = found.value <= self.value if self.most else found.value >= self.value
        return "" if kept else f"{self.name} {short(found.value)}"


@dataclass(frozen=True)
class Budget:
    """What a budget allows.

    Parameters
    ----------
    limits : tuple of str
        ``"leaves<=16"``.
    student : str or None
        The best that is within it; None where none is.
    ruled_out : dict of str to str
        The others that are not, and by what.
    unexplained : dict of str to float
        The share of the teacher's score that each student leaves unexplained on validation rows.
    """

    limits: tuple[str, ...]
    student: str | None
    ruled_out: dict[str, str]
    unexplained: dict[str, float]

    def words(self) -> list[str]:
        """Say what was chosen, and what was ruled out by what."""
        within = ", ".join(self.limits)
        if self.student is None:
            said = [
                f"No student is within the budget ({within}), and so it chooses none: what is said "
                "of a student to read takes no account of it. Smaller ones come with --sizes."
            ]
        else:
            left = self.unexplained[self.student]
            said = [
                f"Within the budget ({within}), {self.student} is closest to the teacher: it "
                f"leaves {left:.2%} of the score's variance unexplained on validation rows."
            ]
        return said + [f"Ruled out: {name} ({why})." for name, why in self.ruled_out.items()]

    def to_json(self) -> Json:
        """Give the fields as a JSON object."""
        return asdict(self) | {"limits": list(self.limits)}

    @classmethod
    def from_json(cls, told: Json, students: list[str]) -> Budget:
        """Read what `to_json` wrote of these students.

        Raises
        ------
        ValueError, KeyError, TypeError
        """
        limits, ruled_out, unexplained = told["limits"], told["ruled_out"], told["unexplained"]
        named = {*ruled_out, *unexplained} | ({told["student"]} - {None})
        if not named <= set(students) or not all(map(is_number, unexplained.values())):
            raise ValueError("a budget is of other students, or not of the form")
        if not all(isinstance(word, str) for word in (*limits, *ruled_out.values())):
            raise ValueError("a budget is not of the form")
        return cls(tuple(limits), told["student"], dict(ruled_out), dict(unexplained))


def read_limits(text: str) -> tuple[Limit, ...]:
    """Read ``"row_milliseconds<=0.2,bytes<=100000,leaves<=16"``.

    Raises
    ------
    UnknownNameError, DataError
    """
    if not isinstance(text, str):
        raise DataError(f"A budget must be text; however, got {text!r}. Give 'leaves<=16', say.")
    limits = []
    for part in filter(str.strip, text.split(",")):
        found = RULE.fullmatch(part)
        try:
            name, sign, value = found.groups() if found else ("", "", "")
            number = float(value)
        except ValueError:
            raise DataError(
                "A budget must be limits such as bytes<=100000, parted by commas; however, got "
                f"{part.strip()!r}. Give --budget 'row_milliseconds<=0.2,leaves<=16', say."
            ) from None
        if name not in LIMITS:
            raise UnknownNameError.of("A budget's figure", name, LIMITS)
        if number < 0:
            raise DataError(
                "A budget must have limits of 0 or more, as all its figures are; however, got "
                f"{part.strip()!r}. Give 'leaves<=16', say."
            )
        limits.append(Limit(name, sign == "<=", number))
    if not limits:
        raise DataError(
            "A budget must have a limit; however, it is empty. Give --budget 'leaves<=16', say."
        )
    return tuple(limits)


def check_priced(limits: tuple[Limit, ...], price: float | None) -> None:
    """Refuse a limit of money where no price says what it is.

    Raises
    ------
    DataError
    """
    if price is None and any(limit.name == "money_per_million" for limit in limits):
        raise DataError(
            "A limit of money_per_million must come with a price; however, none was given. "
            "Give what an hour of one CPU costs: --price-per-cpu-hour 0.05, say."
        )


def within_budget(
    comparison: Comparison, limits: tuple[Limit, ...], unexplained: Mapping[str, float]
) -> Budget:
    """Choose the student that explains most of the teacher's score, of those within all limits.

    Parameters
    ----------
    comparison : Comparison
    limits : tuple of Limit
    unexplained : mapping of str to float
        Of each student, on validation rows.
    """
    ruled_out = {}
    for name in comparison.students:
        broken = [why for limit in limits if (why := limit.broken_by(comparison, name))]
        if broken:
            ruled_out[name] = ", ".join(broken)
    fitting = [name for name in comparison.students if name not in ruled_out]
    best = min(fitting, key=lambda name: unexplained[name], default=None)
    return Budget(tuple(map(str, limits)), best, ruled_out, dict(unexplained))
