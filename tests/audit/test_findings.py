from dataclasses import replace

import pytest

from explain_distill.audit.compare import compare
from explain_distill.audit.findings import RULES, findings
from explain_distill.audit.trust import Trust


def grades(comparison, name):
    return {each.about: each.grade for each in findings(comparison, name)}


def test_every_question_is_answered_by_a_visible_rule(wine_study):
    for name in wine_study.students:
        told = findings(wine_study.comparison, name)
        assert [each.about for each in told] == list(RULES)
        for each in told:
            assert each.words.endswith(".")
            assert each.to_json()["rule"] == RULES[each.about]
            for figure in each.figures:
                assert wine_study.comparison.get(name, figure) or each.grade == "not shown"


def test_the_grades_follow_the_ends_of_the_intervals(wine_study):
    comparison, name = wine_study.comparison, "soft-tree"

    def with_low(low):
        metrics = tuple(
            replace(m, low=low, high=1.0)
            if (m.model, m.metric) == (name, "fidelity.agreement")
            else m
            for m in comparison.metrics
        )
        return grades(replace(comparison, metrics=metrics), name)["answers"]

    assert [with_low(low) for low in (0.95, 0.949, 0.85, 0.849)] == [
        "yes",
        "partly",
        "partly",
        "no",
    ]
    trust = comparison.trust[name]

    def with_bound(bound):
        certificate = replace(trust.certificate, relative_bound=bound)
        told = replace(comparison, trust={name: replace(trust, certificate=certificate)})
        return grades(told, name)["reasons"]

    assert [with_bound(b) for b in (0.15, 0.151, 0.4, 0.41, None)] == [
        "yes",
        "partly",
        "partly",
        "no",
        "not shown",
    ]


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
