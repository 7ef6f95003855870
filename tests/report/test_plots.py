from xml.etree import ElementTree

import pytest

from explain_distill.report.blocks import Bars, Dots, Figure, Point
from explain_distill.report.plots import bars_plot, dots_plot
from explain_distill.report.svg import text_width, wrapped

SVG = "{http://www.w3.org/2000/svg}"


def dots(*values, floor=0.0, ceiling=0.95):
    points = tuple(
        Point(f"student {i}", Figure(v, v - 0.05, min(v + 0.05, 1), 10, 0.95, "share"))
        for i, v in enumerate(values)
    )
    return Dots("Agreement", "Agreement", points, floor, ceiling)


def places(svg, tag, attribute):
    return [float(e.get(attribute)) for e in ElementTree.fromstring(svg).iter(SVG + tag)]


def test_a_larger_figure_lies_further_right():
    x = places(dots_plot(dots(0.2, 0.5, 0.9)), "circle", "cx")
    assert x == sorted(x)


def test_each_interval_spans_its_figure():
    root = ElementTree.fromstring(dots_plot(dots(0.4)))
    (dot,) = root.iter(SVG + "circle")
    (line,) = (e for e in root.iter(SVG + "line") if e.get("stroke-width") == "3")
    assert float(line.get("x1")) < float(dot.get("cx")) < float(line.get("x2"))


def test_floor_and_ceiling_are_marked_in_words():
    words = [e.text for e in ElementTree.fromstring(dots_plot(dots(0.4))).iter(SVG + "text")]
    assert {"chance 0", "ceiling 0.95"} <= set(words)


def test_equal_figures_without_intervals_are_drawn():
    points = (Point("a", Figure(0.0)), Point("b", Figure(0.0)))
    assert len(places(dots_plot(Dots("c", "x", points)), "circle", "cx")) == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_figure_that_is_not_defined_is_not_drawn_as_a_number(value):
    svg = dots_plot(Dots("c", "x", (Point("a", Figure(value)), Point("b", Figure(0.5)))))
    assert "nan" not in svg
    assert "not defined" in svg


def test_bars_are_as_long_as_their_values():
    bars = Bars("c", "x", ("a", "b"), (("teacher", (1.0, 0.5)), ("tree", (0.8, 0.25))))
    lengths = places(bars_plot(bars), "rect", "width")[2:]  # the first two are the key
    assert [round(length / lengths[0], 2) for length in lengths] == [1, 0.8, 0.5, 0.25]


def test_bars_of_nothing_are_drawn():
    drawing = bars_plot(Bars("c", "x", ("a",), (("teacher", (0.0,)), ("tree", (0.0,)))))
    assert "nan" not in str(drawing).lower()


def test_a_word_that_is_too_long_is_broken_after_its_underscores():
    name = "serum_lactate_mmol_per_litre"
    lines = wrapped(f"high {name}", 90, 12)
    assert "".join(lines).replace("high ", "") in (name, f"high{name}")
    assert all(text_width(line, 12) <= 90 for line in lines)
    assert wrapped("a_b c_d", 200, 12) == ["a_b c_d"]
    assert wrapped("unbreakable" * 5, 90, 12) == ["unbreakable" * 5]
