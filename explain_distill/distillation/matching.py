"""Learning not only what a teacher says, but how it changes: from column to column, or locally."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from explain_distill._ranges import Range
from explain_distill._types import FloatArray, Rows
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.techniques import PairedRows, check_weight
from explain_distill.distillation.transfer_sets import TransferSet
from explain_distill.exceptions import DataError
from explain_distill.teachers.base import Teacher


@dataclass(frozen=True)
class AttributionMatching(PairedRows):
    """Match what one column adds to a coalition: the integrand of its Shapley value.

    A pair is two coalitions of the same rows x and b that differ in one random column, which is
    x's in the first and b's in the second; of the other columns each is x's with probability
    p ~ U(0, 1). The mean of the difference f(first) - f(second) over such draws is that column's
    interventional Shapley value. Its square, of teacher less student, bounds by Jensen how far
    their attributions are apart, and a pair counts so that the sum over all columns is estimated.

    Parameters
    ----------
    weight : float, default=1.0
        Of that sum beside the squared distance of the scores, both in units of their mean square.

    References
    ----------
    Owen (1972), Multilinear extensions of games (the distribution of the coalitions).
    """

    weight: float = 1.0
    NAME: ClassVar[str] = "attribution-matching"

    def __post_init__(self) -> None:
        check_weight(self.weight)

    def pairs(self, transfer: TransferSet, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw pairs of coalitions out of the training rows, whatever the transfer set."""
        rows, background = (X[rng.integers(len(X), size=n)] for _ in range(2))
        kept = rng.random(rows.shape) < rng.random((n, 1))
        first, second = kept.copy(), kept
        one = (np.arange(n), rng.integers(X.shape[1], size=n))
        first[one], second[one] = True, False
        both = np.stack([first, second], axis=1)
        return np.where(both, rows[:, None], background[:, None]).reshape(-1, X.shape[1])

    def pair_weight(self, n_columns: int) -> float:
        """Let one column stand for all of them."""
        return self.weight * n_columns


@dataclass(frozen=True)
class GradientMatching(PairedRows):
    """Match the slope of the score along random directions, at rows of the transfer set.

    The slope along v, a standard normal direction in standardised numbers, is taken by a central
    difference of step `step`, of the teacher and of the student alike: the same functional of
    both, so that neither needs gradients of its own, and a training step costs no second backward
    pass. The mean square over v is the squared length of the gradient of teacher less student.
    Categories and truth values stay as they are, and missing numbers stay missing.

    Parameters
    ----------
    weight : float, default=1.0
        Of that squared length beside the squared distance of the scores, in units of the mean
        square of the score, numbers in units of their standard deviation.
    step : float, default=0.1
        Between the two rows, in standard deviations of each number. Smaller than the teacher's
        steps, for a teacher with steps such as a forest, it sees none of them.

    References
    ----------
    Czarnecki, Osindero, Jaderberg, Świrszcz & Pascanu (2017), Sobolev training for neural networks
    (matching projections on random directions).
    Srinivas & Fleuret (2018), Knowledge transfer with Jacobian matching.
    """

    weight: float = 1.0
    step: float = 0.1
    spread: FloatArray | None = field(default=None, repr=False, compare=False)
    NAME: ClassVar[str] = "gradient-matching"

    def __post_init__(self) -> None:
        check_weight(self.weight)
        if self.step not in Range(0, 1, without_low=True):
            raise DataError(
                f"step must be above 0 and at most 1; however, got {self.step!r}. "
                "It is in standard deviations of each number; 0.1 suits networks."
            )

    def ready(self, teacher: Teacher, data: Dataset) -> GradientMatching:
        """Take the standard deviation of each number; 0 stands for what is no number."""
        numbers = [feature.kind == "number" for feature in data.schema.features]
        if not any(numbers):
            raise DataError(
                "GradientMatching needs a column of numbers to move along; however, none of "
                f"{', '.join(data.schema.names[:3])}{'…' * (len(numbers) > 3)} is one. Take "
                "AttributionMatching."
            )
        spread = np.zeros(len(numbers))
        spread[numbers] = np.nan_to_num(_deviations(data.X[:, numbers]))
        return replace(self, spread=spread)

    def pairs(self, transfer: TransferSet, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw rows of the transfer set, and step half a step to either side of each."""
        spread = _deviations(X) if self.spread is None else self.spread
        centres = transfer.draw(X, n, rng)
        aside = (self.step / 2) * spread * rng.standard_normal(centres.shape)
        return np.stack([centres + aside, centres - aside], axis=1).reshape(-1, X.shape[1])

    def pair_weight(self, n_columns: int) -> float:
        """Weigh a difference as a slope: over the step."""
        return self.weight / self.step**2


def _deviations(X: Rows) -> FloatArray:
    """Give the standard deviation of each column, missing cells aside: ``(n_columns,)``."""
    known = ~np.isnan(X)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, X, 0).sum(axis=0) / count
    return np.asarray(np.sqrt(np.where(known, (X - centre) ** 2, 0).sum(axis=0) / count))
