"""FitNets: a network first learns an inner layer of its teacher, then what the teacher says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from explain_distill._ranges import Range
from explain_distill._types import FloatArray, Rows
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.techniques import Technique
from explain_distill.exceptions import DataError
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher


@dataclass(frozen=True)
class Hints(Technique):
    """In its first steps the student's middle layer learns its teacher's middle layer.

    A linear regressor maps the one to the other, so that their widths need not agree, and is then
    thrown away; the other layers start from there. For a teacher with inner layers, and `MLP`.

    Parameters
    ----------
    share : float, default=0.25
        Of the training steps, above 0 and below 1. Steps that learn hints come sixteen at a time,
        so the share is rounded to sixteens, and to one at the least.

    References
    ----------
    Romero, Ballas, Kahou, Chassang, Gatta & Bengio (2015), FitNets: hints for thin deep nets.
    """

    share: float = 0.25
    centre: FloatArray | float = field(default=0.0, repr=False, compare=False)
    scale: FloatArray | float = field(default=1.0, repr=False, compare=False)
    NAME: ClassVar[str] = "hints"

    def __post_init__(self) -> None:
        if self.share not in Range(0, 1, without_low=True, without_high=True):
            raise DataError(
                f"share must be above 0 and below 1; however, got {self.share!r}. "
                "0.25 spends a quarter of the steps on hints."
            )

    def check(self, student: Student) -> None:
        """Refuse a student without hidden layers.

        Raises
        ------
        DataError
        """
        if not getattr(student, "TAKES_HINTS", False) or not getattr(student, "hidden", True):
            raise DataError(
                "Hints need a student with hidden layers; however, this "
                f"{type(student).__name__} has none. Take MLP, or leave them out."
            )

    def ready(self, teacher: Teacher, data: Dataset) -> Hints:
        """Take the means and scales of the teacher's layer on the training rows.

        Raises
        ------
        DataError
            Where the teacher has no inner layer.
        """
        hidden = teacher.hidden(data.X)
        if hidden is None:
            raise DataError(
                "Hints need a teacher with inner layers; however, "
                f"{teacher.describe()} shows none. Take NeuralTeacher, or leave them out."
            )
        scale = hidden.std(axis=0)
        scale[np.ptp(hidden, axis=0) == 0] = np.inf
        return replace(self, centre=hidden.mean(axis=0), scale=scale)

    def of(self, teacher: Teacher, rows: Rows) -> FloatArray:
        """Give the standardised hints of raw rows: ``(n, n_hints)``."""
        hidden = teacher.hidden(rows)
        assert hidden is not None
        return np.asarray((hidden - self.centre) / self.scale)
