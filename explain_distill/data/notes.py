"""Notes of what was found in reading a table, told without the cells that they quote."""

from __future__ import annotations

import re

QUOTED = re.compile(
    r"(?:: row \d+ \(|(?<=contradicts itself), such as |: it is (?=['\"])).*\.$", re.DOTALL
)
"""What a note quotes from cells: from its first sign to the end, as a cell may hold any text."""


def without_cells(note: str) -> str:
    """Leave out of a note what it quotes from cells; names of columns and counts stay.

    Parameters
    ----------
    note : str
        One of ``Dataset.notes``. Those that quote cells do it at their end.

    Returns
    -------
    str

    Examples
    --------
    >>> without_cells("Set aside as no molecules, 1 row: row 7 (J. Smith: not a SMILES).")
    'Set aside as no molecules, 1 row.'
    """
    return QUOTED.sub(".", note)
