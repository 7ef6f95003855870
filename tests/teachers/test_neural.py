from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

import explain_distill as xd
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.teachers.neural import fitted_temperature


def test_probabilities_sum_to_one_and_scores_to_zero(wine, wine_teacher):
    X = wine[1].X
    assert wine_teacher.predict_proba(X).sum(axis=1) == pytest.approx(1.0)
    assert np.abs(wine_teacher.predict_score(X).sum(axis=1)).max() < 1e-5


def test_the_teacher_learns_the_table(wine, wine_teacher, mixed, mixed_teacher):
    assert np.mean(wine_teacher.predict(wine[1].X) == wine[1].y) > 0.9
    assert np.mean(mixed_teacher.predict(mixed[1].X) == mixed[1].y) > 0.8


def test_the_same_seed_gives_the_same_teacher_and_another_another(mixed):
    train, test = mixed

    def scores(seed):
        teacher = xd.NeuralTeacher(members=2, width=8, max_epochs=5, seed=seed)
        return teacher.fit(train).predict_score(test.X)

    assert np.array_equal(scores(0), scores(0))
    assert not np.array_equal(scores(0), scores(1))


def test_training_leaves_torchs_random_numbers_and_threads_alone(mixed):
    state, threads = torch.random.get_rng_state(), torch.get_num_threads()
    xd.NeuralTeacher(members=2, width=8, max_epochs=2).fit(mixed[0])
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.get_num_threads() == threads


def test_a_row_alone_scores_as_among_others(mixed, mixed_teacher):
    X = mixed[1].X
    alone = np.concatenate([mixed_teacher.predict_score(X[i : i + 1]) for i in range(5)])
    assert alone == pytest.approx(mixed_teacher.predict_score(X)[:5], abs=1e-5)


def test_the_gradient_model_scores_as_the_teacher(wine, wine_teacher):
    model = wine_teacher.gradient_model()
    score = model.score(torch.from_numpy(model.prepare(wine[1].X))).numpy()
    assert score == pytest.approx(wine_teacher.predict_score(wine[1].X), abs=1e-4)


def test_an_extreme_value_gives_no_extreme_score(wine, wine_teacher):
    rows = wine[1].X[:3].copy()
    rows[:, 0] *= 1e6
    assert np.abs(wine_teacher.predict_score(rows)).max() < 50


def test_the_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3))
    y = np.array([rng.choice(3, p=functional.softmax(torch.tensor(row), 0)) for row in logits])
    assert fitted_temperature(5 * logits, y) == pytest.approx(5, rel=0.1)
    assert fitted_temperature(logits / 3, y) == pytest.approx(1 / 3, rel=0.1)


def test_a_few_rows_without_an_error_ask_for_no_boundless_confidence():
    y = np.arange(20) % 2
    logits = np.where(np.eye(2)[y] == 1, 2.0, -2.0)
    temperature = fitted_temperature(logits, y)
    confidence = functional.softmax(torch.tensor(logits / temperature), 1).max().item()
    assert confidence == pytest.approx(1 - 1 / 22, abs=0.01)


def test_regression_is_in_the_targets_unit():
    train, test = xd.load_dataset("diabetes").split(seed=0)
    teacher = xd.NeuralTeacher(members=2, width=32, max_epochs=80).fit(train)
    assert np.corrcoef(teacher.predict(test.X), test.y)[0, 1] > 0.6
    assert abs(teacher.predict(test.X).mean() - test.y.mean()) < 20


@pytest.mark.parametrize("max_epochs", [1, 2, 3, 7, 20])
def test_training_may_be_as_short_as_one_likes(max_epochs, mixed):
    few = mixed[0].take(np.arange(60))
    teacher = xd.NeuralTeacher(members=1, width=4, max_epochs=max_epochs).fit(few)
    assert np.isfinite(teacher.predict_score(few.X)).all()


def test_a_network_kept_before_there_was_a_choice_has_silu(mixed, tmp_path):
    teacher = xd.NeuralTeacher(members=2, width=8, activation="silu", max_epochs=3).fit(mixed[0])
    config = teacher.write(tmp_path)
    del config["parameters"]["activation"]
    opened = xd.NeuralTeacher.read(tmp_path, config)
    assert np.array_equal(opened.predict_score(mixed[1].X), teacher.predict_score(mixed[1].X))


def test_no_rows_have_no_scores(mixed, mixed_teacher):
    assert mixed_teacher.predict_score(mixed[0].X[:0]).shape == (0, 2)


def test_the_spread_is_the_members_standard_deviation(wine):
    train, test = wine
    alone = xd.NeuralTeacher(members=1, width=8, max_epochs=2).fit(train)
    assert alone.spread(test.X) == pytest.approx(np.zeros(len(test)))
    assert alone.hidden(test.X).shape == (len(test), 8)


@pytest.mark.parametrize(
    "change",
    [
        {"temperature": 0.0},
        {"temperature": float("nan")},
        {"value_scale": -1.0},
        {"parameters": {"members": 10**9, "width": 256, "depth": 3, "dropout": 0.0, "seed": 0}},
        {"parameters": {"members": 2, "width": 10**9, "depth": 3, "dropout": 0.0, "seed": 0}},
        {"parameters": {"members": 2, "width": 32, "depth": 10**9, "dropout": 0.0, "seed": 0}},
        {"parameters": {"members": 2, "width": 32, "depth": 2, "activation": "x"}},
        {"parameters": {"members": 2.5, "width": 32, "depth": 2, "dropout": 0.0, "seed": 0}},
    ],
)
def test_tampered_figures_are_refused_before_memory_is_taken(change, wine_teacher, tmp_path):
    config = wine_teacher.write(tmp_path)
    xd.NeuralTeacher.read(tmp_path, config)
    with pytest.raises((ValueError, RuntimeError)):
        xd.NeuralTeacher.read(tmp_path, config | change)


def test_an_unfitted_teacher_is_said_to_be_so(wine):
    with pytest.raises(DataError, match="must be fitted; however, NeuralTeacher was not"):
        xd.distill(xd.NeuralTeacher(), xd.SoftTree(), wine[0])


def test_rows_of_another_width_are_refused(wine, wine_teacher):
    X = wine[1].X
    for rows in (X[:, :5], np.hstack([X, X]), X[0]):
        with pytest.raises(DataError, match="rows must be a matrix of 13 features; however"):
            wine_teacher.predict_score(rows)


@pytest.mark.parametrize("change", ["longer", "shorter"])
def test_a_file_with_other_columns_scores_no_row(change, wine, wine_teacher, tmp_path):
    config = wine_teacher.write(tmp_path)
    columns = config["columns"]
    more = [{**columns[0], "name": f"more {place}"} for place in range(300)]
    config["columns"] = [*columns, *more] if change == "longer" else columns[:5]
    opened = xd.NeuralTeacher.read(tmp_path, config)
    with pytest.raises(DataError, match="must be a matrix of 13 features"):
        opened.predict_score(np.zeros((4, len(config["columns"]))))


def test_a_fit_that_is_broken_off_leaves_nothing_of_the_last_one(wine, mixed):
    teacher = xd.NeuralTeacher(members=2, width=8, max_epochs=3).fit(mixed[0])
    seen = []

    def stop(epoch, loss):
        seen.append(teacher.predict_score(wine[1].X))
        if epoch == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        teacher.fit(wine[0], on_epoch=stop)
    assert not np.array_equal(seen[0], seen[1])
    assert np.array_equal(teacher.predict_score(wine[1].X), seen[-1])


@pytest.mark.parametrize(
    "options", [{"members": 0}, {"members": "two"}, {"max_epochs": "a"}, {"dropout": 1.0}]
)
def test_parameters_out_of_range_are_refused(options, wine):
    (name,) = options
    with pytest.raises(DataError, match=f"^{name} must be"):
        xd.NeuralTeacher(**options).fit(wine[0])


def test_an_activation_that_is_not_known_is_refused(wine):
    with pytest.raises(UnknownNameError, match=r"^activation must be one of silu, smelu; however"):
        xd.NeuralTeacher(activation="relu").fit(wine[0])


def test_a_matrix_is_no_table(wine):
    with pytest.raises(DataError, match="data must be a Dataset; however, got ndarray"):
        xd.NeuralTeacher().fit(wine[0].X)


def test_the_members_alone_score_what_the_whole_is_the_mean_of(mixed, mixed_teacher):
    X = mixed[1].X
    alone = mixed_teacher.single_members()
    assert len(alone) == 2
    scores = np.stack([member.predict_score(X) for member in alone])
    assert scores.mean(axis=0) == pytest.approx(mixed_teacher.predict_score(X), abs=1e-5)
    assert np.abs(scores[0] - scores[1]).max() > 0.01
    gradients = alone[1].gradient_model()
    told = gradients.score(torch.from_numpy(gradients.prepare(X))).numpy()
    assert told == pytest.approx(scores[1], abs=1e-5)
    assert alone[0].single_members() == ()


def test_members_that_are_taken_apart_leave_the_whole_as_it_was(mixed, mixed_teacher):
    before = mixed_teacher.predict_score(mixed[1].X)
    for parameter in mixed_teacher.single_members()[0]._network.parameters():
        parameter.data.zero_()
    assert np.array_equal(mixed_teacher.predict_score(mixed[1].X), before)


@pytest.mark.parametrize("unit", [1e-40, 1e40])
def test_a_column_that_single_precision_cannot_hold_is_named(unit, wine):
    train = wine[0]
    odd = replace(train, X=train.X * np.where(np.arange(train.X.shape[1]) == 3, unit, 1.0))
    with pytest.raises(DataError, match=f"however, '{train.schema.names[3]}' spreads over"):
        xd.NeuralTeacher(members=1, max_epochs=1).fit(odd)


def test_a_value_that_float32_cannot_hold_gets_a_finite_score(wine, wine_teacher):
    rows = np.repeat(wine[1].X[:1], 3, axis=0)
    rows[:, 0] = [1e39, -1e308, 1e20]
    scores = wine_teacher.predict_score(rows)
    assert np.isfinite(scores).all()
    far = rows.copy()
    far[:, 0] = [1e12, -1e12, 1e12]
    assert scores == pytest.approx(wine_teacher.predict_score(far), abs=1e-4)
