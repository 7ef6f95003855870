"""A file of a table becomes a data set."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from explain_distill._types import Rows, TaskKind
from explain_distill.data.csv_files import UNNAMED
from explain_distill.data.dataset import Dataset, Task, check_rows_suffice
from explain_distill.data.features import Schema, first_row, is_text, level_text, numbers
from explain_distill.data.files import read_cells
from explain_distill.data.inference import (
    MAX_CODES,
    MAX_LEVELS,
    infer_feature,
    is_identifier,
    is_number,
    is_whole,
    refuse_unreadable,
    settle,
    sorted_levels,
)
from explain_distill.data.molecule_tables import molecules, smiles_column
from explain_distill.data.times import read_times
from explain_distill.exceptions import DataError, UnknownNameError

NAMED = 5  # columns that a note names


class SetAsideWarning(UserWarning):
    """A column or rows of a table were set aside while reading."""


def read_table(
    path: str | Path,
    target: str | None = None,
    *,
    group: str | None = None,
    time: str | None = None,
    smiles: str | None = None,
    task: TaskKind | None = None,
) -> Dataset:
    """Read a table from a CSV or Parquet file, and find out what its columns are.

    A column of numbers is a number, of two words such as yes and no, or of 0 and 1, a boolean, of
    other text a category. Empty cells, ``NA``, ``NaN``, ``null``, ``?`` and the like are missing.
    Identifiers, columns with one value and rows without a target are set aside: a
    `SetAsideWarning` and a line in ``Dataset.notes`` say which.

    Parameters
    ----------
    path : str or Path
        ``.csv``, ``.tsv``, ``.data``, ``.txt`` (each also with ``.gz``) or ``.parquet``.
    target : str
        The column to predict.
    group : str, optional
        A column, such as the patient, whose rows must not stand on both sides of a split. It is
        no feature.
    time : str, optional
        A column of numbers or dates, all written in one way: the latest rows are tested on. It is
        no feature. See `data.times`.
    smiles : str, optional
        The column that holds molecules, where it is not found by what it holds: a text column of
        which nearly every cell is a SMILES. Of a table of molecules no other column is a feature.
    task : {"classification", "regression"}, optional
        By default classification for text, booleans and at most 10 different whole numbers.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        Where the file cannot be read, a column cannot be used, or the rows are too few.
    UnknownNameError
        Where `target`, `group`, `time` or `task` is not among the known names.
    """
    path = Path(path)
    table = read_cells(path).apply(settle)
    target = _checked_target(table, target, path)
    _check_options(table, target, group, task)
    _check_time(table, target, group, time)
    column = smiles_column(table, target, smiles)
    if column is not None:
        return _read_molecules(path.name.split(".")[0], table, target, column, group, time, task)
    identifiers = [
        str(name)
        for name in table.columns
        if name not in (target, group, time) and is_identifier(table[name], str(name))
    ]
    notes = [
        f"Column {name!r} is set aside: it looks like an identifier, which tells rows apart and "
        "says nothing of new ones. If rows belong together by it, name it as the group."
        for name in identifiers
    ]
    table, dropped = _with_target(table, target)
    labels, found = _read_target(table[target], target, task)
    empty = Dataset(path.name.split(".")[0], np.empty((len(table), 0)), labels, Schema(()), found)
    check_rows_suffice(empty)
    groups = None if group is None else _read_groups(table[group], group)
    times = None if time is None else read_times(table[time], time)
    apart = [name for name in (group, time) if name is not None]
    columns = table.drop(columns=[target, *identifiers, *apart])
    columns, constant = _without_constants(columns)
    schema = _infer_schema(columns, path)
    set_aside = (*notes, *dropped, *constant)
    for note in set_aside:
        warnings.warn(note, SetAsideWarning, stacklevel=2)
    rows = schema.encode(columns)
    notes_of_all = (*set_aside, *missing_notes(rows, schema))
    return replace(empty, X=rows, schema=schema, groups=groups, notes=notes_of_all, times=times)


def _read_molecules(
    name: str,
    table: pd.DataFrame,
    target: str,
    column: str,
    group: str | None,
    time: str | None,
    task: TaskKind | None,
) -> Dataset:
    """Read a table of molecules: one column of them, and the target."""
    if group is not None:
        raise DataError(
            f"--group must be left out of a table of molecules; however, got {group!r}. Take "
            "--split scaffold to keep molecules that are alike on one side."
        )
    table, dropped = _with_target(table, target)
    labels, found = _read_target(table[target], target, task)
    times = None if time is None else read_times(table[time], time)
    others = [str(each) for each in table.columns if each not in (target, column, time)]
    if others:
        more = ", …" if len(others) > NAMED else ""
        dropped.append(
            f"Molecules are read from column {column!r}; set aside: "
            f"{', '.join(map(repr, others[:NAMED]))}{more}."
        )
    numbered = table.index.tolist()
    data = molecules(name, table[column].tolist(), labels, found, column, dropped, numbered, times)
    check_rows_suffice(data)
    for note in data.notes:
        warnings.warn(note, SetAsideWarning, stacklevel=3)
    return data


def missing_notes(rows: Rows, schema: Schema) -> tuple[str, ...]:
    """Say in one line which columns have missing cells, if any."""
    counts = np.isnan(rows).sum(axis=0)
    said = [
        f"{name!r} ({count})" for name, count in zip(schema.names, counts, strict=True) if count
    ]
    return (f"Missing cells of {len(rows)} rows: {', '.join(said)}.",) if said else ()


def _checked_target(table: pd.DataFrame, target: str | None, path: Path) -> str:
    names = [str(name) for name in table.columns]
    if target is None:
        shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
        raise DataError(
            f"The column to predict must be named; however, none was for '{path.name}', whose "
            f"columns are {shown}. Name it with --target."
        )
    if target not in names:
        raise UnknownNameError.of("The target", target, names)
    return target


def _check_options(
    table: pd.DataFrame, target: str, group: str | None, task: TaskKind | None
) -> None:
    if task is not None and task not in get_args(TaskKind):
        raise UnknownNameError.of("The task", task, get_args(TaskKind))
    if group is None:
        return
    if group not in table.columns:
        raise UnknownNameError.of("The group", group, map(str, table.columns))
    if group == target:
        raise DataError(
            f"The group must be another column than the target; however, both are {group!r}. "
            "Name the column that says which rows belong together."
        )


def _with_target(table: pd.DataFrame, target: str) -> tuple[pd.DataFrame, list[str]]:
    """Drop the rows whose target is missing, and say so."""
    known = table[target].notna()
    if known.all():
        return table, []
    if not known.any():
        raise DataError(
            f"The target must be known in some rows; however, {target!r} is empty in every row. "
            "Name another column with --target."
        )
    count = int((~known).sum())
    rows = "1 row is" if count == 1 else f"{count} rows are"
    note = f"{rows} set aside: the target {target!r} is empty there."
    return table[known], [note]


def _read_target(values: pd.Series, target: str, task: TaskKind | None) -> tuple[np.ndarray, Task]:
    refuse_unreadable(values, target)
    if task is None:
        few = is_whole(values) and values.nunique() <= MAX_CODES
        task = "regression" if is_number(values) and not few else "classification"
    if task == "regression":
        return numbers(values, target), Task("regression", target)
    text = level_text(values)
    classes = sorted_levels(text)
    if len(classes) > MAX_LEVELS:
        raise DataError(
            f"The target must have at most {MAX_LEVELS} classes; however, {target!r} has "
            f"{len(classes)}. Name another column with --target, or merge classes."
        )
    codes = pd.Categorical(text, categories=list(classes)).codes
    return codes.astype(np.int64), Task("classification", target, classes)


def _check_time(table: pd.DataFrame, target: str, group: str | None, time: str | None) -> None:
    if time is None:
        return
    if time not in table.columns:
        raise UnknownNameError.of("The time", time, map(str, table.columns))
    if time == target or group is not None:
        other = "the target" if time == target else f"--group {group}"
        raise DataError(
            f"A split by time must stand alone, by a column of its own; however, --time {time} "
            f"was given beside {other}. Leave one of them out."
        )


def _read_groups(values: pd.Series, group: str) -> np.ndarray:
    text = level_text(values)
    if text.isna().any():
        raise DataError(
            f"The group must be known in every row; however, {group!r} is empty in row "
            f"{first_row(text.isna())}. Fill that cell, or remove the row."
        )
    codes, levels = pd.factorize(text)
    if len(levels) < 2:
        raise DataError(
            f"The group must part the rows; however, {group!r} is {str(levels[0])!r} in every row. "
            "Name another column, or none."
        )
    return np.asarray(codes, dtype=np.int64)


def _without_constants(columns: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Drop the columns that hold one value; text that stands in some rows only is a tick, kept."""
    notes = {}
    for name in map(str, columns.columns):
        values = columns[name]
        filled = values.dropna()
        if filled.empty:
            if not name.startswith(UNNAMED):
                raise DataError(
                    f"Each column must hold values; however, {name!r} is empty in all "
                    f"{len(values)} rows. Remove the column."
                )
            notes[name] = f"Column {name!r} is set aside: it is empty in every row."
        elif _is_constant(filled) and (len(filled) == len(values) or not is_text(values)):
            if is_number(filled):
                numbers(filled, name)  # refuses an infinity, which is no constant to set aside
            value = level_text(filled).iloc[0]
            where = "every row" if len(filled) == len(values) else "every row that is filled"
            notes[name] = f"Column {name!r} is set aside: it is {value!r} in {where}."
    return columns.drop(columns=list(notes)), list(notes.values())


def _is_constant(filled: pd.Series) -> bool:
    if filled.dtype == object:  # lists and the like cannot be compared cell by cell
        return len(set(map(str, filled))) == 1
    return bool((filled == filled.iloc[0]).all())


def _infer_schema(columns: pd.DataFrame, path: Path) -> Schema:
    if columns.columns.empty:
        raise DataError(
            f"'{path.name}' must have a column to predict from; however, beside the target, the "
            "group, identifiers and columns with one value it has none. Add a column."
        )
    return Schema(tuple(infer_feature(columns[name], str(name)) for name in columns.columns))
