import numpy as np
import pytest

from explain_distill.metrics.explained_share import explained_share
from explain_distill.metrics.performance import r2


def test_the_share_is_that_of_all_columns_together():
    rng = np.random.default_rng(0)
    target = rng.normal(size=80)
    told = target + 0.3 * rng.normal(size=80)
    found = explained_share(target, told)
    assert found.value == pytest.approx(r2(target, told))
    assert found.low < found.value < found.high <= 1.0
    both = explained_share(np.stack([target, target], axis=1), np.stack([told, told], axis=1))
    assert (both.value, both.low, both.high) == pytest.approx((found.value, found.low, found.high))


def test_the_interval_covers_as_often_as_it_says_where_the_error_grows_with_the_target():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        target = rng.normal(size=50)
        found = explained_share(target, target + 0.3 * np.abs(target) * rng.normal(size=50))
        covered += found.low <= 1 - 0.3**2 <= found.high
    assert covered / 400 > 0.935


def test_a_perfect_answer_gets_no_interval():
    target = np.arange(20.0)
    found = explained_share(target, target)
    assert (found.value, found.low, found.high, found.n) == (1.0, None, None, 20)


def test_rows_in_groups_tell_less():
    rng = np.random.default_rng(0)
    target = rng.normal(size=40)
    told = target + 0.3 * rng.normal(size=40)
    groups = np.repeat(np.arange(40), 3)
    apart = explained_share(np.repeat(target, 3), np.repeat(told, 3))
    together = explained_share(np.repeat(target, 3), np.repeat(told, 3), groups)
    alone = explained_share(target, told)
    assert together.value == pytest.approx(alone.value)
    assert (together.low, together.high) == pytest.approx((alone.low, alone.high))
    assert apart.high - apart.low < 0.7 * (together.high - together.low)


def test_a_model_that_says_the_mean_explains_nothing():
    target = np.random.default_rng(0).normal(size=50)
    found = explained_share(target, np.full(50, target.mean()))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert found.high is None or found.high < 0.01
