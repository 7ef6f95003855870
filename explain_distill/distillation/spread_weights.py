"""Trusting a teacher less where its members disagree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from explain_distill._types import FloatArray, Rows
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.techniques import RowWeights
from explain_distill.exceptions import DataError
from explain_distill.teachers.base import Teacher


@dataclass(frozen=True)
class SpreadWeights(RowWeights):
    """Rows on which the members of an ensemble disagree count less.

    A row's weight is ``2 / (1 + (s / s₀)²)``, where s is the standard deviation of its members'
    scores and s₀ the median of s over the training rows on which the members disagree at all, so
    that a row of usual spread counts 1. It is the weight of weighted least squares, the inverse of
    the variance, for labels of which one part of the noise is the same everywhere and the other is
    the spread.

    The student then says less of what its teacher says where the teacher is unsure of itself,
    which for coalitions is often far from the data. Fidelity is still measured with equal weights.

    References
    ----------
    Lakshminarayanan, Pritzel & Blundell (2017), Simple and scalable predictive uncertainty
    estimation using deep ensembles (the spread of members as uncertainty).
    Aitken (1936), On least squares and linear combination of observations (the weight).
    """

    usual: float = 1.0
    NAME: ClassVar[str] = "spread-weights"

    def ready(self, teacher: Teacher, data: Dataset) -> SpreadWeights:
        """Take the usual spread from the training rows.

        Raises
        ------
        DataError
            Where the teacher is no ensemble, or its members agree on all training rows.
        """
        spread = teacher.spread(data.X)
        if spread is None:
            raise DataError(
                "SpreadWeights needs a teacher of several members; however, "
                f"{teacher.describe()} has none. Take NeuralTeacher, or join several teachers "
                "in an EnsembleTeacher."
            )
        if not spread.any():
            raise DataError(
                "SpreadWeights needs members that disagree; however, those of "
                f"{teacher.describe()} say the same of all training rows. Leave it out."
            )
        return replace(self, usual=float(np.median(spread[spread > 0])))

    def weights(self, teacher: Teacher, rows: Rows) -> FloatArray:
        """Weigh raw rows ``(n, n_columns)``: ``(n,)``, above 0 and at most 2."""
        spread = teacher.spread(rows)
        assert spread is not None
        return np.asarray(2 / (1 + np.square(spread / self.usual)))
