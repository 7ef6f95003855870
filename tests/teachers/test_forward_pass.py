import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch

import explain_distill as xd
from explain_distill import _threads
from explain_distill._preparation import Preparation
from explain_distill.teachers.batched_mlp import BatchedMLP
from explain_distill.teachers.forward_pass import ForwardPass

N_FEATURES = 7


def network(width=40, depth=2, members=3, activation="smelu", n_outputs=3, n_prepared=9):
    torch.manual_seed(0)
    sizes = [n_prepared, *[width] * depth, n_outputs]
    made = BatchedMLP(members, sizes, activation=activation)
    with torch.no_grad():
        for bias in made.biases:
            bias.normal_()
    return made.eval()


@pytest.fixture(scope="module")
def rows():
    """Features of which two are missing at times and one is a constant."""
    rng = np.random.default_rng(0)
    made = rng.normal(size=(500, N_FEATURES)) * [1, 10, 1e-3, 1e6, 1, 1, 1]
    made += [0, 5, 0, 1e9, 0, 1, 2]
    made[:, 4] = 3.0
    made[rng.random(500) < 0.2, 5] = np.nan
    made[rng.random(500) < 0.1, 6] = np.nan
    return made


def precise(model, preparation, rows):
    """Compute each member's outputs in double precision: ``(members, n, n_outputs)``."""
    with torch.no_grad():
        return copy.deepcopy(model).double()(torch.from_numpy(preparation(rows))).numpy()


@pytest.mark.parametrize("activation", ["smelu", "silu"])
@pytest.mark.parametrize(("width", "depth"), [(40, 1), (40, 2), (1, 3), (2000, 2)])
def test_outputs_are_those_of_the_network(activation, width, depth, rows):
    preparation = Preparation.fit(rows)
    model = network(width, depth, activation=activation)
    ahead = ForwardPass(model, preparation)
    many = np.tile(rows, (2 * ahead.at_a_time // len(rows) + 1, 1))[: 2 * ahead.at_a_time + 3]
    wanted = precise(model, preparation, many)
    assert ahead.each(many) == pytest.approx(wanted, abs=1e-5)
    assert ahead.mean(many) == pytest.approx(wanted.mean(axis=0), abs=1e-5)


def test_values_far_out_are_those_of_the_network(rows):
    preparation = Preparation.fit(rows)
    model = network()
    far = rows[:12].copy()
    for row, value in enumerate((1e300, -1e300, np.inf, -np.inf, 1e39, np.nan)):
        far[row, :4] = value
        far[row + 6, row % 4] = value
    wanted = precise(model, preparation, far).mean(axis=0)
    assert ForwardPass(model, preparation).mean(far) == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("tampered", [{"scale": 1e-320}, {"scale": 1e-300}, {"fill": 1e308}])
def test_altered_statistics_give_numbers(tampered, rows):
    arrays = Preparation.fit(rows).to_arrays()
    for name, value in tampered.items():
        arrays[f"preparation.{name}"][5] = value
    ahead = ForwardPass(network(), Preparation.from_arrays(arrays))
    assert np.isfinite(ahead.mean(rows)).all()


def test_memory_of_any_order_is_read_and_none_is_changed(rows):
    ahead = ForwardPass(network(), Preparation.fit(rows))
    wanted = ahead.mean(rows)
    kept = rows.copy()
    kept.flags.writeable = False
    for given in (kept, np.asfortranarray(rows), np.repeat(rows, 2, axis=0)[::2]):
        assert np.array_equal(ahead.mean(given), wanted)
    assert np.array_equal(kept, rows, equal_nan=True)


def test_what_the_network_learns_later_is_not_heeded(rows):
    model = network()
    ahead = ForwardPass(model, Preparation.fit(rows))
    wanted = ahead.mean(rows)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1)
    assert np.array_equal(ahead.mean(rows), wanted)


def test_a_teacher_that_is_copied_scores_the_same(wine, wine_teacher):
    wanted = wine_teacher.predict_score(wine[1].X)
    for again in (copy.deepcopy(wine_teacher), pickle.loads(pickle.dumps(wine_teacher))):
        assert np.array_equal(again.predict_score(wine[1].X), wanted)


@pytest.mark.parametrize(("centre", "spread"), [(1e6, 1e-6), (1.7e9, 1e-3), (0, 1e-43), (0, 1e40)])
def test_values_of_any_size_keep_their_digits(centre, spread):
    train, test = xd.load_dataset("diabetes").split(seed=0)
    unit = (train.y - train.y.mean()) / train.y.std()
    scaled = replace(train, y=centre + spread * unit)
    teacher = xd.NeuralTeacher(members=2, width=16, max_epochs=3).fit(scaled)
    model = teacher.gradient_model()
    wanted = model.score(torch.from_numpy(model.prepare(test.X))).numpy()
    tolerance = 1e-5 * spread + 1e-15 * centre
    assert teacher.predict_score(test.X) == pytest.approx(wanted, rel=0, abs=tolerance)


def test_scores_are_the_same_bits_on_any_number_of_threads(wine, wine_teacher, monkeypatch):
    many, started, found = np.repeat(wine[1].X, 1400, axis=0), [], []

    class Counted(ThreadPoolExecutor):
        def __init__(self, workers, **options):
            started.append(workers)
            super().__init__(workers, **options)

    monkeypatch.setattr(_threads, "ThreadPoolExecutor", Counted)
    for threads in (1, 2):
        with _threads.torch_threads(threads):
            found.append((wine_teacher.predict_score(many), wine_teacher.spread(many)))
    assert started == [2, 2]
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])
