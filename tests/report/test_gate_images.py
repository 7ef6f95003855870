import numpy as np
import pytest

import explain_distill as xd
from explain_distill.data.images import pixel_places
from explain_distill.exceptions import DataError
from explain_distill.report.gate_images import draw_gates, filter_weights

SHAPE = (4, 5)


@pytest.fixture(scope="module")
def halves():
    """Images whose ink lies on the left or on the right, and a tree that tells them apart."""
    rng = np.random.default_rng(0)
    y = rng.integers(2, size=400)
    images = 0.1 * rng.random((400, *SHAPE))
    images[y == 0, :, :2] += 1
    images[y == 1, :, 3:] += 1
    images[:, 3, 4] = 0
    rows = images.reshape(400, -1)
    return rows, xd.SoftTree(depth=2, n_steps=300, random_state=0).fit(rows, y)


def test_a_filter_is_the_gates_weights_in_the_place_of_their_pixels(halves):
    rows, tree = halves
    image = filter_weights(tree, 0, rows).reshape(SHAPE)
    weight = tree.gate_weights_[8, 0] * tree.inverse_temperatures_[0]
    assert image[1, 3] == pytest.approx(weight, rel=0.05)  # pixels vary as they did in training
    assert np.sign(image[:3, :2].mean()) == -np.sign(image[:3, 3:].mean())


def test_a_pixel_that_no_image_of_a_branch_has_is_drawn_as_nothing(halves):
    rows, tree = halves
    rows = rows.copy()
    rows[:, 8] = 0.3
    assert filter_weights(tree, 0, rows)[8] == pytest.approx(0, abs=1e-12)
    weight = tree.gate_weights_[8, 0] * tree.inverse_temperatures_[0]
    assert filter_weights(tree, 0, rows[:1])[8] == weight


def test_images_without_some_pixels_are_put_in_their_places():
    names = ["pixel row 1, column 2", "pixel row 5, column 1"]
    assert pixel_places(names, (5, 4)).tolist() == [1, 16]
    assert pixel_places(["a"] * 20, SHAPE).tolist() == list(range(20))
    with pytest.raises(DataError, match="for 2 columns"):
        pixel_places(["a", "b"], SHAPE)
    with pytest.raises(DataError, match="in row 5, column 1"):
        pixel_places(names, SHAPE)
    digits = xd.load_dataset("digits")
    assert len(digits.schema.names) < 64
    tree = xd.SoftTree(depth=1, n_steps=20, random_state=0).fit(digits.readable(), digits.y)
    tree.set_names(digits.schema, digits.task.class_names)
    figure = draw_gates(tree, digits.readable(), (8, 8), levels=1)
    pictures = [axes.images[0].get_array() for axes in figure.axes if axes.images]
    assert {picture.shape for picture in pictures} == {(8, 8)}


def test_a_pixel_that_never_varied_is_drawn_as_nothing(halves):
    rows, tree = halves
    assert filter_weights(tree, 0, rows).reshape(SHAPE)[3, 4] == 0


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_a_drawing_has_a_picture_for_each_gate_and_each_branch_that_rows_take(halves, levels):
    rows, tree = halves
    figure = draw_gates(tree, rows, SHAPE, levels=levels)
    drawn = min(levels, 2)
    filters = [axes for axes in figure.axes if axes.images and axes.images[0].cmap.name == "RdBu_r"]
    means = [axes for axes in figure.axes if axes.images and axes.images[0].cmap.name == "gray_r"]
    assert len(filters) == 2**drawn - 1
    assert 1 < len(means) <= 2**drawn
    shown = [int(axes.get_title().split()[0]) for axes in means]
    assert sum(shown) == pytest.approx(100, abs=len(shown))


def test_the_classes_below_a_branch_are_those_the_tree_gives_its_rows(halves):
    rows, tree = halves
    figure = draw_gates(tree, rows, SHAPE, levels=2)
    named = {axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()}
    assert named == {"0", "1"}


def test_too_many_levels_and_another_shape_are_refused(halves):
    rows, tree = halves
    with pytest.raises(DataError, match="levels must be from 1 to 5; however, got 6"):
        draw_gates(tree, rows, SHAPE, levels=6)
    with pytest.raises(DataError, match="for 20 columns"):
        draw_gates(tree, rows, (5, 5))
