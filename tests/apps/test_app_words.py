"""What the app says."""

from dataclasses import replace

import pytest

from explain_distill.app import words
from explain_distill.audit.comparison import Metric
from explain_distill.data.dataset import Task


def test_a_figure_stands_with_its_interval():
    agreement = Metric("mlp", "student", "fidelity.agreement", 0.99296, 0.9614, 0.9998, 142, 0.95)
    assert words.figure(agreement) == "0.993 [0.961, 1.000]"
    assert words.figure(Metric("mlp", "student", "cost.bytes", 51_800.0)) == "51.8 kB"
    assert words.figure(Metric("mlp", "student", "cost.row_milliseconds", 0.0742)) == "0.0742 ms"
    assert words.figure(Metric("mlp", "student", "complexity.leaves", 3199.0)) == "3\u202f199"
    assert words.figure(Metric("mlp", "student", "a.later_metric", 0.5)) == "0.500"


@pytest.mark.parametrize(
    ("n_bytes", "written"), [(12, "12 bytes"), (5600, "5.60 kB"), (1.03e6, "1.03 MB")]
)
def test_a_size_is_written_in_its_unit(n_bytes, written):
    assert words.size(n_bytes) == written


def test_names_are_not_read_as_markdown():
    assert words.plain("HbA1c_[%] *x* $y$ <b>") == r"HbA1c\_\[%\] \*x\* \$y\$ \<b\>"
    assert words.plain("A&amp;B") == r"A\&amp;B"


def test_a_target_is_named_with_its_classes_or_unit():
    assert words.target(Task("classification", "died", ("no", "yes"))) == "**died**, no or yes"
    many = Task("classification", "letter", tuple("ABCDEFGHIJ"))
    assert words.target(many) == "**letter**, one of 10 classes, from A to J"
    assert words.target(Task("regression", "stay", unit="days")) == "**stay**, in days"
    assert words.target(Task("regression", "stay")) == "**stay**, a value"


def test_a_verdict_tells_answers_reasons_and_size(wine_study):
    comparison = wine_study.comparison
    said = words.verdict(comparison, "soft-tree")
    agreement = comparison.get("soft-tree", "fidelity.agreement")
    reasons = comparison.get("soft-tree", "attribution.rank_correlation")
    assert f"the teacher's class for {100 * agreement.value:.1f}% of {agreement.n} test" in said
    assert f"at a correlation of {reasons.value:.3f} (95% interval {reasons.low:.3f}" in said
    assert words.size(comparison.get("soft-tree", "cost.bytes").value) in said


def test_floor_and_ceiling_are_chance_and_the_teacher_against_itself(wine_study):
    found = wine_study.comparison.get("teacher", "attribution.rank_correlation")
    said = words.floor_and_ceiling(wine_study.comparison)
    assert said.startswith("For that correlation, chance gives 0, ")
    assert f"{found.value:.3f}" in said


def test_a_small_move_is_told_of_where_it_was_measured(wine_study):
    comparison = wine_study.comparison
    assert "by at most 2% of its column's" in words.sensitivity_note(comparison)
    before = tuple(m for m in comparison.metrics if m.metric != "faithfulness.sensitivity")
    assert words.sensitivity_note(replace(comparison, metrics=before)) == ""


def test_the_lead_counts_students_and_rows(wine_study):
    said = words.lead(wine_study)
    assert "Five students learned from it" in said
    assert "45 test rows" in said


def test_the_lead_counts_kinds_where_there_are_sizes(sized_study):
    said = words.lead(sized_study)
    assert "Two kinds of student learned from it, each at the sizes 2, 4 and 8" in said
    for name in sized_study.leading.students:
        assert words.plain(name) in said


def test_the_ends_of_an_interval_are_rounded_outwards_as_findings_are(wine_study):
    comparison = wine_study.comparison
    metrics = tuple(
        replace(m, value=0.9, low=0.80752, high=0.97801)
        if (m.model, m.metric) == ("mlp", "fidelity.agreement")
        else m
        for m in comparison.metrics
    )
    said = words.answers_verdict(replace(comparison, metrics=metrics), "mlp")
    assert "(95% interval 80.7% to 97.9%)" in said


def test_an_answer_names_its_class_and_probability():
    task = Task("classification", "died", ("no", "yes"))
    assert words.output(task, [0.25, 0.75]) == "yes (0.75)"
    assert words.output(Task("regression", "stay", unit="days"), [3.14159]) == "3.142 days"
