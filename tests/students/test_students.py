"""What every student must do."""

import numpy as np
import pytest
from sklearn.base import clone

import explain_distill as xd
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.metrics.scores import probabilities_of_score

STUDENTS = ("soft-tree", "decision-tree", "boosted-trees", "mlp", "additive")


def make(name, **options):
    kinds = {
        "soft-tree": lambda **o: xd.SoftTree(depth=2, n_steps=400, **o),
        "decision-tree": lambda **o: xd.DecisionTree(**{"max_leaves": 64} | o),
        "boosted-trees": lambda **o: xd.BoostedTrees(n_trees=60, **o),
        "mlp": lambda **o: xd.MLP(hidden=(16,), n_steps=400, **o),
        "additive": lambda **o: xd.Additive(n_pairs=1, **o),
    }
    return kinds[name](random_state=0, **options)


@pytest.mark.parametrize("name", STUDENTS)
def test_a_student_overfits_a_tiny_set(name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, 3))
    soft = rng.dirichlet(np.ones(2), size=20).clip(0.02)
    soft /= soft.sum(axis=1, keepdims=True)
    options = {"depth": 4, "n_steps": 1500} if name == "soft-tree" else {}
    if name == "mlp":
        options = {"hidden": (64, 64), "n_steps": 1500}
    if name == "boosted-trees":
        options = {"n_trees": 400}
    student = make(name).set_params(**options).fit(X, soft)
    assert np.abs(student.predict_proba(X) - soft).max() < 0.1


@pytest.mark.parametrize("name", STUDENTS)
def test_probabilities_are_those_of_the_score(name, wine, wine_students):
    readable = wine[1].readable()
    student = wine_students[name]
    score = student.predict_score(readable)
    assert np.abs(score.sum(axis=1)).max() < 1e-9
    assert student.predict_proba(readable) == pytest.approx(probabilities_of_score(score))
    assert np.array_equal(student.predict(readable), score.argmax(axis=1))


@pytest.mark.parametrize("name", STUDENTS)
def test_soft_labels_that_are_no_probabilities_are_refused(name):
    X = np.random.default_rng(0).normal(size=(30, 2))
    with pytest.raises(DataError, match="each row summing to 1; however, row 0"):
        make(name).fit(X, np.full((30, 2), 0.7))


@pytest.mark.parametrize("name", STUDENTS)
def test_missing_values_are_learned_and_scored(name, mixed_students, mixed):
    readable = mixed[1].readable()
    assert np.isnan(readable).any()
    assert np.isfinite(mixed_students[name].predict_score(readable)).all()


@pytest.mark.parametrize("name", STUDENTS)
def test_a_student_learns_in_raw_units_whatever_they_are(name):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = X[:, 0] + 0.5 * X[:, 1]
    scaled = X * [1e-6, 1e6] + [5e-6, -3e6]
    student = make(name, task="regression").fit(scaled, 1e4 * y)
    assert student.score(scaled, 1e4 * y) > 0.95


@pytest.mark.parametrize("name", STUDENTS)
def test_one_feature_is_enough(name):
    X = np.linspace(0, 1, 60)[:, None]
    student = make(name).fit(X, (X[:, 0] > 0.5).astype(int))
    assert student.score(X, (X[:, 0] > 0.5).astype(int)) > 0.9
    assert student.rules()
    assert student.complexity()


def test_a_stream_without_batches_is_refused():
    with pytest.raises(DataError, match="at least one batch"):
        xd.MLP().fit_stream([])


@pytest.mark.parametrize("n_steps", [1, 2, 3, 9, 10, 11, 20])
def test_training_may_be_as_short_as_one_likes(n_steps):
    X = np.random.default_rng(0).normal(size=(40, 2))
    student = xd.MLP(hidden=(4,), n_steps=n_steps).fit(X, (X[:, 0] > 0).astype(int))
    assert np.isfinite(student.predict_score(X)).all()


@pytest.mark.parametrize("name", STUDENTS)
def test_a_column_that_was_constant_says_nothing_later(name):
    rng = np.random.default_rng(0)
    X = np.c_[np.full(200, 0.1), rng.normal(size=200)]
    student = make(name).fit(X, (X[:, 1] > 0).astype(int))
    other = X.copy()
    other[:, 0] = 1e3
    assert np.array_equal(student.predict_score(X), student.predict_score(other))


@pytest.mark.parametrize("option", ["n_steps", "batch_size"])
def test_counts_below_one_are_refused(option):
    X = np.random.default_rng(0).normal(size=(40, 2))
    with pytest.raises(DataError, match=f"{option} must be a whole number of at least 1; .* got 0"):
        xd.MLP(**{option: 0}).fit(X, (X[:, 0] > 0).astype(int))


@pytest.mark.parametrize("value", ["3", None, float("nan"), -1.0, True])
@pytest.mark.parametrize("name", STUDENTS)
def test_a_parameter_that_is_no_such_number_is_refused_by_name(name, value):
    student = make(name)
    for parameter in student.RANGES:
        changed = make(name).set_params(**{parameter: value})
        with pytest.raises(DataError, match=f"^{parameter} must be"):
            changed.fit(np.zeros((4, 1)), np.arange(4) % 2)


@pytest.mark.parametrize("name", STUDENTS)
def test_an_unknown_task_is_refused(name):
    with pytest.raises(UnknownNameError, match="task must be one of classification, regression"):
        make(name).set_params(task="ranking").fit(np.zeros((4, 1)), np.arange(4) % 2)


def test_layers_of_no_units_are_refused():
    with pytest.raises(DataError, match=r"hidden must hold the widths.*got \(8, 0\)"):
        xd.MLP(hidden=(8, 0)).fit(np.zeros((4, 1)), np.arange(4) % 2)


@pytest.mark.parametrize("name", STUDENTS)
def test_no_student_has_a_size_of_minus_one(name):
    with pytest.raises(DataError):
        make(name).with_size(-1)


FAR = np.array([[2.0, -1.7976931348623157e308], [1e200, 0.0], [0.0, 1.7e308]])


def steep(n=400):
    """Build rows of which the second column is in small units."""
    X = np.random.default_rng(0).normal(size=(n, 2)) * [1.0, 0.01]
    return X, (X[:, 0] + 60 * X[:, 1] > 0).astype(int)


@pytest.mark.parametrize(
    "student",
    [
        xd.SoftTree(depth=3, max_features=1, n_steps=100, random_state=0),
        xd.SoftTree(depth=2, n_steps=100, inference="hard", random_state=0),
        xd.SoftTree(depth=2, n_steps=100, leaves="linear", random_state=0),
        xd.MLP(hidden=(8,), n_steps=50, random_state=0),
        xd.DecisionTree(leaves="linear"),
        xd.BoostedTrees(n_trees=3),
        xd.Additive(),
    ],
    ids=lambda each: each.NAME,
)
def test_a_value_far_from_all_that_was_learned_gets_an_answer_of_numbers(student):
    fitted = clone(student).fit(*steep())
    probabilities = fitted.predict_proba(FAR)
    assert np.isfinite(probabilities).all()
    assert np.array_equal(fitted.predict(FAR), fitted.classes_[probabilities.argmax(axis=1)])


@pytest.mark.parametrize("unit", [1e-170, 1e160, 1e31])
def test_columns_that_no_network_can_weigh_are_refused_by_name(unit):
    X, y = steep()
    for student in (xd.SoftTree(n_steps=5), xd.MLP(n_steps=5)):
        with pytest.raises(DataError, match=r"lie within ±1e\+30; however, 'x0' spreads over"):
            student.fit(X * [unit, 1.0], y)


def test_a_huge_constant_says_nothing():
    X, y = steep()
    X = np.column_stack([X, np.full(len(X), 1e31)])
    fitted = xd.MLP(hidden=(8,), n_steps=20, random_state=0).fit(X, y)
    assert np.isfinite(fitted.predict_proba(X)).all()
