"""The search for the tree of so many leaves that is closest to its teacher."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from explain_distill._types import FloatArray, ReadableRows
from explain_distill.students.leaf_answers import Labelled, Sums
from explain_distill.students.splits import Splits
from explain_distill.students.tree_growth import grow, regrow
from explain_distill.students.tree_pruning import judged, prune
from explain_distill.students.tree_refinement import refine

LARGER = 4  # times as many leaves are grown as are kept
ROUNDS = 5  # of pruning, refining and growing again, at most


@dataclass(frozen=True, eq=False)
class Material:
    """What a tree is grown and judged on.

    Parameters
    ----------
    codes : ndarray of shape (n_samples, n_features)
        From `Cuts.codes`.
    targets : ndarray of shape (n_samples, n_targets)
        Whose squared error decides where a tree is grown.
    labelled : Labelled
        By which trees are judged.
    rows : ndarray of shape (n_samples, n_features), optional
        In raw units, where the leaves need them.
    """

    codes: FloatArray
    targets: FloatArray
    labelled: Labelled
    rows: ReadableRows | None = None

    def sums(self, splits: Splits) -> Sums:
        """Sum over the rows of each leaf."""
        return self.labelled.sums(splits.leaves_of(self.codes), splits.n_leaves)

    def loss(self, splits: Splits) -> float:
        """Give what the rows lose together."""
        sums = self.sums(splits)
        return float(self.labelled.loss(sums.answers(), sums).sum())

    def joined(self, more: Material, splits: Splits) -> Material:
        """Add rows to leaves, which keep their weight and share it evenly among their rows."""
        labelled = self.labelled
        leaves, added = (splits.leaves_of(material.codes) for material in (self, more))
        before, after = (np.bincount(of, minlength=splits.n_leaves) for of in (leaves, added))
        kept = before / np.maximum(before + after, 1)
        mean = self.sums(splits).total / np.maximum(before + after, 1)
        weights = np.concatenate([labelled.weights * kept[leaves], mean[added]])
        labels = np.concatenate([labelled.labels, more.labelled.labels])
        return Material(
            np.concatenate([self.codes, more.codes]),
            np.concatenate([self.targets, more.targets]),
            replace(labelled, labels=labels, weights=weights),
            None
            if self.rows is None or more.rows is None
            else np.concatenate([self.rows, more.rows]),
        )


Ask: TypeAlias = Callable[[Splits, Material], Material | None]
"""Gives more material where the leaves of a tree hold few rows."""

OnRound: TypeAlias = Callable[[int, Splits, Material], None]
"""Called with the round, the tree so far, and what it was judged on."""


def search(
    material: Material, most_leaves: int, *, ask: Ask | None = None, on_round: OnRound | None = None
) -> tuple[Splits, Material]:
    """Grow, prune, refine, and grow what was found further, as long as the loss falls.

    Parameters
    ----------
    material : Material
    most_leaves : int
    ask : callable, optional
        Asked for more material after each round.
    on_round : callable, optional

    Returns
    -------
    splits : Splits
        On codes.
    material : Material
        With what was added.
    """
    weights = material.labelled.weights
    grown = grow(material.codes, material.targets, weights, LARGER * most_leaves)
    best, least = grown, np.inf
    for step in range(1, ROUNDS + 1):
        sums = material.sums(grown)
        pruned = prune(grown, most_leaves, *judged(grown, sums, material.labelled))
        found = refine(pruned, material.codes, material.labelled)
        loss = material.loss(found)
        if not loss < least:
            break
        best, least = found, loss
        if on_round is not None:
            on_round(step, best, material)
        more = ask(best, material) if ask is not None and step < ROUNDS else None
        if more is not None:
            material = material.joined(more, best)
            least = material.loss(best)
        grown = regrow(best, material.codes, material.targets, material.labelled.weights, LARGER)
    return best, material
