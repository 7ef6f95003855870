"""A study: kept in a folder, opened on another machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from explain_distill._types import Json
from explain_distill.audit.budget import Budget
from explain_distill.audit.compare import compare as compare_models
from explain_distill.audit.comparison import Comparison
from explain_distill.audit.deferral import ALPHA, DELTA
from explain_distill.audit.front import Front
from explain_distill.audit.molecule_insight import MoleculeInsight, molecule_insight
from explain_distill.data.dataset import Dataset
from explain_distill.data.notes import without_cells
from explain_distill.students.base import Student
from explain_distill.study.about import About
from explain_distill.study.folder import read_study, write_study
from explain_distill.study.output import check_output, whole_folder
from explain_distill.teachers.wrapped import as_teacher


@dataclass(frozen=True, eq=False)
class Study:
    """One teacher, its students, their data and everything measured.

    Parameters
    ----------
    about : About
    comparison : Comparison
    train : Dataset or None
        The training rows, where they are known.
    front : Front or None
        Which sizes do as well as larger ones, where students were made in several.
    budget : Budget or None
        Which student a budget allows, where one was given.
    """

    about: About
    comparison: Comparison = field(repr=False)
    train: Dataset | None = field(default=None, repr=False)
    front: Front | None = field(default=None, repr=False)
    budget: Budget | None = field(default=None, repr=False)

    @property
    def students(self) -> dict[str, Student]:
        """The students by name."""
        return self.comparison.students

    @cached_property
    def leading(self) -> Comparison:
        """The comparison of all students, or of those that the front and the budget choose."""
        if self.front is None:
            return self.comparison
        names = [ladder.chosen.student for ladder in self.front.ladders]
        if self.budget is not None and self.budget.student is not None:
            names.append(self.budget.student)
        return self.comparison.of(names)

    @property
    def recommended(self) -> str:
        """The student to read: the first of `leading` that can be said in rules, else the first.

        Chosen by kind, and by size on training rows set apart: test rows choose nothing. Where a
        budget was given, it is the student that this allows.
        """
        if self.budget is not None and self.budget.student is not None:
            return self.budget.student
        names = list(self.leading.students)
        kinds = {self.students[name].NAME: name for name in reversed(names)}
        return next(
            (kinds[k] for k in ("soft-tree", "decision-tree", "additive") if k in kinds), names[0]
        )

    @cached_property
    def molecule_insight(self) -> MoleculeInsight | None:
        """What the study tells a chemist; None where its rows are no molecules, or not kept."""
        return molecule_insight(self.comparison, self.train, self.recommended)

    def summary(self) -> pd.DataFrame:
        """Give all figures as a table, an interval beside each; see `Comparison.summary`."""
        return self.comparison.summary()

    def save(
        self,
        folder: str | Path,
        *,
        force: bool = False,
        with_data: bool = True,
        formats: Sequence[str] = (),
    ) -> Path:
        """Write the study's folder, whole or not at all.

        Parameters
        ----------
        folder : str or Path
        force : bool, default=False
            Replace an earlier study that is there.
        with_data : bool, default=True
            Keep the rows. Without them the folder holds each model's scores and attributions of
            the test rows, but no value of a row, neither in the notes nor in the report; see
            `without_rows`.
        formats : sequence of str, default=()
            Forms of the report to write with it: ``"html"``, ``"md"``, ``"json"``.

        Returns
        -------
        Path

        Raises
        ------
        OutputError
        """
        folder = Path(folder)
        check_output(folder, force)
        kept = self if with_data else self.without_rows()
        with whole_folder(folder) as part:
            write_study(part, kept.about, kept.comparison, kept.train, kept.front, kept.budget)
            for suffix in formats:
                kept.report(part / f"report.{suffix}")
        return folder

    def without_rows(self) -> Study:
        """Give the study without its rows, and without the cells that its notes quote."""
        return replace(
            self,
            about=replace(self.about, notes=tuple(map(without_cells, self.about.notes))),
            comparison=replace(self.comparison, data=None),
            train=None,
        )

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Open a study's folder. Nothing in it can run code.

        Raises
        ------
        StudyFormatError
            Where a file is missing, altered, or of another format.
        """
        return cls(*read_study(Path(folder)))

    def report(self, path: str | Path) -> Path:
        """Write the report; the path's suffix says the form: ``.html``, ``.md`` or ``.json``.

        Raises
        ------
        OutputError, UnknownNameError
        """
        from explain_distill.report.render import write_report

        return write_report(self, Path(path))


def compare(
    teacher: Any,
    students: Mapping[str, Student],
    data: Dataset,
    *,
    seed: int = 0,
    n_draws: int | None = None,
    quick: bool = False,
    repeats: Mapping[str, Sequence[Student]] | None = None,
    retrained: Any = None,
    price: float | None = None,
    alpha: float = ALPHA,
    delta: float = DELTA,
    on_stage: Callable[[str], None] | None = None,
) -> Study:
    """Judge students beside their teacher on rows that none of them has seen.

    Takes what `explain_distill.audit.compare.compare` takes, and gives its `Comparison` as part of
    a `Study`, which can be saved, reported and opened again.

    Parameters
    ----------
    teacher : Teacher or a fitted object with `predict_proba` or `predict`
    students : mapping of str to Student
    data : Dataset
        Test rows, as `Dataset.split` gives them.
    seed : int, default=0
    n_draws : int, optional
    quick : bool, default=False
    repeats : mapping of str to sequence of Student, optional
    retrained : Teacher or a fitted object, optional
    price : float, optional
    alpha, delta : float, default=0.05
    on_stage : callable, optional

    Returns
    -------
    Study
    """
    teacher = as_teacher(teacher, data)
    comparison = compare_models(
        teacher,
        students,
        data,
        seed=seed,
        n_draws=n_draws,
        quick=quick,
        repeats=repeats,
        retrained=retrained,
        price=price,
        alpha=alpha,
        delta=delta,
        on_stage=on_stage,
    )
    grouped = data.groups is not None
    configuration: Json = {"seed": seed, "alpha": alpha, "delta": delta, "grouped": grouped}
    if quick:
        configuration["quick"] = True
    if price is not None:
        configuration["price"] = price
    about = About.of(teacher, comparison.students, None, data, configuration)
    return Study(about, comparison)
