from dataclasses import replace

import pytest

from explain_distill.audit.compare import compare
from explain_distill.audit.findings import RULES, findings
from explain_distill.audit.trust import Trust
from explain_distill.metrics.intervals import Estimate


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
    assert "disagreeing being further apart than 12.5" in told[2].words


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
