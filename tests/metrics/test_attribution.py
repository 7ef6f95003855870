import numpy as np
import pytest
from scipy.stats import spearmanr

from explain_distill.metrics.attribution import (
    importance,
    pairwise_rank_agreement,
    rank_agreement,
    rank_correlation,
    sign_agreement,
    sign_chance,
    top_k,
    top_k_overlap,
)


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    return rng.normal(size=(20, 8, 3)), rng.normal(size=(20, 8, 3))


def test_the_rank_correlation_is_spearmans_of_absolute_attributions(pair):
    first, second = pair
    expected = [
        np.mean([spearmanr(abs(a[:, c]), abs(b[:, c])).statistic for c in range(3)])
        for a, b in zip(first, second, strict=True)
    ]
    assert rank_correlation(first, second) == pytest.approx(expected)


def test_of_two_classes_the_second_counts():
    rng = np.random.default_rng(0)
    mirrored = rng.normal(size=(5, 6, 1)) * np.array([-1, 1])
    other = mirrored.copy()
    other[:, :, 0] = rng.normal(size=(5, 6))
    assert rank_correlation(mirrored, other) == pytest.approx(1.0)


def test_the_same_attributions_agree_wholly(pair):
    first, _ = pair
    assert rank_correlation(first, first) == pytest.approx(1.0)
    assert top_k_overlap(first, first, 3) == pytest.approx(1.0)
    assert sign_agreement(first, first, 3) == pytest.approx(1.0)


def test_a_random_order_agrees_as_chance_says():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 4000, 10, 1))
    assert rank_correlation(first, second).mean() == pytest.approx(0.0, abs=0.02)
    assert top_k_overlap(first, second, 5).mean() == pytest.approx(0.5, abs=0.02)
    assert sign_agreement(first, second, 5).mean() == pytest.approx(0.5, abs=0.02)


def test_attributions_that_are_all_zero_agree_with_each_other_only():
    zero, other = np.zeros((1, 4, 1)), np.arange(4.0).reshape(1, 4, 1)
    assert rank_correlation(zero, zero) == 1.0
    assert rank_correlation(zero, other) == 0.0


@pytest.mark.parametrize(("n_columns", "k"), [(1, 1), (3, 1), (8, 4), (30, 5)])
def test_at_most_five_and_at_most_half_of_the_columns_lead(n_columns, k):
    assert top_k(n_columns) == k


def test_importance_is_the_mean_absolute_attribution():
    values = np.array([[[1.0], [-2.0]], [[3.0], [0.0]]])
    assert importance(values).tolist() == [2.0, 1.0]


def test_columns_without_a_share_never_lead():
    first = np.zeros((1, 6, 1))
    second = first.copy()
    first[0, 0], second[0, 5] = 1.0, 1.0
    assert top_k_overlap(first, second, 3) == 0.0
    assert top_k_overlap(first, first, 3) == 1.0
    assert sign_agreement(first, second, 3) == 0.0


def test_places_agree_where_the_same_column_holds_them():
    first = np.array([[[4.0], [3.0], [-2.0], [1.0]]])
    second = np.array([[[9.0], [-2.0], [-3.0], [1.0]]])
    assert rank_agreement(first, first, 3).tolist() == [1.0]
    assert rank_agreement(first, second, 3) == pytest.approx(1 / 3)
    assert rank_agreement(first, second, 4) == pytest.approx(1 / 2)
    assert rank_agreement(first, -first, 3, signed=True).tolist() == [0.0]
    assert rank_agreement(first, second, 1, signed=True).tolist() == [1.0]


def test_attributions_of_zero_hold_no_place():
    none, some = np.zeros((1, 3, 1)), np.array([[[0.0], [2.0], [0.0]]])
    assert rank_agreement(none, none, 2).tolist() == [1.0]
    assert rank_agreement(none, some, 2).tolist() == [0.0]
    assert rank_agreement(some, some, 2).tolist() == [1.0]


def test_pairs_agree_where_both_hold_the_same_one_to_matter_more():
    first = np.array([[[4.0], [3.0], [-2.0]]])
    second = np.array([[[4.0], [-5.0], [3.0]]])
    assert pairwise_rank_agreement(first, first).tolist() == [1.0]
    assert pairwise_rank_agreement(first, second) == pytest.approx(2 / 3)
    assert pairwise_rank_agreement(first, np.ones((1, 3, 1))).tolist() == [0.0]
    assert pairwise_rank_agreement(np.ones((1, 1, 1)), np.ones((1, 1, 1))).tolist() == [1.0]


def test_a_random_order_comes_to_the_chance_that_is_said():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 4000, 8, 1))
    assert rank_agreement(first, second, 4).mean() == pytest.approx(1 / 8, abs=0.01)
    assert rank_agreement(first, second, 4, signed=True).mean() == pytest.approx(1 / 16, abs=0.01)
    assert pairwise_rank_agreement(first, second).mean() == pytest.approx(1 / 2, abs=0.01)


def test_the_chance_of_signs_is_that_of_columns_in_a_random_order():
    rng = np.random.default_rng(0)
    values = np.abs(rng.normal(size=(400, 12, 1)))
    values[:, :2] *= -1
    order = rng.permuted(np.tile(np.arange(12), (400, 1)), axis=1)[:, :, None]
    shuffled = np.take_along_axis(values, order, axis=1)
    chance = sign_chance(values, 5).mean()
    assert chance > 0.6
    assert sign_agreement(values, shuffled, 5).mean() == pytest.approx(chance, abs=0.03)
    assert sign_chance(np.zeros((3, 4, 1)), 2).tolist() == [1.0] * 3
