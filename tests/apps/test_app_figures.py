"""The tables behind the app's charts."""

import json

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.app import figures, rows, shares, words
from explain_distill.attribution.base import Attributions
from explain_distill.data.features import Feature, Schema
from explain_distill.report.short_names import short_names


def told(values, base=0.0):
    values = np.asarray(values, dtype=float)
    bases = np.full((values.shape[0], values.shape[2]), base)
    return Attributions(values, bases, "by hand")


def test_figures_are_those_of_results_json(wine_study, tmp_path):
    wine_study.save(tmp_path / "study")
    results = json.loads((tmp_path / "study" / "results.json").read_text(encoding="utf-8"))
    shown = figures.figures_of(wine_study.comparison, "fidelity.agreement").set_index("model")
    kept = [row for row in results["metrics"] if row["metric"] == "fidelity.agreement"]
    assert list(shown.index) == [row["model"] for row in kept]
    for row in kept:
        for key in ("value", "low", "high", "n"):
            assert shown.loc[row["model"], key] == row[key]


def test_every_measured_figure_stands_in_the_table(wine_study):
    table = figures.figure_table(wine_study)
    comparison = wine_study.comparison
    assert list(table.columns) == ["Better", *comparison.models]
    assert len(table) == len({m.metric for m in comparison.metrics})
    written = sum(int((table[name] != "–").sum()) for name in comparison.models)
    assert written == len(comparison.metrics)


def test_students_stand_against_their_size_and_the_teacher_does_not(wine_study):
    table = figures.against_size(wine_study.comparison, "attribution.rank_correlation")
    assert list(table["model"]) == list(wine_study.students)
    for name, size in zip(table["model"], table["bytes"], strict=True):
        assert size == wine_study.comparison.get(name, "cost.bytes").value


# -- attributions ----------------------------------------------------------------------------------


def test_importance_is_the_mean_absolute_share_in_the_chosen_score():
    values = np.zeros((2, 3, 3))
    values[:, :, 1] = [[1, -2, 0], [3, 2, 0]]
    table = shares.importance_table({"teacher": told(values)}, ["a", "b", "c"], 1, 3)
    assert dict(zip(table["feature"], table["importance"], strict=True)) == {"a": 2, "b": 2, "c": 0}


def test_a_feature_that_matters_to_the_student_alone_is_shown_too():
    teacher = told([[[5.0], [1.0], [0.0]]])
    student = told([[[5.0], [0.0], [4.0]]])
    table = shares.importance_table(
        {"teacher": teacher, "mlp": student}, ["a", "b", "c"], score=0, k=2
    )
    assert list(dict.fromkeys(table["feature"])) == ["a", "c"]
    rest = shares.rest_of_importance({"teacher": teacher, "mlp": student}, 0, 2)
    assert rest == pytest.approx({"teacher": 1 / 6, "mlp": 0.0})


def test_shown_shares_and_the_others_add_up_to_all_shares(wine_study):
    comparison, schema = wine_study.comparison, wine_study.about.schema
    found = {name: comparison.reasons.reference[name] for name in ("teacher", "mlp")}
    row = comparison.data.X[comparison.reasons.rows[4]]
    table = shares.shares_table(found, schema, row, place=4, score=2, k=5)
    assert list(dict.fromkeys(table["feature"]))[-1] == "all 8 others"
    sums = table.groupby("model")["share"].sum()
    for name, told_of in found.items():
        assert sums[name] == pytest.approx(told_of.values[4, :, 2].sum())


def test_base_and_shares_of_the_reference_give_the_score(wine_study):
    comparison = wine_study.comparison
    for place in range(5):
        for score in range(3):
            table = shares.sums_table(
                comparison.reasons.reference, comparison, place=place, score=score
            )
            assert np.allclose(table["base"] + table["shares"], table["sum"])
            assert np.allclose(table["sum"], table["score"], atol=1e-6)


def test_a_rows_values_stand_beside_the_features_in_raw_units():
    schema = Schema(
        (
            Feature("age", unit="years"),
            Feature("site", "category", levels=("north", "south")),
            Feature("smoker", "boolean"),
            Feature("dose", unit="mg"),
        )
    )
    row = np.array([54.25, 1.0, np.nan, -1234.5])
    values = told([[[4.0], [3.0], [2.0], [1.0]]])
    table = shares.shares_table({"teacher": values}, schema, row, place=0, score=0, k=4)
    assert list(table["feature"]) == [
        "age = 54.25 years",
        "site = south",
        "smoker = missing",
        "dose = −1234.5 mg",
    ]
    without = shares.shares_table({"teacher": values}, schema, None, place=0, score=0, k=4)
    assert list(without["feature"]) == ["age", "site", "smoker", "dose"]
    assert set(without["value"]) == {"not kept"}


def test_long_names_are_shortened_and_kept_apart():
    begin_alike = [
        f"serum concentration of marker number {i} at admission, fasting" for i in (1, 2)
    ]
    end_apart = "the time since the last admission to intensive care in days"
    short = short_names([*begin_alike, end_apart, "age"], longest=30)
    assert len(set(short)) == 4
    assert all(len(text) <= 30 for text in short)
    assert "number 1" in short[0]
    assert "number 2" in short[1]
    assert short[2].startswith("the time")
    assert short[2].endswith("in days")
    assert short[3] == "age"


def test_names_that_cannot_be_told_apart_are_numbered():
    assert short_names(["a" * 50, "a" * 50], longest=20)[1].endswith("(2)")


# -- rows ------------------------------------------------------------------------------------------


def test_the_row_furthest_apart_comes_first(wine_study):
    comparison = wine_study.comparison
    distances = rows.distances(comparison, "boosted-trees")
    order = rows.row_order(comparison, "boosted-trees", apart=True)
    assert distances[order[0]] == distances.max()
    assert (np.diff(distances[order]) <= 0).all()
    in_order = rows.row_order(comparison, "boosted-trees", apart=False)
    assert list(in_order) == list(range(len(order)))


def test_answers_are_those_of_the_kept_scores(wine_study):
    comparison, task = wine_study.comparison, wine_study.about.task
    answers = dict(rows.answers(comparison, ["teacher", "mlp"], task, place=0))
    row = comparison.reasons.rows[0]
    assert answers["truth"] == task.class_names[comparison.data.y[row]]
    best = task.class_names[comparison.scores["teacher"][row].argmax()]
    assert answers["teacher"].startswith(best)


def test_a_leafs_answer_is_that_of_the_leaf_that_holds_most_of_the_row(wine_study):
    tree, data = wine_study.students["soft-tree"], wine_study.comparison.data
    readable = rows.readable_row(data, 3)
    leaf = tree.path_probabilities(readable)[0].argmax()
    output = rows.leaf_output(tree, readable)
    assert np.sum(output) == pytest.approx(1)
    log_probabilities = tree.leaf_outputs_[leaf] * tree.temperature
    assert np.argmax(output) == log_probabilities.argmax()


def test_probabilities_are_told_of_the_likeliest_classes(wine_study):
    task = wine_study.about.task
    table = rows.probabilities_table(wine_study.comparison, "mlp", task, row=0)
    assert list(table.groupby("model")["probability"].sum()) == pytest.approx([1, 1])
    teacher = table[table["model"] == "teacher"]["probability"]
    assert teacher.is_monotonic_decreasing


def test_a_tree_is_drawn_with_and_without_rows(wine_study, tmp_path):
    wine_study.save(tmp_path / "private", with_data=False)
    private = xd.Study.open(tmp_path / "private")
    tree = wine_study.students["soft-tree"]
    assert "% of rows" in rows.tree_svg(wine_study, tree)
    assert "% of this row" in rows.tree_svg(wine_study, tree, row=1)
    assert "% of rows" not in rows.tree_svg(private, private.students["soft-tree"], row=1)


def test_a_number_is_written_without_an_exponent():
    assert words.significant(0.000406) == "0.000406"
    assert words.significant(12345.6) == "12\u202f346"
    assert words.significant(-2.5) == "−2.50"
    assert words.significant(0.0) == "0.00"
    assert words.significant(np.nan) == "not defined"
