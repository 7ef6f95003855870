"""MUNGE and conditional coalitions: transfer sets that know which training rows are near."""

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.distillation.near_rows import Coordinates
from explain_distill.distillation.transfer_sets import for_data
from explain_distill.exceptions import DataError

NUMBERS = np.zeros(2, dtype=bool)


def two_clusters(n=200, seed=0):
    """Rows of two far groups: in one both columns are near 0, in the other near 10."""
    rng = np.random.default_rng(seed)
    return np.where(np.arange(n)[:, None] % 2, 10.0, 0.0) + rng.normal(size=(n, 2))


def sides(rows):
    return rows > 5


def test_the_nearest_row_is_found_among_the_others():
    X = np.array([[0.0, 0.0], [0.1, 0.0], [5.0, 5.0], [5.0, 5.2]])
    assert Coordinates.of(X, NUMBERS).nearest().tolist() == [1, 0, 3, 2]


def test_copies_of_a_row_are_not_its_neighbours():
    X = np.array([[0.0, 0.0], [5.0, 5.0], [0.0, 0.0], [0.1, 0.0], [5.0, 5.2]])
    assert Coordinates.of(X, NUMBERS).nearest().tolist() == [3, 4, 3, 0, 1]
    assert Coordinates.of(np.ones((3, 2)), NUMBERS).nearest().tolist() == [0, 0, 0]


def test_rows_that_were_drawn_twice_are_drawn_no_nearer():
    """As in a bootstrap sample, of which students are distilled again."""
    X, rng = two_clusters(), np.random.default_rng(0)
    twice = np.repeat(X, 2, axis=0)
    for transfer in (xd.Munge(), xd.ConditionalCoalitions()):
        once, again = (
            (transfer.draw(rows, 2000, rng)[:, None] == X).all(axis=2).any(axis=1).mean()
            for rows in (X, twice)
        )
        assert again == pytest.approx(once, abs=0.1)
    alike = xd.ConditionalCoalitions().draw(np.ones((4, 2)), 10, rng)
    assert (alike == 1).all()


def test_another_level_is_as_far_as_two_random_rows_in_a_number():
    rng = np.random.default_rng(0)
    X = np.c_[rng.normal(size=4000), rng.integers(3, size=4000)]
    points = Coordinates.of(X, np.array([False, True])).points
    apart = np.square(points[:2000] - points[2000:])
    assert apart[:, 0].mean() == pytest.approx(2, rel=0.1)
    assert set(apart[:, 1:].sum(axis=1).tolist()) == {0.0, 2.0}


def test_a_missing_number_is_near_to_other_missing_ones():
    X = np.array([[np.nan, 0.0], [np.nan, 0.1], [1.0, 0.0], [1.1, 0.1], [5.0, 5.0]])
    assert Coordinates.of(X, NUMBERS).nearest()[:2].tolist() == [1, 0]


def test_munge_keeps_to_the_data_where_coalitions_leave_them():
    X, rng = two_clusters(), np.random.default_rng(0)
    near = sides(xd.Munge().draw(X, 5000, rng))
    mixed = sides(xd.Coalitions().draw(X, 5000, rng))
    assert (near[:, 0] == near[:, 1]).all()
    assert (mixed[:, 0] != mixed[:, 1]).mean() > 0.1


def test_munge_exchanges_the_share_of_columns_that_it_was_told_and_adds_the_papers_noise():
    X = np.array([[0.0, 0.0], [1.0, 4.0]])
    rows = xd.Munge(swap=0.3, local_variance=2.0).draw(X, 40_000, np.random.default_rng(0))
    exchanged = ~np.isin(rows, X)
    assert exchanged.mean() == pytest.approx(0.3, abs=0.01)
    # Each exchanged cell lies around the other row's value, |e - e'| / 2 to either side.
    assert rows[exchanged[:, 0], 0].std() ** 2 == pytest.approx(0.5**2 + 0.5**2, rel=0.05)
    assert rows[exchanged[:, 1], 1].std() ** 2 == pytest.approx(2**2 + 2**2, rel=0.05)


def test_munge_invents_no_level_and_keeps_missing_cells_missing_or_known(mixed):
    train, _ = mixed
    rows = for_data(xd.Munge(), train).draw(train.X, 4000, np.random.default_rng(0))
    for column in (1, 2):
        assert set(rows[:, column]) <= set(train.X[:, column])
    assert not np.isin(rows[:, 0], train.X[:, 0]).all()
    assert np.isnan(rows[:, 0]).mean() == pytest.approx(np.isnan(train.X[:, 0]).mean(), abs=0.05)


def test_conditional_coalitions_take_the_rest_from_rows_like_x():
    X, rng = two_clusters(), np.random.default_rng(0)
    rows = xd.ConditionalCoalitions().draw(X, 5000, rng)
    one_kept = ~(np.isin(rows, X).all(axis=1) & (rows[:, None] == X).all(axis=2).any(axis=1))
    assert one_kept.mean() > 0.2
    near = sides(rows)
    assert (near[:, 0] == near[:, 1]).all()


def test_with_a_wide_kernel_they_are_coalitions():
    X, rng = two_clusters(), np.random.default_rng(0)
    wide = sides(xd.ConditionalCoalitions(bandwidth=100.0).draw(X, 20_000, rng))
    plain = sides(xd.Coalitions().draw(X, 20_000, rng))
    shares = [(side[:, 0] != side[:, 1]).mean() for side in (wide, plain)]
    assert shares[0] == pytest.approx(shares[1], abs=0.015)


def test_a_row_is_not_its_own_background():
    X = np.array([[0.0, 0.0], [1.0, 1.0]])
    rows = xd.ConditionalCoalitions().draw(X, 4000, np.random.default_rng(0))
    # Of two columns and two rows, every row with one kept column is a mixture of both.
    assert (rows[:, 0] != rows[:, 1]).mean() == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("transfer", [xd.Munge(), xd.ConditionalCoalitions()])
def test_the_same_draws_give_the_same_rows(transfer, mixed):
    train, _ = mixed
    ready = for_data(transfer, train)
    first, again = (ready.draw(train.X, 50, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, again, equal_nan=True)
    assert ready.draw(train.X, 0, np.random.default_rng(3)).shape == (0, 3)


@pytest.mark.parametrize("transfer", ["munge", "conditional-coalitions", "coalitions+munge"])
def test_students_learn_there(transfer, mixed, mixed_teacher):
    from explain_distill.distillation.names import transfer_set
    from explain_distill.metrics.fidelity import score_r2

    train, test = mixed
    where = transfer_set(transfer, n_rows=3000)
    for student in (xd.BoostedTrees(n_trees=60), xd.MLP(hidden=(16,), n_steps=300)):
        fitted = xd.distill(mixed_teacher, student, train, transfer=where)
        told = mixed_teacher.predict_score(test.X)
        assert score_r2(told, fitted.predict_score(test.readable())) > 0.8
        assert fitted.distillation_.transfer == transfer


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: xd.Munge(swap=0), "swap must be above 0 and at most 1; however, got 0"),
        (lambda: xd.Munge(local_variance=0), "local_variance must be above 0; however, got 0"),
        (lambda: xd.Munge(0), "Munge must be a whole number of rows"),
        (lambda: xd.ConditionalCoalitions(bandwidth=0), "bandwidth must be above 0"),
        (
            lambda: xd.ConditionalCoalitions(candidates=1),
            "candidates must be a whole number of at least 2",
        ),
        (lambda: xd.Mixture(), "transfer sets, one or more; however, got none"),
        (lambda: xd.Mixture(xd.Munge(), shares=(0.5, 0.5)), "as many positive shares"),
        (lambda: xd.Mixture(xd.Munge(), xd.Coalitions(), shares=(1, 0)), "as many positive shares"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(DataError, match=message):
        make()


def test_a_mixture_gives_each_part_its_share_in_random_order(mixed):
    train, _ = mixed
    ready = for_data(xd.Mixture(xd.TrainingRows(), xd.Munge(swap=1.0), shares=(1, 3)), train)
    rows = ready.draw(train.X, 20_000, np.random.default_rng(0))
    unchanged = np.isin(rows[:, 0], train.X[~np.isnan(train.X[:, 0]), 0])
    known = ~np.isnan(rows[:, 0])
    assert unchanged[known].mean() == pytest.approx(0.25, abs=0.05)
    halves = [unchanged[:10_000].mean(), unchanged[10_000:].mean()]
    assert halves[0] == pytest.approx(halves[1], abs=0.02)


def test_a_mixture_has_the_rows_of_its_largest_part():
    assert xd.Mixture(xd.Munge(500), xd.TrainingRows()).n_rows == 500
    assert xd.Mixture(xd.TrainingRows()).n_rows is None
