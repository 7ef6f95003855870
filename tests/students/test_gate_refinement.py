import numpy as np
import pytest

from explain_distill.students.gate_refinement import HardTree
from explain_distill.students.tree_shape import complete


def tree_of(rng, depth, n_scores, classify):
    leaves = 2**depth
    answers = rng.dirichlet(np.ones(n_scores), leaves) if classify else rng.random((leaves, 1))
    answers = np.log(answers) if classify else answers
    weights, biases = rng.standard_normal((4, leaves - 1)), rng.standard_normal(leaves - 1)
    return HardTree(complete(depth), weights, biases, answers, classify)


@pytest.mark.parametrize("classify", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_refinement_never_costs(classify, seed):
    rng = np.random.default_rng(seed)
    tree = tree_of(rng, 3, 3, classify)
    rows = rng.standard_normal((300, 4))
    labels = rng.dirichlet(np.ones(3) / 2, 300) if classify else np.sin(rows[:, :1] * 2)
    losses = [tree.loss(rows, labels)]
    for _ in range(3):
        tree.refine(rows, labels)
        losses.append(tree.loss(rows, labels))
    assert (np.diff(losses) <= 1e-9).all()
    assert losses[-1] < losses[0]


def test_refinement_finds_a_question_that_parts_the_rows():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((500, 4))
    labels = np.eye(2)[(rows @ [1.0, -1.0, 0.5, 0.0] > 0).astype(int)]
    tree = tree_of(rng, 1, 2, True)
    for _ in range(5):
        tree.refine(rows, labels)
    assert tree.loss(rows, labels) < 0.1


def test_weights_at_zero_stay_there():
    rng = np.random.default_rng(0)
    tree = tree_of(rng, 2, 2, True)
    tree.weights[:2] = 0
    rows = rng.standard_normal((200, 4))
    tree.refine(rows, np.eye(2)[(rows[:, 3] > 0).astype(int)])
    assert (tree.weights[:2] == 0).all()
