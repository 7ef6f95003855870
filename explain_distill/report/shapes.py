"""The functions of an additive model, as they are drawn."""

from __future__ import annotations

import numpy as np

from explain_distill.report.blocks import Shape, Shapes
from explain_distill.students.additive import Additive
from explain_distill.students.additive_bins import MISSING
from explain_distill.students.additive_functions import Category, ranked_functions
from explain_distill.students.additive_rules import spoken_score
from explain_distill.students.additive_terms import Term

MOST_SHAPES = 9
MOST_LEVELS = 24  # of a category that are drawn, those that move the score most
SHARE = 0.01  # of the transfer rows that lie beyond each end of a drawing


def additive_shapes(model: Additive) -> Shapes | None:
    """Give the strongest functions of single features; None where there are none."""
    singles = [
        each
        for each in ranked_functions(model)
        if isinstance(each, Category) or len(each.features) == 1
    ][:MOST_SHAPES]
    if not singles:
        return None
    several = len(model.intercepts_) > 2
    axis = "score of the class that it moves most" if several else spoken_score(model, None)[0]
    shapes = tuple(
        _levels(model, each) if isinstance(each, Category) else _shape(model, each)
        for each in singles
    )
    return Shapes("The strongest functions", f"Added to the {axis}", shapes)


def _levels(model: Additive, category: Category) -> Shape:
    told, values = spoken_score(model, category)
    name = f"{category.name}: {told}" if len(model.intercepts_) > 2 else category.name
    places = category.leading(values, MOST_LEVELS)
    missing = float(values[-1]) if category.weights[-1] > 0 else None
    edges = tuple(map(float, range(len(places) + 1)))
    levels = tuple(category.levels[place] for place in places)
    return Shape(name, edges, tuple(float(values[place]) for place in places), missing, levels)


def _shape(model: Additive, term: Term) -> Shape:
    feature = model.readable_features()[term.features[0]]
    told, values = spoken_score(model, term)
    name = f"{feature.name} [{feature.unit}]" if feature.unit else feature.name
    if len(model.intercepts_) > 2:
        name += f": {told}"
    missing = float(values[MISSING]) if term.weights[MISSING] > 0 else None
    cuts, weights = term.cuts[0], term.weights[1:]
    below = np.cumsum(weights) / max(weights.sum(), 1e-300)
    first = int(np.searchsorted(below, SHARE))
    last = max(int(np.searchsorted(below, 1 - SHARE)), first)
    inner = cuts[max(first - 1, 0) : last + 1]
    # The outermost steps have no end of their own: they are drawn as wide as one beside them, or
    # as far as 0 where there is none, but not across 0 where no cut lies beyond.
    gaps = np.diff(cuts) if len(cuts) > 1 else np.where(cuts == 0, 1.0, np.abs(cuts))
    low = [] if first > 0 else [_beside(inner[0], -gaps[0])]
    high = [] if last < len(cuts) else [_beside(inner[-1], gaps[-1])]
    edges = tuple(float(edge) for edge in (*low, *inner, *high))
    steps = tuple(float(v) for v in values[1 + first : 2 + last])
    return Shape(name, edges, steps, missing)


def _beside(cut: float, step: float) -> float:
    """Give the end of an outermost step, at 0 where the step would lead across it."""
    return 0.0 if cut * (cut + step) < 0 else cut + step
