from dataclasses import replace

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.audit.findings import SAME_YES, findings
from explain_distill.audit.redistillation import MOST_REPEATS
from explain_distill.audit.stability import (
    MOST_COALITIONS,
    Stability,
    reproducible_choice,
    split_overlap,
)
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.attribution import top_k
from explain_distill.metrics.intervals import Estimate, mean_of_few


@pytest.fixture(scope="module")
def again(wine, wine_teacher, wine_students):
    students = {name: wine_students[name] for name in ("soft-tree", "mlp", "decision-tree")}
    return students, xd.redistill(wine_teacher, students, wine[0], minutes=1e-6)


@pytest.fixture(scope="module")
def told(wine, wine_teacher, again):
    students, repeats = again
    return xd.compare(wine_teacher, students, wine[1], n_draws=1, repeats=repeats).comparison


def test_all_are_distilled_as_often_as_the_minutes_afford(wine, wine_teacher, again):
    students, repeats = again
    assert {name: len(each) for name, each in repeats.items()} == dict.fromkeys(students, 3)
    steps = []
    tree = {"tree": xd.distill(wine_teacher, xd.DecisionTree(max_leaves=4), wine[0])}
    tree["tree"].distillation_ = replace(tree["tree"].distillation_, fit_seconds=1.0)

    def count(minutes):
        found = xd.redistill(
            wine_teacher, tree, wine[0], minutes=minutes, transfer=xd.Coalitions(100)
        )
        return len(found["tree"])

    assert (count(0.09), count(1000)) == (5, MOST_REPEATS)
    xd.redistill(
        wine_teacher, tree, wine[0], minutes=1e-6, on_step=lambda *told: steps.append(told)
    )
    assert steps == [(0, 3, "tree"), (1, 3, "tree"), (2, 3, "tree"), (3, 3, "done")]
    with pytest.raises(DataError, match="minutes"):
        xd.redistill(wine_teacher, tree, wine[0], minutes=0)


def test_the_same_seed_distils_the_same_again(wine, wine_teacher, again):
    students, repeats = again
    few = {"mlp": students["mlp"]}
    rows = wine[1].readable()
    scores = [
        [
            each.predict_score(rows)
            for each in xd.redistill(wine_teacher, few, wine[0], minutes=1e-6, seed=seed)["mlp"]
        ]
        for seed in (0, 0, 1)
    ]
    assert np.array_equal(scores[0], scores[1])
    assert not np.allclose(scores[0], scores[2])
    assert not np.allclose(scores[0][0], scores[0][1])
    assert len(repeats["mlp"]) == 3


def test_figures_lie_where_they_must_and_are_told(told):
    for name, trust in told.trust.items():
        stability = trust.stability
        assert stability is not None
        assert (stability.split_overlap is None) == (name == "mlp")
        for key, figure in stability.estimates().items():
            assert told.get(name, key).value == figure.value
            assert 0 <= figure.value <= 1 or key == "stability.score_spread"
        assert Stability.from_json(stability.to_json()) == stability
        assert findings(told, name)[-1].about == "stability"


def test_a_student_that_does_not_change_is_wholly_stable(wine, wine_teacher, again):
    students = {"soft-tree": again[0]["soft-tree"]}
    repeats = {"soft-tree": [students["soft-tree"]] * 20}
    comparison = xd.compare(wine_teacher, students, wine[1], n_draws=1, repeats=repeats).comparison
    found = comparison.trust["soft-tree"].stability
    assert found.top_k_overlap.value == found.same_answer.value == 1
    assert found.split_overlap.value == pytest.approx(1)
    assert found.score_spread == pytest.approx(0, abs=1e-12)
    assert found.choice.reproducible
    assert found.choice.chosen == 0
    assert findings(comparison, "soft-tree")[-1].grade == "yes"


def test_repeats_must_be_of_students_that_are_there(wine, wine_teacher, again):
    students, repeats = again
    for wrong in (
        {"mlp": repeats["mlp"][:1]},
        {"mlp": repeats["soft-tree"]},
    ):
        with pytest.raises(DataError, match="repeats must hold"):
            xd.compare(wine_teacher, students, wine[1], repeats=wrong)
    with pytest.raises(UnknownNameError, match="other"):
        xd.compare(wine_teacher, students, wine[1], repeats={"other": repeats["mlp"]})


def test_splits_are_the_same_whatever_they_are_called():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 6))
    answers, reach = (rows > 0.3).astype(float), np.array([1, 0.5, 0.5, 0.2, 0.3, 0.1])
    order = rng.permutation(6)
    assert split_overlap(answers, reach, answers, reach) == pytest.approx(1)
    mirrored = 1 - answers[:, order]
    assert split_overlap(answers, reach, mirrored, reach[order]) == pytest.approx(1)
    half = split_overlap(answers[:, :3], reach[:3], answers[:, :1], reach[:1])
    assert half == pytest.approx(0.5)
    others = (rng.normal(size=(500, 6)) > 0).astype(float)
    assert split_overlap(answers, reach, others, reach) < 0.2
    assert split_overlap(answers, reach, np.ones((500, 6)), reach) == 0
    none = np.ones((500, 0)), np.ones(0)
    assert split_overlap(*none, *none) == 1
    assert split_overlap(answers, reach, *none) == 0


def linear(*weights):
    return lambda rows: (rows @ np.array(weights))[:, None]


def test_the_choice_is_reproducible_where_one_is_closer():
    background = np.random.default_rng(0).normal(size=(200, 2))
    teacher = linear(1.0, 1.0)

    def choice(*candidates):
        return reproducible_choice(teacher, candidates, background, np.random.default_rng(1))

    clear = choice(linear(1.0, 0.5), linear(1.0, 0.99), linear(0.2, 1.0))
    assert clear.reproducible
    assert (clear.chosen, clear.n_coalitions) == (1, 2048)
    close = choice(linear(1.0, 0.9), linear(0.901, 1.0))
    assert close.n_coalitions > 2048 or not close.reproducible
    scale = np.sqrt(np.square(background).mean(axis=0))
    equal = choice(linear(1.0, 1 + 0.1 / scale[1]), linear(1 + 0.1 / scale[0], 1.0))
    assert not equal.reproducible
    assert equal.n_coalitions == MOST_COALITIONS
    assert choice(linear(1.0, 0.9), linear(1.0, 0.9)).reproducible


def test_another_sample_seldom_chooses_otherwise_than_a_reproducible_choice():
    background = np.random.default_rng(0).normal(size=(200, 2))
    teacher, candidates = linear(1.0, 1.0), (linear(1.0, 0.9), linear(0.897, 1.0))
    found = [
        reproducible_choice(teacher, candidates, background, np.random.default_rng(seed))
        for seed in range(60)
    ]
    sure = np.array([each.chosen for each in found if each.reproducible])
    assert len(sure) > 30
    assert np.mean(sure == np.bincount(sure).argmax()) > 0.9


def test_candidates_that_are_equally_close_are_seldom_told_apart():
    background = np.random.default_rng(0).normal(size=(200, 2))
    scale = np.sqrt(np.square(background).mean(axis=0))
    candidates = linear(1.0, 1 + 0.1 / scale[1]), linear(1 + 0.1 / scale[0], 1.0)
    found = [
        reproducible_choice(
            linear(1.0, 1.0), candidates, background, np.random.default_rng(seed), most=8192
        )
        for seed in range(60)
    ]
    assert sum(each.reproducible for each in found) <= 12  # some in ten are expected


def test_only_what_distill_made_is_distilled_again(wine, wine_teacher):
    fitted = xd.DecisionTree(max_leaves=4).fit(wine[0].readable(), wine[0].y)
    with pytest.raises(DataError, match="one that distill made"):
        xd.redistill(wine_teacher, {"tree": fitted}, wine[0])
    made = xd.distill(
        wine_teacher,
        xd.DecisionTree(max_leaves=4),
        wine[0],
        transfer="training-rows",
        hard_weight=0.5,
    )
    with pytest.raises(DataError, match="learned on training-rows by no technique"):
        xd.redistill(wine_teacher, {"tree": made}, wine[0])
    again = xd.redistill(
        wine_teacher, {"tree": made}, wine[0], minutes=1e-6, transfer="training-rows"
    )
    told = again["tree"][0].distillation_
    assert (told.transfer, told.hard_weight) == ("training-rows", 0.5)


def test_a_teacher_that_does_not_vary_leaves_no_spread(wine, tmp_path):
    class Constant:
        classes_ = np.arange(3)

        def predict_proba(self, X):
            return np.tile([0.2, 0.3, 0.5], (len(X), 1))

    students = {"tree": xd.distill(Constant(), xd.DecisionTree(max_leaves=4), wine[0])}
    repeats = xd.redistill(Constant(), students, wine[0], minutes=1e-6)
    study = xd.compare(Constant(), students, wine[1], n_draws=1, repeats=repeats)
    assert study.comparison.trust["tree"].stability.score_spread is None
    study.save(tmp_path / "kept")


def test_the_grade_follows_what_is_shared(told):
    name = "decision-tree"
    trust = told.trust[name]

    def grade(low, high, splits):
        stability = replace(
            trust.stability,
            top_k_overlap=Estimate((low + high) / 2, low, high, 10, 0.95),
            split_overlap=None if splits is None else Estimate(splits, splits, 1.0, 9, 0.95),
            least_split_overlap=splits,
        )
        changed = replace(told, trust={name: replace(trust, stability=stability)})
        return findings(changed, name)[-1].grade

    # Of 13 columns five lead, so that chance gives 0.385, and 0.816 is 0.7 of what it leaves.
    assert grade(0.82, 1.0, 0.7) == grade(0.82, 1.0, None) == "yes"
    assert grade(0.82, 1.0, 0.69) == grade(0.65, 0.9, 0.9) == "partly"
    assert grade(0.6, 0.7, 0.9) == "not shown"
    assert grade(0.82, 1.0, 0.39) == "not shown"
    assert grade(0.3, 0.6, 0.9) == "no"


def test_a_few_repeats_that_are_alike_do_not_show_that_all_are(told):
    name = "decision-tree"
    trust = told.trust[name]
    few = mean_of_few(np.array([0.98, 0.99, 0.99]))
    stability = replace(
        trust.stability, n_repeats=3, top_k_overlap=few, split_overlap=few, least_split_overlap=0.98
    )
    found = findings(replace(told, trust={name: replace(trust, stability=stability)}), name)[-1]
    assert found.grade == "not shown"
    assert found.words.startswith("On the mean, it was much the same the 3 times")
    for least in (0.0, 0.05):
        mixed = replace(stability, split_overlap=mean_of_few(np.array([1, 1, 1, least])))
        mixed = replace(mixed, least_split_overlap=least, n_repeats=4)
        found = findings(replace(told, trust={name: replace(trust, stability=mixed)}), name)[-1]
        assert "not shown" in found.words


@pytest.mark.parametrize("n_columns", [2, 3, 4, 5, 10, 13, 30, 100])
def test_as_many_repeats_as_are_made_can_show_it(n_columns):
    low = mean_of_few(np.ones(MOST_REPEATS)).low
    chance = top_k(n_columns) / n_columns
    assert (low - chance) / (1 - chance) >= SAME_YES


def test_stability_stands_beside_what_chance_gives(told):
    assert told.get("mlp", "stability.top_k_overlap").chance == pytest.approx(5 / 13)
    assert told.get("mlp", "stability.rank_correlation").chance == 0.0
