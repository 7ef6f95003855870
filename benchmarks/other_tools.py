"""Fit other tools' surrogate trees on labelled rows.

fidelity_at_size.py runs this in an environment of its own (other_tools.txt), joined by files only:

    python benchmarks/other_tools.py IN.npz OUT.npz trustee-8,figs-8 SEED

IN holds `train` and `test` (rows of readable features, missing as NaN), and what the teacher says
of the training rows: `labels`, probabilities (n, n_classes), or values (n,). OUT gets
`TOOL-LEAVES`, a class or a value for each test row. Settings, beside the number of leaves:

- trustee 1.2.0 (Jacobs et al. 2022, AI/ML for network security: the emperor has no clothes): its
  defaults, 50 inner iterations and 5 outer ones, but samples as large as the training part (the
  default of 2 000 fails on small tables); its best student unpruned.
- mimic, the MimicExplainer of interpret-community 0.32.0 with its decision tree: defaults. It
  regresses on the log-odds of two classes, on the label of more, and on values.
- figs, imodels 3.0.4's distilled FIGS (Tan et al. 2022, Fast interpretable greedy-tree sums):
  a sum of trees, regressed on all probabilities at once, the largest being its answer. Its trees
  have together at most so many leaves; figs-splits has as many splits as a tree of so many leaves,
  and so up to half as many leaves again. It takes no NaN: missing cells are filled with the median,
  and a column says that they were.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

TRUSTEE = {"num_iter": 50, "num_stability_iter": 5, "samples_size": 1.0, "train_size": 0.7}


class Lookup:
    """The teacher as a table: it answers for the training rows, which is all the tools ask of it.

    Parameters
    ----------
    rows : ndarray of shape (n_samples, n_features)
    answers : ndarray of shape (n_samples,) or (n_samples, n_classes)
    """

    def __init__(self, rows: np.ndarray, answers: np.ndarray) -> None:
        self.answers = {row.tobytes(): a for row, a in zip(rows, answers, strict=True)}

    def predict(self, X: object) -> np.ndarray:
        """Give the answers for rows, as an array or a frame."""
        rows = np.ascontiguousarray(np.asarray(X, dtype=np.float64))
        return np.array([self.answers[row.tobytes()] for row in rows])


def as_answer(outputs: np.ndarray) -> np.ndarray:
    """Give the class of the largest output, or the value: ``(n_samples,)``."""
    return outputs.argmax(axis=1) if outputs.ndim == 2 else outputs


def trustee(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, leaves: int, seed: int
) -> np.ndarray:
    """Extract a tree with trustee, and let it answer for the test rows."""
    from trustee import ClassificationTrustee, RegressionTrustee

    np.random.seed(seed)  # noqa: NPY002 - it draws from the global generator
    answers = as_answer(labels)
    kind = ClassificationTrustee if labels.ndim == 2 else RegressionTrustee
    explainer = kind(expert=Lookup(train, answers))
    explainer.fit(train, answers, max_leaf_nodes=leaves, top_k=leaves, **TRUSTEE)
    student = explainer.explain(top_k=leaves)[0]
    return student.predict(test)


def mimic(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, leaves: int, seed: int
) -> np.ndarray:
    """Fit the decision tree of interpret-community's MimicExplainer."""
    from interpret_community.mimic.mimic_explainer import MimicExplainer
    from interpret_community.mimic.models import DecisionTreeExplainableModel

    explainer = MimicExplainer(
        Lookup(train, labels).predict,
        train,
        DecisionTreeExplainableModel,
        explainable_model_args={"max_leaf_nodes": leaves, "random_state": seed},
        is_function=True,
    )
    outputs = np.asarray(explainer.surrogate_model.predict(test))
    return outputs > 0 if labels.ndim == 2 and labels.shape[1] == 2 else outputs


def figs(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, leaves: int, seed: int
) -> np.ndarray:
    """Fit a sum of trees of together at most so many leaves."""
    splits, excess = leaves - 1, 1
    while excess > 0:  # a further split adds one leaf, or two where it begins a tree
        model, answers = sum_of_trees(train, labels, test, splits, seed)
        excess = sum(n_leaves(root) for root in model.trees_) - leaves
        splits -= max(1, excess // 2)
    return answers


def figs_splits(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, leaves: int, seed: int
) -> np.ndarray:
    """Fit a sum of trees with as many splits as one tree of so many leaves."""
    return sum_of_trees(train, labels, test, leaves - 1, seed)[1]


def sum_of_trees(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, splits: int, seed: int
) -> tuple[Any, np.ndarray]:
    """Fit FIGS on the teacher's probabilities or values; give it and its answers."""
    from imodels import FIGSRegressor

    filled, filled_test = without_missing(train, test)
    model = FIGSRegressor(max_rules=splits, random_state=seed).fit(filled, labels)
    return model, as_answer(model.predict(filled_test))


def n_leaves(node: Any) -> int:
    """Count the leaves below a node of imodels."""
    return 1 if node.left is None else n_leaves(node.left) + n_leaves(node.right)


def without_missing(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill missing cells with the training rows' medians, and append where they were."""
    holes = np.isnan(train).any(axis=0)
    median = np.nanmedian(train, axis=0)
    filled = [
        np.column_stack([np.where(np.isnan(rows), median, rows), np.isnan(rows)[:, holes]])
        for rows in (train, test)
    ]
    return filled[0], filled[1]


TOOLS: dict[str, Callable[..., np.ndarray]] = {
    "trustee": trustee,
    "mimic": mimic,
    "figs": figs,
    "figs-splits": figs_splits,
}


def main() -> None:
    """Fit the tools that the command line names."""
    source, target, wanted, seed = sys.argv[1:]
    with np.load(source) as given:
        train, labels, test = given["train"], given["labels"], given["test"]
    found = {}
    for name in wanted.split(","):
        tool, leaves = name.rsplit("-", 1)
        found[name] = TOOLS[tool](train, labels, test, int(leaves), int(seed))
    np.savez(target, **found)


if __name__ == "__main__":
    main()
