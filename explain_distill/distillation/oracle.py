"""A teacher as the oracle of a student that asks."""

from __future__ import annotations

from explain_distill._types import FloatArray, ReadableRows, Rows, SoftLabels
from explain_distill.distillation.targets import Labeller, soft_labels
from explain_distill.students.base import Batch


class TeacherOracle:
    """Labels what a student asks for, and counts the rows.

    Parameters
    ----------
    labeller : Labeller

    Attributes
    ----------
    n_rows : int
        How many labelled rows were given.
    """

    def __init__(self, labeller: Labeller) -> None:
        self.labeller = labeller
        self.n_rows = 0

    @property
    def rows(self) -> Rows:
        """The training rows, raw: ``(n_train, n_columns)``."""
        return self.labeller.data.X

    def known(self) -> tuple[ReadableRows, SoftLabels, FloatArray]:
        """Give the training rows with their labels and weights."""
        rows, labels, weights = self.labeller.all_rows()
        self.n_rows += len(rows)
        return rows, labels, weights

    def draw(self, n: int) -> Batch:
        """Draw `n` rows of the transfer set, labelled."""
        self.n_rows += n
        return self.labeller.draw(n)

    def ask(self, rows: Rows) -> Batch:
        """Give raw rows as readable rows, labelled by the teacher."""
        self.n_rows += len(rows)
        told = self.labeller
        labels = soft_labels(told.teacher.predict_score(rows), told.temperature, told.classify)
        return told.data.readable_features.transform(rows), labels
