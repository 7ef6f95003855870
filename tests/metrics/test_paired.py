import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import binom, norm

from explain_distill.metrics.paired import (
    difference,
    excess_bound,
    fewest_rows,
    paired_share_bound,
)


def losses(more, less, n):
    first, second = np.zeros((2, n))
    first[:more], second[more : more + less] = 1, 1
    return first, second


@pytest.mark.parametrize(("more", "less", "n"), [(7, 1, 21), (40, 20, 160), (3, 12, 80), (5, 1, 9)])
def test_the_bound_is_where_the_score_test_turns(more, less, n):
    bound = paired_share_bound(more, less, n)

    def unlikelihood(q):
        shares = np.array([q + bound, q, 1 - 2 * q - bound])
        return -(np.array([more, less, n - more - less]) * np.log(np.maximum(shares, 1e-300))).sum()

    limits = (max(0.0, -bound), (1 - bound) / 2)
    q = minimize_scalar(unlikelihood, bounds=limits, method="bounded", options={"xatol": 1e-12}).x
    z = (more - less - n * bound) / np.sqrt(n * (2 * q + bound * (1 - bound)))
    assert norm.cdf(z) == pytest.approx(0.05, abs=1e-4)


def test_published_intervals_are_found_again():
    """Of Bentur et al. (2009), as Fagerland, Lydersen & Laake tell it: -0.517 to -0.026."""
    assert paired_share_bound(1, 7, 21, level=0.975) == pytest.approx(-0.026, abs=5e-4)
    assert paired_share_bound(7, 1, 21, level=0.975) == pytest.approx(0.517, abs=5e-4)


def test_where_no_row_tells_apart_the_bound_is_exact_and_says_how_many_rows_it_takes():
    bound = paired_share_bound(0, 0, 100)
    assert (1 - bound) ** 100 == pytest.approx(0.05)
    n = fewest_rows(0.02)
    assert paired_share_bound(0, 0, n) <= 0.02 < paired_share_bound(0, 0, n - 1)


def test_a_model_that_errs_on_every_row_has_the_largest_bound():
    assert paired_share_bound(9, 0, 9) == 1
    assert -1 < paired_share_bound(0, 9, 9) < -0.5


@pytest.mark.parametrize("less", [0.0, 0.01, 0.05])
@pytest.mark.parametrize("n", [149, 300])
def test_too_large_a_difference_passes_for_the_margin_as_seldom_as_it_says(n, less):
    """The exact probability, by enumeration, where the difference is just the margin."""
    margin, passed = 0.02, 0.0
    for b in range(40):
        p_more = binom.pmf(b, n, less + margin)
        for c in range(40):
            chance = p_more * binom.pmf(c, n - b, less / (1 - less - margin))
            if chance > 1e-8 and paired_share_bound(b, c, n) <= margin:
                passed += chance
    assert passed < 0.052


def test_the_bound_of_any_figure_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        first, second = rng.exponential(1.0, 60), rng.exponential(0.8, 60)
        covered += excess_bound(first, second) >= 0.2
    assert 0.9 <= covered / 200 <= 0.99


def test_pairing_makes_a_bound_tighter_than_rows_apart():
    rng = np.random.default_rng(0)
    hard = rng.exponential(1.0, 200)
    paired = excess_bound(hard + 0.01, hard + rng.normal(0, 0.01, 200))
    apart = excess_bound(hard + 0.01, rng.permutation(hard))
    assert paired < 0.02 < apart


def test_rows_in_groups_tell_less_than_rows_of_their_own():
    first, second = losses(6, 0, 120)
    groups = np.repeat(np.arange(12), 10)  # all six in one group
    assert excess_bound(first, second, groups) > excess_bound(first, second)
    same = np.zeros(120)
    assert excess_bound(same, same, groups) == paired_share_bound(0, 0, 12)


def cluster_losses(rng, n_groups, sizes):
    """Give losses whose difference is 0.02 in expectation and falls on whole groups, and groups."""
    groups = np.repeat(np.arange(n_groups), rng.choice(sizes, n_groups))
    chance = rng.random(n_groups)[groups]
    return (chance < 0.05).astype(float), (chance > 0.97).astype(float), groups


@pytest.mark.parametrize("n_groups", [20, 150])
def test_groups_pass_for_the_margin_as_seldom_as_it_says(n_groups):
    rng = np.random.default_rng(0)
    draws = [cluster_losses(rng, n_groups, (2, 10, 30)) for _ in range(200)]
    assert sum(excess_bound(*draw) <= 0.02 for draw in draws) <= 0.07 * 200


def test_one_row_that_differs_tells_little_of_groups_that_were_not_seen():
    """As where none differs, up to 14% of groups may be such as 20 of them do not show."""
    groups = np.repeat(np.arange(20), 30)
    alike, once = losses(0, 1, 600)
    none = excess_bound(alike, alike, groups)
    assert excess_bound(alike, once, groups) == pytest.approx(none, abs=0.01)


@pytest.mark.parametrize(("sigma", "most"), [(1.0, 0.09), (1.5, 0.15), (2.0, 0.22)])
def test_the_bound_of_a_long_tail_misses_no_more_often_than_is_told(sigma, most):
    rng = np.random.default_rng(1)
    draws, none = rng.lognormal(0, sigma, size=(400, 50)), np.zeros(50)
    bounds = np.array([excess_bound(draw, none) for draw in draws])
    assert np.mean(bounds < np.exp(sigma**2 / 2)) <= most


def test_bounds_at_a_high_level_are_missed_as_seldom_as_it_says():
    """Of 8 sizes and two measures each bound has the level 0.9991."""
    rng = np.random.default_rng(0)
    draws = rng.exponential(size=(1000, 2, 50)) ** 2
    assert sum(excess_bound(*draw, level=0.9991) < 0 for draw in draws) <= 5


def test_a_difference_lies_between_the_bounds_of_either_way():
    first, second = losses(7, 2, 60)
    found = difference(first, second)
    assert found.value == pytest.approx(5 / 60)
    assert found.high == paired_share_bound(7, 2, 60, level=0.975)
    assert found.low == -paired_share_bound(2, 7, 60, level=0.975)
    assert difference(second, first).high == -found.low


def test_two_models_that_err_on_the_same_rows_may_differ_on_others():
    alike = difference(*losses(0, 0, 60))
    assert (alike.low, alike.value) == (-alike.high, 0.0)
    assert alike.high == pytest.approx(1 - 0.025 ** (1 / 60))
    same = np.linspace(0, 1, 60)
    assert (difference(same, same).low, difference(same, same).high) == (None, None)


def test_the_interval_of_a_rare_difference_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(500):
        first, second = rng.random((2, 50)) < np.array([[0.03], [0.01]])
        found = difference(first.astype(float), second.astype(float))
        covered += found.low <= 0.02 <= found.high
    assert covered / 500 > 0.935


def test_a_difference_that_rests_on_one_row_gets_no_interval_unless_losses_are_0_and_1():
    first, second = np.zeros(60), np.zeros(60)
    first[3] = 1.0
    assert difference(first, second).high == pytest.approx(
        paired_share_bound(1, 0, 60, level=0.975)
    )
    told = difference(4.5 * first, second)
    assert (told.value, told.low, told.high, told.n) == (4.5 / 60, None, None, 60)
    first[30:33] = 0.9
    assert difference(4.5 * first, second).low is not None
