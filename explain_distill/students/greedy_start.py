"""A soft tree's gates as a greedily grown tree of single features would ask them."""

from __future__ import annotations

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from explain_distill._types import FloatArray
from explain_distill.students.tree_shape import complete

SHARPNESS = 2.0  # the weight of the asked feature, in units of its standard deviation


def greedy_gates(
    prepared: FloatArray, scores: FloatArray, depth: int, seed: int
) -> tuple[FloatArray, FloatArray]:
    """Grow a tree of `depth` on scores, and give its questions as weights and biases.

    Parameters
    ----------
    prepared : ndarray of shape (n, n_inputs)
    scores : ndarray of shape (n, n_scores)
    depth : int
    seed : int

    Returns
    -------
    weights : ndarray of shape (n_gates, n_inputs)
    biases : ndarray of shape (n_gates,)
        Zero where the grown tree asks no more.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), Classification and regression trees.
    """
    grown = DecisionTreeRegressor(max_depth=depth, random_state=seed).fit(prepared, scores).tree_
    children = complete(depth)
    weights, biases = np.zeros((len(children), prepared.shape[1])), np.zeros(len(children))
    gates, nodes = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    while len(gates):
        asks = grown.children_left[nodes] >= 0
        gates, nodes = gates[asks], nodes[asks]
        weights[gates, grown.feature[nodes]] = SHARPNESS
        biases[gates] = -SHARPNESS * grown.threshold[nodes]
        below = np.stack([grown.children_left[nodes], grown.children_right[nodes]], axis=1)
        inner = children[gates] >= 0
        gates, nodes = children[gates][inner], below[inner]
    return weights, biases
