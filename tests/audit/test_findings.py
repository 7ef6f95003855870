from dataclasses import replace

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.audit.compare import compare
from explain_distill.audit.findings import RULES, findings
from explain_distill.audit.trust import Trust
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema
from explain_distill.metrics.fidelity import classification_fidelity
from explain_distill.metrics.intervals import Estimate


@pytest.fixture(scope="module")
def of_values():
    """A study of a teacher that predicts values."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(100, 3))
    schema = Schema(tuple(Feature(name) for name in ("age", "weight", "height")))
    task = Task("regression", "stay", unit="days")
    train, test = Dataset("stays", X, X[:, 0] - 2 * X[:, 1], schema, task).split(seed=0)
    teacher = xd.NeuralTeacher(members=1, width=8, max_epochs=5).fit(train)
    tree = xd.distill(teacher, xd.DecisionTree(max_leaves=4), train)
    return xd.compare(teacher, {"tree": tree}, test, n_draws=1, quick=True)


def grades(comparison, name):
    return {each.about: each.grade for each in findings(comparison, name)}


def test_every_question_is_answered_by_a_visible_rule(wine_study):
    for name in wine_study.students:
        told = findings(wine_study.comparison, name)
        assert [each.about for each in told] == [about for about in RULES if about != "stability"]
        for each in told:
            assert each.words.endswith(".")
            assert each.to_json()["rule"] == RULES[each.about]
            for figure in each.figures:
                assert wine_study.comparison.get(name, figure) or each.grade == "not shown"


def test_the_grades_follow_the_ends_of_the_intervals(wine_study):
    comparison, name = wine_study.comparison, "soft-tree"

    def with_ends(low, high):
        metrics = tuple(
            replace(m, low=low, high=high)
            if (m.model, m.metric) == (name, "fidelity.agreement")
            else m
            for m in comparison.metrics
        )
        return grades(replace(comparison, metrics=metrics), name)["answers"]

    assert with_ends(0.95, 1.0) == "yes"
    assert with_ends(0.949, 1.0) == with_ends(0.85, 1.0) == "partly"
    assert with_ends(0.849, 0.85) == with_ends(None, None) == "not shown"
    assert with_ends(0.5, 0.849) == "no"
    trust = comparison.trust[name]

    def with_bounds(most, least):
        certificate = replace(trust.certificate, relative_bound=most, relative_least=least)
        told = replace(comparison, trust={name: replace(trust, certificate=certificate)})
        return grades(told, name)["reasons"]

    assert with_bounds(0.15, 0.1) == with_bounds(0.0, 0.0) == "yes"
    assert with_bounds(0.151, 0.1) == with_bounds(0.4, None) == "partly"
    for undecided in ((0.41, 0.4), (0.9, None), (None, None)):
        assert with_bounds(*undecided) == "not shown"
    assert with_bounds(0.9, 0.41) == "no"

    def of_regions(**altered):
        told = replace(comparison, trust={name: replace(trust, **altered)})
        return grades(told, name)["regions"]

    assert of_regions(regions=(), most_disagreement=0.019) == "yes"
    assert of_regions(regions=(), most_disagreement=0.021) == "not shown"
    assert of_regions(regions=(), most_disagreement=None) == "not shown"

    def of_deferral(kept):
        rule = replace(trust.deferrals[0], threshold=0.5, kept=kept, bound=0.04)
        told = replace(comparison, trust={name: replace(trust, deferrals=(rule,))})
        return grades(told, name)["deferral"]

    assert of_deferral(Estimate(0.9, 0.8, 1.0, 50, 0.95)) == "yes"
    assert of_deferral(Estimate(0.9, 0.79, 1.0, 50, 0.95)) == "partly"
    assert of_deferral(None) == "not shown"


def test_values_say_when_they_disagree(wine_study):
    comparison, name = wine_study.comparison, "soft-tree"
    trust = comparison.trust[name]
    rule = replace(
        trust.deferrals[0], threshold=0.5, kept=Estimate(0.9, 0.8, 1.0, 50, 0.95), bound=0.04
    )
    of_values = replace(trust, tolerance=12.5, deferrals=(rule,))
    told = findings(replace(comparison, trust={name: of_values}), name)
    assert "(values disagree that are over 12.5 apart)" in told[2].words


def test_without_a_certificate_nothing_is_claimed_of_reasons(wine_study):
    comparison, name = wine_study.comparison, "soft-tree"
    trust = replace(comparison.trust[name], certificate=None)
    told = {each.about: each for each in findings(replace(comparison, trust={name: trust}), name)}
    assert told["reasons"].grade == "not shown"
    assert "too few" in told["reasons"].words


def test_a_study_made_before_answers_for_fidelity_alone(wine_study):
    before = replace(wine_study.comparison, trust={})
    assert list(grades(before, "soft-tree")) == ["answers"]


def test_trust_is_kept_as_json(wine_study):
    for trust in wine_study.comparison.trust.values():
        assert Trust.from_json(trust.to_json()) == trust


@pytest.mark.parametrize("draws", [1, 4])
def test_the_draws_of_the_certificate_may_be_chosen(draws, wine, wine_teacher, wine_students):
    student = {"soft-tree": wine_students["soft-tree"]}
    told = compare(wine_teacher, student, wine[1], n_draws=draws)
    assert told.trust["soft-tree"].certificate.n_draws == draws


@pytest.mark.parametrize(
    ("value", "low", "high", "said"),
    [
        (5999 / 6000, 0.99907, 0.999996, "the same answer in 99.98% of 6000 rows, at least 99.90%"),
        (0.986, 0.95049, 0.998, "the same answer in 98.6% of 6000 rows, at least 95.0%"),
        (1.0, 0.9744, 1.0, "the same answer in 100.0% of 6000 rows, at least 97.4%"),
        (0.5, 0.4, 0.60001, "the same answer in 50.0% of 6000 rows, at most 60.1%"),
    ],
)
def test_bounds_are_rounded_away_from_what_they_bound(wine_study, value, low, high, said):
    comparison, name = wine_study.comparison, "soft-tree"
    metrics = tuple(
        replace(m, value=value, low=low, high=high, n=6000)
        if (m.model, m.metric) == (name, "fidelity.agreement")
        else m
        for m in comparison.metrics
    )
    assert said in findings(replace(comparison, metrics=metrics), name)[0].words


@pytest.mark.parametrize(
    ("most", "least", "said"),
    [
        (0.00369, 0.0, "off by at most 0.4%"),
        (0.02086, 0.0, "off by at most 2.1%"),
        (0.404, 0.1, "off by at most 41%"),
        (0.9, 0.4096, "off by 40% of the teacher's own or more"),
        (0.15, 0.1, "off by at most 15%"),
    ],
)
def test_a_bound_of_reasons_is_never_said_to_be_smaller(wine_study, most, least, said):
    comparison, name = wine_study.comparison, "soft-tree"
    trust = comparison.trust[name]
    certificate = replace(trust.certificate, relative_bound=most, relative_least=least)
    told = replace(comparison, trust={name: replace(trust, certificate=certificate)})
    assert said in findings(told, name)[1].words


def test_what_it_is_for_values_to_disagree_is_said_where_no_rule_passed(of_values):
    comparison = of_values.comparison
    for name in comparison.students:
        trust = comparison.trust[name]
        none = replace(trust.deferrals[0], threshold=None, kept=None, bound=None)
        told = replace(comparison, trust={name: replace(trust, deferrals=(none,))})
        words = next(f.words for f in findings(told, name) if f.about == "deferral")
        assert "values disagree that are over" in words


def test_values_that_are_the_teachers_are_its_answers(of_values):
    comparison = of_values.comparison
    name = next(iter(comparison.students))
    metrics = tuple(
        replace(m, value=1.0, low=None, high=None)
        if (m.model, m.metric) == (name, "fidelity.r2")
        else m
        for m in comparison.metrics
    )
    told = findings(replace(comparison, metrics=metrics), name)[0]
    assert told.grade == "yes"
    assert "in each of" in told.words


def test_values_of_few_rows_are_not_graded(of_values):
    comparison = of_values.comparison
    metrics = tuple(
        replace(m, n=19) if m.metric == "fidelity.r2" else m for m in comparison.metrics
    )
    assert grades(replace(comparison, metrics=metrics), "tree")["answers"] == "not shown"


def test_always_the_usual_answer_is_no_fidelity(wine_study):
    """Where the teacher nearly always gives one answer, giving it always agrees as often."""
    comparison, name = wine_study.comparison, "soft-tree"
    teacher = np.zeros((624, 3))
    teacher[:, 0] = 1.0
    teacher[:8] = (0.0, 1.0, 0.0)
    usual = np.zeros_like(teacher)
    usual[:, 0] = 1.0

    def answers(student):
        told = classification_fidelity(teacher, student)
        metrics = tuple(
            replace(m, **vars(told[m.metric.removeprefix("fidelity.")]))
            if m.model == name and m.metric.startswith("fidelity.")
            else m
            for m in comparison.metrics
        )
        return findings(replace(comparison, metrics=metrics), name)[0]

    assert answers(usual).grade == "not shown"
    assert "would do in 98.7%, which is not shown to be less often" in answers(usual).words
    assert answers(teacher).grade == "yes"
    teacher[1:8] = teacher[8]
    assert answers(teacher).grade == "not shown"


def test_the_rows_that_judge_a_rule_are_told_with_it(wine_study):
    comparison, name = wine_study.comparison, "soft-tree"
    trust = comparison.trust[name]

    def words(disagreement):
        rule = replace(
            trust.deferrals[0], threshold=0.5, bound=0.04, kept_share=1.0,
            kept=Estimate(1.0, 0.95, 1.0, 62, 0.95), disagreement=disagreement,
        )  # fmt: skip
        told = replace(comparison, trust={name: replace(trust, deferrals=(rule,))})
        return next(f.words for f in findings(told, name) if f.about == "deferral")

    seen = words(Estimate(2 / 62, 0.004, 0.1117, 62, 0.95))
    assert seen.endswith(
        "Of 62 kept rows that had no say in this, it disagreed in 2, which leaves up to 12% open."
    )
    for nothing in (None, Estimate(0.0, 0.0, 0.06, 62, 0.95)):
        assert "no say" not in words(nothing)
