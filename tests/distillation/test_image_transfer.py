import numpy as np
import pytest

import explain_distill as xd
from explain_distill.data.images import moved
from explain_distill.exceptions import DataError


def test_a_moved_image_is_the_image_somewhere_near():
    rng = np.random.default_rng(0)
    image = np.zeros((5, 6))
    image[1:4, 2:4] = rng.uniform(1, 2, size=(3, 2))
    rows = xd.Shifts(shape=(5, 6), pixels=1).draw(image.reshape(1, -1), 200, rng)
    found = {row.tobytes() for row in rows}
    wanted = {
        np.roll(image, (down, right), axis=(0, 1)).tobytes()
        for down in (-1, 0, 1)
        for right in (-1, 0, 1)
    }
    assert found == wanted


def test_what_leaves_an_image_does_not_come_back_at_the_other_edge():
    image = np.zeros((1, 4, 4))
    image[0, 0, :] = 1
    rows = moved(np.repeat(image, 100, axis=0), 2, np.random.default_rng(0))
    assert rows[:, 3].sum() == 0
    assert {int(total) for total in rows.sum(axis=(1, 2))} == {0, 2, 3, 4}


def test_every_shift_is_as_likely_as_another():
    image = np.zeros((5, 5))
    image[2, 2] = 1
    rows = xd.Shifts(shape=(5, 5)).draw(image.reshape(1, -1), 9000, np.random.default_rng(0))
    share = rows.mean(axis=0).reshape(5, 5)[1:4, 1:4]
    assert share == pytest.approx(1 / 9, abs=0.02)


def test_the_training_rows_stay_as_they_are():
    X = np.random.default_rng(0).random((7, 25))
    before = X.copy()
    xd.Shifts(shape=(5, 5)).draw(X, 50, np.random.default_rng(1))
    assert np.array_equal(X, before)


def test_without_a_pixel_to_move_rows_are_training_rows():
    X = np.random.default_rng(0).random((7, 25))
    rows = xd.Shifts(shape=(5, 5), pixels=0).draw(X, 50, np.random.default_rng(1))
    assert {row.tobytes() for row in rows} == {row.tobytes() for row in X}


def test_rows_that_are_no_images_of_the_shape_are_refused():
    with pytest.raises(DataError, match=r"got \(28, 28\) for 25 columns"):
        xd.Shifts().draw(np.zeros((3, 25)), 5, np.random.default_rng(0))


@pytest.mark.parametrize(("pixels", "n_rows"), [(-1, 10), (1, 0)])
def test_a_setting_out_of_range_is_refused(pixels, n_rows):
    with pytest.raises(DataError, match=f"got pixels={pixels} and n_rows={n_rows}"):
        xd.Shifts(pixels=pixels, n_rows=n_rows)
