import json

import numpy as np
import pytest
from export_cases import DATA, TREES, answers, edge_rows, records

from explain_distill import BoostedTrees
from explain_distill.students.export.forms import exported

FEATURES = (
    "A feature is the value of its `column`, 0 for false and 1 for true. One with a `level` is 1 "
    "where the column holds that level, else 0, also where the column is missing: only a feature "
    "without a level can be missing. "
)
SUMS = (
    "A sum is that of weight * (feature - its `centre`), where a missing feature stands at its "
    "`fill`, + the weights in `missing` of the features that are missing. "
)
GATES = "z = bias + the sum."
SLOPES = " A leaf's answer is `leaf` + the sum in `slopes`, output by output."
SCORES = " These are scores: softmax of the answer gives probabilities."
SPLITS = (
    "A row goes right where the feature is above `threshold`, left where it is below, and to the "
    "side that `at_threshold` names where the two are equal; where it can be missing, `missing` "
    "names the side."
)


def value(feature, columns, row):
    """Read a feature from the cells of a row as `how_to_read` says; None where it is missing."""
    cell = row[feature["column"]]
    if feature["level"] is not None:
        return float(cell == feature["level"])
    if cell in columns[feature["column"]]["levels"]:
        return float(columns[feature["column"]]["levels"].index(cell))
    return cell


def goes_right(node, values, features):
    """Answer a question as `how_to_read` says; for a gate the probability."""
    if "feature" in node:
        value, threshold = values[node["feature"]], node["threshold"]
        if value is None:
            return float(node["missing"] == "right")
        if value == threshold:
            return float(node["at_threshold"] == "right")
        return float(value > threshold)
    z = node["bias"] + summed(node, values, features)
    return 1 / (1 + np.exp(-np.clip(z, -700, 700)))


def summed(node, values, features):
    """Add up a sum as `how_to_read` says."""
    z = 0.0
    for place, weight in node["weights"]:
        value = values[place]
        if value is None:
            value = features[place]["fill"]
        z += weight * (value - features[place]["centre"])
    return z + sum(weight for place, weight in node["missing"] if values[place] is None)


def answer(node, values, document):
    if "leaf" in node:
        slopes = [summed(each, values, document["features"]) for each in node.get("slopes", [])]
        return np.array(node["leaf"]) + (slopes or 0.0)
    right = goes_right(node, values, document["features"])
    if document["combination"] == "leaf":
        right = float(right > 0.5)
    sides = [(right, node["right"]), (1 - right, node["left"])]
    return sum(p * answer(side, values, document) for p, side in sides if p)


def asked(document, row):
    """Predict one row, a dict of cells by column, as `how_to_read` says."""
    columns = {column["name"]: column for column in document["columns"]}
    values = [value(feature, columns, row) for feature in document["features"]]
    summed = sum(answer(tree, values, document) for tree in document["trees"])
    if document["combination"] == "sum":
        summed = summed + document["base"]
    if document["task"] == "regression":
        return summed
    if document["combination"] == "sum" or document["leaves"] == "scores":
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
    told = [asked(document, row) for row in records(data, X)]
    assert np.array(told) == pytest.approx(answers(student, data, X), rel=1e-9, abs=1e-9)


def thresholds(document):
    """Give the features of which questions are asked, their thresholds, and the side at each."""
    ahead, found = list(document["trees"]), []
    while ahead:
        node = ahead.pop()
        if "leaf" not in node:
            found.append((node["feature"], node["threshold"], node["at_threshold"]))
            ahead += [node["left"], node["right"]]
    return found


def test_a_value_at_a_threshold_goes_where_the_json_says():
    """Whole numbers that float32 cannot tell apart: a booster's thresholds are then met exactly."""
    rng = np.random.default_rng(0)
    X = rng.integers(2**24, 2**25, size=(400, 1)).astype(float)
    y = np.sin(X[:, 0] / 2e6) + 0.1 * rng.normal(size=400)
    student = BoostedTrees(n_trees=20, task="regression", random_state=0).fit(X, y)
    document = json.loads(exported(student, "json"))
    met = np.array([[threshold] for _, threshold, _ in thresholds(document)])
    assert {side for _, _, side in thresholds(document)} == {"left", "right"}
    name = document["columns"][0]["name"]
    told = [asked(document, {name: value}) for (value,) in met]
    assert np.array(told) == pytest.approx(student.predict_score(met), rel=1e-9, abs=1e-9)


def test_names_stay_what_they_are(students, tables):
    document = json.loads(exported(students("hard", "three-classes"), "json"))
    data = tables["three-classes"]
    assert document["classes"] == list(data.task.class_names)
    assert [f["name"] for f in document["features"]] == data.readable_features.names


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mixture", FEATURES + SUMS + GATES),
        ("linear-mixture", FEATURES + SUMS + GATES + SLOPES + SCORES),
        ("model-tree", FEATURES + SUMS + SPLITS + SLOPES + SCORES),
        ("hard", FEATURES + SUMS + GATES + " A row goes right where z > 0, else left."),
        ("boosted-trees", FEATURES + SPLITS),
        ("decision-tree", FEATURES + SPLITS),
    ],
)
def test_it_says_how_features_are_read_and_questions_answered(name, words, students):
    document = json.loads(exported(students(name, "two-classes"), "json"))
    assert document["how_to_read"].endswith(". " + words)


@pytest.mark.parametrize("name", ["mixture", "hard"])
def test_levels_have_no_fill(name, students):
    document = json.loads(exported(students(name, "two-classes"), "json"))
    for feature in document["features"]:
        assert ("fill" in feature) == (feature["level"] is None)


@pytest.mark.parametrize("name", ["boosted-trees", "decision-tree"])
def test_splits_on_levels_say_nothing_of_missing_values(name, students):
    document = json.loads(exported(students(name, "two-classes"), "json"))
    ahead, seen = document["trees"], set()
    while ahead:
        node = ahead.pop()
        if "leaf" in node:
            continue
        ahead += [node["left"], node["right"]]
        level = document["features"][node["feature"]]["level"]
        seen.add(level is None)
        assert ("missing" in node) == (level is None)
    assert seen == {True, False}
