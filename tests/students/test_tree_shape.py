import numpy as np
import pytest
from scipy.special import expit

from explain_distill.students.tree_shape import (
    checked,
    complete,
    followed,
    levels,
    reached,
    without,
)


def test_a_complete_tree_numbers_gates_by_level_and_leaves_from_left_to_right():
    assert complete(1).tolist() == [[-1, -2]]
    assert complete(2).tolist() == [[1, 2], [-1, -2], [-3, -4]]
    assert [here.tolist() for here in levels(complete(3))] == [[0], [1, 2], [3, 4, 5, 6]]


def test_a_row_follows_the_more_probable_side():
    logits = np.array([[1.0, -1.0], [5.0, -5.0], [-2.0, 2.0]])
    assert followed(complete(2), logits).tolist() == [2, 0]


def test_a_branch_that_no_row_takes_is_taken_out():
    children = complete(3)
    closed = np.zeros((7, 2), dtype=bool)
    closed[1] = [True, False]  # the left half of the left half
    closed[6] = [False, True]  # the last leaf
    pruned, gates, leaves = without(children, closed)
    assert gates.tolist() == [0, 4, 2, 5]
    assert leaves.tolist() == [2, 3, 4, 5, 6]
    checked(pruned)
    assert pruned.tolist() == [[1, 2], [-1, -2], [3, -5], [-3, -4]]


@pytest.mark.parametrize("seed", range(5))
def test_taking_closed_branches_out_changes_no_answer(seed):
    rng = np.random.default_rng(seed)
    children = complete(5)
    logits = rng.standard_normal((31, 40)) * 2
    always = rng.random(31) < 0.4
    logits[always] = rng.choice([-800.0, 800.0], always.sum())[
        :, None
    ]  # one side has probability 0
    paths = reached(children, expit(logits), expit(-logits))
    below = np.where(children >= 0, children, 30 - children)
    pruned, gates, leaves = without(children, paths.max(axis=1)[below] == 0)
    checked(pruned)
    after = reached(pruned, expit(logits[gates]), expit(-logits[gates]))[len(gates) :]
    assert after == pytest.approx(paths[31:][leaves])
    assert len(gates) < 31
    kept = leaves[followed(pruned, logits[gates])]
    assert kept.tolist() == followed(children, logits).tolist()


@pytest.mark.parametrize(
    "children",
    [
        [[0, -1]],
        [[1, 1], [-1, -2]],
        [[-1, -1]],
        [[2, 1], [-1, -2], [1, -3]],
        [[1, -9], [-1, -2]],
        [[1, -1]],
    ],
)
def test_children_that_are_no_tree_are_refused(children):
    with pytest.raises(ValueError, match=r"children|come after"):
        checked(np.array(children, dtype=np.int64))
