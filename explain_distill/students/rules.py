"""A soft tree in words and in raw units: its questions, its leaves, and the way of one row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, softmax

from explain_distill._rounding import minus, short, within
from explain_distill._types import FloatArray, ReadableRows, Scores
from explain_distill.data.features import called

if TYPE_CHECKING:
    from explain_distill._preparation import Preparation
    from explain_distill.students.base import Student
    from explain_distill.students.soft_tree import SoftTree

DIGITS = 3  # of a weight in a sum, at the least
MOST_DIGITS = 17  # which leave it as it is
CLEAR = 0.05  # log-odds that the rounding of a weight may move a question by
FEW_TERMS = 8  # up to which a question names all
SPOKEN_TERMS = 3  # how many it names where there are more; all of them are in its terms


@dataclass(frozen=True)
class Term:
    """What one feature adds to a question.

    Parameters
    ----------
    feature : str
    coefficient : float
        Added for each raw unit of the feature, or once where a binary feature holds.
    share : float
        Of the question's weight, the features being compared by their mean absolute deviation among
        the rows that are asked, where those are known, else among all that were learned.
    unit : str or None
    binary : bool
    """

    feature: str
    coefficient: float
    share: float
    unit: str | None
    binary: bool


@dataclass(frozen=True)
class Question:
    """What a node asks: whether a weighted sum of features in raw units exceeds a threshold.

    Parameters
    ----------
    terms : tuple of Term
        From the weightiest to the lightest.
    threshold : float
        Where the sum exceeds it, the row goes right with a probability of more than 1/2, up to
        what coefficients are rounded by: each may move the log-odds by `CLEAR`.
    """

    terms: tuple[Term, ...]
    threshold: float

    def words(self, n_terms: int | None = None) -> str:
        """Say the question, naming all its features where they are few, else the weightiest."""
        if len(self.terms) == 1:
            return self._single(self.terms[0])
        sign = "−" if self.threshold < 0 else ""
        return f"{self._sum(n_terms) or '0'} > {sign}{self._constant()}"

    def sum_words(self, n_terms: int | None = None) -> str:
        """Say the sum by how far it lies above its threshold."""
        sign = "+" if self.threshold <= 0 else "−"
        return f"{self._sum(n_terms) or '0'} {sign} {self._constant()}"

    def _constant(self) -> str:
        """Write the threshold without its sign, in two decimals at the most where it is large."""
        size = abs(self.threshold)
        return f"{size:.2f}" if size >= 100 else f"{size:.4g}"

    def _sum(self, n_terms: int | None) -> str:
        if n_terms is None:
            n_terms = len(self.terms) if len(self.terms) <= FEW_TERMS else SPOKEN_TERMS
        spoken = " ".join(
            _signed(term, first=place == 0) for place, term in enumerate(self.terms[:n_terms])
        )
        rest = len(self.terms) - n_terms
        if rest > 0:
            share = sum(term.share for term in self.terms[n_terms:])
            plural = "term" if rest == 1 else "terms"
            spoken += f" + {rest} lighter {plural} ({share:.0%} of the weight)"
        return spoken

    def short(self, n_terms: int = 2) -> list[str]:
        """Say in a few words what sends a row to the right: ``["high worst area", …]``."""
        return [_push(term) for term in self.terms[:n_terms]]

    def _single(self, term: Term) -> str:
        if term.binary:
            return term.feature if term.coefficient > 0 else f"not {term.feature}"
        sign = ">" if term.coefficient > 0 else "<"
        unit = f" {term.unit}" if term.unit else ""
        # As many digits as move the question by a tenth of its logit at the most.
        value, digits = self.threshold / term.coefficient, 4
        if self.threshold:
            digits = max(digits, min(17, math.ceil(math.log10(5 * abs(self.threshold)))))
        return f"{term.feature} {sign} {_number(value, digits)}{unit}"


def _number(value: float, digits: int = 4) -> str:
    """Write a number with the minus sign that the terms have."""
    return minus(short(value, digits))


def _push(term: Term) -> str:
    if term.binary:
        return term.feature if term.coefficient > 0 else f"not {term.feature}"
    return f"{'high' if term.coefficient > 0 else 'low'} {term.feature}"


def _signed(term: Term, first: bool) -> str:
    sign = "−" if term.coefficient < 0 else ("" if first else "+")
    space = "" if first else " "
    size = f"{abs(term.coefficient):.10g}"  # it was rounded before, up to floating point
    if term.binary:
        return f"{sign}{space}{size} if {term.feature}"
    unit = f" [{term.unit}]" if term.unit else ""
    return f"{sign}{space}{size} × {term.feature}{unit}"


@dataclass(frozen=True)
class Comparison(Question):
    """A question that each row answers by a plain yes or no, said in full.

    Parameters
    ----------
    subject : str
        What it asks of: ``"age"``.
    predicate : str
        ``"> 54 years"``, or nothing where the subject says all.
    """

    subject: str = ""
    predicate: str = ""

    def words(self, n_terms: int | None = None) -> str:
        """Say the question."""
        return f"{self.subject} {self.predicate}".rstrip()


def leaf_answers(tree: SoftTree) -> FloatArray:
    """Give each leaf's probabilities, softening undone, or its value.

    Those of a linear leaf are for a row whose features are all at their mean.
    """
    return _answers(tree, tree.leaf_outputs_)


def answers_of_leaves(tree: SoftTree, rows: ReadableRows) -> FloatArray:
    """Give what each leaf answers each row: ``(n, n_leaves, n_scores)``."""
    outputs = np.broadcast_to(tree.leaf_outputs_, (len(rows), *tree.leaf_outputs_.shape))
    if tree.leaf_weights_ is not None:
        outputs = outputs + np.tensordot(tree.preparation_(rows), tree.leaf_weights_, axes=(1, 1))
    return _answers(tree, outputs)


def _answers(tree: SoftTree, outputs: FloatArray) -> FloatArray:
    if tree.task == "regression":
        return outputs + tree.output_centre_
    return np.asarray(softmax(outputs * tree.temperature, axis=-1))


def questions(tree: SoftTree, spread: FloatArray | None = None) -> list[Question]:
    """Give each node's question in raw units, without features that it does not weigh.

    A missing value stands at its median, and being missing is a term of its own. Where each
    prepared column's mean absolute deviation among the rows that come to a node is given,
    ``(n_prepared, n_nodes)``, terms are ranked by what they move there.
    """
    # In units of the gate's logit, so that thresholds of different nodes can be compared.
    weights = tree.gate_weights_ * tree.inverse_temperatures_
    biases = tree.gate_biases_ * tree.inverse_temperatures_
    steep = np.maximum(3 * np.abs(weights), 1e-300)  # what a weight moves at three deviations
    digits = np.maximum(DIGITS, np.ceil(np.log10(5 * steep / CLEAR)))
    digits[:, (weights != 0).sum(axis=0) == 1] = MOST_DIGITS  # it is told by its threshold alone
    return weighed_sums(tree, tree.preparation_, weights, biases, digits, spread)


def weighed_sums(
    tree: Student,
    preparation: Preparation,
    weights: FloatArray,
    biases: FloatArray,
    digits: FloatArray,
    spread: FloatArray | None = None,
) -> list[Question]:
    """Turn weights of prepared columns ``(n_prepared, n)`` into sums in raw units.

    Weights are rounded to so many digits, and the threshold makes up for it: at the mean of all
    features the sum is what it was.
    """
    features = tree.readable_features()
    n = len(preparation.fill)
    weights = weights.copy()
    weights[:n][np.isinf(preparation.scale)] = 0.0  # constants, which never speak
    raw = weights[:n] / preparation.scale[:, None]
    raw, weights[n:] = _rounded(raw, digits[:n]), _rounded(weights[n:], digits[n:])
    thresholds = (raw * preparation.centre[:, None]).sum(axis=0) - biases
    names = [f.name for f in features] + [
        f"{features[i].name} is missing" for i in preparation.indicated
    ]
    units = [f.unit for f in features] + [None] * len(preparation.indicated)
    binary = [f.binary for f in features] + [True] * len(preparation.indicated)
    # A missing value enters at its fill, which is part of the sum; its indicator adds to it.
    coefficients = np.concatenate([raw, weights[n:]])
    if spread is None:
        spread = preparation.spread(np.array(binary[:n]))[:, None]
    moved = np.abs(weights) * spread
    share = moved / np.maximum(moved.sum(axis=0), 1e-300)
    return [
        Question(
            tuple(
                Term(names[j], float(coefficients[j, i]), float(share[j, i]), units[j], binary[j])
                for j in np.argsort(-share[:, i], kind="stable")
                if weights[j, i]
            ),
            float(thresholds[i]),
        )
        for i in range(weights.shape[1])
    ]


def _rounded(weights: FloatArray, digits: FloatArray) -> FloatArray:
    """Round to so many significant digits."""
    sizes = np.floor(np.log10(np.maximum(np.abs(weights), 1e-290)))
    unit = 10.0 ** (sizes - digits + 1)
    return np.asarray(np.where(digits < MOST_DIGITS, np.round(weights / unit) * unit, weights))


def soft_tree_rules(tree: SoftTree, asked: Sequence[Question] | None = None) -> list[str]:
    """Say a fitted soft tree as an outline: a question, and under it what follows its answers."""
    asked, lines = questions(tree) if asked is None else asked, []
    ahead = [(0 if asked else -1, 0)]
    while ahead:
        child, level = ahead.pop()
        if child < 0:
            said = f"Leaf {-child}: {leaf_words(tree, -1 - child)}."
        else:
            no, yes = tree.children_[child].tolist()
            said = (
                f"Question {child + 1}: {asked[child].words()}? "
                f"Yes: {_place(yes)}, no: {_place(no)}."
            )
            ahead += [(yes, level + 1), (no, level + 1)]
        lines.append("  " * level + said)
    return lines


def path_words(
    tree: SoftTree, row: ReadableRows, asked: Sequence[Question] | None = None
) -> list[str]:
    """Say the most probable path of one row ``(1, n_readable)`` in words."""
    above = {
        child: (number, answer)
        for number, children in enumerate(tree.children_.tolist())
        for answer, child in zip(("no", "yes"), children, strict=True)
    }
    leaf, right = shown_leaf(tree, row), expit(tree.gates(row)[0])
    asked = questions(tree) if asked is None else asked
    lines: list[str] = []
    child = -1 - leaf
    while child in above:
        child, answer = above[child]
        probability = right[child] if answer == "yes" else 1 - right[child]
        less = "; the leaf that holds most lies this way" if probability < 0.5 else ""
        lines.append(f"{asked[child].words()}: {answer} (probability {probability:.2f}{less})")
    share = tree.path_probabilities(row)[0, leaf]
    held = "" if tree.inference != "mixture" else f", which holds {share:.0%} of this row"
    lines = [*reversed(lines), f"Leaf {leaf + 1}{held}: {leaf_words(tree, leaf)}"]
    missing = [
        f"{feature.name} {_number(fill)}"
        for feature, fill, value in zip(
            tree.readable_features(), tree.preparation_.fill, row[0], strict=True
        )
        if np.isnan(value)
    ]
    if missing:
        lines.append(f"Missing in this row, and counted as: {', '.join(missing)}")
    return lines


def shown_leaf(tree: SoftTree, row: ReadableRows) -> int:
    """Give the leaf that answers for a row, or holds most of it where all leaves answer."""
    return int(tree.answering_leaf(row)[0])


def leaf_words(tree: SoftTree, leaf: int) -> str:
    """Say what a leaf answers; of a linear one, also what it adds for a row."""
    words = answer_words(tree, _answers(tree, tree.leaf_outputs_[[leaf]])[0])
    if tree.leaf_weights_ is None:
        return words
    constants, slopes = tree.leaf_outputs_[leaf], tree.leaf_weights_[leaf]
    if tree.task == "regression":
        constants = constants + tree.output_centre_
    else:
        constants, slopes = constants * tree.temperature, slopes * tree.temperature
    told = linear_words(tree, tree.preparation_, constants, slopes, SPOKEN_TERMS)
    return f"{words} where all features are at their mean; {told}"


def linear_words(
    tree: Student,
    preparation: Preparation,
    constants: Scores,
    slopes: FloatArray,
    n_terms: int | None = None,
    leading: int | None = None,
) -> str:
    """Say the sum that a linear leaf answers with: ``the log-odds of ill = 0.2 × age − 11.3``.

    Of two classes it is the log-odds of the second; of several, the score of one.

    Parameters
    ----------
    tree : Student
    preparation : Preparation
    constants : ndarray of shape (n_scores,)
        Where all features are at their mean.
    slopes : ndarray of shape (n_prepared, n_scores)
    n_terms : int, optional
        All are said, if left out.
    leading : int, optional
        The class whose score is said; the one of the largest constant, if left out.
    """
    output, constant, slope = "the value", constants[0], slopes[:, 0]
    if len(constants) == 2:
        output = f"the log-odds of {tree.class_names()[1]}"
        constant, slope = constants[1] - constants[0], slopes[:, 1] - slopes[:, 0]
    elif len(constants) > 2:
        best = int(constants.argmax()) if leading is None else leading
        output = f"the score of {tree.class_names()[best]}"
        constant = constants[best] - constants.mean()
        slope = slopes[:, best] - slopes.mean(axis=1)
    at_mean = np.array([constant])
    digits = np.full((len(slope), 1), float(DIGITS))
    (told,) = weighed_sums(tree, preparation, slope[:, None], at_mean, digits)
    return f"{output} = {told.sum_words(len(told.terms) if n_terms is None else n_terms)}"


def answer_words(tree: Student, answer: FloatArray) -> str:
    """Say a leaf's answer: ``benign with probability 0.98``, or a value."""
    if tree.task == "regression":
        told = within(float(answer[0]), float(np.ptp(tree.leaf_outputs_[:, 0])))
        return f"value {minus(told)}"
    best = int(np.argmax(answer))
    return f"{called(tree.class_names()[best])} with probability {answer[best]:.2f}"


def _place(child: int) -> str:
    return f"question {child + 1}" if child >= 0 else f"leaf {-child}"
