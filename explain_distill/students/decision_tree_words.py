"""A decision tree in words and in raw units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explain_distill._rounding import in_full
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
    lines = []
    child = 0 if asked else -1
    while child >= 0:
        right = bool(splits.goes_right(child, row[:, splits.features[child]])[0])
        lines.append(f"{asked[child].words()}: {'yes' if right else 'no'}")
        child = int(splits.children[child, int(right)])
    leaf = -1 - child
    if not tree.n_leaf_features[leaf]:
        return [*lines, _leaf(tree, leaf)]
    here = answers_of_scores(tree, tree.predict_score(row))[0]
    return [*lines, _leaf(tree, leaf), f"Of this row: {answer_words(tree, here)}"]


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
    text = in_full(threshold)
    return text.replace("-", "−", 1) if threshold < 0 else text


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
