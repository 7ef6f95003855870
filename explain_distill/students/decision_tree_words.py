"""A decision tree in words and in raw units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explain_distill._types import ReadableRows
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.students.splits import EVERYTHING

if TYPE_CHECKING:
    from explain_distill.data.readable_features import ReadableFeature
    from explain_distill.students.decision_tree import DecisionTree


def decision_tree_rules(tree: DecisionTree) -> list[str]:
    """Say a fitted tree as an outline: a question, and under it what follows its answers.

    A value that is missing counts as a no where the question does not say otherwise.
    """
    asked = questions(tree)
    lines: list[str] = []
    ahead = [(0 if asked else -1, 0, "")]
    while ahead:
        child, level, answer = ahead.pop()
        said = f"{asked[child]}?" if child >= 0 else _leaf(tree, -1 - child)
        lines.append("  " * level + answer + said)
        if child >= 0:
            no, yes = (int(c) for c in tree.children_[child])
            ahead += [(no, level + 1, "No: "), (yes, level + 1, "Yes: ")]
    return lines


def path_words(tree: DecisionTree, row: ReadableRows) -> list[str]:
    """Say the way of one row ``(1, n_readable)`` in words."""
    asked, splits = questions(tree), tree.splits
    lines = []
    child = 0 if asked else -1
    while child >= 0:
        right = bool(splits.goes_right(child, row[:, splits.features[child]])[0])
        lines.append(f"{asked[child]}: {'yes' if right else 'no'}")
        child = int(splits.children[child, int(right)])
    return [*lines, _leaf(tree, -1 - child)]


def questions(tree: DecisionTree) -> list[str]:
    """Say each split as a question, whose yes leads to the right."""
    return [_question(tree, split) for split in range(len(tree.children_))]


def _question(tree: DecisionTree, split: int) -> str:
    column, threshold = int(tree.feature_[split]), float(tree.threshold_[split])
    feature = tree.readable_features()[column]
    if threshold == EVERYTHING:
        return f"{feature.name} is missing"
    asked = _comparison(feature, threshold)
    return (
        f"{asked} or missing"
        if tree.missing_seen_[column] and not tree.missing_left_[split]
        else asked
    )


def _comparison(feature: ReadableFeature, threshold: float) -> str:
    if feature.level is not None:
        return f"{feature.name.removesuffix(f'={feature.level}')} is {feature.level}"
    if feature.binary:
        return feature.name
    unit = f" {feature.unit}" if feature.unit else ""
    return f"{feature.name} > {threshold_text(threshold)}{unit}"


def threshold_text(threshold: float) -> str:
    """Write a number with as many digits as tell it from all others."""
    text = next(t for digits in range(1, 18) if float(t := f"{threshold:.{digits}g}") == threshold)
    return text.replace("-", "−", 1) if threshold < 0 else text


def _leaf(tree: DecisionTree, leaf: int) -> str:
    score = tree.leaf_outputs_[leaf]
    if tree.task == "regression":
        return f"value {score[0]:.4g} (leaf {leaf + 1})"
    probabilities = probabilities_of_score(score[None])[0]
    best = int(np.argmax(probabilities))
    return (
        f"{tree.class_names()[best]} with probability {probabilities[best]:.2f} (leaf {leaf + 1})"
    )
