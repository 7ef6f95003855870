"""The same students distilled again, on resampled rows and from other seeds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from explain_distill._random import generator, integer_seed
from explain_distill._ranges import Range, check_ranges
from explain_distill._types import IntArray
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.distill import distill
from explain_distill.distillation.transfer_sets import TransferSet
from explain_distill.students.base import Student
from explain_distill.teachers.wrapped import as_teacher

LEAST_REPEATS, MOST_REPEATS = 2, 20
MINUTES = Range(0, without_low=True, remedy="Give 5, say.")


def redistill(
    teacher: Any,
    students: Mapping[str, Student],
    data: Dataset,
    *,
    minutes: float = 5.0,
    transfer: TransferSet | str | None = None,
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
        each took at first, but at least twice and at most twenty times.
    transfer : TransferSet or str, optional
        Where they learned; coalitions, if left out.
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
        Where the minutes are not above 0.

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
    teacher = as_teacher(teacher, data)
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
                transfer=transfer,
                temperature=student.distillation_.temperature,
                seed=integer_seed(rng),
            )
            found[name].append(again)
    if on_step is not None:
        on_step(n_all, n_all, "done")
    return {name: tuple(each) for name, each in found.items()}


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
