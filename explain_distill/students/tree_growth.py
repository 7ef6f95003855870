"""Growing an axis-parallel tree best-first."""

from __future__ import annotations

import numpy as np
from sklearn.tree import DecisionTreeRegressor

from explain_distill._types import FloatArray
from explain_distill.students.splits import Splits, numbered


def grow(codes: FloatArray, targets: FloatArray, weights: FloatArray, n_leaves: int) -> Splits:
    """Grow a tree best-first by squared error: the split that gains most is made first.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_features)
        From `Cuts.codes`.
    targets : ndarray of shape (n_samples, n_targets)
    weights : ndarray of shape (n_samples,)
    n_leaves : int
        At most so many.

    References
    ----------
    Breiman, Friedman, Olshen & Stone (1984), Classification and regression trees.
    Shi (2007), Best-first decision tree learning.
    """
    model = DecisionTreeRegressor(max_leaf_nodes=max(2, n_leaves), random_state=0)
    tree = model.fit(codes.astype(np.float32), targets, sample_weight=weights).tree_
    # scikit-learn's threshold lies between two codes, or is infinite where it asks for missing
    # values alone; codes are whole numbers below 2 ** 24, which float32 holds.
    thresholds = np.floor(np.minimum(tree.threshold, np.nanmax(codes, initial=0.0)))
    children = np.stack([tree.children_left, tree.children_right], axis=1).astype(np.int64)
    children[tree.feature[children] < 0] = -1
    root = 0 if tree.node_count > 1 else -1
    return numbered(root, children, tree.feature, thresholds, tree.missing_go_to_left)


def regrow(
    splits: Splits, codes: FloatArray, targets: FloatArray, weights: FloatArray, n_leaves: int
) -> Splits:
    """Grow each leaf further, to at most so many leaves in its place."""
    leaves = splits.leaves_of(codes)
    parts = [splits]
    roots = []
    offset = len(splits.children)
    for leaf in range(splits.n_leaves):
        rows = leaves == leaf
        part = grow(codes[rows], targets[rows], weights[rows], n_leaves)
        roots.append(offset if len(part.children) else -1)
        offset += len(part.children)
        parts.append(part)
    first = splits.children
    children = [np.where(first >= 0, first, np.array(roots)[-1 - np.minimum(first, -1)])]
    starts = np.cumsum([0] + [len(part.children) for part in parts])
    for part, start in zip(parts[1:], starts[1:], strict=False):
        children.append(np.where(part.children >= 0, part.children + start, -1))
    return numbered(
        0 if len(first) else roots[0],
        np.concatenate(children),
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("features", "thresholds", "missing_left")
        ),
    )
