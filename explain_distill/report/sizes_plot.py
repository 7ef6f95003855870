"""A figure against the size of students: a panel a kind, sizes on a scale of powers of two."""

from __future__ import annotations

import math

from explain_distill.report.blocks import Figure, Panel, Sizes, written
from explain_distill.report.plots import Scale, rounded
from explain_distill.report.svg import (
    CLASS_COLOURS,
    FAINT,
    INK,
    LINE,
    drawing,
    element,
    text,
    titled,
)

WIDTH, ACROSS = 900.0, 3
TOP, HEIGHT, BELOW = 58.0, 190.0, 66.0
LEFT, GAP = 52.0, 26.0
APART = 5.0  # how far the marks of one size stand beside each other
CHOSEN, OTHER = CLASS_COLOURS[0], FAINT


def sizes_plot(sizes: Sizes) -> str:
    """Draw each panel: filled dots for validation rows, hollow ones for test rows.

    Parameters
    ----------
    sizes : Sizes

    Returns
    -------
    str
        An ``<svg>`` element without outside references.
    """
    _, high, step = rounded(0.0, _highest(sizes))
    width = (WIDTH - LEFT - GAP * (ACROSS - 1) - 10) / ACROSS
    content = _key()
    for place, panel in enumerate(sizes.panels):
        row, column = divmod(place, ACROSS)
        left = LEFT + column * (width + GAP)
        top = TOP + row * (HEIGHT + BELOW + 34)

        def at(value: float, top: float = top) -> float:
            return top + HEIGHT * (1 - value / high)

        content += _ticks(left, width, high, step, at, named=column == 0)
        content += _panel(panel, left, width, top, at)
    rows = -(-len(sizes.panels) // ACROSS)
    bottom = TOP + rows * (HEIGHT + BELOW) + (rows - 1) * 34
    return drawing(content, WIDTH, bottom, _label(sizes))


def _highest(sizes: Sizes) -> float:
    ends = [
        end
        for panel in sizes.panels
        for figure in (*panel.validation, *panel.test)
        for end in (figure.value, figure.high)
        if end is not None and math.isfinite(end)
    ]
    return max(*ends, 0.01)


def _key() -> str:
    """Say what the marks mean."""
    content, x = "", LEFT
    told = (
        ("validation rows, which choose", False, OTHER),
        ("the chosen size", False, CHOSEN),
        ("test rows, which judge", True, OTHER),
    )
    for words, hollow, colour in told:
        content += _circle(x + 5, 12, hollow, colour) + text(x + 18, 16, words, 12)
        x += 40 + 7 * len(words)
    return content


def _circle(x: float, y: float, hollow: bool, colour: str) -> str:
    fill = "#FFFFFF" if hollow else colour
    return element("circle", cx=x, cy=y, r=4.5, fill=fill, stroke=colour, stroke_width=1.5)


def _ticks(left: float, width: float, high: float, step: float, at: Scale, *, named: bool) -> str:
    content = ""
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    for i in range(round(high / step) + 1):
        y = at(i * step)
        content += element("line", x1=left, x2=left + width, y1=y, y2=y, stroke="#E8ECF0")
        if named:
            content += text(left - 8, y + 4, written(i * step, decimals=decimals), 11.5,
                            text_anchor="end", fill=FAINT)  # fmt: skip
    return content


def _panel(panel: Panel, left: float, width: float, top: float, at: Scale) -> str:
    """Draw one kind of student."""
    low, high = math.log2(panel.sizes[0]), math.log2(panel.sizes[-1])
    bottom = top + HEIGHT
    content = text(left, top - 12, panel.title[:1].upper() + panel.title[1:], 13, font_weight=600)
    content += element("line", x1=left, x2=left + width, y1=bottom, y2=bottom, stroke=LINE)
    span = (high - low) or 1.0  # of one size alone
    places = [left + 22 + (width - 44) * (math.log2(s) - low) / span for s in panel.sizes]
    content += _line(places, panel.validation, at)
    for x, size, validation, test in zip(
        places, panel.sizes, panel.validation, panel.test, strict=True
    ):
        chosen = size == panel.chosen
        colour = CHOSEN if chosen else OTHER
        content += _mark(
            validation, x - APART, at, f"{size} {panel.unit}, validation", False, colour
        )
        content += _mark(test, x + APART, at, f"{size} {panel.unit}, test", True, colour)
        weight = {"font_weight": 600, "fill": CHOSEN} if chosen else {"fill": INK}
        content += text(x, bottom + 18, f"{size:,}", 12, text_anchor="middle", **weight)
    middle = left + width / 2
    return content + text(middle, bottom + 38, panel.unit, 12, text_anchor="middle", fill=FAINT)


def _line(places: list[float], figures: tuple[Figure, ...], at: Scale) -> str:
    """Join the dots of the validation rows."""
    points = [(x - APART, at(f.value)) for x, f in zip(places, figures, strict=True)]
    known = " ".join(f"{x:.1f},{y:.1f}" for x, y in points if math.isfinite(y))
    return element("polyline", points=known, fill="none", stroke=LINE, stroke_width=1.5)


def _mark(figure: Figure, x: float, at: Scale, words: str, hollow: bool, colour: str) -> str:
    if not math.isfinite(figure.value):
        return ""
    line = ""
    if figure.low is not None and figure.high is not None:
        line = element("line", x1=x, x2=x, y1=at(max(figure.low, 0.0)), y2=at(figure.high),
                       stroke=colour, stroke_width=2)  # fmt: skip
    told = f"{words}: {figure.words}" + (f" ({figure.interval})" if figure.interval else "")
    return titled(line + _circle(x, at(figure.value), hollow, colour), told)


def _label(sizes: Sizes) -> str:
    told = "; ".join(
        f"{panel.title}: "
        + ", ".join(
            f"{size} {figure.words}"
            for size, figure in zip(panel.sizes, panel.validation, strict=True)
        )
        + f", chosen {panel.chosen}"
        for panel in sizes.panels
    )
    return f"{sizes.caption}, on validation rows. {told}."
