"""Every student as an ONNX graph of its readable features."""

from __future__ import annotations

import numpy as np

from explain_distill._preparation import FURTHEST, Preparation
from explain_distill._types import IntArray
from explain_distill.students.additive import Additive
from explain_distill.students.additive_bins import MISSING
from explain_distill.students.base import Student
from explain_distill.students.export.of_students import readable_columns, tree_model
from explain_distill.students.export.onnx_graph import INPUT, Graph
from explain_distill.students.export.onnx_trees import tree_graph
from explain_distill.students.mlp import MLP
from explain_distill.students.soft_tree import SoftTree
from explain_distill.students.stepwise import StepwiseStudent
from explain_distill.students.tree_parts import SMALLEST

INPUTS = (
    "Column i of the input is feature i: the value of its column in raw units, 0 for false and 1 "
    "for true, NaN where it is missing. A feature with a level is 1 where its column holds that "
    "level, else 0, also where the column is missing."
)


def onnx_model(student: Student) -> bytes:
    """Write a fitted student as an ONNX model.

    Its input ``readable`` is what the student takes: doubles ``(n, n_readable)``, in raw units, NaN
    for missing; imputation and scaling are part of the graph. Its outputs are ``probabilities``
    ``(n, n_classes)`` and ``label`` ``(n,)``, or ``value`` ``(n,)``. The metadata names classes and
    features, with the column and the level that each is made of, and says how. It needs a runtime
    with opset 18 of ONNX and 5 of ai.onnx.ml.

    Raises
    ------
    MissingDependencyError
        Where onnx is not installed.
    DataError
        Where the student has no such form.
    """
    graph = Graph(student.n_features_in_)
    if isinstance(student, SoftTree):
        _soft_tree(graph, student)
    elif isinstance(student, MLP):
        _perceptron(graph, student)
    elif isinstance(student, Additive):
        _additive(graph, student)
    else:
        tree_graph(graph, tree_model(student))
    features, columns = student.readable_features(), readable_columns(student)
    about = {
        "student": student.NAME,
        "features": [feature.name for feature in features],
        "columns": [columns[feature.column].name for feature in features],
        "levels": [feature.level for feature in features],
        "how_to_read": INPUTS,
        "classes": student.class_names() if student.task == "classification" else [],
    }
    return graph.model(about)


def _prepared(graph: Graph, preparation: Preparation) -> str:
    """Impute, scale and indicate: ``(n, n_prepared)``."""
    missing = graph.add("IsNaN", INPUT)
    filled = graph.add("Where", missing, graph.constant(preparation.fill), INPUT)
    centred = graph.add("Sub", filled, graph.constant(preparation.centre))
    scaled = graph.add("Div", centred, graph.constant(preparation.scale))
    scaled = graph.add("Clip", scaled, graph.constant(-FURTHEST), graph.constant(FURTHEST))
    if not len(preparation.indicated):
        return scaled
    indicated = graph.constant(preparation.indicated.astype(np.int64))
    indicators = graph.as_double(graph.add("Gather", missing, indicated, axis=1))
    return graph.add("Concat", scaled, indicators, axis=1)


def _affine(graph: Graph, inputs: str, weights: np.ndarray, biases: np.ndarray) -> str:
    product = graph.add("MatMul", inputs, graph.constant(weights))
    return graph.add("Add", product, graph.constant(biases))


def _perceptron(graph: Graph, student: MLP) -> None:
    hidden = _prepared(graph, student.preparation_)
    for weights, biases in zip(student.weights_[:-1], student.biases_[:-1], strict=True):
        raw = _affine(graph, hidden, weights, biases)
        hidden = graph.add("Mul", raw, graph.add("Sigmoid", raw))
    outputs = _affine(graph, hidden, student.weights_[-1], student.biases_[-1])
    _finished(graph, student, outputs)


def _finished(graph: Graph, student: StepwiseStudent, outputs: str) -> None:
    """Undo centring and temperature, as the student does with its outputs."""
    if student.task == "regression":
        centre = graph.constant(student.output_centre_)
        graph.answer_with_value(graph.add("Add", outputs, centre))
    else:
        scores = graph.add("Mul", outputs, graph.constant(float(student.temperature)))
        graph.answer_with_scores(scores, student.class_names())


def _soft_tree(graph: Graph, tree: SoftTree) -> None:
    weights = tree.gate_weights_ * tree.inverse_temperatures_
    biases = tree.gate_biases_ * tree.inverse_temperatures_
    prepared = _prepared(graph, tree.preparation_)
    logits = _affine(graph, prepared, weights, biases)
    if tree.inference == "hard":
        right = graph.as_double(graph.add("Greater", logits, graph.constant(0.0)))
        left = graph.add("Sub", graph.constant(1.0), right)
    else:
        right = graph.add("Sigmoid", logits)
        left = graph.add("Sigmoid", graph.add("Neg", logits))
    shares = _leaf_shares(graph, right, left, tree.children_)
    if tree.inference == "path":
        likeliest = graph.add("ArgMax", shares, axis=1, keepdims=0)
        n_leaves = graph.constant([len(tree.leaf_outputs_)])
        chosen = graph.add("OneHot", likeliest, n_leaves, graph.constant([0, 1]))
        shares = graph.as_double(chosen)
    if tree.leaf_weights_ is not None:
        outputs = _linear_leaves(graph, tree, shares, prepared)
    elif tree.inference != "mixture" or tree.task == "regression":
        outputs = graph.add("MatMul", shares, graph.constant(tree.leaf_outputs_))
    else:
        mixed = graph.add("MatMul", shares, graph.constant(np.exp(tree.leaf_outputs_)))
        outputs = graph.add("Log", graph.add("Max", mixed, graph.constant(SMALLEST)))
    _finished(graph, tree, outputs)


def _linear_leaves(graph: Graph, tree: SoftTree, shares: str, prepared: str) -> str:
    """Mix what linear leaves hold of a row: ``(n, n_scores)``."""
    assert tree.leaf_weights_ is not None
    n_leaves, n_prepared, n_scores = tree.leaf_weights_.shape
    slopes = tree.leaf_weights_.transpose(1, 0, 2).reshape(n_prepared, n_leaves * n_scores)
    held = _affine(graph, prepared, slopes, tree.leaf_outputs_.ravel())
    held = graph.add("Reshape", held, graph.constant([-1, n_leaves, n_scores]))
    weighed = graph.add("Mul", held, graph.add("Unsqueeze", shares, graph.constant([2])))
    return graph.add("ReduceSum", weighed, graph.constant([1]), keepdims=0)


def _additive(graph: Graph, model: Additive) -> None:
    """Find each value's bin, look the terms up in their tables, and add them up."""
    terms = model.sum_
    scores = graph.constant(model.intercepts_[None])
    if len(terms.axes):
        values = graph.add("Gather", INPUT, graph.constant(terms.features), axis=1)
        single = graph.add("Unsqueeze", values, graph.constant([2]))
        above = graph.add("GreaterOrEqual", single, graph.constant(terms.padded))
        counted = graph.add("Cast", above, to=graph.onnx.TensorProto.INT64)
        bins = graph.add("ReduceSum", counted, graph.constant([2]), keepdims=0)
        bins = graph.add("Add", bins, graph.constant(1))
        missing = graph.add("IsNaN", values)
        bins = graph.add("Where", missing, graph.constant(MISSING), bins)
        sides = graph.add("Gather", bins, graph.constant(terms.axes), axis=1)
        steps = graph.add("Mul", sides, graph.constant(terms.strides))
        cells = graph.add("ReduceSum", steps, graph.constant([2]), keepdims=0)
        cells = graph.add("Add", cells, graph.constant(terms.starts))
        added = graph.add("Gather", graph.constant(terms.tables), cells, axis=0)
        summed = graph.add("ReduceSum", added, graph.constant([1]), keepdims=0)
        scores = graph.add("Add", summed, scores)
    else:
        scores = graph.for_every_row(scores)
    if model.task == "regression":
        graph.answer_with_value(scores)
    else:
        graph.answer_with_scores(scores, model.class_names())


def _leaf_shares(graph: Graph, right: str, left: str, children: IntArray) -> str:
    """Multiply the sides on each leaf's path, level by level: ``(n, n_leaves)``."""
    sides = graph.add("Concat", right, left, axis=1)
    sides = graph.add("Pad", sides, graph.constant([0, 0, 0, 1]), graph.constant(1.0))
    paths = _paths(children)
    shares = ""
    for level in range(paths.shape[1]):
        side = graph.add("Gather", sides, graph.constant(paths[:, level]), axis=1)
        shares = graph.add("Mul", shares, side) if shares else side
    return shares


def _paths(children: IntArray) -> IntArray:
    """Give the sides on each leaf's path ``(n_leaves, depth)``.

    Side ``i`` is right of gate i, side ``n_gates + i`` left of it, and side ``2 * n_gates`` stands
    for the end of a path that is shorter than others.
    """
    gates = len(children)
    ways: dict[int, list[int]] = {0: []}
    for gate, (left, right) in enumerate(children.tolist()):
        ways[left] = [*ways[gate], gates + gate]
        ways[right] = [*ways[gate], gate]
    paths = [ways[-1 - leaf] for leaf in range(gates + 1)]
    depth = max(map(len, paths))
    return np.array([path + [2 * gates] * (depth - len(path)) for path in paths], dtype=np.int64)
