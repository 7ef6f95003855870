import numpy as np
import pytest

import explain_distill as xd
from explain_distill.exceptions import DataError
from explain_distill.report.gate_images import draw_gates, filter_image

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
    _, tree = halves
    image = filter_image(tree, 0, SHAPE)
    assert image[1, 3] == tree.gate_weights_[8, 0] * tree.inverse_temperatures_[0]
    assert np.sign(image[:3, :2].mean()) == -np.sign(image[:3, 3:].mean())


def test_a_pixel_that_never_varied_is_drawn_as_nothing(halves):
    assert filter_image(halves[1], 0, SHAPE)[3, 4] == 0


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
