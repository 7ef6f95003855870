import numpy as np
import pytest
from scipy.stats import norm

from explain_distill.audit.deferral import (
    KEEP_ALL,
    Deferral,
    deferral,
    least_rows,
    reliabilities,
)
from explain_distill.audit.halves import calibration_half, disagreements, margin
from explain_distill.exceptions import DataError


def drawn(n, rng, base=4.0, slope=2.0):
    """Draw reliabilities, and whether a student disagrees: the less reliable, the more often."""
    reliable = rng.normal(size=n)
    differs = rng.random(n) < 1 / (1 + np.exp(base + slope * reliable))
    return reliable, differs, rng.permutation(n) < n // 2


def risk_above(threshold, base=4.0, slope=2.0):
    grid = np.linspace(max(threshold, -8), 8, 20_001)
    weight = norm.pdf(grid)
    return float((weight / (1 + np.exp(base + slope * grid))).sum() / weight.sum())


@pytest.mark.parametrize("alpha", [0.02, 0.05])
@pytest.mark.parametrize("n", [200, 1000])
def test_a_rule_breaks_its_alpha_no_more_often_than_it_says(alpha, n):
    rng = np.random.default_rng(n)
    broken = 0
    for _ in range(200):
        rule = deferral("margin", rng.normal(size=500), *drawn(n, rng), alpha=alpha)
        broken += rule.threshold is not None and risk_above(rule.threshold) > alpha
    assert broken <= 16  # 10 of 200 are expected at the most


def test_the_rule_keeps_what_is_reliable():
    rng = np.random.default_rng(0)
    rule = deferral("margin", rng.normal(size=2000), *drawn(4000, rng, base=3.0))
    assert 0.5 < rule.kept.value < 0.95
    assert rule.disagreement.value < 0.05
    assert rule.bound <= 0.05
    assert rule.kept_share == pytest.approx(rule.kept.value, abs=0.05)


def test_a_student_that_never_disagrees_defers_nothing():
    rng = np.random.default_rng(0)
    reliable = rng.normal(size=200)
    rule = deferral("margin", reliable, reliable, np.zeros(200, bool), np.arange(200) < 100)
    assert rule.threshold == KEEP_ALL
    assert rule.keeps_all
    assert rule.kept.value == 1.0
    assert rule.disagreement.value == 0.0


def test_too_few_rows_pass_no_threshold():
    rng = np.random.default_rng(0)
    n = 2 * (least_rows(0.05, 0.05) - 1)
    rule = deferral("margin", rng.normal(size=99), rng.normal(size=n), *_never(n))
    assert rule.threshold is None
    assert rule.kept is rule.disagreement is rule.bound is None
    assert rule.least_rows == 59
    more = deferral("margin", rng.normal(size=99), rng.normal(size=n + 2), *_never(n + 2))
    assert more.keeps_all


def _never(n):
    return np.zeros(n, bool), np.arange(n) < n // 2


def test_people_count_once_however_many_rows_they_have():
    rng = np.random.default_rng(0)
    people = np.repeat(np.arange(40), 10)
    reliable = rng.normal(size=400)
    calibration = people < 20
    rule = deferral("margin", reliable, reliable, np.zeros(400, bool), calibration, people)
    assert rule.threshold is None  # twenty people show no 5%
    alone = deferral("margin", reliable, reliable, np.zeros(400, bool), calibration)
    assert alone.keeps_all


@pytest.mark.parametrize(
    "risk", [{"alpha": 0.0}, {"alpha": 1.0}, {"delta": -1}, {"delta": 0.31}, {"delta": "x"}]
)
def test_a_risk_that_is_no_probability_is_refused(risk):
    one = np.ones(10)
    with pytest.raises(DataError, match=r"must be above 0 and (below 1|at most 0.3); however, got"):
        deferral("margin", one, one, one > 2, one > 0, **risk)


def test_a_rule_is_kept_as_json():
    rng = np.random.default_rng(0)
    rule = deferral("margin", rng.normal(size=500), *drawn(1000, rng))
    assert Deferral.from_json(rule.to_json()) == rule
    for altered in ({"reliability": "mood"}, {"alpha": None}, {"kept": {"value": "all"}}):
        with pytest.raises((ValueError, TypeError, KeyError)):
            Deferral.from_json(rule.to_json() | altered)


def test_reliabilities_tell_rows_in_which_a_student_is_wrong():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 3))
    X[::9, 2] = np.nan
    lead = rng.normal(size=1200)
    scores = np.c_[lead, -lead]
    differs = X[:, 0] > 1.2
    ways = reliabilities(X[:600], differs[:600], scores[:600], 0, classify=True)
    assert list(ways) == ["margin", "learned", "nearness"]
    learned = ways["learned"](X[600:], scores[600:])
    assert learned[differs[600:]].mean() < 0.3 < 0.7 < learned[~differs[600:]].mean()
    near = ways["nearness"](np.r_[X[600:700], X[600:700] + 20], np.r_[scores[:100], scores[:100]])
    assert near[:100].min() > near[100:].max()
    assert ways["margin"](X, scores) == pytest.approx(2 * np.abs(lead))
    values = reliabilities(X[:600], np.zeros(600, bool), lead[:600, None], 0, classify=False)
    assert list(values) == ["nearness"]


def test_halves_keep_groups_whole_and_are_about_equal(mixed):
    _, test = mixed
    half = calibration_half(test, 0)
    assert abs(half.sum() - len(test) / 2) <= 1
    assert not np.array_equal(half, calibration_half(test, 1))
    from dataclasses import replace

    people = replace(test, groups=np.arange(len(test)) // 4)
    half = calibration_half(people, 0)
    assert all(len(set(half[people.groups == person])) == 1 for person in set(people.groups))


def test_what_counts_as_a_disagreement():
    teacher, student = np.array([[0.0, 1.0], [2.0, 1.0]]), np.array([[0.0, 3.0], [1.0, 2.0]])
    assert disagreements(teacher, student, 0.0, classify=True).tolist() == [False, True]
    values, others = np.array([[1.0], [2.0]]), np.array([[1.2], [2.6]])
    assert disagreements(values, others, 0.5, classify=False).tolist() == [False, True]
    assert margin(np.array([[3.0, 1.0, 2.5]])).tolist() == [0.5]


def test_of_groups_of_unequal_size_rows_are_counted():
    """A hundredth of the groups are large, and wrong: most rows are, on which no rule may pass."""
    groups = np.repeat(np.arange(800), np.where(np.arange(800) % 100, 1, 200))
    differs = groups % 100 == 0
    same = np.zeros(len(groups))
    rule = deferral("margin", np.zeros(100), same, differs, groups < 400, groups)
    assert rule.threshold is None
