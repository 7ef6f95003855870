"""Labels and weights that a teacher or a caller should not give, and what becomes of them."""

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError

STUDENTS = {
    "soft-tree": lambda: xd.SoftTree(depth=2, n_steps=1000),
    "decision-tree": lambda: xd.DecisionTree(max_leaves=4),
    "boosted-trees": lambda: xd.BoostedTrees(n_trees=30),
    "mlp": lambda: xd.MLP(hidden=(8,), n_steps=200),
}
EACH_STUDENT = pytest.mark.parametrize("name", STUDENTS)


class NeverTheThird(xd.Teacher):
    """Knows three classes, and gives the third no probability at all."""

    def __init__(self, task):
        self.task = task

    def predict_score(self, X):
        from explain_distill.metrics.scores import score_of_probabilities

        second = 1 / (1 + np.exp(-(X[:, 0] - 13)))
        return score_of_probabilities(np.stack([1 - second, second, np.zeros(len(X))], axis=1))


@EACH_STUDENT
def test_a_class_that_the_teacher_never_predicts_is_never_predicted(name, wine):
    train, test = wine
    student = xd.distill(
        NeverTheThird(train.task), STUDENTS[name](), train, transfer=xd.Coalitions(3000)
    )
    probabilities = student.predict_proba(test.readable())
    assert probabilities.shape == (len(test), 3)
    assert probabilities[:, 2].max() < 1e-3
    said = NeverTheThird(train.task).predict(test.X)
    assert (student.predict(test.readable()) == said).mean() > 0.85


@EACH_STUDENT
def test_weights_that_are_all_zero_leave_nothing_to_learn(name, wine):
    train, _ = wine
    with pytest.raises(ValueError, match="at least one non-zero"):
        STUDENTS[name]().fit(train.readable(), train.y, np.zeros(len(train)))


@EACH_STUDENT
def test_rows_of_no_weight_are_not_learned(name, wine):
    train, test = wine
    wrong = (train.y + 1) % 3
    student = STUDENTS[name]().set_params(random_state=0)
    student.fit(
        np.concatenate([train.readable(), train.readable()]),
        np.concatenate([train.y, wrong]),
        np.repeat([1.0, 0.0], len(train)),
    )
    assert student.score(test.readable(), test.y) > 0.75


@pytest.mark.parametrize(
    ("row", "value"), [(3, [0.5, 0.6, -0.1]), (0, [0.2, 0.2, 0.2]), (5, [np.nan, 0.5, 0.5])]
)
@pytest.mark.parametrize("name", ["soft-tree", "mlp"])
def test_a_stream_names_the_row_whose_label_is_no_distribution(name, row, value):
    X = np.random.default_rng(0).normal(size=(8, 2))
    labels = np.tile([0.2, 0.3, 0.5], (8, 1))
    labels[row] = value
    with pytest.raises(DataError, match=rf"each row summing to 1; however, row {row} is"):
        STUDENTS[name]().fit_stream([(X, labels)])


@pytest.mark.parametrize("temperature", [0, -1, np.inf])
def test_a_temperature_that_is_not_above_zero_is_refused(temperature, mixed, mixed_teacher):
    with pytest.raises(DataError, match=r"temperature must be from 0\.1 to 1000; however, got"):
        xd.distill(mixed_teacher, xd.MLP(), mixed[0], temperature=temperature)


@pytest.mark.parametrize("name", ["soft-tree", "boosted-trees", "mlp"])
def test_a_value_that_single_precision_cannot_square_is_refused(name):
    X = np.random.default_rng(0).normal(size=(60, 3))
    student = STUDENTS[name]().set_params(task="regression")
    with pytest.raises(DataError, match=r"within ±1e\+18; however, one is .*e\+200"):
        student.fit(X, 1e200 * X[:, 0])
    if hasattr(student, "fit_stream"):
        with pytest.raises(DataError, match=r"within ±1e\+18"):
            student.fit_stream(iter([(X, 1e200 * X[:, 0])] * 3))
