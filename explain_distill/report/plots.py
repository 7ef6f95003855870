"""Plots as SVG, pure functions of what they show: intervals on lines, and paired bars."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from explain_distill.report.blocks import Bars, Dots, Figure, written
from explain_distill.report.short_names import short_names
from explain_distill.report.svg import (
    CLASS_COLOURS,
    FAINT,
    INK,
    LINE,
    drawing,
    element,
    shorten,
    text,
    text_width,
    titled,
)

Scale: TypeAlias = Callable[[float], float]
"""From a value to its place."""

WIDTH = 900.0
MOST_LABEL = 300.0
ROW, BAR = 34.0, 11.0
SIZE = 12.5
SERIES_COLOURS = (INK, CLASS_COLOURS[0])


def dots_plot(dots: Dots) -> str:
    """Draw each model's figure as a dot on its interval, floor and ceiling as lines.

    Parameters
    ----------
    dots : Dots

    Returns
    -------
    str
        An ``<svg>`` element without outside references.
    """
    left = _label_room([point.label for point in dots.points])
    told = max((text_width(_told(point.figure), 11.5) for point in dots.points), default=0.0)
    right = WIDTH - max(150.0, told + 24)
    low, high = _range(dots)
    low, high, step = rounded(low, high)

    def at(value: float) -> float:
        return left + (min(max(value, low), high) - low) / (high - low) * (right - left)

    top, bottom = 34.0, 34.0 + ROW * len(dots.points)
    content = _axis(low, high, step, at, bottom, dots.axis)
    for value, name, dash in ((dots.floor, "chance", "2 3"), (dots.ceiling, "ceiling", "6 3")):
        if value is not None:
            content += element(
                "line", x1=at(value), x2=at(value), y1=top - 8, y2=bottom, stroke=FAINT,
                stroke_dasharray=dash,
            )  # fmt: skip
            anchor = "start" if at(value) < left + 60 else "middle"
            content += text(at(value), top - 13, f"{name} {value:.3g}", 11.5, fill=FAINT,
                            text_anchor=anchor)  # fmt: skip
    for place, point in enumerate(dots.points):
        y = top + ROW * (place + 0.5)
        content += text(left - 14, y + 4, shorten(point.label, left - 20, SIZE), SIZE,
                        text_anchor="end")  # fmt: skip
        content += _dot(point.figure, at, y) + text(right + 16, y + 4, _told(point.figure), 11.5)
    return drawing(content, WIDTH, bottom + 44, _dots_label(dots))


def _dot(figure: Figure, at: Scale, y: float) -> str:
    """Draw a figure and its interval; nothing where it is not defined."""
    if not math.isfinite(figure.value):
        return ""
    line = ""
    if figure.low is not None and figure.high is not None:
        line = element("line", x1=at(figure.low), x2=at(figure.high), y1=y, y2=y,
                       stroke=CLASS_COLOURS[0], stroke_width=3, stroke_linecap="round")  # fmt: skip
    dot = element("circle", cx=at(figure.value), cy=y, r=5.5, fill=CLASS_COLOURS[0],
                  stroke="#FFFFFF", stroke_width=1.5)  # fmt: skip
    return titled(line + dot, _told(figure))


def _told(figure: Figure) -> str:
    return f"{figure.words} ({figure.interval})" if figure.interval else figure.words


def _range(dots: Dots) -> tuple[float, float]:
    """Give the values that the axis spans."""
    values = [value for value in (dots.floor, dots.ceiling) if value is not None]
    for point in dots.points:
        figure = point.figure
        values += [v for v in (figure.value, figure.low, figure.high) if v is not None]
    values = [value for value in values if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(values), max(values)
    if all(point.figure.form == "share" for point in dots.points):
        high = max(high, 1.0)
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    return low, high


def rounded(low: float, high: float) -> tuple[float, float, float]:
    """Widen a range to round numbers; give it with the distance between ticks, some six of them."""
    raw = (high - low) / 5
    power = 10 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= raw)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def _axis(low: float, high: float, step: float, at: Scale, bottom: float, name: str) -> str:
    """Draw the axis with its ticks and its name."""
    content = ""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    for i in range(round((high - low) / step) + 1):
        value = low + i * step
        content += element("line", x1=at(value), x2=at(value), y1=26, y2=bottom, stroke="#E8ECF0")
        tick = written(value, decimals=decimals)
        content += text(at(value), bottom + 18, tick, 11.5, text_anchor="middle", fill=FAINT)
    content += element("line", x1=at(low), x2=at(high), y1=bottom, y2=bottom, stroke=LINE)
    middle = (at(low) + at(high)) / 2
    return content + text(middle, bottom + 38, name, 12, text_anchor="middle", fill=FAINT)


def bars_plot(bars: Bars) -> str:
    """Draw the values of two series as paired bars, one pair a name.

    Parameters
    ----------
    bars : Bars

    Returns
    -------
    str
        An ``<svg>`` element without outside references.
    """
    left = _label_room(short_names(bars.names))
    right = WIDTH - 80
    most = max((max(values, default=0.0) for _, values in bars.series), default=0.0) or 1.0
    content, y = _key(bars, left), 34.0
    labels = short_names(bars.names)
    for place, name in enumerate(bars.names):
        height = BAR * len(bars.series)
        label = shorten(labels[place], left - 18, SIZE)
        content += text(left - 12, y + height / 2 + 4, label, SIZE, text_anchor="end")
        for (model, values), colour in zip(bars.series, SERIES_COLOURS, strict=False):
            value = values[place]
            length = max(1.0, value / most * (right - left))
            bar = element("rect", x=left, y=y, width=length, height=BAR - 1, fill=colour)
            content += titled(bar, f"{name}, {model}: {value:.4g}")
            content += text(left + length + 6, y + BAR - 1.5, written(value), 11, fill=FAINT)
            y += BAR
        y += 11
    content += element("line", x1=left, x2=left, y1=28, y2=y - 4, stroke=LINE)
    content += text((left + right) / 2, y + 14, bars.axis, 12, text_anchor="middle", fill=FAINT)
    return drawing(content, WIDTH, y + 24, _bars_label(bars))


def _key(bars: Bars, x: float) -> str:
    content = ""
    for (model, _), colour in zip(bars.series, SERIES_COLOURS, strict=False):
        content += element("rect", x=x, y=8, width=12, height=12, fill=colour)
        content += text(x + 18, 18, model, SIZE)
        x += 40 + text_width(model, SIZE)
    return content


def _label_room(names: list[str]) -> float:
    longest = max((text_width(name, SIZE) for name in names), default=0.0)
    return min(longest, MOST_LABEL) + 24


def _dots_label(dots: Dots) -> str:
    told = "; ".join(f"{point.label} {_told(point.figure)}" for point in dots.points)
    bounds = ((dots.floor, "chance"), (dots.ceiling, "ceiling"))
    lines = "".join(f"; {name} {value:.2f}" for value, name in bounds if value is not None)
    return f"{dots.caption}: {told}{lines}."


def _bars_label(bars: Bars) -> str:
    first, values = bars.series[0]
    told = ", ".join(
        f"{name} {value:.3g}" for name, value in list(zip(bars.names, values, strict=True))[:5]
    )
    return f"{bars.caption}. Of {first}: {told}."
