"""Students written as files that run without this package."""

from __future__ import annotations

from pathlib import Path

from sklearn.utils.validation import check_is_fitted

from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.students.base import Student
from explain_distill.students.export.forms import check_form, exported
from explain_distill.study.output import check_new_file, write_whole


def export(student: Student, path: str | Path, form: str) -> Path:
    """Write a fitted student in a form that runs without this package.

    Parameters
    ----------
    student : Student
        Fitted; one that was distilled knows the names of its columns and classes.
    path : str or Path
        A new file, which appears whole or not at all.
    form : {"onnx", "rules", "json", "sql", "python", "dot"}
        A graph of ONNX for any student of this package. For one made of trees, unless it answers
        by its most probable path: its rules in words, in raw units; JSON; a query in standard SQL;
        a Python function that imports nothing; a graph for Graphviz. All but the words and the
        drawing predict what the student predicts, to 1e-9.

    Returns
    -------
    Path

    Raises
    ------
    UnknownNameError, DataError, OutputError, NotFittedError
    MissingDependencyError
        For ``"onnx"`` without the extra ``blackbox``.
    """
    path = Path(path)
    check_form(form)
    check_is_fitted(student)
    check_new_file(path)
    write_whole(path, exported(student, form))
    return path


def export_of_study(folder: Path, name: str, form: str, path: Path) -> Path:
    """Write the student `name` of a study's folder.

    Raises
    ------
    UnknownNameError, StudyFormatError, DataError, OutputError, MissingDependencyError
    """
    from explain_distill.study.study import Study

    check_form(form)
    check_new_file(path)
    students = Study.open(folder).students
    if name == "teacher" and name not in students:
        raise DataError(
            "A student must be named to be exported; however, got 'teacher', which has no such "
            f"form. Name one of {', '.join(sorted(students))}."
        )
    if name not in students:
        raise UnknownNameError.of("The student", name, students)
    return export(students[name], path, form)
