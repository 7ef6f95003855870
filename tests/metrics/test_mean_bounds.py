import numpy as np
import pytest
from scipy.stats import beta, t

from explain_distill.metrics.mean_bounds import bounded_mean_bound, skewed_mean_bound


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
