"""What a technique is: something done to the rows that a student learns, besides labelling them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from explain_distill._ranges import Range
from explain_distill._types import FloatArray, Rows
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.transfer_sets import TransferSet
from explain_distill.exceptions import DataError
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher


class Technique:
    """Base of all techniques, any of which `distill` can be given together.

    A new one extends `RowWeights` or `PairedRows`. A technique is never changed by a distillation.
    """

    NAME: ClassVar[str]
    IN_STEPS: ClassVar[bool] = True
    """Whether only a student that trains in steps can learn so."""

    def ready(self, teacher: Teacher, data: Dataset) -> Any:
        """Give the technique as these need it; called once, before the first row is drawn."""
        return self

    def check(self, student: Student) -> None:
        """Refuse a student that cannot learn so.

        Raises
        ------
        DataError
        """
        if self.IN_STEPS and not hasattr(student, "fit_stream"):
            raise DataError(
                f"{type(self).__name__} needs a student that trains in steps; however, "
                f"{type(student).__name__} does not. Take SoftTree or MLP, or leave it out."
            )


class RowWeights(Technique, ABC):
    """Lets some rows count more than others."""

    IN_STEPS: ClassVar[bool] = False

    @abstractmethod
    def weights(self, teacher: Teacher, rows: Rows) -> FloatArray:
        """Weigh raw rows ``(n, n_columns)``: ``(n,)``, not negative, about 1 on the whole."""


class PairedRows(Technique, ABC):
    """Lets a student learn by how much its teacher's score differs between two rows.

    Half of each batch then comes in pairs, whose rows are also learned one by one; to the loss is
    added the mean square of student's less teacher's difference, in units of the mean square
    of the teacher's scores, times `pair_weight`.
    """

    @abstractmethod
    def pairs(self, transfer: TransferSet, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` pairs out of training rows: ``(2n, n_columns)``, one after another."""

    @abstractmethod
    def pair_weight(self, n_columns: int) -> float:
        """Say what a pair counts, where there are so many raw columns."""


def check_weight(weight: float) -> None:
    """Refuse a weight that is not above 0.

    Raises
    ------
    DataError
    """
    if weight not in Range(0, without_low=True):
        raise DataError(
            f"weight must be a number above 0; however, got {weight!r}. "
            "1 counts as much as the scores themselves; leave the technique out for 0."
        )
