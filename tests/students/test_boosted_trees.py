from functools import cache

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import expit
from sklearn.base import clone

import explain_distill as xd
from explain_distill.data.features import Feature, Schema
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.scores import score_of_probabilities
from explain_distill.students.booster_form import booster_of, trees_of
from explain_distill.students.boosting import PATIENCE
from explain_distill.students.constraints import interaction_groups
from explain_distill.students.export.of_students import as_double


def test_soft_labels_of_three_classes_are_learned_as_scores_not_by_their_largest():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(800, 2))
    logits = np.stack([X[:, 0], X[:, 1], -X[:, 0]], axis=1)
    soft = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    student = xd.BoostedTrees(n_trees=200, random_state=0).fit(X, soft)
    gap = student.predict_score(X) - score_of_probabilities(soft)
    assert np.abs(gap).max() < 0.2


def test_confident_soft_labels_keep_their_confidence():
    X = np.linspace(-1, 1, 400)[:, None]
    margin = 12 * X[:, 0]
    soft = np.stack([1 / (1 + np.exp(margin)), 1 / (1 + np.exp(-margin))], axis=1)
    student = xd.BoostedTrees(n_trees=300, random_state=0).fit(X, soft)
    score = student.predict_score(X)
    assert score[:, 1] - score[:, 0] == pytest.approx(margin, abs=0.3)


def test_soft_and_hard_labels_are_learned_in_the_same_trees():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(600, 1))
    p = 1 / (1 + np.exp(-4 * X[:, 0]))
    labels = np.stack([1 - p, p], axis=1)
    labels[::2] = np.eye(2)[(rng.random(300) < p[::2]).astype(int)]
    student = xd.BoostedTrees(n_trees=60, random_state=0).fit(X, labels)
    assert np.abs(student.predict_proba(X)[:, 1] - p).mean() < 0.08


def test_sums_of_leaves_are_exact_in_single_precision_in_any_order(wine, wine_students):
    student, readable = wine_students["boosted-trees"], wine[1].readable()
    few = np.concatenate([student.booster_of(readable[i : i + 1]) for i in range(len(readable))])
    assert np.array_equal(student.booster_of(readable), few)
    n, half = student.n_trees, student.n_trees // 2
    first, second = (
        student.booster_.inplace_predict(readable, iteration_range=part)
        for part in ((0, half), (half, n))
    )
    assert np.array_equal(first.astype(float) + second, student.booster_of(readable))


def test_a_row_takes_the_way_of_its_single_precision_where_a_value_meets_a_threshold(mixed):
    data = mixed[0]
    student = xd.BoostedTrees(n_trees=30, random_state=0).fit(data.readable(), data.y)
    arrays = student.tree_arrays_
    rows = []
    for node in np.flatnonzero(~arrays.is_leaf)[:200]:
        middle, _ = as_double(arrays.thresholds[node])
        for value in (middle, np.nextafter(middle, -np.inf), np.nextafter(middle, np.inf)):
            rows.append(data.readable()[0])
            rows[-1][arrays.features[node]] = value
    rows = np.array(rows)
    single = np.concatenate([student.booster_of(row[None]) for row in rows])
    assert np.array_equal(student.booster_of(rows), single)


def test_rounding_the_leaves_moves_the_score_by_little():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3))
    rows = xgboost.QuantileDMatrix(X, X[:, 0] * X[:, 1])
    booster = xgboost.train({"base_score": 0.0, "max_depth": 3}, rows, 300)
    before = booster.inplace_predict(X)
    after = booster_of(trees_of(booster, 1).on_a_grid(), 3).inplace_predict(X)
    assert np.abs(before - after).max() < 1e-4 * np.std(before)


def test_fidelity_is_told_while_training():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 2))
    told = []
    xd.BoostedTrees(n_trees=20, task="regression").fit(
        X, X[:, 0], on_step=lambda *s: told.append(s)
    )
    assert [step for step, _, _, _ in told] == list(range(1, 21))
    assert told[-1][3] > told[0][3]


def waves(n=3000, seed=0):
    """Rows, and a wavy function of them that falls and rises in each feature."""
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, size=(n, 3))
    return X, np.sin(4 * X[:, 0]) + X[:, 1] * X[:, 2] + X[:, 1]


def test_boosting_stops_where_it_follows_the_teacher_no_better():
    X, y = waves()
    noise = np.random.default_rng(1).normal(size=len(X))
    options = {"n_trees": 400, "depth": 3, "task": "regression", "random_state": 0}
    stopped = xd.BoostedTrees(**options).fit(X, y + noise)
    whole = xd.BoostedTrees(validation_share=0, **options).fit(X, y + noise)
    assert stopped.booster_.num_boosted_rounds() < 200
    assert whole.booster_.num_boosted_rounds() == 400
    fresh, truth = waves(seed=2)
    assert stopped.score(fresh, truth) > whole.score(fresh, truth)


def test_the_trees_that_are_kept_end_with_the_best_round():
    X, y = waves()
    noise = np.random.default_rng(1).normal(size=len(X))
    told = []
    student = xd.BoostedTrees(n_trees=400, task="regression", random_state=0)
    student.fit(X, y + noise, on_step=lambda *step: told.append(step))
    rounds = student.booster_.num_boosted_rounds()
    assert rounds + PATIENCE >= told[-1][0] > rounds
    assert told[-1][0] < 400


def test_a_student_that_stopped_early_is_kept_and_read(tmp_path):
    X, y = waves(1000)
    student = xd.BoostedTrees(n_trees=300, task="regression", random_state=0)
    student.fit(X, y + np.random.default_rng(1).normal(size=len(X)))
    config = student.write(tmp_path)
    other = xd.BoostedTrees(n_trees=300, task="regression")
    other.read(tmp_path, config)
    assert np.array_equal(other.predict(X), student.predict(X))
    with pytest.raises(ValueError, match="not 1 to 1 an output"):
        xd.BoostedTrees(n_trees=1, task="regression").read(tmp_path, config)


def test_few_rows_are_all_learned():
    X, y = waves(100)
    student = xd.BoostedTrees(n_trees=30, task="regression", random_state=0).fit(X, y)
    assert student.booster_.num_boosted_rounds() == 30


@settings(max_examples=30, deadline=None)
@given(
    row=arrays(np.float64, 3, elements=st.floats(-2, 2) | st.just(np.nan)),
    steps=arrays(np.float64, 40, elements=st.floats(-2, 2)),
    feature=st.sampled_from([0, 2]),
)
def test_a_monotone_constraint_is_kept(row, steps, feature):
    student, sign = constrained(), {0: 1, 2: -1}[feature]
    rows = np.tile(row, (40, 1))
    rows[:, feature] = np.sort(steps)
    margins = student.predict_score(rows)[:, 1]
    assert (sign * np.diff(margins) >= 0).all()


@cache
def constrained():
    X, y = waves()
    soft = np.stack([expit(-3 * y), expit(3 * y)], axis=1)
    return xd.BoostedTrees(n_trees=60, monotone={"x0": 1, 2: -1}, random_state=0).fit(X, soft)


def test_interactions_keep_features_apart():
    X, y = waves()
    options = {"n_trees": 100, "task": "regression", "random_state": 0}
    apart = xd.BoostedTrees(interactions=[["x0", "x1"]], **options).fit(X, y)
    rows = X[:200]
    moved = rows.copy()
    moved[:, 2] = 0.9
    shift = apart.predict(moved) - apart.predict(rows)
    elsewhere = np.c_[np.zeros((200, 2)), rows[:, 2]]
    moved = elsewhere.copy()
    moved[:, 2] = 0.9
    assert apart.predict(moved) - apart.predict(elsewhere) == pytest.approx(shift, abs=1e-4)
    free = xd.BoostedTrees(**options).fit(X, y)
    assert free.score(X, y) > apart.score(X, y) + 0.05


def test_constraints_are_named_by_the_columns_of_the_table(mixed, mixed_teacher):
    student = xd.BoostedTrees(n_trees=20, monotone={"age": 1}, interactions=[["age", "site"]])
    fitted = xd.distill(mixed_teacher, student, mixed[0], transfer=xd.Coalitions(2000))
    rows = np.tile(mixed[0].readable()[:1], (50, 1))
    rows[:, 0] = np.linspace(20, 100, 50)
    assert (np.diff(fitted.predict_score(rows)[:, 1]) >= 0).all()
    names = [f.name for f in fitted.readable_features()]
    assert interaction_groups([["age", "site"]], fitted.readable_features()) == [
        [0, 1, 2, 3],
        [names.index("smoker")],
    ]


def test_a_constraint_on_an_unknown_feature_names_the_closest():
    X, y = waves(300)
    with pytest.raises(UnknownNameError, match=r"A feature of monotone must be one of x0, x1, x2"):
        xd.BoostedTrees(task="regression", monotone={"x7": 1}).fit(X, y)
    with pytest.raises(UnknownNameError, match=r"got 'x00'. Did you mean 'x0'\?"):
        xd.BoostedTrees(task="regression", interactions=[["x00"]]).fit(X, y)
    with pytest.raises(DataError, match="a number from 0 to 2; however, got 3"):
        xd.BoostedTrees(task="regression", monotone={3: 1}).fit(X, y)


def test_a_direction_that_is_none_is_refused():
    X, y = waves(300)
    with pytest.raises(DataError, match="to -1, 0 or 1; however, 'x0' has 2"):
        xd.BoostedTrees(task="regression", monotone={"x0": 2}).fit(X, y)


def test_several_classes_cannot_all_be_monotone():
    X, y = waves(300)
    with pytest.raises(DataError, match="there are 3 classes"):
        xd.BoostedTrees(monotone={"x0": 1}).fit(X, np.digitize(y, [-0.5, 0.5]))


def test_a_share_that_is_none_is_refused():
    X, y = waves(300)
    with pytest.raises(DataError, match=r"validation_share must be from 0 to 0.5; however, got 1"):
        xd.BoostedTrees(task="regression", validation_share=1).fit(X, y)


def test_values_that_float32_takes_for_one_are_warned_of():
    X = 1.7e9 + np.random.default_rng(0).uniform(0, 200, size=(300, 1))
    with pytest.warns(UserWarning, match="different values of x0 for one"):
        xd.BoostedTrees(n_trees=3).fit(X, X[:, 0] > 1.7e9 + 100)


def test_the_depth_is_that_of_the_trees():
    X = np.arange(40.0)[:, None]
    student = xd.BoostedTrees(n_trees=3, depth=5).fit(X, X[:, 0] > 20)
    assert student.complexity()["depth"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monotone": "a"}, "monotone must map features"),
        ({"interactions": 5}, "interactions must be a list of lists of features; however, got 5"),
        ({"interactions": ["x0"]}, "interactions must be a list of lists"),
    ],
)
def test_constraints_of_another_kind_are_refused(options, message):
    X = np.arange(40.0)[:, None]
    with pytest.raises(DataError, match=message):
        xd.BoostedTrees(n_trees=3, **options).fit(X, X[:, 0] > 20)


@pytest.mark.parametrize("number", [1.5, -1, None, True])
def test_a_constraint_on_what_is_no_number_of_a_feature_is_refused(number):
    X, y = waves(300)
    for options in ({"monotone": {number: 1}}, {"interactions": [[number, 0]]}):
        with pytest.raises(DataError, match="must be a name, or a number from 0 to 2; however"):
            xd.BoostedTrees(task="regression", **options).fit(X, y)


def test_a_name_that_two_features_have_is_refused_as_a_constraint():
    X, y = waves(300)
    schema = Schema((Feature("a", "category", levels=("b", "c")), Feature("a=b")))
    for options in ({"monotone": {"a=b": 1}}, {"interactions": [["a=b", "a=c"]]}):
        student = xd.BoostedTrees(task="regression", **options).set_names(schema, ("",))
        with pytest.raises(DataError, match=r"'a=b' is that of features 0 and 2\. Give"):
            student.fit(X, y)


def test_constraints_by_number_outlast_a_study_on_disk(mixed, mixed_teacher, tmp_path):
    student = xd.BoostedTrees(n_trees=5, monotone={0: 1, "smoker": -1}, interactions=[[0, "site"]])
    fitted = xd.distill(mixed_teacher, student, mixed[0], transfer=xd.Coalitions(500))
    xd.compare(mixed_teacher, {"boosted": fitted}, mixed[1], quick=True).save(tmp_path / "study")
    opened = xd.Study.open(tmp_path / "study").students["boosted"]
    assert dict(opened.monotone) == {0: 1, "smoker": -1}
    again = xd.distill(mixed_teacher, clone(opened), mixed[0], transfer=xd.Coalitions(500))
    rows = mixed[1].readable()
    assert np.array_equal(again.predict_score(rows), fitted.predict_score(rows))


def test_values_that_float32_cannot_hold_are_the_largest_that_it_can():
    X, y = waves(300)
    student = xd.BoostedTrees(n_trees=5, task="regression").fit(X, y)
    far = np.array([[1e308, 0.0, 0.0], [-1e300, 0.0, 0.0]])
    near = np.array([[1e9, 0.0, 0.0], [-1e9, 0.0, 0.0]])
    for rows in (slice(None), slice(1)):
        assert np.array_equal(student.predict(far[rows]), student.predict(near[rows]))
    assert np.array_equal(student.predict(far.repeat(5, 0)), student.predict(near.repeat(5, 0)))
