"""All trees of a booster as flat arrays: to walk a row down them, and to write them elsewhere."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain_distill._types import BoolArray, FloatArray, IntArray, Json, ReadableRows

if TYPE_CHECKING:
    import xgboost

FLOAT32_DIGITS = 24  # bits of a float32's significand


@dataclass(frozen=True, eq=False)
class TreeArrays:
    """The nodes of all trees, tree by tree.

    Parameters
    ----------
    features : ndarray of shape (n_nodes,)
        0 for a leaf.
    thresholds : ndarray of shape (n_nodes,), float32
        A value goes left where its float32 is less.
    missing_right : ndarray of shape (n_nodes,)
        Where a missing value goes.
    children : ndarray of shape (2 * n_nodes,)
        The left and right child of node i at ``2i`` and ``2i + 1``; a leaf is its own child.
    values : ndarray of shape (n_nodes,), float32
        What a leaf adds.
    roots : ndarray of shape (n_trees,)
    outputs : ndarray of shape (n_trees,)
        The output that each tree adds to.
    depth : int
    n_outputs : int
    """

    features: IntArray
    thresholds: np.ndarray
    missing_right: BoolArray
    children: IntArray
    values: np.ndarray
    roots: IntArray
    outputs: IntArray
    depth: int
    n_outputs: int

    @classmethod
    def of(cls, booster: xgboost.Booster, n_outputs: int) -> TreeArrays:
        """Read a booster's trees."""
        model = _model(json.loads(booster.save_raw("json")))
        trees = model["trees"]
        sizes = np.array([len(tree["left_children"]) for tree in trees])
        roots = np.concatenate([[0], sizes.cumsum()[:-1]]).astype(np.int64)
        offsets = np.repeat(roots, sizes)
        left = _joined(trees, "left_children", np.int64)
        right = _joined(trees, "right_children", np.int64)
        leaf = left == -1
        own = np.arange(len(left))
        left, right = np.where(leaf, own, left + offsets), np.where(leaf, own, right + offsets)
        conditions = _joined(trees, "split_conditions", np.float32)
        return cls(
            features=np.where(leaf, 0, _joined(trees, "split_indices", np.int64)),
            thresholds=np.where(leaf, np.float32(np.inf), conditions),
            missing_right=~leaf & (_joined(trees, "default_left", np.int64) == 0),
            children=np.stack([left, right], axis=1).ravel(),
            values=np.where(leaf, conditions, np.float32(0)),
            roots=roots,
            outputs=np.array(model["tree_info"], dtype=np.int64),
            depth=_depth(left, right, roots),
            n_outputs=n_outputs,
        )

    def __len__(self) -> int:
        return len(self.roots)

    @property
    def is_leaf(self) -> BoolArray:
        """Which nodes are leaves: ``(n_nodes,)``."""
        return np.asarray(self.children[::2] == np.arange(len(self.features)))

    def nodes_of(self, tree: int) -> tuple[int, int]:
        """Give the first node of a tree, and the one after its last."""
        end = self.roots[tree + 1] if tree + 1 < len(self.roots) else len(self.features)
        return int(self.roots[tree]), int(end)

    def outputs_of_row(self, row: ReadableRows) -> FloatArray:
        """Walk one row ``(n_readable,)`` down all trees at once: ``(n_outputs,)``.

        For one row this takes a fraction of what a call of xgboost costs.
        """
        values = row.astype(np.float32)
        missing = np.isnan(values)
        some_missing = bool(missing.any())
        nodes = self.roots
        for _ in range(self.depth):
            features = self.features.take(nodes)
            right = values.take(features) >= self.thresholds.take(nodes)
            if some_missing:
                right |= missing.take(features) & self.missing_right.take(nodes)
            nodes = self.children.take(2 * nodes + right)
        added = self.values.take(nodes).astype(np.float64)
        return np.asarray(np.bincount(self.outputs, added, minlength=self.n_outputs), np.float64)


def on_a_grid(booster: xgboost.Booster) -> xgboost.Booster:
    """Round the leaves to multiples of a power of two, so that float32 sums of them are exact.

    xgboost adds leaves up in float32, in which a sum of hundreds loses digits, and other ones in
    each order. Where every leaf is a multiple of q and no sum can exceed ``2**24 q``, every partial
    sum is a float32: any program that adds the leaves, in any order and precision, gets the same.
    The rounding moves an output by about ``q / 4 * sqrt(n_trees)``, some 1e-5 of its range.

    Parameters
    ----------
    booster : xgboost.Booster

    Returns
    -------
    xgboost.Booster
        Another one.
    """
    import xgboost

    document = json.loads(booster.save_raw("json"))
    model = _model(document)
    reach: dict[int, float] = {}
    for tree, output in zip(model["trees"], model["tree_info"], strict=True):
        leaves = np.asarray(tree["split_conditions"])[np.asarray(tree["left_children"]) == -1]
        reach[output] = reach.get(output, 0.0) + float(np.abs(leaves).max())
    # Rounding lengthens a leaf by half a step, which is less than `largest` of the last digit.
    largest = max(max(reach.values()), 1e-30) * (1 + len(model["trees"]) * 2.0**-FLOAT32_DIGITS)
    step = 2.0 ** (np.ceil(np.log2(largest)) - FLOAT32_DIGITS)
    for tree in model["trees"]:
        conditions = np.asarray(tree["split_conditions"], dtype=np.float64)
        leaf = np.asarray(tree["left_children"]) == -1
        conditions[leaf] = np.round(conditions[leaf] / step) * step
        tree["split_conditions"] = conditions.tolist()
    rounded = xgboost.Booster()
    rounded.load_model(bytearray(json.dumps(document).encode()))
    return rounded


def _model(document: Json) -> Json:
    return dict(document["learner"]["gradient_booster"]["model"])


def _joined(trees: list[Json], key: str, dtype: type) -> np.ndarray:
    return np.concatenate([np.asarray(tree[key], dtype=dtype) for tree in trees])


def _depth(left: IntArray, right: IntArray, roots: IntArray) -> int:
    """Count the steps after which every row is in a leaf."""
    depth, level = 0, roots[left[roots] != roots]
    while len(level):
        level = np.concatenate([left[level], right[level]])
        level = level[left[level] != level]
        depth += 1
    return depth
