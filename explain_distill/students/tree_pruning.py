"""Pruning an axis-parallel tree to a number of leaves, the best of all ways."""

from __future__ import annotations

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.students.leaf_answers import Labelled, Sums
from explain_distill.students.splits import Splits, numbered


def prune(splits: Splits, most_leaves: int, as_leaf: FloatArray, at_leaves: FloatArray) -> Splits:
    """Give the subtree of at most so many leaves that loses least, of all that there are.

    Parameters
    ----------
    splits : Splits
    most_leaves : int
    as_leaf : ndarray of shape (n_splits,)
        What is lost where a split is made a leaf.
    at_leaves : ndarray of shape (n_leaves,)
        What is lost in each leaf.

    Returns
    -------
    Splits
        Of those that lose equally little, one with the fewest leaves.

    References
    ----------
    Bohanec & Bratko (1994), Trading accuracy for simplicity in decision trees (all optimally
    pruned trees by dynamic programming).
    """
    best: list[FloatArray] = [np.empty(0)] * len(splits.children)  # by the number of leaves, from 1
    shares: list[IntArray] = [np.empty(0, np.int64)] * len(splits.children)

    def losses(child: int) -> FloatArray:
        return best[child] if child >= 0 else at_leaves[[-1 - child]]

    for split in reversed(range(len(splits.children))):
        left, right = (losses(int(child)) for child in splits.children[split])
        n = min(most_leaves, len(left) + len(right))
        best[split], shares[split] = np.full(n, np.inf), np.zeros(n, dtype=np.int64)
        best[split][0] = as_leaf[split]
        for n_left in range(1, min(len(left), n - 1) + 1):
            n_right = np.arange(1, min(len(right), n - n_left) + 1)
            total = left[n_left - 1] + right[n_right - 1]
            places = n_left + n_right - 1
            better = total < best[split][places]
            best[split][places[better]] = total[better]
            shares[split][places[better]] = n_left
    return _chosen(splits, best, shares)


def _chosen(splits: Splits, best: list[FloatArray], shares: list[IntArray]) -> Splits:
    """Walk down from the root's best number of leaves, and cut off what is not kept."""
    if not len(splits.children):
        return splits
    children = np.full_like(splits.children, -1)
    least = best[0].min()
    fewest = int(np.flatnonzero(best[0] <= least + 1e-12 * abs(least))[0]) + 1
    ahead = [(0, fewest)]
    root = 0 if fewest > 1 else -1
    while ahead:
        split, n = ahead.pop()
        if n == 1:
            continue
        n_left = int(shares[split][n - 1])
        for side, share in enumerate((n_left, n - n_left)):
            child = int(splits.children[split, side])
            if child >= 0 and share > 1:
                children[split, side] = child
                ahead.append((child, share))
    return numbered(root, children, splits.features, splits.thresholds, splits.missing_left)


def judged(splits: Splits, sums: Sums, labelled: Labelled) -> tuple[FloatArray, FloatArray]:
    """Give the losses that `prune` wants.

    Parameters
    ----------
    splits : Splits
    sums : Sums
        Of the rows in each leaf.
    labelled : Labelled
        In whose units.
    """
    nodes = np.concatenate([splits.below, np.eye(splits.n_leaves, dtype=bool)])
    pooled = sums.pooled(nodes)
    losses = labelled.loss(pooled.answers(), pooled)
    return losses[: len(splits.children)], losses[len(splits.children) :]
