"""Students at several sizes: a front in, tables and altair charts out."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from explain_distill.app import charts, words
from explain_distill.audit.comparison import Comparison
from explain_distill.audit.front import Ladder
from explain_distill.report.svg import FAINT
from explain_distill.report.wording import Called

HEIGHT = 240
ROWS = ("validation rows, which choose", "test rows, which judge")
APART = 6  # pixels between the marks of one size


def size_table(comparison: Comparison, ladder: Ladder, measure: str) -> pd.DataFrame:
    """Give a measure of fidelity of one kind of student at each size, on both sets of rows.

    Returns
    -------
    DataFrame
        ``model``, ``size``, ``rows``, ``value``, ``low``, ``high``, ``n``, ``figure`` and
        ``chosen``; two rows a size.
    """
    told = []
    for step in ladder.steps:
        for name, family in zip(ROWS, ("validation", "fidelity"), strict=True):
            found = comparison.get(step.student, f"{family}.{measure}")
            if found is None:
                continue
            told.append(
                {
                    "model": step.student,
                    "size": step.size,
                    "rows": name,
                    "value": found.value,
                    "low": np.nan if found.low is None else found.low,
                    "high": np.nan if found.high is None else found.high,
                    "n": found.n,
                    "figure": words.figure(found),
                    "chosen": step is ladder.chosen,
                }
            )
    return pd.DataFrame(told)


def against_sizes(
    table: pd.DataFrame, ladder: Ladder, title: str, named: Called, lowest: float
) -> alt.LayerChart:
    """Draw a measure of fidelity against sizes on a scale of powers of two, the choice marked.

    Parameters
    ----------
    table : DataFrame
        From `size_table`.
    ladder : Ladder
    title : str
        The kind of student.
    named : Called
    lowest : float
        Where the scale begins, which panels beside each other share; see `lowest_of`.
    """
    sizes = [step.size for step in ladder.steps]
    low, high = float(np.log2(sizes[0])), float(np.log2(sizes[-1]))
    pad = 0.12 * (high - low) or 0.5  # of one size alone
    x = alt.X(
        "size:Q",
        title=ladder.unit,
        scale=alt.Scale(
            type="log", base=2, domain=[2 ** (low - pad), 2 ** (high + pad)], nice=False
        ),
        axis=alt.Axis(values=sizes, format=",", grid=False),
    )
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(domain=[lowest, 1 + 0.02 * (1 - lowest)], nice=False, zero=False),
        axis=alt.Axis(tickCount=5, format="~r"),
    )
    colour = alt.condition("datum.chosen", alt.value(charts.PALETTE[2]), alt.value(FAINT))
    layers = []
    for place, rows in enumerate(ROWS):
        offset = alt.value((place - 0.5) * APART)
        base = alt.Chart(table).transform_filter(alt.datum.rows == rows)
        bars = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
        layers.append(
            bars.mark_rule(strokeWidth=2).encode(
                x=x, xOffset=offset, y=alt.Y("low:Q", title=None), y2="high:Q", color=colour
            )
        )
        point = base.mark_point(size=70, opacity=1, fill="white" if place else None)
        if not place:
            point = base.mark_point(size=70, opacity=1, filled=True)
        layers.append(
            point.encode(x=x, xOffset=offset, y=y, color=colour, tooltip=_tooltip(ladder.unit))
        )
    chosen = f"{ladder.chosen.size:,} {ladder.unit} chosen"
    drawn = alt.layer(*layers)
    assert isinstance(drawn, alt.LayerChart)
    subtitle = [named.name, f"({named.better})", chosen]
    return drawn.properties(height=HEIGHT, title=alt.TitleParams(title, subtitle=subtitle))


def lowest_of(tables: Sequence[pd.DataFrame]) -> float:
    """Give where a scale begins that holds all figures of some tables, and their intervals."""
    columns = [table[["value", "low"]].to_numpy(dtype=np.float64) for table in tables]
    low = float(np.nanmin(np.concatenate(columns)))
    return low - 0.05 * (1 - low) - 1e-3


def _tooltip(unit: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("model:N", title="Student"),
        alt.Tooltip("size:Q", title=unit[:1].upper() + unit[1:]),
        alt.Tooltip("rows:N", title="Rows"),
        alt.Tooltip("figure:N", title="Figure and interval"),
        alt.Tooltip("n:Q", title="Number of rows"),
    ]
