"""The forms that a student can be written in."""

from __future__ import annotations

from collections.abc import Callable

from explain_distill.exceptions import UnknownNameError
from explain_distill.students.base import Student
from explain_distill.students.export.dot import dot_graph
from explain_distill.students.export.json_form import json_rules
from explain_distill.students.export.of_students import tree_model
from explain_distill.students.export.onnx_students import onnx_model
from explain_distill.students.export.python import python_function
from explain_distill.students.export.sql import sql_query
from explain_distill.students.export.tree_model import TreeModel
from explain_distill.students.export.words import text_rules

TREE_FORMS: dict[str, Callable[[TreeModel], str]] = {
    "rules": text_rules,
    "json": json_rules,
    "sql": sql_query,
    "python": python_function,
    "dot": dot_graph,
}
FORMS = ("onnx", *TREE_FORMS)


def check_form(form: str) -> None:
    """Refuse a form that is not known.

    Raises
    ------
    UnknownNameError
    """
    if form not in FORMS:
        raise UnknownNameError.of("The format", form, FORMS)


def exported(student: Student, form: str) -> bytes:
    """Write a fitted student in a form that runs without this package.

    Parameters
    ----------
    student : Student
        Fitted.
    form : {"onnx", "rules", "json", "sql", "python", "dot"}
        All but ``"onnx"`` are for students made of trees.

    Returns
    -------
    bytes
        Text as UTF-8; for ``"onnx"`` see `onnx_model`.

    Raises
    ------
    UnknownNameError, DataError, MissingDependencyError
    """
    check_form(form)
    if form == "onnx":
        return onnx_model(student)
    return TREE_FORMS[form](tree_model(student)).encode()
