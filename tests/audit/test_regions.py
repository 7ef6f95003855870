import numpy as np
import pytest

from explain_distill.audit.regions import Condition, Region, regions_of_disagreement
from explain_distill.data.readable_features import ReadableFeature

FEATURES = (
    ReadableFeature("age", 0, unit="years"),
    ReadableFeature("cholesterol", 1),
    *(ReadableFeature(f"v{i}", i) for i in range(2, 6)),
)


def study(n, rng, rate=0.5, elsewhere=0.03):
    """Draw rows, of which the old ones with a low cholesterol are often answered otherwise."""
    X = rng.normal(size=(n, 6))
    X[:, 0] = 60 + 10 * X[:, 0]
    planted = (X[:, 0] > 65) & (X[:, 1] < 0.4)
    differs = rng.random(n) < np.where(planted, rate, elsewhere)
    X[rng.random(n) < 0.1, 3] = np.nan
    return X, differs, rng.permutation(n) < n // 2


def test_a_planted_region_is_found_and_named():
    rng = np.random.default_rng(0)
    named = 0
    for seed in range(100):
        found = regions_of_disagreement(*study(500, rng), FEATURES, seed=seed)
        named += any("age >" in each.words for each in found)
    assert named >= 95


def test_where_there_is_none_none_is_reported():
    rng = np.random.default_rng(1)
    reported = sum(
        bool(regions_of_disagreement(*study(500, rng, rate=0.1, elsewhere=0.1), FEATURES, seed=s))
        for s in range(100)
    )
    assert reported <= 5


def test_a_region_tells_how_often_inside_and_elsewhere():
    rng = np.random.default_rng(0)
    first = regions_of_disagreement(*study(2000, rng), FEATURES)[0]
    assert "age > 6" in first.words
    assert "years" in first.words
    assert first.inside.low < 0.5 < first.inside.high + 0.05
    assert first.outside.value < 0.1
    assert first.inside.n + first.outside.n == 1000
    assert first.p_value < 1e-6
    assert Region.from_json(first.to_json()) == first


def test_a_region_of_missing_values_is_named():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 6))
    X[rng.random(800) < 0.2, 1] = np.nan
    differs = rng.random(800) < np.where(np.isnan(X[:, 1]), 0.6, 0.02)
    found = regions_of_disagreement(X, differs, np.arange(800) < 400, FEATURES)
    assert any("cholesterol is missing" in each.words for each in found)


def test_nothing_is_sought_where_all_agree_or_none():
    X, _, half = study(200, np.random.default_rng(0))
    for differs in (np.zeros(200, bool), np.ones(200, bool)):
        assert regions_of_disagreement(X, differs, half, FEATURES) == ()


def people(n, size, rng):
    """Draw people of so many rows each, of which some are often answered otherwise."""
    person = np.repeat(np.arange(n), size)
    return person, np.repeat(rng.normal(size=(n, 6)), size, axis=0), np.isin(person % 2, [0])


def test_one_person_makes_no_region():
    rng = np.random.default_rng(0)
    person, X, half = people(60, 20, rng)
    differs = np.isin(person, [2, 13])  # one person of each half, with all rows
    X[differs, 2] = 9.0
    assert regions_of_disagreement(X, differs, half, FEATURES, person) == ()
    assert regions_of_disagreement(X, differs, half, FEATURES) != ()


def test_a_region_of_people_is_found():
    found = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        person, X, half = people(200, 5, rng)
        differs = rng.random(len(X)) < np.where(X[:, 1] > 1, 0.4, 0.02)
        found += bool(regions_of_disagreement(X, differs, half, FEATURES, person))
    assert found >= 18


def test_rows_of_people_make_no_region_by_chance():
    """Where rows of a person lie on both sides of a border, which are as often wrong."""
    reported = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        person, _, half = people(150, 2, rng)
        X = rng.normal(size=(300, 6))
        differs = rng.random(300) < 0.3
        reported += bool(regions_of_disagreement(X, differs, half, FEATURES, person))
    assert reported <= 9


@pytest.mark.parametrize(
    ("condition", "known", "words"),
    [
        (Condition(0, 54.3219, np.inf, False), True, "age > 54.32 years"),
        (Condition(0, -np.inf, 54.0, True), False, "age ≤ 54 years or missing"),
        (Condition(0, 40.0, 54.0, True), True, "40 < age ≤ 54 years"),
        (Condition(1, np.inf, np.inf, True), False, "cholesterol is missing"),
        (Condition(1, -np.inf, np.inf, False), False, "cholesterol is known"),
    ],
)
def test_a_condition_in_words(condition, known, words):
    assert condition.words(FEATURES, known) == words


def test_levels_in_words():
    levels = (ReadableFeature("sex=female", 0, level="female", binary=True),)
    assert Condition(0, 0.5, np.inf, False).words(levels, True) == "sex is female"
    assert Condition(0, -np.inf, 0.5, True).words(levels, True) == "sex is not female"


@pytest.mark.parametrize("altered", [{"words": 3}, {"p_value": None}, {"inside": {}}])
def test_an_altered_region_is_refused(altered):
    found = regions_of_disagreement(*study(2000, np.random.default_rng(0)), FEATURES)
    with pytest.raises((ValueError, TypeError, KeyError)):
        Region.from_json(found[0].to_json() | altered)


def test_whether_an_answer_is_known_is_told_apart_from_yes():
    asked = (ReadableFeature("smoker", 0, binary=True),)
    assert Condition(0, -np.inf, np.inf, False).words(asked, False) == "smoker is known"
    assert Condition(0, 0.5, np.inf, False).words(asked, True) == "smoker"


def test_a_value_that_single_precision_cannot_hold_is_no_obstacle():
    X, differs, half = study(500, np.random.default_rng(0))
    X[3, 2] = 1e300
    found = regions_of_disagreement(X, differs, half, FEATURES)
    assert any("age > 6" in region.words for region in found)


@pytest.mark.parametrize(("n_groups", "size", "rate"), [(200, 1, 0.05), (400, 2, 0.03)])
def test_rare_disagreement_of_groups_makes_no_region_by_chance(n_groups, size, rate):
    """Where most rows lie inside, that no row outside is wrong says little."""
    rng = np.random.default_rng(0)
    features = tuple(ReadableFeature(f"x{i}", i, binary=True) for i in range(3))
    groups = np.repeat(np.arange(n_groups), size)
    reported = 0
    for seed in range(100):
        X = (rng.random((n_groups, 3)) < 0.1)[groups].astype(float)
        wrong = rng.random(len(X)) < rate
        half = np.isin(groups, rng.permutation(n_groups)[: n_groups // 2])
        reported += bool(regions_of_disagreement(X, wrong, half, features, groups, seed))
    assert reported <= 6
