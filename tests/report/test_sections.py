import copy

import numpy as np
import pytest

from explain_distill import DecisionTree
from explain_distill._rounding import apart, within
from explain_distill.report.blocks import Dots, Facts, Figure, Outline, Paragraph, Table, Tree
from explain_distill.report.sections import build_report
from explain_distill.report.wording import many_features_words, percent, told_apart
from explain_distill.students.decision_tree_words import missing_words, questions
from explain_distill.students.nodes import following, path_words, tree_nodes

ORDER = (
    "asked data teacher students fidelity reasons trust recommended limits provenance".split()  # noqa: SIM905
)


@pytest.fixture(scope="module")
def report(wine_study):
    return build_report(wine_study)


def words(report, key):
    told = []
    for block in report.section(key).blocks:
        told += [block.text] if isinstance(block, Paragraph) else list(getattr(block, "items", ()))
    return " ".join(str(each) for each in told)


def test_sections_come_in_the_order_in_which_they_are_read(report):
    assert [section.key for section in report.sections] == ORDER


def test_every_measured_figure_stands_in_the_table_as_it_was_measured(wine_study, report):
    (table,) = (b for b in report.section("students").blocks if isinstance(b, Table))
    shown = [
        (model, cell)
        for group in table.groups
        for row in group.rows
        for model, cell in zip(table.columns[1:-1], row[1:-1], strict=True)
        if isinstance(cell, Figure)
    ]
    found = sorted((m, c.value, c.low, c.high, c.n) for m, c in shown if c.low is not None)
    metrics = wine_study.comparison.metrics
    assert len(shown) == len(metrics)
    assert found == sorted(
        (m.model, m.value, m.low, m.high, m.n) for m in metrics if m.low is not None
    )


def test_what_a_small_move_is_is_said_beside_the_figures(report):
    told = words(report, "students")
    assert "moved at random, 4 times, by at most 2% of its column's standard deviation" in told


def test_fidelity_is_said_in_plain_words(wine_study, report):
    metric = wine_study.comparison.get("mlp", "fidelity.agreement")
    same = round(metric.value * metric.n)
    told = words(report, "fidelity")
    assert "Of 100 test rows the small neural network and the teacher answer the same" in told
    assert f"as measured on {same} of {metric.n}" in told


def test_reasons_are_shown_between_floor_and_ceiling(wine_study, report):
    (dots,) = (b for b in report.section("reasons").blocks if isinstance(b, Dots))
    assert dots.floor == 0
    assert dots.ceiling == wine_study.comparison.reasons.ceiling
    assert [point.label for point in dots.points] == list(wine_study.students)


def test_the_tree_is_shown_with_the_reach_of_the_training_rows(wine_study, report):
    (tree,) = (b for b in report.section("recommended").blocks if isinstance(b, Tree))
    data = wine_study.comparison.data
    rows = data.readable_features.transform(data.background)
    assert list(tree.nodes) == tree_nodes(wine_study.students["soft-tree"], rows)
    assert tree.weighed


def test_the_words_hold_each_question_once(report):
    (outline,) = (b for b in report.section("recommended").blocks if isinstance(b, Outline))

    def walk(items):
        for item in items:
            yield item.text
            yield from walk(item.items)

    told = list(walk(outline.items))
    assert sum("uestion" in text for text in told) == 3
    assert sum(text.startswith("leaf") for text in told) == 4


def test_the_student_shown_in_full_is_said_to_be_chosen_by_kind(report):
    assert "not chosen by a figure" in words(report, "recommended")


def test_the_limits_name_what_must_be_looked_for(report):
    told = words(report, "limits")
    for name in ("Slack et al. 2020", "Chen et al. 2020", "few test rows"):
        assert name in told


def test_provenance_holds_the_fingerprint_and_how_students_were_made(wine_study, report):
    blocks = report.section("provenance").blocks
    facts = dict(next(b for b in blocks if isinstance(b, Facts)).rows)
    assert facts["SHA-256 of the test rows"] == wine_study.about.sha256
    (table,) = (b for b in blocks if isinstance(b, Table))
    seen = {row[0]: row[2].value for row in table.groups[0].rows}
    made = wine_study.about.distillations
    assert seen == {name: made[name]["n_rows"] for name in wine_study.students}


def test_a_study_without_rows_says_so_and_counts_none(kept_without_rows):
    report = build_report(kept_without_rows)
    assert "keeps no rows" in words(report, "data")
    (tree,) = (b for b in report.section("recommended").blocks if isinstance(b, Tree))
    assert not tree.weighed
    assert [node.reach for node in tree.nodes] == [1, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25]


def test_values_are_spoken_of_without_classes(value_study):
    report = build_report(value_study)
    told = " ".join(words(report, key) for key in ORDER)
    assert "days from the teacher's on average" in told
    assert "class" not in told


def test_a_student_that_was_not_distilled_is_recorded_as_such(value_study):
    (table,) = (
        b for b in build_report(value_study).section("provenance").blocks if isinstance(b, Table)
    )
    assert table.groups[0].rows[0][:2] == ("soft-tree", "not recorded")


def test_without_a_tree_the_report_says_so(wine_study):
    from dataclasses import replace

    comparison = wine_study.comparison
    readable = ("soft-tree", "decision-tree", "additive")
    without = {name: s for name, s in comparison.students.items() if name not in readable}
    study = replace(wine_study, comparison=replace(comparison, students=without))
    report = build_report(study)
    assert "It has no drawing" in words(report, "recommended")
    assert not [b for b in report.section("recommended").blocks if isinstance(b, Tree)]


def test_without_a_soft_tree_the_decision_tree_is_read_in_full(wine_study):
    from dataclasses import replace

    comparison = wine_study.comparison
    students = {name: comparison.students[name] for name in ("mlp", "decision-tree")}
    study = replace(wine_study, comparison=replace(comparison, students=students))
    report = build_report(study)
    assert report.section("recommended").title == "The decision tree in full"
    told = words(report, "recommended")
    assert "Each question is of one feature" in told
    assert all(question.words() in told for question in questions(students["decision-tree"])[:3])


def test_names_with_commas_are_told_apart():
    assert told_apart(["day, night", "Other"]) == ["“day, night”", "Other"]


def test_questions_of_many_features_are_told_to_be_beyond_reading():
    assert many_features_words(10) == ""
    assert "--max-features 5" in many_features_words(11)


def test_one_way_through_a_mixture_is_told_by_how_far_it_leads_to_its_answer(wine_study, report):
    tree, rows = wine_study.students["soft-tree"], wine_study.comparison.data.readable()
    found = following(tree, rows)
    assert found.share == pytest.approx(tree.path_probabilities(rows).max(axis=1).mean())
    hard = copy.copy(tree).set_params(inference="hard")
    same = (hard.predict(rows) == tree.predict(rows)).mean()
    assert found.same == pytest.approx(same)
    assert f"a leaf of the tree's own answer in {percent(same)}" in words(report, "recommended")
    assert tree.inference == "mixture"


def test_one_way_to_a_value_is_told_by_how_far_it_is_off(value_study):
    tree, rows = value_study.students["soft-tree"], value_study.comparison.data.readable()
    own = tree.predict_score(rows)
    off = np.abs(copy.copy(tree).set_params(inference="hard").predict_score(rows) - own).mean()
    found = following(tree, rows)
    assert (found.off, found.spread) == pytest.approx((off, own.std()))
    told = words(build_report(value_study), "recommended")
    assert "comes to a leaf whose value is off by" in told
    assert "days on the mean" in told


def test_what_a_missing_value_answers_is_told():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = (X.sum(axis=1) > 0).astype(int)
    complete = DecisionTree(max_leaves=4).fit(X, y)
    assert missing_words(complete).startswith("A missing value, of which it has seen none, goes")
    X[::5, 0] = np.nan
    lacking = DecisionTree(max_leaves=4).fit(X, y)
    assert missing_words(lacking).startswith("A missing value counts as a yes where a question")
    assert path_words(lacking, X[:1])[-1] == "Missing in this row: x0"
    assert not missing_words(DecisionTree(task="regression").fit(X, np.zeros(300)))


def test_a_missing_category_is_told_to_count_as_a_no(mixed_students):
    told = missing_words(mixed_students["decision-tree"])
    assert told.startswith("A missing value counts as a yes where a question says so, else as a no")


def test_numbers_have_the_digits_that_part_them():
    assert apart([2018.5, 2019.5, 2024.5]) == ["2018.5", "2019.5", "2024.5"]
    assert apart([-1e-12, 2e-12]) == ["-1e-12", "2e-12"]
    assert apart([1.75e12, 1.75e12 + 40]) == ["1750000000000", "1750000000040"]
    assert apart([0.123456789]) == ["0.123456789"]
    assert apart([0.123456789, 1.123456789]) == ["0.123", "1.12"]
    assert apart([0.5, 1500.0]) == ["0.5", "1500"]
    assert apart([0.0004, 1.0, 1005.5]) == ["0.0004", "1", "1006"]
    assert apart([-0.3, 0.0, 5000.0]) == ["-0.3", "0", "5000"]
    assert apart([0.15000000000000002]) == ["0.15"]
    assert within(1.0, 5e-324) == "1"
    assert within(5.0021e-6, 4e-9) == "5.0021e-06"
    assert within(320.71, 460.0) == "320.7"
    assert within(0.0, 1.0) == "0"
    assert within(5.0, 0.0) == "5"
