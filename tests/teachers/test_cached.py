import numpy as np

import explain_distill as xd
from explain_distill.teachers.base import Teacher


class Counting(Teacher):
    """Scores a row by its sum, and notes how many rows it was asked of."""

    def __init__(self, task):
        self.task, self.asked = task, 0

    def predict_score(self, X):
        self.asked += len(X)
        total = X.sum(axis=1, keepdims=True)
        return np.concatenate([total, -total], axis=1)


def test_the_teacher_is_asked_once_of_each_row(mixed):
    rng = np.random.default_rng(0)
    rows = rng.random((3000, 4))
    inner = Counting(mixed[0].task)
    cached = xd.CachedTeacher(inner)
    for _ in range(20):
        chosen = rng.integers(len(rows), size=500)
        assert np.array_equal(cached.predict_score(rows[chosen])[:, 0], rows[chosen].sum(axis=1))
    assert inner.asked == cached.n_asked <= 3000


def test_a_row_that_comes_twice_in_one_call_is_asked_of_once(mixed):
    inner = Counting(mixed[0].task)
    rows = np.repeat(np.arange(8.0).reshape(2, 4), 3, axis=0)
    assert xd.CachedTeacher(inner).predict_score(rows)[:, 0].tolist() == [6, 6, 6, 22, 22, 22]
    assert inner.asked == 2


def test_a_missing_value_is_a_value_like_another(mixed, mixed_teacher):
    X = mixed[0].X
    assert np.isnan(X).any()
    cached = xd.CachedTeacher(mixed_teacher)
    wanted = mixed_teacher.predict_score(X)
    assert np.array_equal(cached.predict_score(X), wanted)
    assert np.array_equal(cached.predict_score(X[::-1]), wanted[::-1])


def test_an_answer_that_is_changed_changes_no_later_one(mixed, mixed_teacher):
    cached = xd.CachedTeacher(mixed_teacher)
    first = cached.predict_score(mixed[0].X[:5])
    wanted = first.copy()
    first[:] = 0
    assert np.array_equal(cached.predict_score(mixed[0].X[:5]), wanted)


def test_a_student_of_it_is_the_student_of_the_teacher(mixed, mixed_teacher):
    def weights(teacher):
        tree = xd.SoftTree(depth=2, n_steps=50)
        return xd.distill(teacher, tree, mixed[0], transfer=xd.TrainingRows()).gate_weights_

    assert np.array_equal(weights(xd.CachedTeacher(mixed_teacher)), weights(mixed_teacher))
