"""Step functions as small panels on one scale, missing values as a mark of their own."""

from __future__ import annotations

from itertools import pairwise

from explain_distill._rounding import apart, minus
from explain_distill.report.blocks import Shape, Shapes
from explain_distill.report.plots import rounded
from explain_distill.report.svg import (
    CLASS_COLOURS,
    FAINT,
    INK,
    LINE,
    drawing,
    element,
    shorten,
    text,
    titled,
)

WIDTH, ACROSS = 900.0, 3
LEFT, GAP, TOP, HEIGHT, ROW = 52.0, 30.0, 50.0, 120.0, 186.0
MISSING_ROOM = 54.0  # left of a panel, where some values were missing


def shapes_plot(shapes: Shapes) -> str:
    """Draw each function in a panel.

    Parameters
    ----------
    shapes : Shapes

    Returns
    -------
    str
        An ``<svg>`` element without outside references.
    """
    low, high = _range(shapes)
    low, high, step = rounded(low, high)
    width = (WIDTH - LEFT - 10 - GAP * (ACROSS - 1)) / ACROSS
    content = text(10, 16, shapes.axis, 12, fill=FAINT)
    for place, shape in enumerate(shapes.shapes):
        row, column = divmod(place, ACROSS)
        left, top = LEFT + column * (width + GAP), TOP + row * ROW

        def at(value: float, top: float = top) -> float:
            return top + HEIGHT * (high - value) / (high - low)

        for i in range(round((high - low) / step) + 1):
            y, value = at(low + i * step), low + i * step
            colour = LINE if abs(value) < step / 2 else "#E8ECF0"
            content += element("line", x1=left, x2=left + width, y1=y, y2=y, stroke=colour)
            if column == 0:
                content += text(left - 8, y + 4, f"{value:.3g}".replace("-", "−"), 11,
                                text_anchor="end", fill=FAINT)  # fmt: skip
        content += _panel(shape, left, width, top, [at(value) for value in shape.values])
        if shape.missing is not None:
            content += _missing(shape.missing, left + MISSING_ROOM / 2, top, at(shape.missing))
    bottom = TOP + -(-len(shapes.shapes) // ACROSS) * ROW
    names = ", ".join(shape.name for shape in shapes.shapes)
    return drawing(content, WIDTH, bottom, f"{shapes.caption}: {names}.")


def _range(shapes: Shapes) -> tuple[float, float]:
    values = [value for shape in shapes.shapes for value in shape.values]
    values += [shape.missing for shape in shapes.shapes if shape.missing is not None]
    low, high = min([0.0, *values]), max([0.0, *values])
    return (low, high) if high - low > 1e-9 else (low - 1, high + 1)


def _panel(shape: Shape, left: float, width: float, top: float, heights: list[float]) -> str:
    """Draw the steps of one function, and the ends of its feature's range."""
    start = left + (0.0 if shape.missing is None else MISSING_ROOM)
    low, high = shape.edges[0], shape.edges[-1]
    span = max(high - low, 1e-300)
    across = [start + (edge - low) / span * (left + width - start) for edge in shape.edges]
    path = "".join(
        f"{'M' if place == 0 else 'L'}{a:.1f} {y:.1f}L{b:.1f} {y:.1f}"
        for place, ((a, b), y) in enumerate(zip(pairwise(across), heights, strict=True))
    )
    content = element("path", d=path, fill="none", stroke=CLASS_COLOURS[0], stroke_width=2)
    content += text(left, top - 10, shorten(shape.name, width, 12), 12, fill=INK)
    if shape.levels:
        return titled(content + _levels(shape, across, top), shape.name)
    first, *_, last = map(minus, apart(shape.edges))
    content += text(start, top + HEIGHT + 16, first, 11, fill=FAINT)
    content += text(left + width, top + HEIGHT + 16, last, 11, fill=FAINT, text_anchor="end")
    return titled(content, shape.name)


def _levels(shape: Shape, across: list[float], top: float) -> str:
    """Name a category's levels below its steps, where there is room; their titles say all."""
    content = ""
    for level, value, (a, b) in zip(shape.levels, shape.values, pairwise(across), strict=True):
        name = shorten(level, b - a - 4, 11)
        if name == "…":
            name = ""
        label = text((a + b) / 2, top + HEIGHT + 16, name, 11, fill=FAINT, text_anchor="middle")
        content += titled(label, f"{level}: {value:+.3g}".replace("-", "−"))
    return content


def _missing(value: float, x: float, top: float, y: float) -> str:
    """Mark what a missing value adds."""
    dot = element("circle", cx=x, cy=y, r=4, fill=CLASS_COLOURS[1])
    name = text(x, top + HEIGHT + 16, "missing", 11, fill=FAINT, text_anchor="middle")
    return titled(dot + name, f"missing: {value:+.3g}")
