import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

import explain_distill as xd
from explain_distill._random import generator
from explain_distill.data.dataset import Dataset, Task, split_indices
from explain_distill.data.images import image_dataset
from explain_distill.exceptions import DataError
from explain_distill.study.folder import TEACHERS
from explain_distill.teachers.images import convolutional, folded

SHAPE = (8, 8)


@pytest.fixture(scope="module")
def digits():
    """Training and test rows of all 64 pixels, those that never vary included."""
    table = load_digits()
    task = Task("classification", "digit", tuple("0123456789"))
    return image_dataset("digits", table.images, table.target, task).split(seed=0)


@pytest.fixture(scope="module")
def teacher(digits):
    return xd.ImageTeacher(shape=SHAPE, shift=1, n_epochs=30).fit(digits[0])


def read_back(teacher, folder):
    config = json.loads(json.dumps(teacher.write(folder)))
    return TEACHERS[config["kind"]].read(folder, config)


def test_the_teacher_learns_images(digits, teacher):
    assert np.mean(teacher.predict(digits[1].X) == digits[1].y) > 0.975


def test_the_teacher_says_the_same_of_a_moved_image(digits, teacher):
    images = digits[1].X.reshape(-1, *SHAPE)
    moved = np.pad(images, ((0, 0), (0, 0), (1, 0)))[:, :, :-1]
    kept = images[:, :, -1].sum(axis=1) == 0
    assert np.mean(teacher.predict(moved[kept].reshape(-1, 64)) == digits[1].y[kept]) > 0.95


def test_scores_sum_to_zero_and_a_row_alone_scores_as_among_others(digits, teacher):
    X = digits[1].X
    score = teacher.predict_score(X)
    assert np.abs(score.sum(axis=1)).max() < 1e-4
    alone = np.concatenate([teacher.predict_score(X[i : i + 1]) for i in range(5)])
    assert alone == pytest.approx(score[:5], abs=1e-4)


def test_the_gradient_model_scores_as_the_teacher(digits, teacher):
    model = teacher.gradient_model()
    pixels = torch.from_numpy(model.prepare(digits[1].X[:20])).requires_grad_()
    score = model.score(pixels)
    assert score.detach().numpy() == pytest.approx(
        teacher.predict_score(digits[1].X[:20]), abs=1e-4
    )
    score.sum().backward()
    assert pixels.grad is not None


def test_the_same_seed_gives_the_same_teacher_and_another_another(digits):
    train, test = digits

    def scores(seed):
        teacher = xd.ImageTeacher(shape=SHAPE, widths=(4, 4), n_epochs=1, seed=seed)
        return teacher.fit(train).predict_score(test.X)

    assert np.array_equal(scores(0), scores(0))
    assert not np.array_equal(scores(0), scores(1))


def test_folding_the_normalisation_changes_no_logit():
    torch.manual_seed(0)
    network = convolutional(SHAPE, (4, 6), 3, normalise=True)
    network(torch.randn(64, 1, *SHAPE))  # statistics other than those it began with
    images = torch.randn(5, 1, *SHAPE)
    with torch.no_grad():
        assert torch.allclose(folded(network.eval())(images), network(images), atol=1e-6)


def test_a_teacher_that_was_kept_scores_the_same_bits(digits, teacher, tmp_path):
    again = read_back(teacher, tmp_path)
    assert np.array_equal(again.predict_score(digits[1].X), teacher.predict_score(digits[1].X))
    assert isinstance(again, xd.ImageTeacher)
    assert again.schema == teacher.schema
    assert again.task == teacher.task


@pytest.mark.parametrize("harm", ["not finite", "another shape", "absent"])
def test_a_tampered_array_is_refused(teacher, tmp_path, harm):
    config = teacher.write(tmp_path)
    arrays = load_file(tmp_path / "model.safetensors")
    name = sorted(arrays)[0]
    if harm == "not finite":
        arrays[name] = np.full_like(arrays[name], np.nan)
    elif harm == "another shape":
        arrays[name] = arrays[name][:-1]
    else:
        del arrays[name]
    save_file(arrays, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match=name):
        xd.ImageTeacher.read(tmp_path, config)


TAMPERED = {
    "centre": (np.nan, "mean"),
    "scale": (0, 0.0, -1, np.nan, np.inf),
    "temperature": (0, np.nan, -2.0, None),
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, vs in TAMPERED.items() for v in vs])
def test_a_tampered_number_is_refused(teacher, tmp_path, name, value):
    config = teacher.write(tmp_path) | {name: value}
    with pytest.raises(ValueError, match=f"^{name} is {value!r}, not a finite number"):
        xd.ImageTeacher.read(tmp_path, config)


@pytest.mark.parametrize(
    "changed",
    [
        {"widths": [2**40, 2**40]},
        {"widths": [300, 32, 64]},
        {"widths": [16, 32]},
        {"widths": [16.0, 32, 64]},
        {"widths": []},
        {"widths": [1] * 5},
        {"shape": [8.0, 8.0]},
        {"shape": [64]},
    ],
    ids=str,
)
def test_tampered_widths_are_refused_before_memory_is_taken_for_them(teacher, tmp_path, changed):
    config = teacher.write(tmp_path)
    config["parameters"] |= changed
    with pytest.raises(ValueError, match=r"widths|shape|array"):
        xd.ImageTeacher.read(tmp_path, config)


@pytest.mark.parametrize("widths", [(), (4,) * 5, (4, 0), (4, 2.5), (4, True), 16])
def test_blocks_that_images_cannot_be_halved_for_are_refused(digits, widths):
    with pytest.raises(DataError, match=r"widths must hold the channels of 1 to 4 blocks for imag"):
        xd.ImageTeacher(shape=SHAPE, widths=widths).fit(digits[0])


def test_as_many_blocks_as_the_sides_allow_are_learned_whatever_is_left_for_the_last_batch():
    """Of 6 by 6 pixels three blocks leave one; a batch of one image has no variance there."""
    rng = np.random.default_rng(0)
    task = Task("classification", "digit", ("zero", "one"))
    images, labels = rng.normal(size=(24, 6, 6)), np.arange(24) % 2
    data = image_dataset("noise", images, labels, task)
    options = {"shape": (6, 6), "widths": (4, 4, 4), "shift": 0, "n_epochs": 2}
    inner = 24 - len(split_indices(data, 0.05, generator(0, "teacher")))
    epochs = []
    teacher = xd.ImageTeacher(batch_size=inner - 1, **options)
    teacher.fit(data, on_epoch=lambda *told: epochs.append(told))
    assert [number for number, _ in epochs] == [1, 2]
    assert teacher.predict_score(data.X).shape == (24, 2)


@pytest.mark.parametrize("batch_size", [1, 0, 2.5, True])
def test_a_batch_of_one_image_is_refused(digits, batch_size):
    with pytest.raises(DataError, match="batch_size must be a whole number of at least 2; however"):
        xd.ImageTeacher(shape=SHAPE, batch_size=batch_size).fit(digits[0])


@pytest.mark.parametrize("ask", ["predict_score", "gradient_model", "complexity", "write"])
def test_a_teacher_that_is_not_fitted_says_so(digits, tmp_path, ask):
    given = {"predict_score": (digits[1].X,), "write": (tmp_path,)}.get(ask, ())
    with pytest.raises(NotFittedError, match="must be fitted before it is asked; however"):
        getattr(xd.ImageTeacher(shape=SHAPE), ask)(*given)


def test_a_shape_of_other_images_is_refused(digits):
    with pytest.raises(DataError, match=r"got \(28, 28\) for 64 columns"):
        xd.ImageTeacher().fit(digits[0])


def test_values_are_refused(digits):
    train = digits[0]
    values = Dataset("v", train.X, train.y.astype(float), train.schema, Task("regression", "y"))
    with pytest.raises(DataError, match="must be classes; however, 'y' is a number"):
        xd.ImageTeacher(shape=SHAPE).fit(values)


def test_a_missing_pixel_is_refused_and_its_row_named(digits):
    rows = digits[0].X.copy()
    rows[7, 3] = np.nan
    data = Dataset("d", rows, digits[0].y, digits[0].schema, digits[0].task)
    with pytest.raises(DataError, match="row 7 misses one"):
        xd.ImageTeacher(shape=SHAPE).fit(data)
