import numpy as np
import pytest

from explain_distill.metrics.intervals import (
    bootstrap,
    independent_rows,
    mean,
    mean_of_few,
    mean_share,
    proportion,
)


def test_a_proportion_without_a_miss_has_the_interval_of_clopper_and_pearson():
    found = proportion(np.ones(100, dtype=bool))
    assert found.value == 1.0
    assert found.low == pytest.approx(0.025 ** (1 / 100))
    assert (found.high, found.n, found.level) == (1.0, 100, 0.95)


def test_the_interval_of_a_mean_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    told = [mean(rng.exponential(size=60)) for _ in range(1000)]
    told = [found for found in told if found.low is not None]
    assert len(told) > 970
    assert 0.94 <= np.mean([found.low <= 1.0 <= found.high for found in told]) <= 0.98


def test_the_ends_of_a_mean_do_not_leave_what_the_figure_can_be():
    values = np.append(np.zeros(4), [1.0, 3.0, 2.0])
    assert mean(values).low < 0
    assert mean(values, within=(0, np.inf)).low == 0.0
    assert mean_share(values / 3).low == 0.0


def test_a_mean_that_rests_on_one_row_gets_no_interval_but_within_a_range():
    values = np.append(np.zeros(40), 3.0)
    for told in (mean(values), mean(values, within=(0, np.inf)), mean(values, np.arange(41) // 2)):
        assert (told.low, told.high, told.n) == (None, None, 41)
    one_of = mean(values / 3, within=(0, 1))
    exact = proportion(values > 0)
    assert (one_of.low, one_of.high) == pytest.approx((exact.low, exact.high), rel=0.03)


def test_a_figure_that_no_resampling_changes_gets_no_interval():
    found = bootstrap(np.mean, np.full(30, 0.25))
    assert (found.value, found.low, found.high, found.n) == (0.25, None, None, 30)


def test_a_figure_that_is_the_same_in_every_row_gets_no_interval():
    found = mean(np.full(30, 0.25))
    assert (found.value, found.low, found.high, found.n) == (0.25, None, None, 30)


def test_shares_that_are_all_one_keep_their_doubt():
    found = mean_share(np.ones(100))
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 100))
    mixed = np.array([1.0, 0.8, 1.0, 0.6])
    assert mean_share(mixed) == mean(mixed, within=(0, 1))


def test_one_row_has_no_interval():
    found = mean(np.array([0.5]))
    assert (found.value, found.low, found.high, found.n) == (0.5, None, None, 1)


def test_the_same_rows_give_the_same_interval_and_another_seed_another():
    values = np.random.default_rng(0).normal(size=50)
    assert bootstrap(np.mean, values) == bootstrap(np.mean, values)
    assert bootstrap(np.mean, values) != bootstrap(np.mean, values, seed=1)


def test_rows_are_resampled_together():
    first = np.random.default_rng(0).normal(size=40)
    found = bootstrap(
        lambda a, b, axis=-1: (a - b).mean(axis=axis) + a.mean(axis=axis), first, first
    )
    assert found == bootstrap(np.mean, first)


def test_rows_of_a_group_are_no_independent_draws():
    rng = np.random.default_rng(0)
    covered = {"rows": 0, "groups": 0}
    groups = np.repeat(np.arange(25), 12)
    for _ in range(120):
        holds = rng.random(300) < np.repeat(rng.beta(2, 2, size=25), 12)
        for name, given in (("rows", None), ("groups", groups)):
            found = mean(holds.astype(float), given)
            covered[name] += found.low <= 0.5 <= found.high
    assert covered["rows"] / 120 < 0.8
    assert covered["groups"] / 120 > 0.85


def test_groups_that_all_agree_are_as_many_rows_as_there_are_groups():
    found = proportion(np.ones(100, dtype=bool), np.repeat(np.arange(20), 5))
    assert found.low == pytest.approx(0.025 ** (1 / 20))
    assert found.n == 100


def test_rows_that_agree_in_groups_are_worth_as_many_rows_as_there_are_groups_or_less():
    rows = np.arange(200) % 4 > 0
    alone = proportion(rows)
    single = proportion(rows, np.arange(200))
    assert (single.low, single.high) == pytest.approx((alone.low, alone.high), abs=0.001)
    apart = proportion(np.repeat(rows, 5), np.repeat(np.arange(200), 5))
    assert apart.value == alone.value
    assert (apart.low, apart.high) == pytest.approx((alone.low, alone.high), abs=0.002)
    assert apart.low < alone.low < alone.high < apart.high


@pytest.mark.parametrize("agreement", [0.8, 0.99])
def test_the_interval_of_a_proportion_of_few_groups_covers_as_often_as_it_says(agreement):
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 4)
    covered = 0
    for _ in range(500):
        found = proportion(np.repeat(rng.random(12) < agreement, 4), groups)
        covered += found.low <= agreement <= found.high
    assert covered / 500 > 0.935


def test_a_group_of_each_row_is_no_group():
    values = np.random.default_rng(0).normal(size=50)
    assert mean(values, np.arange(50)) == mean(values)


@pytest.mark.parametrize("n", [3, 5, 12])
def test_a_few_draws_do_not_tell_of_those_that_are_rare(n):
    """Of a figure that is 0.04 in a fifth of draws, and 1 in the others."""
    rng = np.random.default_rng(0)
    told = [mean_of_few(np.where(rng.random(n) < 0.2, 0.04, 1.0)) for _ in range(200)]
    assert np.mean([each.low <= 0.808 <= each.high for each in told]) >= 0.95


def test_a_few_large_groups_widen_the_interval():
    """Of 20 groups that are wholly one or the other, those of 30 rows tell most of the variance."""
    holds = np.arange(20) % 5 != 0
    even = np.repeat(np.arange(20), 10)
    uneven = np.repeat(np.arange(20), np.where(np.arange(20) % 4 == 0, 30, 3))
    worth = [independent_rows(holds[groups], groups) for groups in (even, uneven)]
    assert 15 < worth[0] < 20
    assert worth[1] < 8
