"""A decision tree in words and in raw units."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from explain_distill._rounding import in_full, minus
from explain_distill._types import FloatArray, ReadableRows, Scores
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.students.rules import Comparison, Term, answer_words, linear_words
from explain_distill.students.splits import EVERYTHING

if TYPE_CHECKING:
    from explain_distill.data.readable_features import ReadableFeature
    from explain_distill.students.base import Student
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
        said = f"{asked[child].words()}?" if child >= 0 else _leaf(tree, -1 - child)
        lines.append("  " * level + answer + said)
        if child >= 0:
            no, yes = (int(c) for c in tree.children_[child])
            ahead += [(no, level + 1, "No: "), (yes, level + 1, "Yes: ")]
    return lines


def path_words(tree: DecisionTree, row: ReadableRows) -> list[str]:
    """Say the way of one row ``(1, n_readable)`` in words."""
    asked, splits = questions(tree), tree.splits
    lines, ahead = [], []
    child = 0 if asked else -1
    while child >= 0:
        ahead.append(child)
        right = bool(splits.goes_right(child, row[:, splits.features[child]])[0])
        lines.append(f"{asked[child].words()}: {'yes' if right else 'no'}")
        child = int(splits.children[child, int(right)])
    leaf = -1 - child
    lines.append(_leaf(tree, leaf))
    if tree.n_leaf_features[leaf]:
        here = answers_of_scores(tree, tree.predict_score(row))[0]
        lines.append(f"Of this row: {answer_words(tree, here)}")
    asked_of = {splits.features[split] for split in ahead}
    features = enumerate(tree.readable_features())
    missing = [f.name for i, f in features if i in asked_of and np.isnan(row[0, i])]
    if missing:
        lines.append(f"Missing in this row: {', '.join(missing)}")
    return lines


def missing_words(tree: DecisionTree) -> str:
    """Say what a question answers of a value that is missing."""
    if not len(tree.feature_):
        return ""
    features = tree.readable_features()
    # A level that is missing is one that does not hold, so that it is always a no.
    known = np.array(
        [tree.missing_seen_[f] or features[f].level is not None for f in tree.feature_]
    )
    untold = "goes with the larger part of the rows"
    if not known.any():
        return f"A missing value, of which it has seen none, {untold}."
    words = "A missing value counts as a yes where a question says so, else as a no"
    return words + ("." if known.all() else f"; of a feature that never lacked one, it {untold}.")


def questions(tree: DecisionTree) -> list[Comparison]:
    """Give each split's question, whose yes leads to the right."""
    features = tree.readable_features()
    return [
        Comparison(
            (Term(feature.name, 1.0, 1.0, feature.unit, feature.binary),),
            float(tree.threshold_[split]),
            *_spoken(tree, feature, split),
        )
        for split, feature in enumerate(features[column] for column in tree.feature_)
    ]


def _spoken(tree: DecisionTree, feature: ReadableFeature, split: int) -> tuple[str, str]:
    """Give a question's subject and its predicate."""
    if tree.threshold_[split] == EVERYTHING:
        return feature.name, "is missing"
    subject, predicate = feature.name, ""
    if feature.level is not None:
        subject = feature.name.removesuffix(f"={feature.level}")
        predicate = f"is {feature.level}"
    elif not feature.binary:
        unit = f" {feature.unit}" if feature.unit else ""
        predicate = f"> {threshold_text(float(tree.threshold_[split]))}{unit}"
    if tree.missing_seen_[tree.feature_[split]] and not tree.missing_left_[split]:
        predicate = f"{predicate} or missing".lstrip()
    return subject, predicate


def threshold_text(threshold: float) -> str:
    """Write a number with as many digits as tell it from all others."""
    return minus(in_full(threshold))


def _leaf(tree: DecisionTree, leaf: int) -> str:
    return f"{leaf_words(tree, leaf)} (leaf {leaf + 1})"


def leaf_words(tree: DecisionTree, leaf: int, answer: FloatArray | None = None) -> str:
    """Say what a leaf answers; of a linear one, the mean over its rows and the sum for a row.

    The rows are those that it learned, unless the mean `answer` to others is given.
    """
    if answer is None:
        answer = answers_of_scores(tree, tree.leaf_outputs_[[leaf]])[0]
    return f"{answer_words(tree, answer)}{_linear_words(tree, leaf)}"


def answers_of_scores(tree: Student, scores: Scores) -> FloatArray:
    """Turn scores ``(n, n_scores)`` into what is said of them: probabilities, or values."""
    return scores if tree.task == "regression" else probabilities_of_score(scores)


def _linear_words(tree: DecisionTree, leaf: int) -> str:
    """Say the sum that a linear leaf answers with; that of its most probable class."""
    linear, preparation = tree.linear_leaves_, tree.preparation_
    if linear is None or preparation is None or not tree.n_leaf_features[leaf]:
        return ""
    slopes = linear.slopes(leaf, preparation.n_prepared)
    leading = int(tree.leaf_outputs_[leaf].argmax())
    told = linear_words(tree, preparation, linear.constants[leaf], slopes, leading=leading)
    return f" on average; {told}"
