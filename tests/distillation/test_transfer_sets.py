import numpy as np
import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError


def test_each_cell_of_a_coalition_comes_from_a_training_row():
    X = np.arange(60.0).reshape(20, 3)
    rows = xd.Coalitions().draw(X, 500, np.random.default_rng(0))
    for column in range(3):
        assert set(rows[:, column]) <= set(X[:, column])
    assert not all(any((row == x).all() for x in X) for row in rows)


def test_the_number_of_columns_that_stay_is_spread_evenly():
    # With p ~ U(0, 1), the number of kept columns is uniform on 0 … n_columns.
    X = np.tile(np.arange(2.0)[:, None], 4)
    rows = xd.Coalitions().draw(X, 60_000, np.random.default_rng(0))
    ones = rows.sum(axis=1).astype(int)
    share = np.bincount(ones, minlength=5) / len(rows)
    # x and b are equal in half of the draws: all four columns then hold the same.
    mixed = 0.5 * np.full(5, 1 / 5)
    same = 0.25 * np.eye(5)[0] + 0.25 * np.eye(5)[4]
    assert share == pytest.approx(mixed + same, abs=0.01)


def test_training_rows_come_equally_often():
    X = np.arange(7.0)[:, None]
    rows = xd.TrainingRows().draw(X, 70, np.random.default_rng(0))
    assert np.bincount(rows[:, 0].astype(int)).tolist() == [10] * 7


def test_coalitions_need_a_row():
    with pytest.raises(DataError, match="1 or more; however, got 0"):
        xd.Coalitions(0)
