"""Exact interventional Shapley values of a decision tree, column by column."""

from __future__ import annotations

import numpy as np
from scipy.special import beta

from explain_distill._types import BoolArray, FloatArray, Rows
from explain_distill.attribution.base import Attributions, exact_for
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.students.decision_tree import DecisionTree


def decision_tree_shapley(
    tree: DecisionTree, rows: Rows, background: Rows, features: ReadableFeatures
) -> Attributions:
    """Compute exact interventional Shapley values of a tree's score.

    The players are raw columns, so the levels of a category move together. A mixture of a row and a
    background row comes to a leaf if and only if each column comes from one that passes the leaf's
    questions on it. Where a columns must come from the row and k from the background row, the
    leaf's score counts ``(a-1)! k! / (a+k)!`` for each of the former and ``-a! (k-1)! / (a+k)!``
    for each of the latter.

    Parameters
    ----------
    tree : DecisionTree
    rows, background : ndarray of shape (n_samples, n_columns) and (n_background, n_columns)
    features : ReadableFeatures

    Returns
    -------
    Attributions
        The base is the mean score of the background rows.

    References
    ----------
    Lundberg et al. (2020), From local explanations to global understanding with explainable AI for
    trees. Laberge & Pequignot (2022), Understanding interventional TreeSHAP.
    """
    readable = features.transform(background)
    questions = _Questions(tree, features)
    passed, others = questions.passed(features.transform(rows)), questions.passed(readable)
    values = np.zeros((len(rows), len(features.schema), tree.leaf_outputs_.shape[1]))
    for row, passes in enumerate(passed):
        weights = _leaf_weights(passes, others)
        values[row, questions.columns] = weights.T @ tree.leaf_outputs_
    base = tree.predict_score(readable).mean(axis=0)
    return Attributions(
        values,
        np.tile(base, (len(rows), 1)),
        exact_for(background, "TreeSHAP"),
    )


class _Questions:
    """Which questions on which columns lead to each leaf."""

    def __init__(self, tree: DecisionTree, features: ReadableFeatures) -> None:
        self.splits = tree.splits
        asked, place = np.unique(features.columns[tree.feature_], return_inverse=True)
        self.columns = asked
        n_splits, n_leaves = self.splits.below.shape
        # The sides (no, yes) of each split, on the way to each leaf, by the split's column.
        self.wanted = np.zeros((2, n_splits, n_leaves, len(asked)))
        for split, pair in enumerate(self.splits.children):
            for side, child in enumerate(pair):
                leaves = self.splits.below[child] if child >= 0 else [-1 - child]
                self.wanted[side, split, leaves, place[split]] = 1

    def passed(self, readable: FloatArray) -> BoolArray:
        """Say whether rows pass each leaf's questions: ``(n, n_leaves, n_columns_asked)``."""
        splits = np.arange(len(self.splits.children))
        right = self.splits.goes_right(splits, readable[:, self.splits.features])
        failed = np.tensordot(right, self.wanted[0], 1) + np.tensordot(~right, self.wanted[1], 1)
        return failed == 0


def _leaf_weights(passes: BoolArray, others: BoolArray) -> FloatArray:
    """Give each leaf's weight in each column's share, the mean over background rows.

    Parameters
    ----------
    passes : ndarray of shape (n_leaves, n_columns)
        Of the row.
    others : ndarray of shape (n_background, n_leaves, n_columns)

    Returns
    -------
    ndarray of shape (n_leaves, n_columns)
    """
    needed, foreign = passes & ~others, others & ~passes
    reached = (passes | others).all(axis=2, keepdims=True)
    a, k = needed.sum(axis=2, keepdims=True), foreign.sum(axis=2, keepdims=True)
    for_row, against = beta(np.maximum(a, 1), k + 1), beta(a + 1, np.maximum(k, 1))
    return np.asarray((reached * (needed * for_row - foreign * against)).mean(axis=0))
