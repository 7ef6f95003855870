"""Tables in, altair charts out. A model has one colour and one shape in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt
import numpy as np
import pandas as pd

from explain_distill.app import words
from explain_distill.app.rows import LEAF
from explain_distill.report.svg import FAINT, INK, LINE
from explain_distill.report.wording import Called
from explain_distill.students.names import STUDENTS

TEACHER = INK
PALETTE = ("#AA3377", "#EE6677", "#4477AA", "#228833", "#CCBB44", "#66CCEE", "#BBBBBB")
"""Paul Tol's bright scheme, which every common kind of colour vision tells apart.

It shares no colour with the classes of a drawn tree.
"""
WRITTEN = {
    "#EE6677": "#B03045",
    "#4477AA": "#3A6A9B",
    "#228833": "#1E772D",
    "#CCBB44": "#756A12",
    "#66CCEE": "#17708F",
    "#BBBBBB": "#666666",
}
"""The colours in which words are written, dark enough to be read on white (WCAG's 4.5 : 1)."""

LEAF_COLOUR = "#999999"
SHAPES = ("diamond", "circle", "square", "triangle-up", "triangle-down", "cross", "stroke")
FONT = '"Source Sans", sans-serif'

# In pixels. A chart's height holds its title, its legend and its axis.
ROW_HEIGHT, BAR_HEIGHT, GAP = 28, 11, 8
TITLE_HEIGHT, SUBTITLE_HEIGHT, AXIS_HEIGHT, LEGEND_HEIGHT = 38, 16, 26, 34
AXIS_TITLE_HEIGHT = 24
SIZE_HEIGHT, NAME_HEIGHT = 360, 19
LABEL_WIDTH, NAME_WIDTH = 360, 100
CHARACTER_WIDTH = 7.0

LEAST_DECADES = 0.3
"""How far, at the least, the axis of sizes goes beyond the smallest and the largest."""


def colours(models: Sequence[str]) -> dict[str, str]:
    """Give each model its colour.

    The teacher's is the same in every study, and so are those of the students that are named for
    their kind, with or without a size, the first of each kind; other names take what is free.
    """
    kinds = dict(zip(STUDENTS, PALETTE, strict=False)) | {"teacher": TEACHER, LEAF: LEAF_COLOUR}
    given: dict[str, str] = {}
    for name in models:
        kind, _, size = name.rpartition("-")
        colour = kinds.get(kind if size.isdecimal() else name)
        if colour is not None and colour not in given.values():
            given[name] = colour
    free = [c for c in PALETTE if c not in given.values()] or list(PALETTE)
    others = [name for name in models if name not in given]
    given |= {name: free[place % len(free)] for place, name in enumerate(others)}
    return {name: given[name] for name in models}


# -- figures with intervals ------------------------------------------------------------------------


def intervals(table: pd.DataFrame, named: Called, models: Sequence[str]) -> alt.LayerChart:
    """Draw one metric, a dot with its interval for each model.

    Parameters
    ----------
    table : DataFrame
        From `figures.figures_of`.
    named : Called
    models : sequence of str
        All of the study's, which fixes colours and order.
    """
    drawn = _layered(*_dots_and_bars(table, _axis(_domain(table), ticks=4), models))
    return _titled(drawn, named, len(table))


def agreement(table: pd.DataFrame, named: Called, models: Sequence[str]) -> alt.LayerChart:
    """Draw an agreement of attributions between its floor (chance) and its ceiling.

    The ceiling is the teacher's own row: the teacher against itself on independent draws. Its
    interval is the grey band.
    """
    students = table[table["model"] != "teacher"]
    teacher = table[table["model"] == "teacher"]
    floor = float(table["chance"].min())
    low = min(floor, float(students[["value", "low"]].min().min()))
    x = _axis((low - 0.04 * (1 - low), 1 + 0.04 * (1 - low)), ticks=5)
    band = alt.Chart(teacher).mark_rect(color=TEACHER, opacity=0.13)
    told = {"chance": floor}
    if not teacher.empty:
        told["ceiling"] = float(teacher["value"].iloc[0])
    marks = [layer for word, value in told.items() for layer in _mark(value, word, x)]
    drawn = _layered(
        band.encode(x=_again("low"), x2="high:Q"), *marks, *_dots_and_bars(students, x, models)
    )
    spoken = ", ".join(f"{word} {words.share(value)}" for word, value in told.items())
    return _titled(drawn, named, len(students) + 0.5, spoken)


def _mark(value: float, word: str, x: alt.X) -> list[alt.Chart]:
    """Draw a dashed line with its name above the figure."""
    align: Literal["left", "right"] = "left" if word == "chance" else "right"
    base = alt.Chart(pd.DataFrame([{"value": value, "word": word}]))
    rule = base.mark_rule(color=FAINT, strokeDash=[4, 3]).encode(x=x)
    name = base.mark_text(color=FAINT, fontSize=12, y=-7, align=align, font=FONT)
    return [rule, name.encode(x=x, text="word:N")]


def _dots_and_bars(table: pd.DataFrame, x: alt.X, models: Sequence[str]) -> list[alt.Chart]:
    base = alt.Chart(table).encode(
        y=alt.Y(
            "model:N",
            sort=list(models),
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelPadding=8, labelLimit=NAME_WIDTH),
        ),
        color=_colour(models),
        tooltip=_tooltip(),
    )
    bars = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    dots = base.mark_point(filled=True, size=90, opacity=1)
    figures = base.mark_text(x="width", dx=10, align="left", fontSize=13, font=FONT)
    return [
        bars.mark_rule(strokeWidth=2.5).encode(x=_again("low"), x2="high:Q"),
        dots.encode(x=x, shape=_shape(models)),
        figures.encode(text="text:N", color=alt.value(INK)),
    ]


def against_size(
    table: pd.DataFrame, named: Called, models: Sequence[str], teacher_bytes: float | None
) -> alt.LayerChart:
    """Draw a metric of the students against their size on disk, on a logarithmic axis.

    Parameters
    ----------
    table : DataFrame
        From `figures.against_size`.
    named : Called
    models : sequence of str
    teacher_bytes : float or None
        The teacher's size, a dashed line; None where it is not known.
    """
    sizes = [*table["bytes"], *([teacher_bytes] if teacher_bytes else [])]
    domain = _decades(sizes)
    x = alt.X(
        "bytes:Q",
        title="Size on disk, logarithmic",
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=alt.Axis(labelExpr=_bytes_words(), values=_powers(domain), grid=True),
    )
    y = alt.Y(
        "value:Q",
        title=None,
        scale=alt.Scale(domain=list(_domain(table)), nice=False, zero=False),
        axis=alt.Axis(tickCount=5, format="~r"),
    )
    tooltip = [*_tooltip(), alt.Tooltip("size:N", title="Size on disk")]
    table = _with_names(table, models)
    base = alt.Chart(table).encode(x=x, color=_colour(models), tooltip=tooltip)
    bars = base.transform_filter("isValid(datum.low) && isValid(datum.high)")
    middle = float(np.sqrt(domain[0] * domain[1]))
    at, ink = alt.Y("name_at:Q", title=None), alt.Color("ink:N", scale=None)
    halos, names = (
        [
            _name(base, where, align, halo).encode(text="model:N", y=at, color=ink)
            for where, align in _sides(middle)
        ]
        for halo in (True, False)
    )
    layers = [
        *(_teacher_line(teacher_bytes, x, middle) if teacher_bytes else []),
        bars.mark_rule(strokeWidth=2.5).encode(y=alt.Y("low:Q", title=None), y2="high:Q"),
        *halos,  # so that lines pass behind the names, and no mark does
        base.mark_point(filled=True, size=110, opacity=1).encode(y=y, shape=_shape(models)),
        *names,
    ]
    return _titled(_layered(*layers), named, 0).properties(height=SIZE_HEIGHT)


def _with_names(table: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Say at which figure each model's name is written: below one that it would lie over."""
    low, high = _domain(table)
    line = NAME_HEIGHT * (high - low) / SIZE_HEIGHT
    places, above = {}, np.inf
    for place, value in table["value"].sort_values(ascending=False).items():
        places[place] = above = min(float(value), above - line)
    given = colours(models)
    inks = [WRITTEN.get(given[model], given[model]) for model in table["model"]]
    return table.assign(name_at=pd.Series(places), ink=inks)


def _sides(middle: float) -> tuple[tuple[str, Literal["left", "right"]], ...]:
    """Say which names stand to the right of their marks, and which to the left."""
    return (f"datum.bytes <= {middle}", "left"), (f"datum.bytes > {middle}", "right")


def _name(base: alt.Chart, where: str, align: Literal["left", "right"], halo: bool) -> alt.Chart:
    """Write the models' names towards the middle of a chart, or the white around them."""
    away = 9 if align == "left" else -9
    return base.transform_filter(where).mark_text(
        align=align,
        dx=away,
        dy=-9,
        fontSize=13,
        font=FONT,
        limit=NAME_WIDTH,
        stroke="white" if halo else alt.Undefined,
        strokeWidth=6 if halo else alt.Undefined,
    )


def _teacher_line(n_bytes: float, x: alt.X, middle: float) -> list[alt.Chart]:
    base = alt.Chart(pd.DataFrame([{"bytes": n_bytes, "word": f"teacher {words.size(n_bytes)}"}]))
    align: Literal["left", "right"] = "left" if n_bytes <= middle else "right"
    name = base.mark_text(
        color=TEACHER, align=align, baseline="bottom", y="height", dy=-5, fontSize=13, font=FONT
    )
    shifted = name.encode(x=x, text="word:N", xOffset=alt.value(5 if align == "left" else -5))
    return [base.mark_rule(color=TEACHER, strokeDash=[4, 3]).encode(x=x), shifted]


# -- attributions ----------------------------------------------------------------------------------


def importance(table: pd.DataFrame, models: Sequence[str], unit: str) -> alt.LayerChart:
    """Draw mean absolute attributions, the models' bars beside each other for each feature.

    Parameters
    ----------
    table : DataFrame
        From `shares.importance_table`.
    models : sequence of str
    unit : str
    """
    x = alt.X("importance:Q", title=f"Mean absolute share ({unit})", axis=alt.Axis(tickCount=5))
    return _paired_bars(table, models, x, [alt.Tooltip("text:N", title="Mean absolute share")])


def shares(table: pd.DataFrame, models: Sequence[str], unit: str) -> alt.LayerChart:
    """Draw one row's attributions, the models' bars beside each other for each feature.

    The scale goes as far below zero as above it, and is the same for all models in the table.

    Parameters
    ----------
    table : DataFrame
        From `shares.shares_table`.
    models : sequence of str
    unit : str
    """
    limit = symmetric_limit(table["share"])
    x = alt.X(
        "share:Q",
        title=f"Share ({unit})",
        scale=alt.Scale(domain=[-limit, limit], nice=False),
        axis=alt.Axis(tickCount=7),
    )
    tooltip = [alt.Tooltip("value:N", title="Value"), alt.Tooltip("text:N", title="Share")]
    zero = alt.Chart(pd.DataFrame({"share": [0.0]})).mark_rule(color=INK).encode(x="share:Q")
    return _layered(_paired_bars(table, models, x, tooltip), zero)


def symmetric_limit(values: pd.Series) -> float:
    """Give the end of a scale that goes as far below zero as above it."""
    return 1.05 * float(values.abs().max()) or 1.0


def probabilities(table: pd.DataFrame, models: Sequence[str]) -> alt.LayerChart:
    """Draw class probabilities of one row, the models' bars beside each other for each class.

    Parameters
    ----------
    table : DataFrame
        From `rows.probabilities_table`.
    models : sequence of str
    """
    scale = alt.Scale(domain=[0, 1])
    x = alt.X("probability:Q", title="Probability", scale=scale, axis=alt.Axis(tickCount=5))
    table = table.rename(columns={"class": "feature"}).assign(name=table["class"])
    return _paired_bars(table, models, x, [alt.Tooltip("text:N", title="Probability")], "Class")


def _paired_bars(
    table: pd.DataFrame,
    models: Sequence[str],
    x: alt.X,
    tooltip: Sequence[alt.Tooltip],
    what: str = "Feature",
) -> alt.LayerChart:
    """Draw a bar a model for each feature (or class), in the order of the table."""
    labels = list(dict.fromkeys(table["feature"]))
    shown = [name for name in models if name in set(table["model"])]
    y = alt.Y(
        "feature:N",
        sort=labels,
        title=None,
        scale=alt.Scale(paddingInner=0.25, paddingOuter=0.1),
        axis=alt.Axis(ticks=False, domain=False, labelPadding=8, minExtent=_label_width(labels)),
    )
    named = [alt.Tooltip("model:N", title="Model"), alt.Tooltip("name:N", title=what), *tooltip]
    bars = (
        alt.Chart(table)
        .mark_bar()
        .encode(
            x=x,
            y=y,
            yOffset=alt.YOffset("model:N", sort=shown, scale=alt.Scale(paddingInner=0)),
            color=_colour(models, shown),
            tooltip=named,
        )
    )
    height = len(labels) * (len(shown) * BAR_HEIGHT + GAP)
    height += LEGEND_HEIGHT + AXIS_HEIGHT + AXIS_TITLE_HEIGHT
    return _layered(bars).properties(height=height)


def _label_width(labels: Sequence[str]) -> float:
    longest = max((len(text) for text in labels), default=0)
    return min(LABEL_WIDTH, CHARACTER_WIDTH * longest)


# -- parts -----------------------------------------------------------------------------------------


def _layered(*layers: alt.Chart | alt.LayerChart) -> alt.LayerChart:
    drawn = alt.layer(*layers)
    assert isinstance(drawn, alt.LayerChart)  # a facet comes of facets only
    return drawn


def _axis(domain: tuple[float, float], ticks: int) -> alt.X:
    return alt.X(
        "value:Q",
        title=None,
        scale=alt.Scale(domain=list(domain), nice=False, zero=False),
        axis=alt.Axis(tickCount=ticks, format="~r", labelOverlap=True, labelSeparation=8),
    )


def _again(field: str) -> alt.X:
    """Give another field on the axis that a layer above it describes."""
    return alt.X(f"{field}:Q", title=None)


def _colour(models: Sequence[str], legend: Sequence[str] | None = None) -> alt.Color:
    given = colours(models)
    shown = alt.Legend(title=None, orient="top", values=list(legend)) if legend else None
    scale = alt.Scale(domain=list(given), range=list(given.values()))
    return alt.Color("model:N", scale=scale, legend=shown)


def _shape(models: Sequence[str]) -> alt.Shape:
    shapes = [SHAPES[place % len(SHAPES)] for place in range(len(models))]
    return alt.Shape("model:N", scale=alt.Scale(domain=list(models), range=shapes), legend=None)


def _tooltip() -> list[alt.Tooltip]:
    return [
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("figure:N", title="Figure and interval"),
        alt.Tooltip("n:Q", title="Rows"),
    ]


def _domain(table: pd.DataFrame) -> tuple[float, float]:
    """Give the ends of an axis that holds every interval."""
    values = table[["value", "low", "high"]].to_numpy(dtype=np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    pad = 0.14 * (high - low) or 0.05 * abs(high) or 0.05
    return low - pad, high + pad


def _decades(sizes: Sequence[float]) -> list[float]:
    low, high = np.log10(min(sizes)), np.log10(max(sizes))
    pad = max(0.15 * (high - low), LEAST_DECADES)
    return [float(10 ** (low - pad)), float(10 ** (high + pad))]


def _powers(domain: Sequence[float]) -> list[float]:
    """Give the sizes that an axis names: 1, 3, 10, 30 … within a domain."""
    steps = [factor * 10.0**power for power in range(10) for factor in (1, 3)]
    return [step for step in steps if domain[0] <= step <= domain[1]]


def _bytes_words() -> str:
    """Give the Vega expression that writes an axis' bytes as `words.size` does."""
    return (
        "datum.value >= 1e6 ? datum.value / 1e6 + ' MB' : "
        "datum.value >= 1e3 ? datum.value / 1e3 + ' kB' : datum.value + ' bytes'"
    )


def _titled(
    chart: alt.LayerChart, named: Called, n_rows: float, spoken: str = ""
) -> alt.LayerChart:
    """Name a chart of one metric, and give each model its line."""
    subtitle = [line for line in (named.better, spoken) if line] or [" "]
    height = int(ROW_HEIGHT * n_rows + SUBTITLE_HEIGHT * len(subtitle)) + TITLE_HEIGHT + AXIS_HEIGHT
    return chart.properties(title=alt.TitleParams(named.name, subtitle=subtitle), height=height)


def styled(chart: alt.LayerChart) -> alt.LayerChart:
    """Give a finished chart the look that all charts share."""
    return (
        chart.configure(font=FONT, background="transparent")
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            labelFont=FONT,
            titleFont=FONT,
            labelFontSize=13,
            titleFontSize=13,
            titleFontWeight="normal",
            titlePadding=8,
            labelLimit=LABEL_WIDTH,
            gridColor="#E8EBEE",
            domainColor=LINE,
            tickColor=LINE,
        )
        .configure_legend(labelFontSize=13, labelColor=INK, labelLimit=LABEL_WIDTH, labelFont=FONT)
        .configure_title(
            anchor="start",
            frame="bounds",
            font=FONT,
            fontSize=14,
            fontWeight=600,
            color=INK,
            subtitleFont=FONT,
            subtitleFontSize=12,
            subtitleColor=FAINT,
            offset=10,
        )
        .configure_view(stroke=None)
    )
