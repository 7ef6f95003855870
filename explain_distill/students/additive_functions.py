"""What an additive model adds up, as it is told: each term, and the levels of a category as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explain_distill._types import FloatArray
from explain_distill.data.readable_features import ReadableFeature
from explain_distill.students.additive_terms import Term

if TYPE_CHECKING:
    from explain_distill.students.additive import Additive

NOT, HOLDS = 1, -1  # the bins of a level where it does not hold, and where it does
LEAST_SHARE = 1e-9  # of rows, below which none misses a category


@dataclass(frozen=True, eq=False)
class Category:
    """The functions of a category's levels, each of one level, added up level by level.

    Parameters
    ----------
    name : str
        The column.
    levels : tuple of str
    table : ndarray of shape (n_levels + 1, n_scores)
        What each level adds to the scores, and last what a missing value does.
    weights : ndarray of shape (n_levels + 1,)
        The share of the transfer rows at each.
    n_terms : int
        How many functions are added up.
    """

    name: str
    levels: tuple[str, ...]
    table: FloatArray
    weights: FloatArray
    n_terms: int

    @classmethod
    def of(cls, features: Sequence[ReadableFeature], terms: Mapping[int, Term]) -> Category:
        """Add up the terms of the features of one column, each a level; some may have none."""
        nothing = sum(term.table[NOT] for term in terms.values())
        table = np.tile(nothing, (len(features) + 1, 1))
        weights = np.zeros(len(features) + 1)
        for place, term in terms.items():
            table[place] += term.table[HOLDS] - term.table[NOT]
            weights[place] = term.weights[HOLDS]
        # The rest is missing, or at a level that nothing is told of.
        rest = 1 - float(weights.sum())
        weights[-1] = rest if rest > LEAST_SHARE else 0.0
        first = features[0]
        return cls(
            first.name.removesuffix(f"={first.level}"),
            tuple(str(feature.level) for feature in features),
            table,
            weights,
            len(terms),
        )

    @property
    def strength(self) -> FloatArray:
        """How far it moves each score, as a mean over the transfer rows: ``(n_scores,)``."""
        return np.asarray(self.weights @ np.abs(self.table))

    def leading(self, values: FloatArray, most: int) -> list[int]:
        """Give the levels, in their order, at which so many `values` move the score most."""
        moved = self.weights[:-1] * np.abs(values[:-1])
        return sorted(np.argsort(-moved, kind="stable")[:most].tolist())


def ranked_terms(model: Additive) -> list[Term]:
    """Give the terms from the strongest to the weakest, by the mean over the scores."""
    return sorted(model.terms_, key=lambda term: -float(term.strength.mean()))


def ranked_functions(model: Additive) -> list[Term | Category]:
    """Give what is told of a model from the strongest on: its terms, those of a category as one."""
    features = model.readable_features()
    found: list[Term | Category] = []
    of_levels: dict[int, dict[int, Term]] = {}
    for term in model.terms_:
        first = features[term.features[0]]
        if len(term.features) == 1 and first.level is not None:
            of_levels.setdefault(first.column, {})[term.features[0]] = term
        else:
            found.append(term)
    for column, terms in of_levels.items():
        places = [place for place, each in enumerate(features) if each.column == column]
        own = {places.index(place): term for place, term in terms.items()}
        found.append(Category.of([features[place] for place in places], own))
    return sorted(found, key=lambda each: -float(each.strength.mean()))
