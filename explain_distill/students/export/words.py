"""Trees in words, complete and in raw units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from explain_distill._rounding import in_full, minus
from explain_distill.data.features import called
from explain_distill.students.export.quoting import shown
from explain_distill.students.export.tree_model import Gate, Split, Sum, Tree, TreeModel

LOG_ODDS = "log-odds of"
DIGITS = 6
MOST_DIGITS = 10  # of a value that is told in full
HOW_TO_READ = {
    "leaf": "Begin at question 1, and follow the answers to a leaf.",
    "mixture": (
        "A row goes both ways at each question. With z the difference of the two sides, "
        "1 / (1 + exp(-z)) of it goes to yes; the answer is the mean of the leaves' answers, each "
        "weighted by what comes to it."
    ),
    "sum": "A row goes down each tree; what the leaves it comes to add, and the base, add up.",
}
OF_SUMS = {
    "leaf": "A leaf answers with its sums.",
    "mixture": "A leaf answers with its sums, and it is these that are averaged.",
}


def text_rules(model: TreeModel) -> str:
    """Write each question and each leaf in words, one line each.

    Numbers are rounded to 6 digits, but for thresholds: they are told to as many as they need to
    send rows the same ways. The JSON, SQL, Python and ONNX forms hold all.
    """
    lines = [
        f"A {model.student} in words. Numbers are rounded to 6 digits, thresholds to more where "
        "they need it.",
        HOW_TO_READ[model.combination] if model.trees[0].root >= 0 else "It asks nothing.",
        *_notes(model),
    ]
    for number, tree in enumerate(model.trees):
        lines += ["", *([f"Tree {number + 1}"] if len(model.trees) > 1 else [])]
        lines += _tree(model, tree, tree.root, 0)
    return "\n".join(lines) + "\n"


def _notes(model: TreeModel) -> Iterator[str]:
    if model.combination == "sum":
        outputs = _outputs(model)
        yield "Base: " + ", ".join(
            f"{name} {number(base)}" for name, base in zip(outputs, model.base, strict=True)
        )
    if model.combination == "mixture" and model.task == "classification" and model.temperature != 1:
        yield (
            f"Averaged probabilities are raised to the power of {number(model.temperature)} and "
            "divided by their sum."
        )
    missing = [
        f"{shown(model.features[i].name)} {_raw(model.fill[i])}"
        for i in sorted({*model.weighed, *model.asked_whether_missing})
        if model.features[i].level is None
    ]
    if missing:
        what = "it stands at" if model.gated else "the sum of a leaf takes it for"
        yield f"Where a value is missing {what}: " + ", ".join(missing) + "."
    if model.compared:
        yield (
            "What is missing, and a level that is new, counts as a no where a question does not "
            "say otherwise."
        )
    if model.linear:
        yield OF_SUMS[model.combination]
    if model.linear and model.task == "classification":
        yield (
            f"With s that of a row, 1 / (1 + exp(-s)) is the probability of "
            f"{shown(model.class_names[1])}."
            if len(model.class_names) == 2
            else "The softmax of a row's scores gives the probabilities of the classes."
        )


def _tree(model: TreeModel, tree: Tree, place: int, level: int) -> Iterator[str]:
    indent = "  " * level
    if place < 0:
        leaf = -1 - place
        yield f"{indent}Leaf {leaf + 1}: {leaf_words(model, tree, leaf)}."
        return
    branch = tree.branches[place]
    yield (
        f"{indent}Question {place + 1}: {question_words(model, branch.question)}? "
        f"Yes: {_place(branch.right)}, no: {_place(branch.left)}."
    )
    yield from _tree(model, tree, branch.right, level + 1)
    yield from _tree(model, tree, branch.left, level + 1)


def _place(place: int) -> str:
    return f"question {place + 1}" if place >= 0 else f"leaf {-place}"


def question_words(model: TreeModel, question: Split | Gate, n_terms: int | None = None) -> str:
    """Say a question in raw units, the terms of a sum from the first to the `n_terms`-th."""
    if isinstance(question, Gate):
        return _gate_words(model, question, n_terms)
    feature = model.features[question.feature]
    if question.of_missing_alone:
        return f"{shown(feature.name)} is missing"
    missing = " or it is missing" if question.missing_right and feature.level is None else ""
    if feature.binary and 0 <= question.threshold <= 1:
        return f"{shown(feature.name)}{missing}"
    sign = "≥" if question.inclusive else ">"
    unit = f" {shown(feature.unit)}" if feature.unit else ""
    threshold = _raw(question.threshold, model.gaps[question.feature])
    return f"{shown(feature.name)} {sign} {threshold}{unit}{missing}"


def _gate_words(model: TreeModel, gate: Gate, n_terms: int | None) -> str:
    """Say a weighted sum of features in raw units and what it must exceed."""
    words = _sum_words(model, gate, n_terms).removeprefix("+ ") or "0"
    return f"{words} > {number(_at_zero(model, gate) - gate.bias, 1000.0)}"


def _sum_words(model: TreeModel, each: Sum, n_terms: int | None) -> str:
    terms = [_term(model, i, weight) for i, weight in each.weights]
    terms += [
        _signed(weight, f"if {shown(model.features[i].name)} is missing")
        for i, weight in each.missing_weights
    ]
    spoken = terms[:n_terms]
    if len(terms) > len(spoken):
        spoken.append(f"+ {len(terms) - len(spoken)} more")
    return " ".join(spoken)


def _at_zero(model: TreeModel, each: Sum) -> float:
    """Give what a sum in raw units, as it is told, exceeds that of deviations from the centres by.

    It is told by rounded weights, so that at the centres it is what it was.
    """
    return sum(float(f"{weight:.{DIGITS}g}") * model.centre[i] for i, weight in each.weights)


def _term(model: TreeModel, i: int, weight: float) -> str:
    feature = model.features[i]
    if feature.binary:
        return _signed(weight, f"if {shown(feature.name)}")
    unit = f" [{shown(feature.unit)}]" if feature.unit else ""
    return _signed(weight, f"× {shown(feature.name)}{unit}")


def _signed(weight: float, what: str) -> str:
    return f"{'−' if weight < 0 else '+'} {number(abs(weight))} {what}"


def leaf_words(model: TreeModel, tree: Tree, leaf: int, n_terms: int | None = None) -> str:
    """Say what a leaf answers, the terms of its sums from the first to the `n_terms`-th.

    All of its sums are said; but where not all terms are, only that of the class that is most
    probable where every feature is at its centre.
    """
    constants = tree.leaves[leaf]
    if not tree.slopes:
        return answer_words(model, constants)
    sums = list(zip(_outputs(model), constants, tree.slopes[leaf], strict=True))
    if model.task == "classification" and len(constants) == 2:
        both = _difference(*tree.slopes[leaf])
        sums = [(f"s, the {LOG_ODDS} {shown(model.class_names[1])}", _minus(constants), both)]
    elif n_terms is not None:
        sums = [sums[int(np.argmax(constants))]]
    return "; ".join(_output_words(model, *each, n_terms) for each in sums)


def _output_words(
    model: TreeModel, name: str, constant: float, slope: Sum, n_terms: int | None
) -> str:
    start = number(constant - _at_zero(model, slope), abs(constant))
    return f"{name} = {start} {_sum_words(model, slope, n_terms)}".rstrip()


def _minus(pair: tuple[float, ...]) -> float:
    first, second = pair
    return second - first


def _difference(first: Sum, second: Sum) -> Sum:
    """Give the second sum less the first."""
    return Sum(
        _less(first.weights, second.weights), _less(first.missing_weights, second.missing_weights)
    )


def _less(
    first: tuple[tuple[int, float], ...], second: tuple[tuple[int, float], ...]
) -> tuple[tuple[int, float], ...]:
    one, two = dict(first), dict(second)
    return tuple((i, two.get(i, 0.0) - one.get(i, 0.0)) for i in {**one, **two})


def answer_words(model: TreeModel, leaf: tuple[float, ...]) -> str:
    """Say what a leaf holds: probabilities from the highest down, a value, or what it adds."""
    if model.combination == "sum":
        added = [
            f"{number(value)} to {name}"
            for name, value in zip(_outputs(model), leaf, strict=True)
            if value
        ]
        return "adds " + (", ".join(added) or "nothing")
    if model.task == "regression":
        return f"value {number(leaf[0])}"
    order = np.argsort(-np.asarray(leaf), kind="stable")
    return ", ".join(f"{shown(called(model.class_names[k]))} {number(leaf[k])}" for k in order)


def _outputs(model: TreeModel) -> list[str]:
    """Name what a sum gives: a score for each class, or the log-odds of the second, or a value."""
    if model.task == "regression":
        return ["the value"]
    names = [shown(name) for name in model.class_names]
    if len(model.base) == 1:
        return [f"the {LOG_ODDS} {names[1]}"]
    return [f"the score of {name}" for name in names]


def _raw(value: float, apart: float = np.inf) -> str:
    """Write a value of a feature: in full where that is short, else to tell it from others.

    Those are others `apart` or more. All digits before the point are told.
    """
    exact = in_full(value)
    if sum(map(str.isdigit, exact.partition("e")[0].lstrip("-0."))) <= MOST_DIGITS:
        return minus(exact)
    return number(value, min(1000 * apart, 1e5))


def number(value: float, beside: float = np.inf) -> str:
    """Write a number to 6 digits, or to 6 of another number that it is compared with."""
    further = 0.0
    if value and 0 < beside < np.inf:
        further = np.ceil(np.clip(np.log10(abs(value)) - np.log10(beside), 0, 17))
    return minus(f"{value:.{min(DIGITS + int(further), 17)}g}")
