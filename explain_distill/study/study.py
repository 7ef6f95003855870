"""A study: made by one call, kept in a folder, opened on another machine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from explain_distill._types import Json
from explain_distill.audit.compare import Comparison
from explain_distill.audit.compare import compare as compare_models
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.distill import check_options, distill
from explain_distill.distillation.transfer_sets import TRANSFER_SETS, Coalitions, TransferSet
from explain_distill.exceptions import UnknownNameError
from explain_distill.students.base import Student
from explain_distill.students.names import STUDENTS
from explain_distill.study.about import About
from explain_distill.study.folder import read_study, write_study
from explain_distill.study.output import check_output, whole_folder
from explain_distill.teachers.neural import NeuralTeacher
from explain_distill.teachers.wrapped import as_teacher

Advance = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and a word on how it goes."""

QUICK: dict[str, Json] = {
    "soft-tree": {"n_steps": 1500},
    "boosted-trees": {"n_trees": 200},
    "mlp": {"n_steps": 1500},
}
QUICK_COALITIONS = 50_000


@dataclass(frozen=True, eq=False)
class Study:
    """One teacher, its students, their data and everything measured.

    Parameters
    ----------
    about : About
    comparison : Comparison
    train : Dataset or None
        The training rows, where they are known.
    """

    about: About
    comparison: Comparison = field(repr=False)
    train: Dataset | None = field(default=None, repr=False)

    @property
    def students(self) -> dict[str, Student]:
        """The students by name."""
        return self.comparison.students

    @property
    def recommended(self) -> str:
        """The student to read: the first of those that can be said in rules, else the first.

        Chosen by kind, not by a figure: the figures are of test rows, which choose nothing.
        """
        names = list(self.students)
        return next((n for n in names if self.students[n].NAME == "soft-tree"), names[0])

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
            the test rows, but no value of a row.
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
        with whole_folder(folder) as part:
            write_study(part, self.about, self.comparison, self.train, with_data)
            for suffix in formats:
                self.report(part / f"report.{suffix}")
        return folder

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Open a study's folder. Nothing in it can run code.

        Raises
        ------
        StudyFormatError
            Where a file is missing, altered, or of another format.
        """
        about, comparison, train = read_study(Path(folder))
        return cls(about, comparison, train)

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
    on_stage : callable, optional

    Returns
    -------
    Study
    """
    teacher = as_teacher(teacher, data)
    comparison = compare_models(teacher, students, data, seed=seed, on_stage=on_stage)
    about = About.of(teacher, comparison.students, None, data, {"seed": seed})
    return Study(about, comparison)


class Progress:
    """Told how a run goes; this one is silent. The command line shows it."""

    @contextmanager
    def stage(self, name: str) -> Iterator[Advance]:
        """Enter a stage, and give what its steps are told to."""
        yield lambda done, total, word: None


def run(
    data: Dataset,
    *,
    students: Sequence[str] = tuple(STUDENTS),
    transfer: str = "coalitions",
    temperature: float = 1.0,
    seed: int = 0,
    quick: bool = False,
    command: str = "",
    progress: Progress | None = None,
) -> Study:
    """Do the main job: split, train a teacher, distil students, judge them.

    Parameters
    ----------
    data : Dataset
    students : sequence of str
        Of `STUDENTS`.
    transfer : {"coalitions", "training-rows"}
    temperature : float, default=1.0
    seed : int, default=0
        Of everything: the split, the teacher, the draws.
    quick : bool, default=False
        A quarter of the training, for a first look.
    command : str
        What redoes it, for the record.
    progress : Progress, optional

    Returns
    -------
    Study

    Raises
    ------
    UnknownNameError, DataError
    """
    chosen = _check_students(students)
    check_options(temperature)
    transfer_set = _transfer_set(transfer, quick)
    progress = progress or Progress()
    train, test = data.split(seed=seed)
    with progress.stage("teacher") as advance:
        teacher = NeuralTeacher(seed=seed)
        teacher.fit(
            train,
            on_epoch=lambda epoch, loss: advance(
                epoch, teacher.max_epochs, f"validation loss {loss:.3f}"
            ),
        )
    fitted = {}
    for name in chosen:
        student = STUDENTS[name](**(QUICK[name] if quick else {}))
        with progress.stage(name) as advance:
            fitted[name] = distill(
                teacher,
                student,
                train,
                transfer=transfer_set,
                temperature=temperature,
                seed=seed,
                on_step=partial(_say_step, advance),
            )
    with progress.stage("comparison") as advance:
        n_stages = 2 * (len(fitted) + 1) + 1
        done = iter(range(n_stages + 1))
        comparison = compare_models(
            teacher,
            fitted,
            test,
            seed=seed,
            on_stage=lambda word: advance(next(done), n_stages, word),
        )
    configuration = {
        "command": command,
        "seed": seed,
        "students": chosen,
        "transfer": transfer,
        "temperature": temperature,
        "quick": quick,
        "grouped": data.groups is not None,
        "cores": os.cpu_count(),
    }
    about = About.of(teacher, comparison.students, train, test, configuration, sha256=data.sha256)
    return Study(about, comparison, train)


def _say_step(advance: Advance, step: int, total: int, loss: float, fidelity: float) -> None:
    advance(step, total, f"loss {loss:.4f}, score R² {fidelity:.4f}")


def _check_students(students: Sequence[str]) -> list[str]:
    for name in students:
        if name not in STUDENTS:
            raise UnknownNameError.of("A student", name, STUDENTS)
    if not students:
        raise UnknownNameError.of("A student", "", STUDENTS)
    return list(dict.fromkeys(students))


def _transfer_set(name: str, quick: bool) -> TransferSet:
    if name not in TRANSFER_SETS:
        raise UnknownNameError.of("The transfer set", name, TRANSFER_SETS)
    if quick and name == Coalitions.NAME:
        return Coalitions(QUICK_COALITIONS)
    return TRANSFER_SETS[name]()
