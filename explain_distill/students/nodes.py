"""The nodes of a tree with what is said and shown of each: its question, its answer, its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from explain_distill._types import FloatArray, ReadableRows
from explain_distill.students import decision_tree_words, rules
from explain_distill.students.decision_tree import DecisionTree
from explain_distill.students.rules import Question
from explain_distill.students.soft_tree import SoftTree

ReadableTree: TypeAlias = SoftTree | DecisionTree
"""A student that is one tree."""


@dataclass(frozen=True)
class Node:
    """A question or a leaf.

    Parameters
    ----------
    number : int
        Its place in the list of nodes: questions come level by level, then leaves from the left.
    level : int
    question : Question or None
        None for a leaf.
    output : tuple of float
        A leaf's probabilities of the classes, or its value; for a question, the mean over the
        leaves below it, weighted by `reach`.
    reach : float
        The mean probability that a row comes here.
    children : tuple of int
        The numbers of the nodes that no and yes lead to; none for a leaf.
    name : str
        ``"question 1"`` or ``"leaf 1"``.
    n_leaves : int
        Of the node: itself, or those below it.
    """

    number: int
    level: int
    question: Question | None
    output: tuple[float, ...]
    reach: float
    children: tuple[int, ...]
    name: str
    n_leaves: int


def tree_nodes(tree: ReadableTree, X: ReadableRows) -> list[Node]:
    """Give the nodes of a fitted tree.

    Parameters
    ----------
    tree : SoftTree or DecisionTree
    X : ndarray of shape (n_samples, n_readable)
        Rows from which each node's reach is taken: training rows, or the one row to follow, to
        which linear leaves then answer.

    Returns
    -------
    list of Node
        Questions level by level, then leaves from left to right.
    """
    row = X if len(X) == 1 else None
    if isinstance(tree, SoftTree) and tree.inference == "mixture":
        return _nodes(tree, tree.path_probabilities(X).mean(axis=0), row)
    leaves = tree.answering_leaf(X) if isinstance(tree, SoftTree) else tree.leaves_of(X)
    return _nodes(tree, np.bincount(leaves, minlength=len(tree.leaf_outputs_)) / len(X), row)


def unweighed_nodes(tree: ReadableTree) -> list[Node]:
    """Give a tree's nodes as if each question sent half of the rows each way."""
    reach = np.zeros(len(tree.leaf_outputs_))
    ahead = [(0 if len(tree.children_) else -1, 1.0)]
    while ahead:
        child, share = ahead.pop()
        if child >= 0:
            ahead += [(int(below), share / 2) for below in tree.children_[child]]
        else:
            reach[-1 - child] = share
    return _nodes(tree, reach)


def leaf_answers(tree: ReadableTree, row: ReadableRows | None = None) -> FloatArray:
    """Give each leaf's probabilities, softening undone, or its value.

    Linear leaves answer one row ``(1, n_readable)``. Where it is left out, those of a soft tree
    answer one whose features are all at their mean, and those of a decision tree give the mean over
    their rows.
    """
    if isinstance(tree, SoftTree):
        return rules.leaf_answers(tree, row)
    scores, linear, preparation = tree.leaf_outputs_, tree.linear_leaves_, tree.preparation_
    if row is not None and linear is not None and preparation is not None:
        every = np.arange(len(scores))
        scores = linear.answer(every, preparation(row).repeat(len(scores), axis=0))
    return decision_tree_words.answers_of_scores(tree, scores)


def answer_of_leaf(tree: ReadableTree, row: ReadableRows) -> FloatArray:
    """Give what the leaf that holds most of one row ``(1, n_readable)`` answers it.

    Returns
    -------
    ndarray of shape (n_classes,) or (1,)
        Probabilities, or the value.
    """
    leaf = (
        rules.shown_leaf(tree, row) if isinstance(tree, SoftTree) else int(tree.leaves_of(row)[0])
    )
    return np.asarray(leaf_answers(tree, row)[leaf])


def has_linear_leaves(tree: ReadableTree) -> bool:
    """Whether some leaf answers with a sum of features."""
    if isinstance(tree, SoftTree):
        return tree.leaf_weights_ is not None
    return bool(tree.n_leaf_features.any())


def linear_leaves_words(tree: ReadableTree) -> str:
    """Say what linear leaves are, and what is drawn and said of them; nothing of constant ones."""
    if not has_linear_leaves(tree):
        return ""
    several = tree.task == "classification" and tree.leaf_outputs_.shape[1] > 2
    if isinstance(tree, SoftTree):
        most, what = "all", "its answer to a row whose features are all at their mean"
    else:
        most, what = f"at most {tree.n_leaf_features.max()}", "the mean over its rows"
    one = most == "at most 1"
    words = (
        f"A leaf answers with a sum of {most} feature{'' if one else 's'}"
        f"{' for each class' if several else ''}; what is drawn and said of it first is {what}."
    )
    if several:
        words += " Of its sums, the words say that of its leading class alone."
    return words


def leaf_words(tree: ReadableTree, leaf: int) -> str:
    """Say what a leaf answers."""
    if isinstance(tree, SoftTree):
        return rules.leaf_words(tree, leaf)
    return decision_tree_words.leaf_words(tree, leaf)


def path_words(tree: ReadableTree, row: ReadableRows) -> list[str]:
    """Say the most probable path of one row ``(1, n_readable)`` in words."""
    if isinstance(tree, SoftTree):
        return rules.path_words(tree, row)
    return decision_tree_words.path_words(tree, row)


def _nodes(
    tree: ReadableTree, leaf_reach: FloatArray, row: ReadableRows | None = None
) -> list[Node]:
    n = len(tree.children_)
    below = np.where(tree.children_ >= 0, tree.children_, n - 1 - tree.children_)
    reach = np.concatenate([np.zeros(n), leaf_reach])
    mass = np.maximum(reach, 1e-300)  # so that what no row reaches has an answer
    sums = np.concatenate([np.zeros((n, tree.leaf_outputs_.shape[1])), leaf_answers(tree, row)])
    sums[n:] *= mass[n:, None]
    mass[:n] = 0
    level, n_leaves = np.zeros(len(reach), int), np.ones(len(reach), int)
    for number in reversed(range(n)):
        for of in (reach, mass, sums, n_leaves):
            of[number] = of[below[number]].sum(axis=0)
    for number in range(n):
        level[below[number]] = level[number] + 1
    asked = _questions(tree)
    return [
        Node(
            number,
            int(level[number]),
            asked[number] if number < n else None,
            tuple(output.tolist()),
            float(reach[number]),
            tuple(below[number].tolist()) if number < n else (),
            f"question {number + 1}" if number < n else f"leaf {number - n + 1}",
            int(n_leaves[number]),
        )
        for number, output in enumerate(sums / mass[:, None])
    ]


def _questions(tree: ReadableTree) -> list[Question]:
    if isinstance(tree, SoftTree):
        return rules.questions(tree)
    return list(decision_tree_words.questions(tree))
