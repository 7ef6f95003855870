"""A teacher as the oracle of a student that asks."""

from __future__ import annotations

from explain_distill._types import FloatArray, ReadableRows, Rows, SoftLabels
from explain_distill.distillation.targets import Labeller, checked_rows


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
        batch = self.labeller.all_rows()
        assert batch.weights is not None
        self.n_rows += len(batch.rows)
        return batch.rows, batch.labels, batch.weights

    def draw(self, n: int) -> tuple[ReadableRows, SoftLabels]:
        """Draw `n` rows of the transfer set, labelled, or as many as it gives."""
        most = self.labeller.transfer.n_rows
        n = n if most is None else min(n, most)
        self.n_rows += n
        batch = self.labeller.draw(n)
        return batch.rows, batch.labels

    def ask(self, rows: Rows) -> tuple[ReadableRows, SoftLabels]:
        """Give raw rows as readable rows, labelled by the teacher, but for those it cannot score.

        Raises
        ------
        DataError
            Where there are such rows, unless they are to be dropped; where they are no raw rows,
            or hold a level that no category has.
        """
        rows = checked_rows(rows, len(rows), self.labeller.data, "A student must ask for")
        self.n_rows += len(rows)
        spoken, labels = self.labeller.labelled(rows)
        return self.labeller.data.readable_features.transform(spoken), labels
