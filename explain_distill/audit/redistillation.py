"""The same students distilled again, on resampled rows and from other seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from explain_distill._random import generator, integer_seed
from explain_distill._ranges import Range, check_ranges
from explain_distill._types import IntArray
from explain_distill.audit.comparison import check_names
from explain_distill.audit.stability import LEAST_REPEATS
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.distill import distill, transfer_of
from explain_distill.distillation.targets import OnBadLabel
from explain_distill.distillation.techniques import Technique
from explain_distill.distillation.transfer_sets import TransferSet
from explain_distill.exceptions import DataError
from explain_distill.students.base import Student
from explain_distill.teachers.wrapped import as_teacher

MOST_REPEATS = 24
MINUTES = Range(0, without_low=True, remedy="Give 5, say.")


def redistill(
    teacher: Any,
    students: Mapping[str, Student],
    data: Dataset,
    *,
    minutes: float = 5.0,
    transfer: TransferSet | str | None = None,
    techniques: Sequence[Technique] = (),
    on_bad_label: OnBadLabel = "raise",
    seed: int = 0,
    on_step: Callable[[int, int, str], None] | None = None,
) -> dict[str, tuple[Student, ...]]:
    """Distil students again, each on a resample of the training rows and from another seed.

    The teacher stays as it is. Rows are drawn with replacement, whole groups where rows belong
    together. What comes of it is for `compare`, which says how much the students changed.

    Parameters
    ----------
    teacher : Teacher or a fitted object with `predict_proba` or `predict`
    students : mapping of str to Student
        As `distill` gave them.
    data : Dataset
        The training rows.
    minutes : float, default=5.0
        The time to be spent. All students are distilled as often as it affords by the time that
        each took at first, but at least three times and at most 24.
    transfer : TransferSet or str, optional
        Where they learned; coalitions, if left out.
    techniques : sequence of Technique
        By which they learned besides.
    on_bad_label : {"raise", "drop"}, default="raise"
        What to do of a row that the teacher gives no finite score; see `distill`.
    seed : int, default=0
    on_step : callable, optional
        Called with the distillations done, those in all, and the student's name.

    Returns
    -------
    dict of str to tuple of Student
        Fitted.

    Raises
    ------
    DataError
        Where the minutes are not above 0, or a student was not made by `distill`, or from another
        transfer set, or by other techniques.

    Examples
    --------
    >>> import explain_distill as xd
    >>> train, test = xd.load_dataset("wine").split(seed=0)
    >>> teacher = xd.NeuralTeacher(members=2).fit(train)
    >>> students = {"tree": xd.distill(teacher, xd.DecisionTree(), train)}
    >>> again = xd.redistill(teacher, students, train, minutes=0.01)
    >>> study = xd.compare(teacher, students, test, repeats=again)
    >>> 0 <= study.comparison.get("tree", "stability.split_overlap").value <= 1
    True
    """
    check_ranges({"minutes": minutes}, {"minutes": MINUTES})
    check_names(students)
    teacher = as_teacher(teacher, data)
    where = transfer_of(transfer)
    for name, student in students.items():
        _check_made_so(name, student, where.NAME, tuple(each.NAME for each in techniques))
    count = _affordable(students, 60 * minutes)
    n_all = count * len(students)
    found: dict[str, list[Student]] = {name: [] for name in students}
    for repeat in range(count):
        rng = generator(seed, "again", str(repeat))
        resampled = data.take(_resample(data, rng))
        for name, student in students.items():
            if on_step is not None:
                on_step(sum(map(len, found.values())), n_all, name)
            again = distill(
                teacher,
                student,
                resampled,
                transfer=where,
                temperature=student.distillation_.temperature,
                hard_weight=student.distillation_.hard_weight,
                techniques=techniques,
                on_bad_label=on_bad_label,
                seed=integer_seed(rng),
            )
            found[name].append(again)
    if on_step is not None:
        on_step(n_all, n_all, "done")
    return {name: tuple(each) for name, each in found.items()}


def _check_made_so(name: str, student: Student, transfer: str, techniques: tuple[str, ...]) -> None:
    """Refuse a student that would not be distilled again as it was distilled.

    Raises
    ------
    DataError
    """
    made = getattr(student, "distillation_", None)
    if made is None:
        raise DataError(
            f"A student that is distilled again must be one that distill made; however, {name!r} "
            "was fitted otherwise. Distil it first."
        )
    if (made.transfer, made.techniques) != (transfer, techniques):
        by = ", ".join(made.techniques) or "no technique"
        raise DataError(
            "Students must be distilled again as they were; however, "
            f"{name!r} learned on {made.transfer} by {by}. Pass that transfer set and techniques."
        )


def _affordable(students: Mapping[str, Student], seconds: float) -> int:
    """Say how often all students can be distilled in a time, by what each took at first."""
    each = sum(student.distillation_.fit_seconds for student in students.values())
    return int(np.clip(seconds // max(each, 1e-9), LEAST_REPEATS, MOST_REPEATS))


def _resample(data: Dataset, rng: np.random.Generator) -> IntArray:
    """Draw rows with replacement, or whole groups."""
    if data.groups is None:
        return np.sort(rng.integers(len(data), size=len(data)))
    names, group = np.unique(data.groups, return_inverse=True)
    drawn = rng.integers(len(names), size=len(names))
    return np.concatenate([np.flatnonzero(group == each) for each in drawn])
