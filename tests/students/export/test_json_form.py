import json

import numpy as np
import pytest
from export_cases import DATA, TREES, answers, edge_rows

from explain_distill.students.export.forms import exported


def goes_right(node, values, features):
    """Answer a question as `how_to_read` says; for a gate the probability."""
    if "feature" in node:
        value, threshold = values[node["feature"]], node["threshold"]
        if value is None:
            return float(node["missing"] == "right")
        return float(value >= threshold if node["right"] == "from" else value > threshold)
    z = node["bias"]
    for place, weight in node["weights"]:
        value = values[place]
        if value is None:
            value = features[place]["fill"]
        z += weight * (value - features[place]["centre"])
    z += sum(weight for place, weight in node["missing"] if values[place] is None)
    return 1 / (1 + np.exp(-np.clip(z, -700, 700)))


def answer(node, values, document):
    if "leaf" in node:
        return np.array(node["leaf"])
    right = goes_right(node, values, document["features"])
    if document["combination"] == "leaf":
        right = float(right > 0.5)
    sides = [(right, node["right"]), (1 - right, node["left"])]
    return sum(p * answer(side, values, document) for p, side in sides if p)


def asked(document, values):
    """Predict one row as `how_to_read` says."""
    summed = sum(answer(tree, values, document) for tree in document["trees"])
    if document["combination"] == "sum":
        summed = summed + document["base"]
    if document["task"] == "regression":
        return summed
    if document["combination"] == "sum":
        scores = np.array([0, summed[0]]) if len(summed) == 1 else summed
        powers = np.exp(scores - scores.max())
    elif document["combination"] == "mixture":
        powers = np.maximum(summed, 1e-37) ** document["temperature"]
    else:
        powers = summed
    return powers / powers.sum()


@pytest.mark.parametrize("table", DATA)
@pytest.mark.parametrize("name", [name for name in TREES if name != "sharpened"])
def test_the_json_holds_all_that_a_prediction_needs(name, table, students, tables):
    student, data = students(name, table), tables[table]
    document = json.loads(exported(student, "json"))
    X = edge_rows(data, 20)
    rows = data.readable_features.transform(X)
    told = [asked(document, [None if np.isnan(v) else v for v in row]) for row in rows]
    assert np.array(told) == pytest.approx(answers(student, data, X), rel=1e-9, abs=1e-9)


def test_names_stay_what_they_are(students, tables):
    document = json.loads(exported(students("hard", "three-classes"), "json"))
    data = tables["three-classes"]
    assert document["classes"] == list(data.task.class_names)
    assert [f["name"] for f in document["features"]] == data.readable_features.names
