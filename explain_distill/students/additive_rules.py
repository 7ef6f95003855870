"""An additive model in words and in raw units: how its strongest functions move the score."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from explain_distill._rounding import apart, minus
from explain_distill._types import FloatArray
from explain_distill.data.readable_features import ReadableFeature
from explain_distill.students.additive_bins import MISSING
from explain_distill.students.additive_functions import Category, ranked_functions, ranked_terms
from explain_distill.students.additive_terms import Term

if TYPE_CHECKING:
    from explain_distill.students.additive import Additive

SPOKEN_TERMS = 12
SPOKEN_LEVELS = 12  # of a category, those that move the score most
FEW_STEPS = 5  # that are told one by one
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)  # of the transfer rows, at which a longer function is told


def additive_rules(model: Additive) -> list[str]:
    """Say what the score is the sum of, and how each of the strongest functions moves it."""
    terms = ranked_terms(model)
    singles = sum(len(term.features) == 1 for term in terms)
    what = "score of each class" if len(model.intercepts_) > 2 else spoken_score(model, None)[0]
    start = "an intercept"
    if len(model.intercepts_) < 3:
        start = _number(float(spoken_score(model, None)[1]))
    lines = [
        f"The {what} is the sum of {start} and {len(terms)} functions: {singles} of one feature, "
        f"{len(terms) - singles} of two."
    ]
    told = ranked_functions(model)[:SPOKEN_TERMS]
    lines += [function_words(model, each) for each in told]
    untold = len(terms) - sum(each.n_terms if isinstance(each, Category) else 1 for each in told)
    if untold:
        lines.append(f"{untold} weaker functions are not told here.")
    return lines


def spoken_score(model: Additive, term: Term | Category | None) -> tuple[str, FloatArray]:
    """Choose what is told of a term, or of the intercept: its name, and the table's values.

    The value for regression; the log-odds of the second of two classes; of more classes the score
    (centred log-probability) that the term moves most.
    """
    table = model.intercepts_ if term is None else term.table
    names = model.class_names()
    if model.task == "regression":
        return "value", table[..., 0]
    if len(names) == 2:
        return f"log-odds of {names[1]}", table[..., 1] - table[..., 0]
    moved = int(np.argmax(model.intercepts_ if term is None else term.strength))
    return f"score of {names[moved]}", table[..., moved]


def function_words(model: Additive, told: Term | Category) -> str:
    """Say how a function moves the score."""
    return term_words(model, told) if isinstance(told, Term) else _category_words(model, told)


def _category_words(model: Additive, category: Category) -> str:
    name, values = spoken_score(model, category)
    places = category.leading(values, SPOKEN_LEVELS)
    told = [f"{_number(values[place])} where it is {category.levels[place]}" for place in places]
    if len(rest := np.delete(values[:-1], places)):
        ends = f"between {_number(rest.min())} and {_number(rest.max())}"
        told.append(f"{ends} at {len(rest)} other levels")
    if category.weights[-1] > 0:
        told.append(f"{_number(values[-1])} where it is missing")
    return f"{category.name} adds to the {name}: {'; '.join(told)}."


def term_words(model: Additive, term: Term) -> str:
    """Say how a term moves the score."""
    features = [model.readable_features()[feature] for feature in term.features]
    name, values = spoken_score(model, term)
    told = (
        _single(features[0], term, values) if len(features) == 1 else _pair(features, term, values)
    )
    unit = f" [{features[0].unit}]" if len(features) == 1 and features[0].unit else ""
    called = " and ".join(feature.name for feature in features)
    adds = "adds" if len(features) == 1 else "add"
    return f"{called}{unit} {adds} to the {name}: {'; '.join(told)}."


def _single(feature: ReadableFeature, term: Term, values: FloatArray) -> list[str]:
    (cuts,), weights = term.cuts, term.weights
    if feature.binary and len(cuts) == 1:
        told = [f"{_number(values[2])} where it holds", f"{_number(values[1])} where not"]
    else:
        at_cuts = _spoken_cuts(cuts)
        ends = [f"below {at_cuts[0]}"]
        ends += [f"from {a} to {b}" for a, b in pairwise(at_cuts)]
        ends.append(f"from {at_cuts[-1]} on")
        told = [f"{_number(values[1 + step])} {end}" for step, end in enumerate(ends)]
        if len(cuts) >= FEW_STEPS:
            known = np.cumsum(weights[1:]) / weights[1:].sum()
            at: dict[int, list[str]] = {}
            for level in LEVELS:
                at.setdefault(int(np.searchsorted(known, level)), []).append(f"{100 * level:.0f}")
            told = [f"{told[step]} (row {' and '.join(rows)})" for step, rows in at.items()]
            told[0] = f"of 100 rows from the lowest value up, {told[0]}"
            told[-1] += "; and other values between"
    if weights[MISSING] > 0:
        told.append(f"{_number(values[MISSING])} where it is missing")
    return told


def _pair(features: list[ReadableFeature], term: Term, values: FloatArray) -> list[str]:
    """Say what a pair adds on average in each of four quarters, cut at the medians."""
    halves = [
        _halves(feature, cuts, term.weights.sum(axis=1 - axis))
        for axis, (feature, cuts) in enumerate(zip(features, term.cuts, strict=True))
    ]
    told = []
    for where_a, bins_a in halves[0]:
        for where_b, bins_b in halves[1]:
            weights = term.weights[bins_a, bins_b]
            if weights.sum() > 0:
                mean = float((values[bins_a, bins_b] * weights).sum() / weights.sum())
                told.append(f"{_number(mean)} where {where_a} and {where_b}")
    return told


def _halves(
    feature: ReadableFeature, cuts: FloatArray, weights: FloatArray
) -> list[tuple[str, slice]]:
    """Cut the bins of a feature at the cut nearest to its median, and say both sides."""
    below = np.cumsum(weights[1:-1]) / max(weights[1:].sum(), 1e-300)
    place = int(np.argmin(np.abs(below - 0.5)))
    sides = (slice(1, place + 2), slice(place + 2, None))
    if feature.binary and len(cuts) == 1:
        return list(zip((f"not {feature.name}", feature.name), sides, strict=True))
    cut = _spoken_cuts(cuts)[place]
    words = (f"{feature.name} < {cut}", f"{feature.name} ≥ {cut}")
    return list(zip(words, sides, strict=True))


def _spoken_cuts(cuts: FloatArray) -> list[str]:
    return [minus(text) for text in apart(cuts.tolist())]


def _number(value: float) -> str:
    """Write what is added, with its sign: ``"+0.52"``, ``"−1.3"``."""
    return f"{value:+.3g}".replace("-", "−")
