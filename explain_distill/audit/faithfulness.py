"""Whether a model's own attributions say what the model does: columns taken out, and put in.

A column is taken out by giving it the values of background rows, and the mean score is what is
left: a value such as 0 would stand for something. The score is that of the class which the model
gives the row; of a regression, the value, turned so that the row lies above the background.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from explain_distill._types import FloatArray, IntArray, Rows, Scores
from explain_distill.attribution.base import ScoreFunction
from explain_distill.audit.effort import FULL
from explain_distill.metrics.intervals import Estimate, mean
from explain_distill.metrics.paired import linearised

NIL = 1e-9  # of a score, so little is no more than rounding
MOST_STEPS = 20  # of a curve, each of which moves so many columns
BACKGROUND = 20  # rows that stand in for what is taken out
SUBSETS = 20  # of columns taken out together, for infidelity


@dataclass(frozen=True)
class Faithfulness:
    """How far attributions say what their model does.

    Parameters
    ----------
    deletion, insertion : Estimate
        The area under the curve of the score as columns are taken out, the largest attribution
        first, or put in; in units of the mean fall of the score from a row to the background, so
        that curves go from 1 to 0, or from 0 to 1, and beyond where attributions are negative.
        Low is good of deletion, high of insertion.
    random_deletion, random_insertion : float
        The same for a random order of the columns.
    infidelity : Estimate
        Mean squared difference of what a random set of columns is attributed and of what the score
        falls by where they are taken out, as a share of the mean squared fall. 0 is exact; noise of
        the background rows that were drawn can bring it below.
    """

    deletion: Estimate
    insertion: Estimate
    infidelity: Estimate
    random_deletion: float
    random_insertion: float


def faithfulness(
    score: ScoreFunction,
    values: FloatArray,
    rows: Rows,
    background: Rows,
    rng: np.random.Generator,
    groups: IntArray | None = None,
    most_rows: int = FULL.faithful_rows,
) -> Faithfulness:
    """Measure how far attributions say what their model does.

    Parameters
    ----------
    score : callable
        The model: raw rows to scores ``(n, n_scores)``.
    values : ndarray of shape (n, n_columns, n_scores)
        Its attributions.
    rows : ndarray of shape (n, n_columns)
    background : ndarray of shape (n_background, n_columns)
    rng : Generator
    groups : ndarray of shape (n,), optional
        Rows that belong together.
    most_rows : int, default=50
        How many of the rows are measured, at most.

    References
    ----------
    Petsiuk, Das & Saenko (2018), RISE (deletion and insertion). Yeh, Hsieh, Suggala, Inouye &
    Ravikumar (2019), On the (in)fidelity and sensitivity of explanations, with the columns taken
    out as the perturbation; the optimal scale is not fitted.
    """
    chosen = np.sort(rng.permutation(len(rows))[:most_rows])
    rows, values = rows[chosen], values[chosen]
    groups = None if groups is None else groups[chosen]
    others = background[rng.integers(len(background), size=(len(rows), BACKGROUND))]
    told = _OneScore.of(score, rows, others)
    n, n_columns = rows.shape
    of_class = np.take_along_axis(values, told.place[:, None, None], axis=2)[:, :, 0]
    ours = told.sign[:, None] * of_class
    orders = np.argsort(-ours, axis=1, kind="stable")
    random = rng.permuted(np.tile(np.arange(n_columns), (n, 1)), axis=1)
    areas = {name: told.areas(order) for name, order in (("own", orders), ("random", random))}
    unit = float(told.fall.mean())
    if unit <= NIL * np.abs(told.full).max(initial=1.0):  # no higher than the background
        unit = 1.0
    deletion, insertion = (mean(area / unit, groups) for area in areas["own"])
    floor = [float(area.mean()) / unit for area in areas["random"]]
    return Faithfulness(deletion, insertion, _infidelity(told, ours, rng, groups), *floor)


@dataclass(frozen=True, eq=False)
class _OneScore:
    """A model's score of one class for each row, with columns taken out."""

    score: ScoreFunction
    rows: Rows
    others: Rows  # (n, n_background, n_columns)
    place: IntArray  # the score of each row
    sign: FloatArray
    full: FloatArray
    empty: FloatArray

    @classmethod
    def of(cls, score: ScoreFunction, rows: Rows, others: Rows) -> _OneScore:
        scores = score(rows)
        place = scores.argmax(axis=1)
        full = scores[np.arange(len(rows)), place]
        one = cls(score, rows, others, place, np.ones(len(rows)), full, full)
        empty = one.left(np.zeros(rows.shape, dtype=bool))
        sign = np.ones(len(rows))
        if scores.shape[1] == 1:
            sign = np.where(full >= empty, 1.0, -1.0)
        return cls(score, rows, others, place, sign, sign * full, sign * empty)

    @property
    def fall(self) -> FloatArray:
        return self.full - self.empty

    def halves(self) -> tuple[_OneScore, _OneScore]:
        """Give the same with either half of the background rows."""
        n = self.others.shape[1] // 2
        return (
            replace(self, others=self.others[:, :n]),
            replace(self, others=self.others[:, n : 2 * n]),
        )

    def left(self, kept: np.ndarray) -> FloatArray:
        """Give the mean score where only some columns of each row are kept: ``(n,)``."""
        mixed = np.where(kept[:, None, :], self.rows[:, None, :], self.others)
        n, n_background, n_columns = mixed.shape
        told: Scores = self.score(mixed.reshape(-1, n_columns)).reshape(n, n_background, -1)
        one = np.take_along_axis(told, self.place[:, None, None], axis=2)[:, :, 0]
        return np.asarray(self.sign * one.mean(axis=1))

    def areas(self, order: IntArray) -> tuple[FloatArray, FloatArray]:
        """Give the areas under two curves: columns taken out in turn, and put in: ``(n,)`` each.

        A curve says how far above the background the score is, by the share of columns moved.
        """
        n_columns = order.shape[1]
        rank = np.argsort(order, axis=1)
        steps = np.unique(np.linspace(0, n_columns, min(n_columns, MOST_STEPS) + 1).round())
        deleted = np.column_stack([self.left(rank >= step) - self.empty for step in steps])
        inserted = np.column_stack([self.left(rank < step) - self.empty for step in steps])
        shares = steps / n_columns
        return np.trapezoid(deleted, shares, axis=1), np.trapezoid(inserted, shares, axis=1)


def _infidelity(
    told: _OneScore, values: FloatArray, rng: np.random.Generator, groups: IntArray | None
) -> Estimate:
    errors, squares = np.zeros(len(values)), np.zeros(len(values))
    halves = told.halves()
    for _ in range(SUBSETS):
        out = rng.random(values.shape) < rng.random((len(values), 1))
        said = (values * out).sum(axis=1)
        # Two independent halves of the background: their noise adds nothing to the product.
        first, second = (half.full - half.left(~out) for half in halves)
        errors += (said - first) * (said - second)
        squares += first * second
    if squares.mean() <= 0:
        return mean(errors, groups)
    return mean(linearised(errors, squares), groups)
