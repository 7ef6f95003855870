from itertools import combinations
from math import factorial

import numpy as np
import pytest

from explain_distill.attribution.shapley import Draws, sampled_shapley


def exact_shapley(score, row, background):
    """Interventional Shapley values by their definition, over all coalitions."""
    n = len(row)

    def worth(coalition):
        mixed = background.copy()
        mixed[:, list(coalition)] = row[list(coalition)]
        return score(mixed).mean(axis=0)

    shares = []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        share = 0
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for coalition in combinations(others, size):
                share = share + weight * (worth((*coalition, i)) - worth(coalition))
        shares.append(share)
    return np.array(shares)


def bent(X):
    return np.stack([X[:, 0] * X[:, 1] + X[:, 2] ** 2, np.sin(X[:, 3]) - X[:, 0]], axis=1)


def draws_for(rows, background, n_pairs, seed=0):
    return Draws.draw(
        len(rows), rows.shape[1], n_pairs, len(background), np.random.default_rng(seed)
    )


def test_sampled_values_come_to_the_exact_ones():
    rng = np.random.default_rng(0)
    rows, background = rng.normal(size=(3, 4)), rng.normal(size=(20, 4))
    found = sampled_shapley(bent, rows, background, draws_for(rows, background, 4000))
    expected = np.stack([exact_shapley(bent, row, background) for row in rows])
    assert found.values == pytest.approx(expected, abs=0.06)


def test_an_additive_model_is_exact_on_one_background_row_with_one_pair():
    rows, background = np.array([[1.0, 2.0, 3.0]]), np.array([[0.0, 0.0, 1.0]])
    found = sampled_shapley(
        lambda X: X @ [[2.0], [1.0], [-1.0]], rows, background, draws_for(rows, background, 1)
    )
    assert found.values[0, :, 0] == pytest.approx([2.0, 2.0, -2.0])


def test_shares_add_up_to_the_score_however_few_the_draws():
    rng = np.random.default_rng(0)
    rows, background = rng.normal(size=(5, 4)), rng.normal(size=(9, 4))
    for n_pairs in (1, 7):
        found = sampled_shapley(bent, rows, background, draws_for(rows, background, n_pairs))
        assert found.residual(bent(rows)) < 1e-12


def test_two_models_on_the_same_draws_differ_by_the_shares_of_their_difference():
    rng = np.random.default_rng(0)
    rows, background = rng.normal(size=(4, 4)), rng.normal(size=(9, 4))
    draws = draws_for(rows, background, 3)

    def other(X):
        return bent(X) ** 2

    def gap(X):
        return bent(X) - other(X)

    one, two, both = (sampled_shapley(f, rows, background, draws) for f in (bent, other, gap))
    assert one.values - two.values == pytest.approx(both.values)


def test_a_column_that_the_model_does_not_use_gets_nothing():
    rng = np.random.default_rng(0)
    rows, background = rng.normal(size=(4, 4)), rng.normal(size=(9, 4))
    found = sampled_shapley(
        lambda X: X[:, :1] ** 3, rows, background, draws_for(rows, background, 5)
    )
    assert np.all(found.values[:, 1:] == 0)


def test_the_same_seed_draws_the_same_and_another_another():
    shape = (3, 5, 4, 10)
    one, again, other = (Draws.draw(*shape, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(one.orders, again.orders)
    assert not np.array_equal(one.orders, other.orders)
