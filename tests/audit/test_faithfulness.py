import numpy as np
import pytest

from explain_distill.audit.faithfulness import faithfulness

RNG = np.random.default_rng(0)
X, B = RNG.normal(size=(80, 6)), RNG.normal(size=(60, 6))
WEIGHTS = np.array([3.0, -2.0, 1.0, 0.5, 0.0, 0.0])


def value(rows):
    return (rows @ WEIGHTS)[:, None]


def told(values, score=value, rows=X, **options):
    return faithfulness(score, values, rows, B, np.random.default_rng(1), **options)


def test_shapley_values_of_a_sum_are_faithful():
    exact = (WEIGHTS * (X - B.mean(axis=0)))[:, :, None]
    found = told(exact)
    assert found.deletion.value < found.random_deletion - 0.3
    assert found.insertion.value > found.random_insertion + 0.3
    assert abs(found.infidelity.value) < 0.02
    assert found.random_deletion == pytest.approx(0.5, abs=0.15)


def test_attributions_that_say_nothing_are_no_better_than_a_random_order():
    noise = np.random.default_rng(2).normal(size=(80, 6, 1))
    found = told(noise)
    assert found.deletion.value == pytest.approx(found.random_deletion, abs=0.25)
    assert found.infidelity.value > 0.8


def test_attributions_the_wrong_way_round_are_worse_than_a_random_order():
    exact = (WEIGHTS * (X - B.mean(axis=0)))[:, :, None]
    assert told(-exact).deletion.value > told(exact).random_deletion + 0.3
    assert told(-exact).infidelity.value > 1


def test_of_classes_the_one_that_is_given_counts():
    def scores(rows):
        return np.concatenate([value(rows), -value(rows)], axis=1) / 2

    exact = (WEIGHTS * (X - B.mean(axis=0)))[:, :, None] / 2
    found = told(np.concatenate([exact, -exact], axis=2), scores)
    assert found.deletion.value < found.random_deletion - 0.3
    assert found.deletion.value == pytest.approx(told(2 * exact).deletion.value, abs=0.2)


def test_groups_count_as_wholes():
    exact = (WEIGHTS * (X - B.mean(axis=0)))[:, :, None]
    alone, grouped = told(exact), told(exact, groups=np.arange(80) // 20)
    assert grouped.deletion.value == alone.deletion.value
    assert grouped.deletion.high - grouped.deletion.low != alone.deletion.high - alone.deletion.low


def test_a_model_that_says_one_thing_has_no_curve():
    found = told(np.zeros((80, 6, 1)), lambda rows: np.ones((len(rows), 1)))
    assert found.deletion.value == found.insertion.value == found.infidelity.value == 0.0


def test_the_area_is_that_under_the_curve():
    """A model of one of two columns falls at once, by half of the unit square's half."""

    def first(rows):
        return rows[:, [0]]

    rows = np.array([[1.0, 0.0]] * 20)
    values = np.array([[[1.0], [0.0]]] * 20)
    found = faithfulness(first, values, rows, np.zeros((9, 2)), np.random.default_rng(0))
    assert found.deletion.value == pytest.approx(0.25)
    assert found.insertion.value == pytest.approx(0.75)
