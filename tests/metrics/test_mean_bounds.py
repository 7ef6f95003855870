import numpy as np
import pytest
from scipy.stats import beta, t

from explain_distill.metrics.mean_bounds import (
    betting_mean_bound,
    bounded_mean_bound,
    rests_on_few,
    rows_worth,
    skewed_mean_bound,
)


@pytest.mark.parametrize("level", [0.95, 0.9998])
@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 149), (1, 20), (7, 80)])
def test_of_figures_0_and_1_the_bound_is_that_of_clopper_and_pearson(k, n, level):
    figures = np.r_[np.ones(k), np.zeros(n - k)]
    found = bounded_mean_bound(figures, np.ones(n), 1.0, level=level)
    exact = beta.ppf(level, k + 1, n - k)
    assert exact <= found <= 1.006 * exact


def test_the_bound_is_the_quantile_of_weighted_means():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 40, 50).astype(float)
    sums = rng.uniform(-1, 1, 50) * sizes
    added = sizes @ sizes / sizes.sum()
    weights = rng.exponential(size=(200_000, 51))
    means = (weights @ np.append(sums, added)) / (weights @ np.append(sizes, added))
    for level in (0.95, 0.999):
        found = bounded_mean_bound(sums, sizes, 1.0, level=level)
        assert found == pytest.approx(np.quantile(means, level), abs=6e-3)


def test_figures_that_are_all_the_highest_have_it_as_their_bound():
    assert bounded_mean_bound(np.full(9, 0.1), np.ones(9), 0.1, level=0.95) == 0.1


def test_of_a_symmetric_figure_the_bound_is_students():
    figures = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    expected = t.ppf(0.95, 4) * figures.std(ddof=1) / np.sqrt(5)
    assert skewed_mean_bound(figures, np.ones(5), level=0.95) == pytest.approx(expected)
    assert skewed_mean_bound(np.full(5, 0.5), np.ones(5), level=0.95) == 0.5


def test_a_long_tail_above_lifts_the_bound_and_one_below_lowers_it():
    figures = np.random.default_rng(0).exponential(size=40)
    student = t.ppf(0.95, 39) * figures.std(ddof=1) / np.sqrt(40)
    one = np.ones(40)
    assert skewed_mean_bound(figures, one, level=0.95) > figures.mean() + student
    assert skewed_mean_bound(-figures, one, level=0.95) < -figures.mean() + student


def test_groups_that_hold_each_row_twice_tell_as_much_as_the_rows():
    figures, one = np.random.default_rng(0).normal(size=30), np.ones(30)
    for bound in (skewed_mean_bound, lambda *of, level: bounded_mean_bound(*of, 4.0, level=level)):
        twice = bound(2 * figures, 2 * one, level=0.95)
        assert twice == pytest.approx(bound(figures, one, level=0.95))


@pytest.mark.parametrize("n", [10, 50, 400])
def test_the_betting_bound_covers_at_any_number_of_rows(n):
    rng = np.random.default_rng(n)
    for shape in ((0.3, 3.0), (1.0, 1.0), (0.05, 2.0)):
        mean = shape[0] / sum(shape)
        low = [
            betting_mean_bound(rng.beta(*shape, n), np.ones(n), 1.0, level=0.9) < mean
            for _ in range(300)
        ]
        assert np.mean(low) <= 0.1


def test_the_betting_bound_closes_in_on_the_mean():
    figures = np.random.default_rng(0).uniform(size=20_000)
    found = betting_mean_bound(figures, np.ones(20_000), 1.0, level=0.95)
    assert figures.mean() < found < figures.mean() + 0.01
    assert betting_mean_bound(np.zeros(100), np.ones(100), 1.0, level=0.95) < 0.07
    assert betting_mean_bound(np.ones(3), np.ones(3), 1.0, level=0.95) == 1.0
    assert betting_mean_bound(np.zeros(3), np.ones(3), 0.0, level=0.95) == 0.0


def test_the_betting_bound_is_in_the_figures_unit():
    figures, one = np.random.default_rng(0).exponential(size=80), np.ones(80)
    plain = betting_mean_bound(figures, one, 9.0, level=0.95)
    assert betting_mean_bound(100 * figures, one, 900.0, level=0.95) == pytest.approx(100 * plain)
    assert betting_mean_bound(2 * figures, 2 * one, 9.0, level=0.95) == pytest.approx(plain)


def test_a_variance_rests_on_as_many_rows_as_are_off():
    ones = np.ones(10_000)
    for k in (1, 2, 7):
        assert rows_worth(np.r_[np.ones(k), np.zeros(10_000 - k)], ones) == pytest.approx(
            k, rel=0.01
        )
    assert rows_worth(np.full(5, 2.0), np.ones(5)) == 0.0
    normal = np.random.default_rng(0).normal(size=10_000)
    assert rows_worth(normal, ones) == pytest.approx(10_000 / 3, rel=0.1)
    assert rests_on_few(np.r_[np.ones(2), np.zeros(48)], np.ones(50))
    assert not rests_on_few(np.r_[np.ones(4), np.zeros(46)], np.ones(50))
    assert not rests_on_few(normal[:8], np.ones(8))
    assert rows_worth(1e-200 * normal, ones) == pytest.approx(rows_worth(normal, ones))
