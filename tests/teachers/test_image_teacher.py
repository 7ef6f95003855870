import json

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from sklearn.datasets import load_digits

import explain_distill as xd
from explain_distill.data.dataset import Dataset, Task
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
