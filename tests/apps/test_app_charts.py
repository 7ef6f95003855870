"""The app's charts as specifications: what they draw, in which colours, on which scales."""

import itertools

import numpy as np
import pandas as pd
import pytest

from explain_distill.app import charts, figures, rows, shares, size_charts
from explain_distill.report.svg import CLASS_COLOURS
from explain_distill.report.wording import called


def specification(chart):
    return charts.styled(chart).to_dict()


def encodings(node):
    """Walk all encodings of a specification."""
    if isinstance(node, dict):
        if "encoding" in node:
            yield node["encoding"]
        for value in node.values():
            yield from encodings(value)
    elif isinstance(node, list):
        for value in node:
            yield from encodings(value)


def scales(chart, channel):
    found = (encoding.get(channel, {}) for encoding in encodings(specification(chart)))
    return [entry["scale"] for entry in found if "scale" in entry]


def luminance(colour):
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


# -- colours ---------------------------------------------------------------------------------------


def test_a_model_has_one_colour_in_all_studies():
    all_kinds = charts.colours(["teacher", "soft-tree", "boosted-trees", "mlp"])
    one = charts.colours(["teacher", "mlp"])
    assert one == {name: all_kinds[name] for name in one}
    assert all_kinds["teacher"] == charts.TEACHER


def test_models_of_other_names_get_colours_of_their_own():
    given = charts.colours(["teacher", "small", "mlp", "large", rows.LEAF])
    assert len(set(given.values())) == 5
    assert given["mlp"] == charts.colours(["mlp"])["mlp"]


def test_a_size_of_a_kind_has_the_colour_of_its_kind_and_a_second_one_another():
    given = charts.colours(["teacher", "soft-tree-8", "mlp-4", "soft-tree-2"])
    assert given["soft-tree-8"] == charts.colours(["soft-tree"])["soft-tree"]
    assert given["mlp-4"] == charts.colours(["mlp"])["mlp"]
    assert len(set(given.values())) == 4


def test_sizes_are_drawn_on_powers_of_two_with_both_sets_of_rows(sized_study):
    ladder = sized_study.front.ladders[0]
    table = size_charts.size_table(sized_study.comparison, ladder, "agreement")
    assert table["size"].tolist() == [2, 2, 4, 4, 8, 8]
    assert set(table.loc[table["chosen"], "size"]) == {ladder.chosen.size}
    lowest = size_charts.lowest_of([table])
    chart = size_charts.against_sizes(
        table, ladder, "Soft tree", called("fidelity.agreement", None), lowest
    )
    logarithmic = scales(chart, "x")
    assert all(scale["type"] == "log" and scale["base"] == 2 for scale in logarithmic)
    low, high = scales(chart, "y")[0]["domain"]
    assert low == lowest < table["low"].min()
    assert high >= 1
    further = table.assign(low=table["low"] - 0.3)
    assert size_charts.lowest_of([table, further]) < lowest


def test_no_model_has_the_colour_of_a_class():
    assert not set(charts.PALETTE) & set(CLASS_COLOURS)


def test_the_teacher_stands_out_from_white():
    assert 1.05 / (luminance(charts.TEACHER) + 0.05) > 7


# -- figures with intervals ------------------------------------------------------------------------


def test_an_interval_lies_within_its_axis(wine_study):
    comparison, task = wine_study.comparison, wine_study.about.task
    for metric in figures.charted(comparison, "performance"):
        table = figures.figures_of(comparison, metric)
        chart = charts.intervals(table, called(metric, task), comparison.models)
        low, high = scales(chart, "x")[0]["domain"]
        assert low < table[["low", "value"]].min(axis=None)
        assert high > table[["high", "value"]].max(axis=None)


def test_a_figure_without_an_interval_is_drawn(wine_study):
    comparison = wine_study.comparison
    table = figures.figures_of(comparison, "cost.bytes")
    named = called("cost.bytes", wine_study.about.task)
    chart = specification(charts.intervals(table, named, comparison.models))
    assert table["low"].isna().all()
    assert any("isValid" in str(layer.get("transform")) for layer in chart["layer"])


def test_agreement_stands_between_floor_and_ceiling(wine_study):
    metric, task = "attribution.rank_correlation", wine_study.about.task
    table = figures.figures_of(wine_study.comparison, metric)
    chart = charts.agreement(table, called(metric, task), wine_study.comparison.models)
    drawn = specification(chart)
    ceiling = wine_study.comparison.get("teacher", metric).value
    assert drawn["title"]["subtitle"] == ["higher is better", f"chance 0, ceiling {ceiling:.3f}"]
    marked = [row for rows in drawn["datasets"].values() for row in rows if "word" in row]
    assert {row["word"]: row["value"] for row in marked} == {"chance": 0.0, "ceiling": ceiling}
    low, high = scales(chart, "x")[0]["domain"]
    assert low < 0
    assert high > 1


def test_sizes_of_all_models_lie_within_the_axis(wine_study):
    metric = "attribution.rank_correlation"
    table = figures.against_size(wine_study.comparison, metric)
    named = called(metric, wine_study.about.task)
    chart = charts.against_size(table, named, wine_study.comparison.models, 5e6)
    scale = next(scale for scale in scales(chart, "x") if scale.get("type") == "log")
    assert scale["domain"][0] < table["bytes"].min()
    assert scale["domain"][1] > 5e6


def test_names_beside_marks_do_not_lie_over_each_other(wine_study):
    metric = "fidelity.agreement"
    table = figures.against_size(wine_study.comparison, metric).assign(value=1.0)
    named = called(metric, wine_study.about.task)
    drawn = charts.against_size(table, named, wine_study.comparison.models, None).to_dict()
    rows = next(rows for rows in drawn["datasets"].values() if "name_at" in rows[0])
    places = sorted(row["name_at"] for row in rows)
    assert len(places) == len(table)
    assert min(np.diff(places)) > 0
    assert {row["ink"] for row in rows} <= {*charts.WRITTEN.values(), "#AA3377"}


# -- attributions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shares", [[-3.0, 1.0], [2.0, -0.5], [0.0, 0.0]])
def test_shares_stand_on_one_scale_symmetric_about_zero(shares):
    table = pd.DataFrame(
        {
            "model": ["teacher", "mlp"],
            "feature": "age = 54 years",
            "name": "age",
            "value": "54 years",
            "share": shares,
            "text": "",
        }
    )
    low, high = scales(charts.shares(table, ["teacher", "mlp"], "score"), "x")[0]["domain"]
    assert low == -high
    assert high > np.abs(shares).max()


def test_features_keep_the_order_of_the_table_and_models_theirs(wine_study):
    comparison, schema = wine_study.comparison, wine_study.about.schema
    found = {name: comparison.reasons.reference[name] for name in ("teacher", "mlp")}
    table = shares.importance_table(found, schema.names, score=0, k=6)
    chart = specification(charts.importance(table, comparison.models, "score"))
    encoding = next(e for e in encodings(chart) if "yOffset" in e)
    assert encoding["y"]["sort"] == list(dict.fromkeys(table["feature"]))
    assert encoding["yOffset"]["sort"] == ["teacher", "mlp"]
    assert encoding["color"]["scale"]["domain"] == comparison.models


def test_more_features_and_more_models_take_more_height(wine_study):
    comparison, names = wine_study.comparison, wine_study.about.schema.names
    heights = []
    for models, k in ((["teacher", "mlp"], 3), (["teacher", "mlp"], 9), (comparison.models, 9)):
        found = {name: comparison.reasons.reference[name] for name in models}
        table = shares.importance_table(found, names, score=0, k=k)
        heights.append(charts.importance(table, comparison.models, "score").height)
    assert all(one < two for one, two in itertools.pairwise(heights))


def test_probabilities_stand_on_a_scale_from_0_to_1(wine_study):
    task = wine_study.about.task
    table = rows.probabilities_table(wine_study.comparison, "mlp", task, row=0)
    chart = charts.probabilities(table, ["teacher", "mlp"])
    assert scales(chart, "x")[0]["domain"] == [0, 1]
