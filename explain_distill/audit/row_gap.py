"""How far a student's reasons can be from its teacher's in one row: the certificate on screen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from explain_distill._random import generator
from explain_distill._types import BoolArray, FloatArray, Rows
from explain_distill.attribution.own import score_rows
from explain_distill.attribution.shapley import Draws, sampled_shapley
from explain_distill.audit.gaps import check_finite
from explain_distill.data.dataset import Dataset
from explain_distill.metrics.intervals import LEVEL
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher

MOST_EVALUATIONS = 100_000  # rows that each model scores
ROUNDING = 1e-12
LEAST_PAIRS, MOST_PAIRS = 32, 256


@dataclass(frozen=True, eq=False)
class RowGap:
    """The reasons of a teacher and a student in one row, and how far apart they can be.

    Parameters
    ----------
    teacher, student : ndarray of shape (n_columns,)
        Attributions of one score, estimated on the same fresh walks.
    low, high : ndarray of shape (n_columns,)
        The student's attribution less the teacher's lies between, for all columns together at
        `level`.
    n_walks : int
        Two a draw of a background row and an order: forth and back.
    level : float
    """

    teacher: FloatArray
    student: FloatArray
    low: FloatArray
    high: FloatArray
    n_walks: int
    level: float

    @property
    def met(self) -> BoolArray:
        """Whether any walk met a difference of a column: where none did, nothing is bounded."""
        return np.asarray((self.low < self.high) & (self.most > ROUNDING * self.largest))

    @property
    def largest(self) -> float:
        """The largest attribution of either model."""
        return float(max(np.abs(self.teacher).max(), np.abs(self.student).max()))

    @property
    def most(self) -> FloatArray:
        """How far apart the attributions of each column can be, in units of the score."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


def gap_of_row(
    teacher: Teacher,
    student: Student,
    data: Dataset,
    background: Rows,
    row: int,
    score: int,
    *,
    seed: int = 0,
    level: float = LEVEL,
) -> RowGap:
    """Bound the distance of a student's reasons from its teacher's in one row.

    Each pair of antithetic walks gives an unbiased estimate of the difference of both models'
    Shapley values, since these are linear in the model, and pairs are independent: their mean has
    Student's interval, by the central limit theorem, and all columns together have Bonferroni's.
    What is uncertain is the walks that were drawn, never the row: no other rows are spoken of. A
    difference that few walks in hundreds meet may be missed, and where none met one, nothing is
    bounded.

    Parameters
    ----------
    teacher : Teacher
    student : Student
    data : Dataset
    background : ndarray of shape (n_background, n_columns)
        Training rows.
    row : int
        Of the data.
    score : int
        The code of a class; 0 for regression.
    seed : int, default=0
    level : float, default=0.95

    Raises
    ------
    DataError
        Where a model gives a coalition of the row no finite score.
    """
    n_columns = data.X.shape[1]
    n_pairs = int(np.clip(MOST_EVALUATIONS // (2 * n_columns), LEAST_PAIRS, MOST_PAIRS))
    rng = generator(seed, "gap of a row", str(row))

    def both(mixed: Rows) -> FloatArray:
        told = [score_rows(model, mixed, data.readable_features) for model in (teacher, student)]
        for name, scores in zip(("the teacher", "the student"), told, strict=True):
            check_finite(name, scores, mixed, data)
        return np.stack([scores[:, score] for scores in told], axis=1)

    rows = np.repeat(data.X[[row]], n_pairs, axis=0)
    draws = Draws.draw(n_pairs, n_columns, 1, len(background), rng)
    shares = sampled_shapley(both, rows, background, draws).values
    apart = shares[:, :, 1] - shares[:, :, 0]
    error = apart.std(axis=0, ddof=1) / np.sqrt(n_pairs)
    reach = t.isf((1 - level) / (2 * n_columns), n_pairs - 1) * error
    mean = apart.mean(axis=0)
    each = shares.mean(axis=0)
    return RowGap(each[:, 0], each[:, 1], mean - reach, mean + reach, 2 * n_pairs, level)
