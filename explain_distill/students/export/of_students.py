"""Fitted students in the neutral form of trees."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import softmax

from explain_distill._preparation import Preparation
from explain_distill._types import FloatArray
from explain_distill.data.features import Feature
from explain_distill.exceptions import DataError
from explain_distill.students.base import Student
from explain_distill.students.boosted_trees import BoostedTrees
from explain_distill.students.decision_tree import DecisionTree
from explain_distill.students.export.tree_model import Branch, Gate, Split, Sum, Tree, TreeModel
from explain_distill.students.soft_tree import SoftTree

if TYPE_CHECKING:
    from explain_distill.students.tree_arrays import TreeArrays


def tree_model(student: Student) -> TreeModel:
    """Give a fitted student made of trees in the neutral form.

    Raises
    ------
    DataError
        Where the student is not made of trees, or holds a number that is not finite.
    """
    of_kind = {
        SoftTree: _of_soft_tree,
        BoostedTrees: _of_boosted_trees,
        DecisionTree: _of_decision_tree,
    }
    made = next((of_kind[kind] for kind in of_kind if isinstance(student, kind)), None)
    if made is None:
        raise DataError(
            f"A student must be made of trees to be written so; however, {student.NAME!r} is "
            "not. Perceptrons and additive models can be exported as onnx."
        )
    with np.errstate(over="ignore"):
        model = made(student)
    if not all(map(isfinite, model.numbers)):
        raise DataError(
            f"A student's numbers must be finite in raw units; however, {student.NAME!r} holds "
            "one that is not. Distil it again."
        )
    return model


def _described(student: Student) -> dict[str, Any]:
    """Give what every model says of its inputs and its answers."""
    features = student.readable_features()
    return {
        "student": student.NAME,
        "task": student.task,
        "class_names": tuple(student.class_names()),
        "columns": readable_columns(student),
        "features": features,
    }


def readable_columns(student: Student) -> tuple[Feature, ...]:
    """Give the raw columns that a student's features are made of; of molecules the features."""
    if hasattr(student, "schema_") and student.schema_.molecules is None:
        return student.schema_.features
    return tuple(Feature(each.name, unit=each.unit) for each in student.readable_features())


def _of_soft_tree(tree: SoftTree) -> TreeModel:
    """Fold scaling and inverse temperatures into weights a raw unit."""
    if tree.inference == "path":
        raise DataError(
            "A soft tree as text must answer by its mixture, or question by question; however, "
            "this one answers with its most probable path. Export it as onnx, or set "
            "inference='hard'."
        )
    preparation = tree.preparation_
    biases = tree.gate_biases_ * tree.inverse_temperatures_
    gates = _sums(preparation, tree.gate_weights_ * tree.inverse_temperatures_)
    branches = tuple(
        Branch(Gate(gate.weights, gate.missing_weights, float(bias)), int(left), int(right))
        for gate, bias, (left, right) in zip(gates, biases, tree.children_, strict=True)
    )
    hard, linear = tree.inference == "hard", tree.leaf_weights_ is not None
    classify, temperature = tree.task == "classification", float(tree.temperature)
    leaves = tree.leaf_outputs_ + tree.output_centre_
    if classify and linear:
        leaves = tree.leaf_outputs_ * temperature
    elif classify:
        leaves = softmax(tree.leaf_outputs_ * (temperature if hard else 1.0), axis=1)
    slopes: tuple[tuple[Sum, ...], ...] = ()
    if tree.leaf_weights_ is not None:
        weights = tree.leaf_weights_
        if classify:
            leaves = leaves - leaves.mean(axis=1, keepdims=True)
            weights = (weights - weights.mean(axis=2, keepdims=True)) * temperature
        slopes = tuple(_sums(preparation, leaf) for leaf in weights)
    return TreeModel(
        **_described(tree),
        trees=(Tree(branches, tuple(map(tuple, leaves.tolist())), slopes),),
        combination="leaf" if hard else "mixture",
        fill=tuple(preparation.fill.tolist()),
        centre=tuple(preparation.centre.tolist()),
        temperature=1.0 if linear else temperature,
    )


def _sums(preparation: Preparation, weights: FloatArray) -> tuple[Sum, ...]:
    """Turn weights of prepared columns ``(n_prepared, n_sums)`` into sums in raw units."""
    n = len(preparation.fill)
    raw = weights[:n] / preparation.scale[:, None]  # the scale of a constant is infinite
    indicated = preparation.indicated.tolist()
    order = np.argsort(-np.abs(weights[:n]), axis=0, kind="stable")  # the heaviest comes first
    return tuple(
        Sum(_kept(first.tolist(), values[first]), _kept(indicated, missing))
        for first, values, missing in zip(order.T, raw.T, weights[n:].T, strict=True)
    )


def _kept(features: Any, weights: np.ndarray) -> tuple[tuple[int, float], ...]:
    return tuple(
        (int(feature), float(weight))
        for feature, weight in zip(features, weights, strict=True)
        if weight
    )


def _of_decision_tree(tree: DecisionTree) -> TreeModel:
    branches = tuple(
        Branch(
            Split(
                int(tree.feature_[split]),
                float(tree.threshold_[split]),
                inclusive=False,
                missing_right=not tree.missing_left_[split],
            ),
            int(left),
            int(right),
        )
        for split, (left, right) in enumerate(tree.children_)
    )
    linear, preparation = tree.linear_leaves_, tree.preparation_
    if linear is not None and preparation is not None:
        slopes = tuple(
            _sums(preparation, linear.slopes(leaf, preparation.n_prepared))
            for leaf in range(len(tree.leaf_outputs_))
        )
        return TreeModel(
            **_described(tree),
            trees=(Tree(branches, tuple(map(tuple, linear.constants.tolist())), slopes),),
            combination="leaf",
            fill=tuple(preparation.fill.tolist()),
            centre=tuple(preparation.centre.tolist()),
        )
    leaves = tree.leaf_outputs_
    if tree.task == "classification":
        leaves = softmax(leaves, axis=1)
    return TreeModel(
        **_described(tree),
        trees=(Tree(branches, tuple(map(tuple, leaves.tolist()))),),
        combination="leaf",
    )


def _of_boosted_trees(student: BoostedTrees) -> TreeModel:
    arrays = student.tree_arrays_
    return TreeModel(
        **_described(student),
        trees=tuple(
            _boosted_tree(arrays, number, student.output_scale_) for number in range(len(arrays))
        ),
        combination="sum",
        base=tuple(student.output_centre_.tolist()),
    )


def _boosted_tree(arrays: TreeArrays, number: int, scale: float) -> Tree:
    """Give one tree; its leaves add to one output, and in units of the score."""
    first, last = arrays.nodes_of(number)
    leaf = arrays.is_leaf[first:last]
    places = np.where(leaf, -1 * np.cumsum(leaf), np.cumsum(~leaf) - 1).tolist()
    branches = []
    for node in np.flatnonzero(~leaf) + first:
        threshold, inclusive = as_double(arrays.thresholds[node])
        left, right = arrays.children[2 * node : 2 * node + 2]
        split = Split(
            int(arrays.features[node]), threshold, inclusive, bool(arrays.missing_right[node])
        )
        branches.append(Branch(split, places[left - first], places[right - first]))
    leaves = np.zeros((int(leaf.sum()), arrays.n_outputs))
    leaves[:, arrays.outputs[number]] = arrays.values[first:last][leaf].astype(np.float64) * scale
    return Tree(tuple(branches), tuple(map(tuple, leaves.tolist())))


def as_double(threshold: np.float32) -> tuple[float, bool]:
    """Give the threshold of doubles at which their float32 reaches `threshold`.

    Returns
    -------
    threshold : float
        Half-way between `threshold` and the float32 below it, which a double holds exactly.
    inclusive : bool
        Whether this double itself is rounded up, to `threshold`: ties go to the even one.
    """
    below = np.nextafter(threshold, np.float32(-np.inf))
    middle = (float(below) + float(threshold)) / 2
    return middle, bool(np.float32(middle) == threshold)
