"""Soft trees in words, whatever their shape."""

import numpy as np
import pytest

import explain_distill as xd
from explain_distill.report.tree_layout import most_probable_path
from explain_distill.students.nodes import answer_of_leaf, tree_nodes, unweighed_nodes
from explain_distill.students.rules import path_words, questions, shown_leaf, soft_tree_rules


@pytest.fixture(scope="module")
def rows():
    X = np.random.default_rng(0).normal(size=(300, 4))
    return X, (X[:, 0] + X[:, 1] * (X[:, 2] > 0) > 0).astype(int)


def lopsided(tree):
    """Take a branch out of a fitted tree of depth 2: the root's left is a leaf."""
    tree.children_ = np.array([[-1, 1], [-2, -3]])
    for name in ("gate_biases_", "inverse_temperatures_"):
        setattr(tree, name, getattr(tree, name)[[0, 2]])
    tree.gate_weights_ = np.ascontiguousarray(tree.gate_weights_[:, [0, 2]])
    tree.leaf_outputs_ = tree.leaf_outputs_[1:]
    return tree


@pytest.fixture(params=["mixture", "path", "hard"])
def tree(request, rows):
    made = xd.SoftTree(depth=2, n_steps=150, inference=request.param, random_state=0)
    return lopsided(made.fit(*rows))


def test_a_lopsided_tree_is_said_node_by_node(tree):
    lines = soft_tree_rules(tree)
    assert [line.lstrip().split(":")[0] for line in lines] == [
        "Question 1",
        "Leaf 1",
        "Question 2",
        "Leaf 2",
        "Leaf 3",
    ]
    assert lines[0].endswith("Yes: question 2, no: leaf 1.")
    assert [len(line) - len(line.lstrip()) for line in lines] == [0, 2, 2, 4, 4]


def test_reach_and_answers_of_a_lopsided_tree_add_up(tree, rows):
    nodes = tree_nodes(tree, rows[0])
    for node in nodes[:2]:
        below = [nodes[child] for child in node.children]
        assert sum(child.reach for child in below) == pytest.approx(node.reach)
        mean = sum(child.reach * np.array(child.output) for child in below) / node.reach
        assert node.output == pytest.approx(mean)
        assert node.n_leaves == sum(child.n_leaves for child in below)
    assert [node.level for node in nodes] == [0, 1, 1, 2, 2]
    assert [node.reach for node in unweighed_nodes(tree)] == [1, 0.5, 0.5, 0.25, 0.25]


def test_the_way_told_of_a_row_ends_in_the_leaf_that_answers(tree, rows):
    for row in rows[0][:20, None]:
        leaf = shown_leaf(tree, row)
        words = path_words(tree, row)
        assert words[-1].startswith(f"Leaf {leaf + 1}")
        assert len(words) == (2 if leaf == 0 else 3)
        if tree.inference == "hard":
            assert all("probability 0.4" not in line for line in words[:-1])
        assert most_probable_path(tree_nodes(tree, row)) >= {0, 2 + leaf}


def test_a_feature_without_weight_is_not_named(rows):
    tree = xd.SoftTree(depth=2, n_steps=150, max_features=1, random_state=0).fit(*rows)
    assert all(len(question.terms) == 1 for question in questions(tree))
    assert "lighter" not in " ".join(tree.rules())


def test_a_linear_leaf_says_what_it_adds(rows):
    X, _ = rows
    y = 3 * X[:, 0] - 2 * X[:, 1] + 1
    tree = xd.SoftTree(depth=1, n_steps=800, leaves="linear", task="regression", random_state=0)
    words = tree.fit(X, y).rules()
    assert all("at their mean; the value = " in line for line in words[-2:])
    assert "× x0" in words[-1]
    assert "× x1" in words[-1]


@pytest.mark.parametrize("leaves", ["constant", "linear"])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_leaf_answers_a_row_as_the_tree_that_follows_its_questions(rows, leaves, task):
    y = rows[1] if task == "classification" else rows[0][:, 0] * 3
    options = {"leaves": leaves, "task": task, "random_state": 0}
    for tree in (
        xd.SoftTree(depth=2, n_steps=150, inference="path", temperature=2.0, **options),
        xd.DecisionTree(max_leaves=4, **options),
    ):
        tree.fit(rows[0], y)
        predict = tree.predict if task == "regression" else tree.predict_proba
        for row in rows[0][:5, None]:
            assert answer_of_leaf(tree, row) == pytest.approx(np.ravel(predict(row)), abs=1e-9)
