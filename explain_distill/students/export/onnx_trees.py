"""Trees that ask of one feature at a time, as ONNX's operator for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.students.export.onnx_graph import INPUT, Graph
from explain_distill.students.export.tree_model import Split, Tree, TreeModel

LESS_OR_EQUAL, LESS = 0, 1  # the operator's modes of a node, which is true on the left
SUM, NO_TRANSFORM = 1, 0


def tree_graph(graph: Graph, model: TreeModel) -> None:
    """Write a model of splits; where a row's leaf is its answer, or where leaves add up."""
    if model.combination == "leaf":
        _answer_of_leaf(graph, model)
    else:
        _answer_of_sum(graph, model)


def _answer_of_leaf(graph: Graph, model: TreeModel) -> None:
    """Ask for the leaf's number, and look up what it holds."""
    ensemble = _Ensemble()
    (tree,) = model.trees
    ensemble.take(tree, 0, [float(leaf) for leaf in range(len(tree.leaves))])
    number = graph.add("TreeEnsemble", INPUT, **ensemble.attributes(graph, 1))
    whole = graph.add("Cast", number, to=graph.onnx.TensorProto.INT64)
    flat = graph.add("Squeeze", whole, graph.constant([1]))
    held = graph.add("Gather", graph.constant(np.array(tree.leaves)), flat, axis=0)
    if tree.slopes:
        held = graph.add("Add", held, _slope(graph, model, tree, flat))
    if model.task == "regression":
        graph.answer_with_value(held)
    elif tree.slopes:
        graph.answer_with_scores(held, list(model.class_names))
    else:
        graph.answer_with_probabilities(held, list(model.class_names))


def _slope(graph: Graph, model: TreeModel, tree: Tree, leaf: str) -> str:
    """Write what a row's linear leaf adds: ``(n, n_outputs)``."""
    columns, weights = _terms(tree, len(model.fill))
    missing = graph.add("IsNaN", INPUT)
    filled = graph.add("Where", missing, graph.constant(np.array(model.fill)), INPUT)
    deviations = graph.add("Sub", filled, graph.constant(np.array(model.centre)))
    row = graph.add("Concat", deviations, graph.as_double(missing), axis=1)
    places = graph.add("Gather", graph.constant(columns), leaf, axis=0)
    weighed = graph.add("GatherElements", row, places, axis=1)
    chosen = graph.add("Gather", graph.constant(weights), leaf, axis=0)
    product = graph.add("MatMul", graph.add("Unsqueeze", weighed, graph.constant([1])), chosen)
    return graph.add("Squeeze", product, graph.constant([1]))


def _terms(tree: Tree, n_features: int) -> tuple[IntArray, FloatArray]:
    """Give the columns that each leaf weighs, values then whether missing, and their weights.

    Returns
    -------
    columns : ndarray of shape (n_leaves, n_terms)
    weights : ndarray of shape (n_leaves, n_terms, n_outputs)
    """
    found: list[dict[int, list[float]]] = []
    n_outputs = len(tree.leaves[0])
    for slopes in tree.slopes:
        terms: dict[int, list[float]] = {}
        for output, each in enumerate(slopes):
            missing = ((n_features + feature, weight) for feature, weight in each.missing_weights)
            for column, weight in (*each.weights, *missing):
                terms.setdefault(column, [0.0] * n_outputs)[output] = weight
        found.append(terms)
    n_terms = max(1, *(len(terms) for terms in found))
    columns = np.zeros((len(found), n_terms), dtype=np.int64)
    weights = np.zeros((len(found), n_terms, n_outputs))
    for leaf, terms in enumerate(found):
        columns[leaf, : len(terms)] = list(terms)
        weights[leaf, : len(terms)] = list(terms.values()) or np.zeros((0, n_outputs))
    return columns, weights


def _answer_of_sum(graph: Graph, model: TreeModel) -> None:
    ensemble = _Ensemble()
    for tree in model.trees:
        for output in range(len(model.base)):
            added = [leaf[output] for leaf in tree.leaves]
            if any(added):
                ensemble.take(tree, output, added)
    outputs = graph.constant(np.array([model.base]))
    if ensemble.roots:
        attributes = ensemble.attributes(graph, len(model.base))
        outputs = graph.add("Add", graph.add("TreeEnsemble", INPUT, **attributes), outputs)
    else:
        outputs = graph.for_every_row(outputs)
    if model.task == "regression":
        graph.answer_with_value(outputs)
    elif len(model.base) > 1:
        graph.answer_with_scores(outputs, list(model.class_names))
    else:
        nothing = graph.add("Mul", outputs, graph.constant(0.0))
        scores = graph.add("Concat", nothing, outputs, axis=1)
        graph.answer_with_scores(scores, list(model.class_names))


@dataclass
class _Ensemble:
    """The attributes of ONNX's TreeEnsemble, node by node."""

    features: list[int] = field(default_factory=list)
    thresholds: list[float] = field(default_factory=list)
    modes: list[int] = field(default_factory=list)
    missing_left: list[int] = field(default_factory=list)
    below: dict[bool, list[int]] = field(default_factory=lambda: {True: [], False: []})
    below_is_leaf: dict[bool, list[int]] = field(default_factory=lambda: {True: [], False: []})
    targets: list[int] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)

    def take(self, tree: Tree, output: int, added: list[float]) -> None:
        """Take a tree whose leaves add to one output."""
        first_node, first_leaf = len(self.features), len(self.targets)
        self.roots.append(first_node)
        self.targets += [output] * len(added)
        self.weights += added
        if not tree.branches:  # the operator knows no tree without a question
            self._ask(Split(0, 0.0, False, False), first_leaf, first_leaf, True, True)
        for branch in tree.branches:
            assert isinstance(branch.question, Split)
            left, right = (
                first_node + place if place >= 0 else first_leaf - 1 - place
                for place in (branch.left, branch.right)
            )
            self._ask(branch.question, left, right, branch.left < 0, branch.right < 0)

    def _ask(self, split: Split, left: int, right: int, left_ends: bool, right_ends: bool) -> None:
        self.features.append(split.feature)
        self.thresholds.append(split.threshold)
        self.modes.append(LESS if split.inclusive else LESS_OR_EQUAL)
        self.missing_left.append(int(not split.missing_right))
        for side, place, ends in ((True, left, left_ends), (False, right, right_ends)):
            self.below[side].append(place)
            self.below_is_leaf[side].append(int(ends))

    def attributes(self, graph: Graph, n_outputs: int) -> dict[str, Any]:
        return {
            "aggregate_function": SUM,
            "post_transform": NO_TRANSFORM,
            "n_targets": n_outputs,
            "tree_roots": self.roots,
            "nodes_featureids": self.features,
            "nodes_splits": graph.tensor(np.array(self.thresholds, dtype=np.float64)),
            "nodes_modes": graph.tensor(np.array(self.modes, dtype=np.uint8)),
            "nodes_missing_value_tracks_true": self.missing_left,
            "nodes_truenodeids": self.below[True],
            "nodes_trueleafs": self.below_is_leaf[True],
            "nodes_falsenodeids": self.below[False],
            "nodes_falseleafs": self.below_is_leaf[False],
            "leaf_targetids": self.targets,
            "leaf_weights": graph.tensor(np.array(self.weights, dtype=np.float64)),
        }
