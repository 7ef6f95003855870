"""Several teachers as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain_distill._types import FloatArray, Rows, Scores
from explain_distill.data.dataset import Dataset
from explain_distill.exceptions import DataError
from explain_distill.teachers.base import Teacher, spread_of
from explain_distill.teachers.wrapped import as_teacher


class EnsembleTeacher(Teacher):
    """Several teachers of one table, whose scores are averaged.

    For classification that is the geometric mean of their probabilities. The spread of their
    scores tells where they disagree; see `SpreadWeights`.

    Parameters
    ----------
    members : sequence of Teacher, or of fitted objects with `predict_proba` or `predict`
    data : Dataset
        Rows of their table.

    Raises
    ------
    DataError
        Where there are fewer than two members, or one is of another table.

    References
    ----------
    Hinton, Vinyals & Dean (2015), Distilling the knowledge in a neural network (an ensemble as the
    teacher, by the geometric mean).
    """

    def __init__(self, members: Sequence[Any], data: Dataset) -> None:
        if not isinstance(members, Sequence) or len(members) < 2:
            raise DataError(
                "An ensemble must be a list of at least two members; however, got "
                f"{len(members) if isinstance(members, Sequence) else members!r}. "
                "A single teacher serves as it is."
            )
        self.members = [as_teacher(member, data) for member in members]
        self.task, self.schema = data.task, data.schema

    def predict_score(self, X: Rows) -> Scores:
        """Score rows ``(n_samples, n_columns)`` as ``(n_samples, n_scores)``."""
        return np.asarray(self._scores(X).mean(axis=0))

    def spread(self, X: Rows) -> FloatArray:
        """Give how far the members disagree on rows: ``(n_samples,)``."""
        return spread_of(self._scores(X))

    def single_members(self) -> tuple[Teacher, ...]:
        """Give the teachers whose scores are averaged."""
        return tuple(self.members)

    def describe(self) -> str:
        """Say in one phrase what the teacher is."""
        return "the mean of " + " and ".join(member.describe() for member in self.members)

    def _scores(self, X: Rows) -> FloatArray:
        return np.stack([member.predict_score(X) for member in self.members])
