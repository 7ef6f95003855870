"""Names and numbers in foreign text: no name can end its quotation, no number loses a digit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, count

from explain_distill.exceptions import DataError

GROUP = 16


def exact(number: float) -> str:
    """Write a number so that it reads back as the same double."""
    return repr(float(number))


def shown(name: str) -> str:
    """Write a name for a person, on one line whatever it holds."""
    return name if name.isprintable() else ascii(name)[1:-1]


def sql_name(name: str) -> str:
    """Quote a column's name as standard SQL does.

    Raises
    ------
    DataError
        Where the name holds a NUL, which no quotation can hold.
    """
    return f'"{_without_nul(name).replace(chr(34), 2 * chr(34))}"'


def free_names(wanted: Sequence[str], taken: Iterable[str]) -> list[str]:
    """Give names that differ from those taken and from each other, in whatever case.

    A name that is not free gets the first number that makes it so: ``"prediction 2"``.
    """
    held = {name.casefold() for name in taken}
    given = []
    for name in wanted:
        numbered = (f"{name} {number}" for number in count(2))
        given.append(next(n for n in chain([name], numbered) if n.casefold() not in held))
        held.add(given[-1].casefold())
    return given


def sql_text(text: str) -> str:
    """Quote a text as standard SQL does.

    Raises
    ------
    DataError
        Where it holds a NUL.
    """
    return "'" + _without_nul(text).replace("'", "''") + "'"


def dot_text(text: str) -> str:
    """Quote a text for Graphviz, in which a backslash begins an escape."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "\\\\0")
    return '"' + escaped.replace("\r", "").replace("\n", "\\n") + '"'


def total(terms: Sequence[str]) -> str:
    """Write a sum, in nested groups where it is long: parsers limit how deep a sum may be."""
    if not terms:
        return "0.0"
    parts = list(terms)
    while len(parts) > GROUP:
        groups = [parts[start : start + GROUP] for start in range(0, len(parts), GROUP)]
        parts = [f"({' + '.join(group)})" if len(group) > 1 else group[0] for group in groups]
    return " + ".join(parts)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise DataError(
            f"A name must hold no NUL character to be written in SQL; however, {text!r} does. "
            "Rename the column or the level."
        )
    return text
