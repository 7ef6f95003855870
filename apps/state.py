"""What is open and what is chosen. Choices live in the address, so that it can be kept and sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import streamlit as st

from explain_distill._types import FloatArray
from explain_distill.app import rows, words
from explain_distill.data.dataset import Task
from explain_distill.exceptions import StudyFormatError
from explain_distill.study.study import Study

T = TypeVar("T", str, int)

OPEN_AT_ONCE = 8


@dataclass(frozen=True)
class Choice:
    """A study, and what of it is looked at.

    Parameters
    ----------
    study : Study
    student : str
    score : int
        The class's code; 0 for regression.
    place : int
        Which of the attributed rows.
    """

    study: Study
    student: str
    score: int
    place: int

    @property
    def task(self) -> Task:
        """What is predicted."""
        return self.study.about.task

    @property
    def models(self) -> list[str]:
        """The models that charts tell apart: the teacher, the leading students, the chosen one."""
        return list(dict.fromkeys([*self.study.leading.models, self.student]))

    @property
    def row(self) -> int:
        """The chosen row's index among the test rows, from 0."""
        return int(self.study.comparison.reasons.rows[self.place])

    @property
    def raw(self) -> FloatArray | None:
        """The chosen row's raw values ``(n_columns,)``; None where they were not kept."""
        data = self.study.comparison.data
        return None if data is None else data.X[self.row]

    @property
    def class_name(self) -> str:
        """The chosen class; empty for regression."""
        return self.task.class_names[self.score] if self.task.class_names else ""


def named_folders(arguments: Sequence[str]) -> dict[str, Path]:
    """Name the folders: by their last part, or by the whole path where two share that."""
    folders = list(dict.fromkeys(Path(argument).resolve() for argument in arguments))
    names = [folder.name for folder in folders]
    return {
        folder.name if names.count(folder.name) == 1 else str(folder): folder for folder in folders
    }


def open_study(folder: Path) -> Study:
    """Open a study, once for as long as its files do not change.

    Raises
    ------
    StudyFormatError
    """
    return _opened(str(folder), _stamp(folder))


@st.cache_resource(show_spinner="Opening the study", max_entries=OPEN_AT_ONCE)
def _opened(folder: str, stamp: tuple[int, ...]) -> Study:
    return Study.open(folder)


def _stamp(folder: Path) -> tuple[int, ...]:
    files = (
        folder / name for name in ("study.json", "results.json", "scores.parquet", "trust.json")
    )
    return tuple(file.stat().st_mtime_ns if file.is_file() else 0 for file in files)


def choose_study(folders: dict[str, Path]) -> Study | StudyFormatError | None:
    """Let the reader choose a study. Gives the error of one that cannot be opened."""
    if not folders:
        return None
    names = list(folders)
    asked = st.query_params.get("study")
    name = _select("Study", "study", names, names[0])
    if asked is not None and asked not in names:
        st.sidebar.warning(f"No study here is called “{words.plain(asked)}”; this is another.")
    try:
        return open_study(folders[name])
    except StudyFormatError as error:
        return error


def choose(study: Study) -> Choice:
    """Let the reader choose a student, a class and a row. All pages share these choices."""
    names = list(study.students)
    student = _select("Student", "student", names, study.recommended)
    return Choice(study, student, _choose_class(study.about.task), _choose_row(study, student))


def _choose_class(task: Task) -> int:
    if task.kind == "regression":
        return 0
    names = list(task.class_names)
    default = names[1] if len(names) == 2 else names[0]
    return names.index(
        _select("Class", "class", names, default, "The class whose score is explained.")
    )


def _choose_row(study: Study, student: str) -> int:
    attributed = study.comparison.reasons.rows
    apart = st.sidebar.toggle(
        "Rows furthest apart first",
        key="apart",
        bind="query-params",
        help="Orders the rows by the distance between the student's scores and the teacher's.",
    )
    places = rows.row_order(study.comparison, student, apart)
    numbers = [int(attributed[place]) + 1 for place in places]
    told = f"{len(attributed)} of {study.about.n_test} test rows have attributions."
    # The default is the same in any order, so that an address means the same row in all.
    return int(places[numbers.index(_select("Test row", "row", numbers, min(numbers), told))])


def _select(label: str, key: str, options: Sequence[T], default: T, told: str | None = None) -> T:
    """Let the reader choose; what another study does not have falls back to the default."""
    if st.session_state.get(key, default) not in options:
        st.session_state[key] = default  # which takes it out of the address, too
    return st.sidebar.selectbox(
        label,
        options,
        index=options.index(default),
        key=key,
        bind="query-params",
        help=told,
    )
