"""Boosted trees as flat arrays: to walk a row down them, to keep them, to write them elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from explain_distill._arrays import take_checked
from explain_distill._types import BoolArray, FloatArray, IntArray, ReadableRows

FLOAT32_DIGITS = 24  # bits of a float32's significand
KINDS: dict[str, type] = {
    "features": np.int64,
    "thresholds": np.float32,
    "missing_right": np.bool_,
    "values": np.float32,
    "covers": np.float32,
    "gains": np.float32,
}
"""The arrays with one entry a node."""


@dataclass(frozen=True, eq=False)
class TreeArrays:
    """The nodes of all trees, tree by tree, each node after the one that leads to it.

    Parameters
    ----------
    features : ndarray of shape (n_nodes,)
        0 for a leaf.
    thresholds : ndarray of shape (n_nodes,), float32
        A value goes left where its float32 is less; 0 for a leaf.
    missing_right : ndarray of shape (n_nodes,)
        Where a missing value goes; False for a leaf.
    values : ndarray of shape (n_nodes,), float32
        What a leaf adds; 0 for a node with a question.
    covers, gains : ndarray of shape (n_nodes,), float32
        The weight of the rows that a node was fitted to, and what its split gained: 0 for a leaf.
    children : ndarray of shape (2 * n_nodes,)
        The left and right child of node i at ``2i`` and ``2i + 1``; a leaf is its own child.
    roots : ndarray of shape (n_trees,)
    outputs : ndarray of shape (n_trees,)
        The output that each tree adds to.
    n_outputs : int
    """

    features: IntArray
    thresholds: np.ndarray
    missing_right: BoolArray
    values: np.ndarray
    covers: np.ndarray
    gains: np.ndarray
    children: IntArray
    roots: IntArray
    outputs: IntArray
    n_outputs: int

    def __len__(self) -> int:
        return len(self.roots)

    @cached_property
    def depth(self) -> int:
        """The most questions on a path."""
        left, right = self.children.reshape(-1, 2).T
        depth, level = 0, self.roots[left[self.roots] != self.roots]
        while len(level):
            level = np.concatenate([left[level], right[level]])
            level = level[left[level] != level]
            depth += 1
        return depth

    @cached_property
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
            right = values.take(features) >= self.thresholds.take(nodes)  # whatever, in a leaf
            if some_missing:
                right |= missing.take(features) & self.missing_right.take(nodes)
            nodes = self.children.take(2 * nodes + right)
        added = self.values.take(nodes).astype(np.float64)
        return np.asarray(np.bincount(self.outputs, added, minlength=self.n_outputs), np.float64)

    def on_a_grid(self) -> TreeArrays:
        """Round the leaves to multiples of a power of two, so that float32 sums of them are exact.

        xgboost adds leaves up in float32, in which a sum of hundreds loses digits, and other ones
        in each order. Where every leaf is a multiple of q and no sum can exceed ``2**24 q``, every
        partial sum is a float32: any program that adds the leaves, in any order and precision, gets
        the same. The rounding moves an output by about ``q / 4 * sqrt(n_trees)``, some 1e-5 of its
        range.
        """
        largest = np.maximum.reduceat(np.abs(self.values), self.roots).astype(np.float64)
        reach = np.bincount(self.outputs, largest, minlength=self.n_outputs).max()
        # Rounding lengthens a leaf by half a step, which is less than `reach` of the last digit.
        reach = max(float(reach), 1e-30) * (1 + len(self) * 2.0**-FLOAT32_DIGITS)
        step = 2.0 ** (np.ceil(np.log2(reach)) - FLOAT32_DIGITS)
        rounded = np.round(self.values.astype(np.float64) / step) * step
        return replace(self, values=rounded.astype(np.float32))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Give the arrays by name, for saving."""
        names = (*KINDS, "children", "roots", "outputs")
        return {name: np.ascontiguousarray(getattr(self, name)) for name in names}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, np.ndarray], n_features: int, n_outputs: int
    ) -> TreeArrays:
        """Read what `to_arrays` wrote.

        Raises
        ------
        ValueError
            Where the arrays do not make trees, name a feature or an output that is not there, or
            give a leaf a question or a question a value.
        """
        nodes, trees = np.size(arrays["features"]), np.size(arrays["roots"])
        found: dict[str, np.ndarray] = {}
        for name, kind in KINDS.items():
            found |= take_checked(arrays, {name: (nodes,)}, kind)
        found |= take_checked(arrays, {"children": (2 * nodes,)}, np.int64)
        found |= take_checked(arrays, {"roots": (trees,), "outputs": (trees,)}, np.int64)
        _check_trees(found["children"].reshape(nodes, 2), found["roots"])
        if not 0 <= found["features"].min() <= found["features"].max() < n_features:
            raise ValueError("a tree asks for a feature that is not there")
        rounds, over = divmod(trees, n_outputs)
        if over or not np.array_equal(found["outputs"], np.tile(np.arange(n_outputs), rounds)):
            raise ValueError("each round must have one tree for each output")
        trees_read = cls(**found, n_outputs=n_outputs)
        # xgboost keeps a leaf's value where it keeps a question's threshold: one of them must be 0.
        for name in ("features", "thresholds", "missing_right", "gains"):
            if found[name][trees_read.is_leaf].any():
                raise ValueError(f"{name} must be 0 for a leaf")
        if found["values"][~trees_read.is_leaf].any():
            raise ValueError("values must be 0 for a node with a question")
        return trees_read


def _check_trees(children: IntArray, roots: IntArray) -> None:
    """Refuse children that do not make whole trees, one after another.

    Raises
    ------
    ValueError
    """
    nodes = len(children)
    own = np.arange(nodes)
    leaf = children[:, 0] == own
    if not len(roots) or roots[0] != 0 or (np.diff(roots) <= 0).any() or roots[-1] >= nodes:
        raise ValueError("roots must begin at 0 and increase")
    if (children[leaf, 1] != own[leaf]).any():
        raise ValueError("a leaf must be its own child on both sides")
    below = children[~leaf]
    if not np.array_equal(np.sort(below, axis=None), np.setdiff1d(own, roots)):
        raise ValueError("each node but the roots must be reached once")
    tree = np.searchsorted(roots, own, side="right")
    if (below <= own[~leaf][:, None]).any() or (tree[below] != tree[~leaf][:, None]).any():
        raise ValueError("a node must come after the one that leads to it, in the same tree")
