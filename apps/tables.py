"""A report's table as a data frame, each figure with its interval."""

from __future__ import annotations

import pandas as pd

from explain_distill.app import words
from explain_distill.report.blocks import Cell, Figure, Table


def frame(table: Table) -> pd.DataFrame:
    """Give a table's rows under its columns, as text."""
    rows = [[_text(cell) for cell in row] for group in table.groups for row in group.rows]
    return pd.DataFrame(rows, columns=list(table.columns))


def guarded(table: pd.DataFrame) -> pd.DataFrame:
    """Guard a table's words, names of columns too, against being read as Markdown."""
    return table.rename(columns=words.plain).map(
        lambda cell: words.plain(cell) if isinstance(cell, str) else cell
    )


def _text(cell: Cell) -> str:
    if not isinstance(cell, Figure):
        return cell
    return f"{cell.words} ({cell.interval})" if cell.interval else cell.words
