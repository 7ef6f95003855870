from xml.etree import ElementTree

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.report.blocks import Shape, Shapes
from explain_distill.report.shapes import additive_shapes
from explain_distill.report.shapes_plot import shapes_plot

SVG = "{http://www.w3.org/2000/svg}"


def test_the_shapes_are_those_of_the_terms(mixed_students):
    model = mixed_students["additive"]
    drawn = additive_shapes(model)
    age = next(shape for shape in drawn.shapes if shape.name == "age [years]")
    assert age.missing is not None
    assert len(age.edges) == len(age.values) + 1
    assert list(age.edges) == sorted(age.edges)
    row = np.zeros((1, model.n_features_in_))
    row[0, 0] = (age.edges[2] + age.edges[3]) / 2
    term = next(term for term in model.terms_ if term.features == (0,))
    assert np.diff(term(row)[0])[0] == pytest.approx(age.values[2])


def test_a_step_that_adds_more_is_drawn_higher():
    svg = shapes_plot(Shapes("c", "x", (Shape("<a>", (0.0, 1.0, 2.0), (-1.0, 1.0), 0.5),)))
    root = ElementTree.fromstring(svg)
    (path,) = root.iter(SVG + "path")
    heights = [float(part.split()[1]) for part in path.get("d")[1:].split("L")]
    (dot,) = root.iter(SVG + "circle")
    assert heights[0] > float(dot.get("cy")) > heights[-1]


def test_functions_that_add_nothing_are_drawn():
    svg = shapes_plot(Shapes("c", "x", (Shape("a", (0.0, 0.0), (0.0,), None),)))
    assert "nan" not in svg


def test_a_model_without_functions_has_no_drawing():
    model = xd.Additive().fit(np.zeros((20, 2)), np.arange(20) % 2)
    assert additive_shapes(model) is None


def test_the_report_draws_an_additive_student(mixed, mixed_teacher, mixed_students, tmp_path):
    study = xd.compare(mixed_teacher, {"additive": mixed_students["additive"]}, mixed[1])
    for suffix in ("html", "md", "json"):
        study.report(tmp_path / f"report.{suffix}")
    page = (tmp_path / "report.html").read_text()
    assert "The additive model in full" in page
    assert "age [years] adds to the log-odds of ill" in page
    assert "<path" in page


def test_a_category_is_one_panel_with_its_levels_by_name(mixed_students):
    model = mixed_students["additive"]
    (site,) = [shape for shape in additive_shapes(model).shapes if shape.name.startswith("site")]
    assert site.levels == ("north", "south", "west")
    scores = model.predict_score(np.array([[60.0, *level, 0.0] for level in np.eye(3)]))
    names = {"site=north": 0, "site=south": 1, "site=west": 2}
    assert len(site.values) == len(names)
    pairs = [term for term in model.terms_ if len(term.features) == 2]
    beside = sum(
        (term(np.array([[60.0, *level, 0.0] for level in np.eye(3)])) for term in pairs),
        np.zeros((3, 2)),
    )
    alone = np.diff(scores - beside, axis=1)[:, 0]
    assert alone - alone[0] == pytest.approx(np.array(site.values) - site.values[0])
    svg = shapes_plot(Shapes("c", "x", (site,)))
    assert all(f">{level}<" in svg for level in site.levels)
    assert "nan" not in svg
