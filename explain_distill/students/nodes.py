"""The nodes of a tree with what is said and shown of each: its question, its answer, its rows."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from explain_distill._preparation import NORMAL
from explain_distill._types import FloatArray, IntArray, ReadableRows
from explain_distill.students import decision_tree_words, rules
from explain_distill.students.decision_tree import DecisionTree
from explain_distill.students.rules import Question
from explain_distill.students.soft_tree import SoftTree

BLOCK_ROWS = 512
LEAST_ROWS = 10  # of which it is told how much features vary
MOST_ROWS = 2_000  # that say so
FAR = 1e6  # standard deviations
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
        Rows from which each node's reach is taken: training rows, or the one row to follow. A
        linear leaf shows the mean of its answers to those that come to it.

    Returns
    -------
    list of Node
        Questions level by level, then leaves from left to right.
    """
    held = _held(tree, X)
    asked = _questions(tree, _spreads(tree, X, held))
    return _nodes(tree, asked, held.mean(axis=0), _mean_answers(tree, X, held))


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
    return _nodes(tree, _questions(tree), reach, leaf_answers(tree))


def _mean_answers(tree: ReadableTree, X: ReadableRows, held: FloatArray) -> FloatArray:
    """Give the mean of each leaf's answers to rows, by the share of each row that it holds."""
    if not has_linear_leaves(tree):
        return leaf_answers(tree)
    unreached = leaf_answers(tree)
    sums = np.zeros_like(unreached)
    for start in range(0, len(X), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        if isinstance(tree, SoftTree):
            sums += np.einsum("nl,nlk->lk", held[block], rules.answers_of_leaves(tree, X[block]))
        else:
            told = decision_tree_words.answers_of_scores(tree, tree.predict_score(X[block]))
            sums += held[block].T @ told
    total = held.sum(axis=0)[:, None]
    return np.where(total > 0, sums / np.where(total > 0, total, 1.0), unreached)


def leaf_answers(tree: ReadableTree) -> FloatArray:
    """Give each leaf's probabilities, softening undone, or its value.

    Of linear leaves, a soft tree's are for a row whose features are all at their mean, a decision
    tree's the mean over the rows that it learned.
    """
    if isinstance(tree, SoftTree):
        return rules.leaf_answers(tree)
    return decision_tree_words.answers_of_scores(tree, tree.leaf_outputs_)


def answer_of_leaf(tree: ReadableTree, row: ReadableRows) -> FloatArray:
    """Give what the leaf that holds most of one row ``(1, n_readable)`` answers it.

    Returns
    -------
    ndarray of shape (n_classes,) or (1,)
        Probabilities, or the value.
    """
    if isinstance(tree, SoftTree):
        return np.asarray(rules.answers_of_leaves(tree, row)[0, rules.shown_leaf(tree, row)])
    return decision_tree_words.answers_of_scores(tree, tree.predict_score(row))[0]


@dataclass(frozen=True)
class Following:
    """How far one way through a soft tree leads to its answer, which is a mixture.

    Parameters
    ----------
    share : float
        How much of a row the leaf holds that holds most of it; the mean over rows.
    same : float or None
        The share of the rows of which the likelier side of each question leads to a leaf of the
        tree's own answer; None for regression.
    off : float or None
        How far that leaf's value is from the tree's, on the mean; None for classification.
    spread : float
        The standard deviation of the tree's values; 0 for classification.
    """

    share: float
    same: float | None
    off: float | None
    spread: float


def following(tree: SoftTree, X: ReadableRows) -> Following:
    """Follow the likelier side of each question, of rows ``(n_samples, n_readable)``."""
    hard = copy.copy(tree)
    hard.inference = "hard"
    told, own = hard.predict_score(X), tree.predict_score(X)
    share = float(tree.path_probabilities(X).max(axis=1).mean())
    if tree.task == "regression":
        off = float(np.abs(told - own).mean())
        return Following(share, None, off, float(own.std()))
    same = float((told.argmax(axis=1) == own.argmax(axis=1)).mean())
    return Following(share, same, None, 0.0)


def has_linear_leaves(tree: ReadableTree) -> bool:
    """Whether some leaf answers with a sum of features."""
    if isinstance(tree, SoftTree):
        return tree.leaf_weights_ is not None
    return bool(tree.n_leaf_features.any())


def linear_leaves_words(tree: ReadableTree) -> str:
    """Say what linear leaves are, and what is drawn and said of them; nothing of constant ones."""
    if not has_linear_leaves(tree):
        return ""
    n_scores = tree.leaf_outputs_.shape[1]
    if isinstance(tree, SoftTree):
        most = "all features"
    else:
        n = int(tree.n_leaf_features.max())
        most = f"at most {n} feature{'' if n == 1 else 's'}"
    each = " for each class" if n_scores > 2 else ""
    words = [f"A leaf answers with a sum of {most}{each}, in which a missing value is the median."]
    if n_scores == 2:
        words.append("Of log-odds s, 1 / (1 + exp(−s)) is the probability.")
    if n_scores > 2:
        words.append("Softmax of its sums gives the probabilities; one of the sums is said.")
    words.append(
        "What is drawn of a leaf is the mean of its answers to the rows that come to it; a row's "
        "own answer can be another."
    )
    return " ".join(words)


def leaf_words(tree: ReadableTree, leaf: int, answer: FloatArray) -> str:
    """Say what a leaf answers, `answer` being the mean over the rows that come to it."""
    if isinstance(tree, SoftTree):
        return rules.leaf_words(tree, leaf)
    return decision_tree_words.leaf_words(tree, leaf, answer)


def questions_among(tree: ReadableTree, X: ReadableRows) -> list[Question]:
    """Give a tree's questions, terms ranked among rows ``(n_samples, n_readable)`` that come."""
    return _questions(tree, _spreads(tree, X, _held(tree, X)))


def path_words(
    tree: ReadableTree, row: ReadableRows, asked: Sequence[Question] | None = None
) -> list[str]:
    """Say the most probable path of one row ``(1, n_readable)`` in words.

    `asked` are the questions as they are to be said, by `questions_among`.
    """
    if isinstance(tree, SoftTree):
        return rules.path_words(tree, row, asked)
    return decision_tree_words.path_words(tree, row)


def _held(tree: ReadableTree, X: ReadableRows) -> FloatArray:
    """Give the share of each row that each leaf holds: ``(n_samples, n_leaves)``."""
    if isinstance(tree, SoftTree) and tree.inference == "mixture":
        return tree.path_probabilities(X)
    leaves = tree.answering_leaf(X) if isinstance(tree, SoftTree) else tree.leaves_of(X)
    return (leaves[:, None] == np.arange(len(tree.leaf_outputs_))).astype(np.float64)


def _below(tree: ReadableTree) -> IntArray:
    """Give the numbers of the nodes below each question, leaves being counted on from them."""
    return np.where(tree.children_ >= 0, tree.children_, len(tree.children_) - 1 - tree.children_)


def _nodes(
    tree: ReadableTree, asked: Sequence[Question], leaf_reach: FloatArray, answers: FloatArray
) -> list[Node]:
    n, below = len(tree.children_), _below(tree)
    reach = np.concatenate([np.zeros(n), leaf_reach])
    mass = np.maximum(reach, 1e-300)  # so that what no row reaches has an answer
    sums = np.concatenate([np.zeros((n, tree.leaf_outputs_.shape[1])), answers])
    sums[n:] *= mass[n:, None]
    mass[:n] = 0
    level, n_leaves = np.zeros(len(reach), int), np.ones(len(reach), int)
    for number in reversed(range(n)):
        for of in (reach, mass, sums, n_leaves):
            of[number] = of[below[number]].sum(axis=0)
    for number in range(n):
        level[below[number]] = level[number] + 1
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


def _spreads(tree: ReadableTree, X: ReadableRows, held: FloatArray) -> FloatArray | None:
    """Give each prepared column's mean absolute deviation among the rows that come to a question.

    That of a column of two values follows from its mean, so that a rare level counts as seldom as
    it comes; others are taken to be normal, since to count them costs too much in large trees.

    Parameters
    ----------
    held : ndarray of shape (n_samples, n_leaves)
        The share of each row that each leaf holds.

    Returns
    -------
    ndarray of shape (n_prepared, n_questions), or None
        None where a question is of one column, or rows are fewer than `LEAST_ROWS`. Where fewer
        come to a question, the deviation among all that were learned.
    """
    if not isinstance(tree, SoftTree) or len(X) < LEAST_ROWS:
        return None
    some = np.linspace(0, len(X) - 1, min(len(X), MOST_ROWS)).astype(int)
    n, below = len(tree.children_), _below(tree)
    mass = np.concatenate([np.zeros((len(some), n)), held[some]], axis=1)
    for number in reversed(range(n)):
        mass[:, number] = mass[:, below[number]].sum(axis=1)
    rows, mass = tree.preparation_(X[some]), mass[:, :n]
    rows = np.clip(rows, -FAR, FAR)
    total = np.maximum(mass.sum(axis=0), 1e-300)
    mean = rows.T @ mass / total
    spread = NORMAL * np.sqrt(np.maximum((rows**2).T @ mass / total - mean**2, 0.0))
    low, high = rows.min(axis=0), rows.max(axis=0)
    two = ((rows == low) | (rows == high)).all(axis=0) & (high > low)
    ends = low[two, None], high[two, None]
    spread[two] = 2 * (mean[two] - ends[0]) * (ends[1] - mean[two]) / (ends[1] - ends[0])
    binary = np.array([feature.binary for feature in tree.readable_features()])
    return np.where(total >= LEAST_ROWS, spread, tree.preparation_.spread(binary)[:, None])


def _questions(tree: ReadableTree, spread: FloatArray | None = None) -> list[Question]:
    if isinstance(tree, SoftTree):
        return rules.questions(tree, spread)
    return list(decision_tree_words.questions(tree))
