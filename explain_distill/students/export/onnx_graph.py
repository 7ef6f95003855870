"""An ONNX graph under construction."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from explain_distill._optional import require

OPSETS = {"": 18, "ai.onnx.ml": 5}
IR_VERSION = 10
INPUT = "readable"


class Graph:
    """A graph of one input, to which each call adds a node.

    All numbers in it are doubles, so that it answers as the student does. Nodes are named by their
    outputs, which `add` gives back.

    Parameters
    ----------
    n_readable : int
        Columns of the input.

    Raises
    ------
    MissingDependencyError
        Where onnx is not installed.
    """

    def __init__(self, n_readable: int) -> None:
        self.onnx: Any = require("onnx", "blackbox")
        self.n_readable = n_readable
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """Add a node, and give the name of its output."""
        name = output or f"{operator}_{len(self.nodes)}"
        domain = "ai.onnx.ml" if operator == "TreeEnsemble" else ""
        self.nodes.append(
            self.onnx.helper.make_node(operator, inputs, [name], domain=domain, **attributes)
        )
        return name

    def constant(self, values: Any) -> str:
        """Keep an array, and give its name."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(self.tensor(values, name))
        return name

    def tensor(self, values: Any, name: str = "") -> Any:
        """Turn an array, or a list of texts, into a tensor."""
        return self.onnx.numpy_helper.from_array(np.asarray(values), name)

    def as_double(self, name: str) -> str:
        """Turn truth values or whole numbers into doubles."""
        return self.add("Cast", name, to=self.onnx.TensorProto.DOUBLE)

    def for_every_row(self, values: str) -> str:
        """Repeat values ``(1, n_outputs)`` for each row of the input."""
        rows = self.add("Shape", INPUT, start=0, end=1)
        shape = self.add("Concat", rows, self.constant([1]), axis=0)
        return self.add("Expand", values, shape)

    def answer_with_scores(self, scores: str, class_names: list[str]) -> None:
        """Answer ``probabilities`` and ``label`` from scores, up to a row's constant."""
        self.answer_with_probabilities(self.add("Softmax", scores, axis=1), class_names)

    def answer_with_probabilities(self, probabilities: str, class_names: list[str]) -> None:
        """Answer ``probabilities`` ``(n, n_classes)`` and ``label`` ``(n,)``, a class's name."""
        self.add("Identity", probabilities, output="probabilities")
        best = self.add("ArgMax", "probabilities", axis=1, keepdims=0)
        names = self.constant(np.array(class_names, dtype=object))
        self.add("Gather", names, best, output="label")
        self.outputs = {
            "probabilities": ("DOUBLE", ["n", len(class_names)]),
            "label": ("STRING", ["n"]),
        }

    def answer_with_value(self, values: str) -> None:
        """Answer ``value`` ``(n,)`` from values ``(n, 1)``."""
        self.add("Squeeze", values, self.constant([1]), output="value")
        self.outputs = {"value": ("DOUBLE", ["n"])}

    def model(self, about: dict[str, Any]) -> bytes:
        """Give the model, checked, with `about` as its metadata."""
        helper, kinds = self.onnx.helper, self.onnx.TensorProto
        rows = helper.make_tensor_value_info(INPUT, kinds.DOUBLE, ["n", self.n_readable])
        outputs = [
            helper.make_tensor_value_info(name, getattr(kinds, kind), shape)
            for name, (kind, shape) in self.outputs.items()
        ]
        graph = helper.make_graph(self.nodes, "student", [rows], outputs, self.constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="explain-distill"
        )
        helper.set_model_props(model, {key: json.dumps(value) for key, value in about.items()})
        self.onnx.checker.check_model(model)
        return bytes(model.SerializeToString())
