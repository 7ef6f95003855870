from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError
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


def test_the_members_are_those_of_the_teacher_that_is_asked(mixed_teacher):
    assert len(xd.CachedTeacher(mixed_teacher).single_members()) == mixed_teacher.members


def test_two_threads_that_ask_of_the_same_rows_get_the_same(mixed):
    both = Barrier(2)

    class Meeting(Counting):
        def predict_score(self, X):
            both.wait(timeout=30)
            return super().predict_score(X)

    inner = Meeting(mixed[0].task)
    cached = xd.CachedTeacher(inner)
    rows = np.random.default_rng(0).random((200, 4))
    with ThreadPoolExecutor(2) as pool:
        for part in (rows[:100], rows[100:]):
            for scores in pool.map(cached.predict_score, [part, part]):
                assert np.array_equal(scores[:, 0], part.sum(axis=1))
    assert np.array_equal(cached.predict_score(rows)[:, 0], rows.sum(axis=1))


def test_a_cached_teacher_of_another_table_is_refused(wine, wine_teacher):
    from dataclasses import replace

    from explain_distill.data.features import Schema

    train, _ = wine
    turned = replace(train, X=train.X[:, ::-1], schema=Schema(train.schema.features[::-1]))
    with pytest.raises(DataError, match="must be of the same table"):
        xd.distill(xd.CachedTeacher(wine_teacher), xd.SoftTree(n_steps=10), turned)
