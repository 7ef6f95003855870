import numpy as np
import pytest
import torch
from captum.metrics import sensitivity_max

import explain_distill as xd
from explain_distill.attribution.own import own_attributions
from explain_distill.attribution.shapley import Draws
from explain_distill.audit.effort import FULL
from explain_distill.audit.sensitivity import (
    MOVES,
    RADIUS,
    max_sensitivity,
    move_radii,
    random_moves,
    sensitivity,
)


def told(model, data, rows=None, **options):
    rows = data.X if rows is None else rows
    rng = np.random.default_rng(options.pop("seed", 0))
    return sensitivity(model, rows, data.background, data.readable_features, rng, **options)


def test_attributions_that_do_not_change_have_sensitivity_0_and_twice_as_large_ones_1():
    values = np.array([[3.0, 4.0], [0.0, 0.0]])
    same = np.repeat(values[:, None], 3, axis=1)
    assert max_sensitivity(values, same).tolist() == [0.0, 0.0]
    assert max_sensitivity(values, 2 * same)[0] == 1.0


def test_the_largest_change_counts_relative_to_the_attributions_or_alone_where_these_are_0():
    values = np.array([[3.0, 4.0], [0.0, 0.0]])
    moved = np.array([[[3.0, 4.5], [0.0, 0.0]], [[0.0, 2.0], [0.0, 1.0]]])
    assert max_sensitivity(values, moved).tolist() == [1.0, 2.0]


def test_numbers_alone_move_within_the_radius(mixed):
    data = mixed[1]
    radii = move_radii(data.background, data.schema)
    spread = np.nanstd(data.background[:, 0])
    assert radii == pytest.approx([RADIUS * spread, 0.0, 0.0])
    moved = random_moves(data.X, radii, np.random.default_rng(0))
    assert moved.shape == (len(data), MOVES, 3)
    steps = moved - data.X[:, None]
    assert (np.isnan(steps[:, :, 0]) == np.isnan(data.X[:, [0]])).all()
    assert 0.9 * radii[0] < np.nanmax(np.abs(steps[:, :, 0])) <= radii[0] * (1 + 1e-9)
    assert (moved[:, :, 1:] == data.X[:, None, 1:]).all()


def test_a_column_that_is_always_missing_does_not_move(mixed):
    background = mixed[1].background.copy()
    background[:, 0] = np.nan
    assert move_radii(background, mixed[1].schema).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["teacher", "soft-tree", "mlp"])
def test_it_is_captums_sensitivity_max(name, wine, wine_teacher, wine_students):
    data, features = wine[1], wine[1].readable_features
    model = wine_teacher if name == "teacher" else wine_students[name]
    rows, background = data.X[:5], data.background[:4]
    radii = move_radii(data.background, data.schema)
    moved = random_moves(rows, radii, np.random.default_rng(0))

    def attributed(rows):
        draws = Draws.draw(len(rows), rows.shape[1], 1, len(background), np.random.default_rng(0))
        return own_attributions(model, rows, background, features, draws).values

    def explanation(inputs):
        rows = inputs[0] if isinstance(inputs, tuple) else inputs
        return (torch.from_numpy(attributed(rows.numpy())),)

    theirs = sensitivity_max(
        explanation,
        torch.from_numpy(rows),
        perturb_func=lambda _: torch.from_numpy(moved.reshape(-1, rows.shape[1])),
        n_perturb_samples=MOVES,
    )
    ours = max_sensitivity(
        attributed(rows).reshape(5, -1),
        attributed(moved.reshape(-1, rows.shape[1])).reshape(5, MOVES, -1),
    )
    assert ours == pytest.approx(theirs.numpy(), rel=1e-9)
    assert (ours > 0).all()


def test_a_model_that_says_one_thing_has_sensitivity_0(wine):
    class Constant(xd.Teacher):
        task = wine[1].task

        def predict_score(self, X):
            return np.zeros((len(X), 3))

    found = told(Constant(), wine[1])
    assert (found.value, found.low, found.n) == (0.0, None, FULL.sensitive_rows)


def test_steep_attributions_are_more_sensitive_than_smooth_ones(wine):
    """A model of a table of numbers, whose reasons are known: a line against a fast wave."""

    class Wave(xd.Teacher):
        def __init__(self, pace):
            self.task, self.pace = wine[1].task, pace
            self.centre, self.scale = wine[0].X.mean(axis=0), wine[0].X.std(axis=0)

        def predict_score(self, X):
            z = (X - self.centre) / self.scale
            score = np.sin(self.pace * z).sum(axis=1) / self.pace
            return np.column_stack([score, -score, np.zeros(len(X))])

    smooth, steep = (told(Wave(pace), wine[1]) for pace in (0.01, 30.0))
    assert smooth.high < 0.05
    assert steep.low > 5 * smooth.high


def test_each_model_is_told_of_the_same_rows_and_moves(wine, wine_teacher):
    class Wrapped(xd.Teacher):
        task = wine[1].task

        def predict_score(self, X):
            seen.append(X)
            return wine_teacher.predict_score(X)

    seen = []
    first, again, other = (told(Wrapped(), wine[1], seed=seed) for seed in (0, 0, 1))
    assert first == again != other
    calls = len(seen) // 3
    assert all(np.array_equal(a, b) for a, b in zip(seen[:calls], seen[calls:], strict=False))


def test_groups_count_as_wholes(wine, wine_students):
    groups = np.arange(len(wine[1])) // 15
    alone, grouped = (told(wine_students["mlp"], wine[1], groups=g) for g in (None, groups))
    assert grouped.value == alone.value
    assert (grouped.low, grouped.high) != (alone.low, alone.high)


def test_a_table_without_numbers_has_none(mixed, mixed_teacher):
    background = mixed[1].background.copy()
    background[:, 0] = 50.0
    found = sensitivity(
        mixed_teacher, mixed[1].X, background, mixed[1].readable_features, np.random.default_rng(0)
    )
    assert found is None


def test_it_is_a_figure_of_every_model_with_its_rows(wine_study):
    for model in wine_study.comparison.models:
        found = wine_study.comparison.get(model, "faithfulness.sensitivity")
        assert found.n == FULL.sensitive_rows
        assert found.value >= 0
