"""A report's table as a data frame, each figure with its interval."""

from __future__ import annotations

import pandas as pd

from explain_distill.report.blocks import Cell, Figure, Table


def frame(table: Table) -> pd.DataFrame:
    """Give a table's rows under its columns, as text."""
    rows = [[_text(cell) for cell in row] for group in table.groups for row in group.rows]
    return pd.DataFrame(rows, columns=list(table.columns))


def _text(cell: Cell) -> str:
    if not isinstance(cell, Figure):
        return cell
    return f"{cell.words} ({cell.interval})" if cell.interval else cell.words
