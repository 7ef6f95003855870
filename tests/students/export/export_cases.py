"""Small fitted students of every kind of table, and names that try to end their quotation."""

from copy import deepcopy

import numpy as np

import explain_distill as xd
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema
from explain_distill.students.splits import EVERYTHING, numbered

NASTY = (
    'a"b',
    "it's'); DROP TABLE rows; --",
    "line\nbreak\r\n",
    "back\\slash\\",
    '*/ """ /* \' -- # %s {x} \u2028 é',
    "\\N \\G]; node [label=x",
)


def mixed_rows(classes, n=150, seed=0):
    """Build rows with all kinds of columns, missing cells and hostile names."""
    rng = np.random.default_rng(seed)
    schema = Schema(
        (
            Feature(NASTY[0], unit='m"\n'),
            Feature(NASTY[1], "category", levels=(NASTY[3], NASTY[4], "3", "1.5")),
            Feature(NASTY[2], "boolean"),
            Feature(NASTY[3], "boolean", levels=("No", "Yes")),
            Feature(NASTY[4]),
            Feature(NASTY[5], "category", levels=("b", NASTY[1])),
        )
    )
    X = np.c_[
        rng.normal(1e6, 1.0, n),
        rng.integers(4, size=n),
        rng.integers(2, size=n),
        rng.integers(2, size=n),
        rng.exponential(1e-3, n),
        rng.integers(2, size=n),
    ]
    signal = X[:, 0] - 1e6 + (X[:, 1] == 2) - X[:, 2] + 500 * X[:, 4] * (X[:, 5] - 0.5)
    X[rng.random(X.shape) < 0.15] = np.nan
    if classes == 1:
        return Dataset("hostile", X, signal, schema, Task("regression", "risk"))
    names = NASTY[:classes]
    y = np.digitize(signal, np.quantile(signal, np.arange(1, classes) / classes))
    return Dataset("hostile", X, y, schema, Task("classification", "outcome", names))


def many_classes():
    """Build rows of five numbers and twelve classes."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(300, 5))
    y = (3 * np.digitize(X[:, 0], [-0.7, 0, 0.7]) + np.digitize(X[:, 1], [-0.4, 0.4])).astype(int)
    schema = Schema(tuple(Feature(f"v{i}") for i in range(5)))
    names = tuple(f"c{i}" for i in range(12))
    return Dataset("many", X, y, schema, Task("classification", "kind", names))


DATA = {
    "two-classes": lambda: mixed_rows(2),
    "three-classes": lambda: mixed_rows(3),
    "twelve-classes": many_classes,
    "regression": lambda: mixed_rows(1),
}
STUDENTS = {
    "mixture": lambda **o: xd.SoftTree(depth=3, n_steps=150, **o),
    "hard": lambda **o: xd.SoftTree(depth=3, n_steps=150, inference="hard", **o),
    "path": lambda **o: xd.SoftTree(depth=3, n_steps=150, inference="path", **o),
    "softened": lambda **o: xd.SoftTree(depth=2, n_steps=150, temperature=3.0, **o),
    "sharpened": lambda **o: xd.SoftTree(depth=2, n_steps=150, temperature=0.2, **o),
    "boosted-trees": lambda **o: xd.BoostedTrees(n_trees=40, **o),
    "decision-tree": lambda **o: xd.DecisionTree(max_leaves=12, **o),
    "linear-mixture": lambda **o: xd.SoftTree(depth=2, n_steps=150, leaves="linear", **o),
    "linear-path": lambda **o: xd.SoftTree(
        depth=2, n_steps=150, leaves="linear", inference="path", **o
    ),
    "linear-hard": lambda **o: xd.SoftTree(
        depth=2, n_steps=150, leaves="linear", inference="hard", **o
    ),
    "model-tree": lambda **o: xd.DecisionTree(
        max_leaves=6, leaves="linear", max_leaf_features=3, **o
    ),
    "pruned": lambda **o: xd.SoftTree(depth=4, n_steps=150, pruning=0.3, max_features=2, **o),
    "additive": lambda **o: xd.Additive(n_pairs=3, n_bins=16, **o),
    "mlp": lambda **o: xd.MLP(hidden=(8,), n_steps=150, **o),
}
NO_RULES = ("mlp", "additive", "path", "linear-path")
TREES = [name for name in STUDENTS if name not in NO_RULES]


def fitted(name, data):
    """Fit a student to the truth of some rows, and tell it their names."""
    student = STUDENTS[name](task=data.task.kind, random_state=0)
    student.fit(data.readable(), labels(data, student))
    return student.set_names(data.schema, data.task.class_names)


def labels(data, student):
    if data.task.kind == "regression":
        return data.y
    soft = np.full((len(data), data.task.n_scores), 0.2 / data.task.n_scores)
    soft[np.arange(len(data)), data.y.astype(int)] += 0.8
    return soft / soft.sum(axis=1, keepdims=True)


def edge_rows(data, n=60):
    """Take rows of a table, and some with nothing known, or far outside of what was seen."""
    X = data.X[:n].copy()
    X[0] = np.nan
    numbers = [i for i, f in enumerate(data.schema.features) if f.kind == "number"]
    X[1, numbers], X[2, numbers] = 1e12, -1e12
    return X


def answers(student, data, X):
    """Ask the student itself: ``(n_samples, n_classes)``, or values as one column."""
    rows = data.readable_features.transform(X)
    if student.task == "regression":
        return student.predict(rows)[:, None]
    return student.predict_proba(rows)


def records(data, X):
    """Give rows as a program holds them: dicts of cells by column, None where unknown."""
    table = data.schema.decode(X).astype(object)
    return table.where(table.notna(), None).to_dict("records")


def asks_whether_missing(data):
    """Give a decision tree whose first question is whether the first column is missing."""
    tree = fitted("decision-tree", data)
    tree.feature_[0], tree.threshold_[0], tree.missing_left_[0] = 0, EVERYTHING, False
    return tree


def hard_and_lopsided(students):
    """Give a pruned tree of gates, answering question by question: more leaves are on the right."""
    return deepcopy(students("pruned", "three-classes")).set_params(inference="hard")


def chain(data, n_leaves=300):
    """Give a decision tree that is as deep as it has splits, down which most rows go far.

    It cuts the tails of two numbers, left and right, and near its end asks what is missing.
    """
    numbers = [i for i, f in enumerate(data.readable_features.features) if not f.binary]
    tails = np.linspace(0.0, 0.5, n_leaves - 1)
    children, features, thresholds, missing_left = [], [], [], []
    for split, tail in enumerate(tails):
        on, right = split + 1 if split + 2 < n_leaves else -1, split // 2 % 2 == 1
        features.append(numbers[split % 2])
        children.append([on, -1] if right else [-1, on])
        values = data.readable()[:, features[-1]]
        thresholds.append(np.nanquantile(values, 1 - tail if right else tail))
        missing_left.append(right != (split % 50 == 49))
    for split in (n_leaves - 30, n_leaves - 20):
        thresholds[split], missing_left[split] = EVERYTHING, False
    return with_splits(data, children, features, thresholds, missing_left)


def bushy(data, n_leaves=1024, seed=0):
    """Give a decision tree that grew at random, often where it was deepest."""
    rng = np.random.default_rng(seed)
    X = data.readable()
    children, ends = np.full((n_leaves - 1, 2), -1), [(0, 0), (0, 1)]
    for split in range(1, n_leaves - 1):
        place = len(ends) - 1 if rng.random() < 0.3 else rng.integers(len(ends))
        children[ends.pop(place)] = split
        ends += [(split, 0), (split, 1)]
    features = rng.integers(X.shape[1], size=n_leaves - 1)
    thresholds = [np.nanquantile(X[:, feature], rng.random()) for feature in features]
    return with_splits(data, children, features, thresholds, rng.random(n_leaves - 1) < 0.5)


def with_splits(data, children, features, thresholds, missing_left):
    """Give a decision tree of these splits, with leaves that differ."""
    tree = deepcopy(fitted("decision-tree", data))
    splits = numbered(0, *map(np.array, (children, features, thresholds, missing_left)))
    tree.children_, tree.feature_ = splits.children, splits.features
    tree.threshold_, tree.missing_left_ = splits.thresholds, splits.missing_left
    shape = (splits.n_leaves, tree.leaf_outputs_.shape[1])
    tree.leaf_outputs_ = np.random.default_rng(0).normal(size=shape)
    return tree


DEEP = {"chain": chain, "bushy": bushy}
