"""Trees as JSON: all that a program needs to predict as the student does."""

from __future__ import annotations

import json
from dataclasses import asdict

from explain_distill._types import Json
from explain_distill.students.export.tree_model import Gate, Split, Sum, Tree, TreeModel

FORMAT = 4

HOW_TO_READ = {
    "leaf": "A row goes down the one tree and answers with its leaf.",
    "mixture": (
        "A row goes both ways at each branch, right with probability 1 / (1 + exp(-z)); the answer "
        "is the mean of the leaves' answers, weighted by the product of the probabilities on their "
        "path. Probabilities are then raised to the power of `temperature` and made to sum to 1."
    ),
    "sum": (
        "A row goes down each tree; `base` and the leaves add up. Of one output for two classes "
        "the sum is the log-odds of the second; of several outputs, softmax gives probabilities."
    ),
}
MIXED_SUMS = (
    "A row goes both ways at each branch, right with probability 1 / (1 + exp(-z)); the answer is "
    "the mean of the leaves' answers, weighted by the product of the probabilities on their path."
)
FEATURES = (
    "A feature is the value of its `column`, 0 for false and 1 for true. One with a `level` is 1 "
    "where the column holds that level, else 0, also where the column is missing: only a feature "
    "without a level can be missing."
)
SUMS = (
    "A sum is that of weight * (feature - its `centre`), where a missing feature stands at its "
    "`fill`, + the weights in `missing` of the features that are missing."
)
GATES = "z = bias + the sum."
SLOPES = "A leaf's answer is `leaf` + the sum in `slopes`, output by output."
SCORES = "These are scores: softmax of the answer gives probabilities."
HARD = "A row goes right where z > 0, else left."
SPLITS = (
    "A row goes right where the feature is above `threshold`, left where it is below, and to the "
    "side that `at_threshold` names where the two are equal; where it can be missing, `missing` "
    "names the side."
)


def json_rules(model: TreeModel) -> str:
    """Write the model as JSON; `how_to_read` in it says what its parts mean."""
    reading = [MIXED_SUMS if _mixes_sums(model) else HOW_TO_READ[model.combination], FEATURES]
    if model.gated or model.linear:
        reading.append(SUMS)
    reading.append(GATES if model.gated else SPLITS)
    if model.gated and model.combination == "leaf":
        reading.append(HARD)
    if model.linear:
        reading += [SLOPES] if model.task == "regression" else [SLOPES, SCORES]
    document = {
        "format": FORMAT,
        "student": model.student,
        "task": model.task,
        "how_to_read": " ".join(reading),
        "classes": list(model.class_names) if model.task == "classification" else None,
        "columns": [asdict(column) for column in model.columns],
        "features": _features(model),
        "combination": model.combination,
        "leaves": _held(model),
        "temperature": model.temperature,
        "base": list(model.base),
        "trees": [_node(model, tree, tree.root) for tree in model.trees],
    }
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _mixes_sums(model: TreeModel) -> bool:
    return model.linear and model.combination == "mixture"


def _held(model: TreeModel) -> str:
    """Say what leaves hold, and what a mixture or a sum of them is."""
    if model.task == "regression":
        return "value"
    if model.combination == "sum":
        return "log-odds" if len(model.base) == 1 else "scores"
    return "scores" if model.linear else "probabilities"


def _features(model: TreeModel) -> list[Json]:
    described = []
    for number, feature in enumerate(model.features):
        told: Json = {
            "name": feature.name,
            "column": model.columns[feature.column].name,
            "level": feature.level,
            "unit": feature.unit,
        }
        if model.fill and feature.level is None:
            told["fill"] = model.fill[number]
        if model.centre:
            told["centre"] = model.centre[number]
        described.append(told)
    return described


def _node(model: TreeModel, tree: Tree, place: int) -> Json:
    """Describe a branch with all below it; features by their place in `features`."""
    if place < 0:
        leaf: Json = {"leaf": list(tree.leaves[-1 - place])}
        if tree.slopes:
            leaf["slopes"] = [_sum(model, each) for each in tree.slopes[-1 - place]]
        return leaf
    branch = tree.branches[place]
    return {
        **_question(model, branch.question),
        "left": _node(model, tree, branch.left),
        "right": _node(model, tree, branch.right),
    }


def _question(model: TreeModel, question: Split | Gate) -> Json:
    """Describe a question; it says nothing of missing levels, which there are none of."""
    if isinstance(question, Gate):
        return {"bias": question.bias, **_sum(model, question)}
    told: Json = {
        "feature": question.feature,
        "threshold": question.threshold,
        "at_threshold": "right" if question.inclusive else "left",
    }
    if model.features[question.feature].level is None:
        told["missing"] = "right" if question.missing_right else "left"
    return told


def _sum(model: TreeModel, each: Sum) -> Json:
    return {
        "weights": [list(pair) for pair in each.weights],
        "missing": [
            [feature, weight]
            for feature, weight in each.missing_weights
            if model.features[feature].level is None
        ],
    }
