"""The tables of a study's folder: rows, scores and attributions, as Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from explain_distill._arrays import take_checked
from explain_distill._types import Json
from explain_distill.attribution.base import Attributions
from explain_distill.audit.comparison import Comparison
from explain_distill.audit.effort import FULL
from explain_distill.audit.reasons import Reasons
from explain_distill.data.dataset import Dataset
from explain_distill.data.features import Schema
from explain_distill.data.molecules import rows_of_kept
from explain_distill.study.about import About
from explain_distill.study.json_files import told_as_format_error

LEADING = ("(method)", "(row)", "(score)", "(base)")
"""The columns of an attributions file before those of the features."""

MEMBER, RETRAINED = "shapley member", "shapley retrained"
"""The methods of an attributions file that are of other teachers; members are numbered from 1."""

GROUP = "(group)"
"""The last column of rows that come in groups: a number for each."""


def write_rows(path: Path, data: Dataset) -> None:
    """Write rows as a person would read them: levels in words, the target last."""
    truth: Any = data.y
    if data.task.kind == "classification":
        truth = [data.task.class_names[code] for code in data.y]
    names = [*_names(data.schema), data.task.target]
    columns = [*_columns(data.X, data), pa.array(truth)]
    if data.groups is not None:
        names.append(GROUP)
        columns.append(pa.array(np.unique(data.groups, return_inverse=True)[1]))
    pq.write_table(pa.table(columns, names=names), path)


def write_background(path: Path, data: Dataset) -> None:
    """Write the background that rows remember: training rows whose truth is not known."""
    assert data.background is not None
    pq.write_table(pa.table(_columns(data.background, data), names=_names(data.schema)), path)


def _names(schema: Schema) -> list[str]:
    """Name the columns of rows as they are kept: molecules are one column."""
    return schema.names if schema.molecules is None else [schema.molecules]


def _columns(rows: np.ndarray, data: Dataset) -> list[pa.Array]:
    if data.schema.molecules is not None:
        return [pa.array(data.schema.decode(rows)[data.schema.molecules].to_list(), pa.string())]
    columns = [pa.array(rows[:, place]) for place in range(len(data.schema))]
    for place, feature in enumerate(data.schema.features):
        if feature.levels:
            words = [feature.levels[int(c)] if c == c else None for c in rows[:, place]]
            columns[place] = pa.array(words, pa.string())
    return columns


def read_rows(path: Path, about: About, background: np.ndarray | None) -> Dataset | None:
    """Read what `write_rows` wrote; None where there is no such file.

    Raises
    ------
    StudyFormatError
    """
    if not path.is_file():
        return None
    with told_as_format_error(path):
        table = pq.read_table(path)
        n_columns = len(_names(about.schema))
        expected = [*_names(about.schema), about.task.target]
        if table.column_names not in (expected, [*expected, GROUP]):
            raise ValueError("its columns are not those of study.json")
        groups = None
        if len(table.column_names) > len(expected):
            groups = table.column(n_columns + 1).to_numpy().astype(np.int64)
        X = _matrix(table, about)
        truth = table.column(n_columns).to_pylist()
        classes = about.task.class_names
        y = (
            np.array(_codes(truth, classes), dtype=np.int64)
            if about.task.kind == "classification"
            else np.array(truth, dtype=np.float64)
        )
    return Dataset(
        about.name, X, y, about.schema, about.task, groups, background, notes=about.notes
    )


def read_background(folder: Path, about: About) -> np.ndarray | None:
    """Read what `write_background` wrote; None where there is no such file.

    Raises
    ------
    StudyFormatError
    """
    path = folder / "background.parquet"
    if not path.is_file():
        return None
    with told_as_format_error(path):
        table = pq.read_table(path)
        if table.column_names != _names(about.schema):
            raise ValueError("its columns are not those of study.json")
        return _matrix(table, about)


def _matrix(table: pa.Table, about: About) -> np.ndarray:
    if about.schema.molecules is not None:
        cells = table.column(about.schema.molecules).to_pylist()
        return rows_of_kept(cells, about.versions.get("rdkit"))
    X = np.empty((table.num_rows, len(about.schema)))
    for place, feature in enumerate(about.schema.features):
        column = table.column(place)
        if feature.levels:
            X[:, place] = _codes(column.to_pylist(), feature.levels)
        else:
            X[:, place] = column.to_numpy()
    return X


def _codes(words: list[str | None], levels: tuple[str, ...]) -> list[float]:
    code_of: dict[str | None, float] = {level: float(code) for code, level in enumerate(levels)}
    return [np.nan if word is None else code_of[word] for word in words]


def write_scores(path: Path, comparison: Comparison) -> None:
    """Write each model's scores of the judged rows."""
    columns = {
        f"{name} {score}": values[:, score]
        for name, values in comparison.scores.items()
        for score in range(values.shape[1])
    }
    pq.write_table(pa.table(columns), path)


def read_scores(path: Path, names: list[str], about: About) -> dict[str, np.ndarray]:
    """Read what `write_scores` wrote; ValueError where it does not fit."""
    table = pq.read_table(path)
    scores = {
        name: np.column_stack(
            [table.column(f"{name} {score}").to_numpy() for score in range(about.task.n_scores)]
        )
        for name in names
    }
    return take_checked(scores, dict.fromkeys(names, (about.n_test, about.task.n_scores)))


def write_attributions(path: Path, name: str, comparison: Comparison, about: About) -> None:
    """Write a model's attributions, a line a method, row and score."""
    reasons = comparison.reasons
    told = {"shapley": reasons.reference[name], "own": reasons.own[name]}
    if name == "teacher":
        told["shapley again"] = reasons.again
        told |= {f"{MEMBER} {place}": each for place, each in enumerate(reasons.members, start=1)}
        told |= {} if reasons.retrained is None else {RETRAINED: reasons.retrained}
    tables = [_attribution_table(key, found, reasons.rows, about) for key, found in told.items()]
    pq.write_table(pa.concat_tables(tables), path)


def _attribution_table(key: str, told: Attributions, rows: np.ndarray, about: About) -> pa.Table:
    n, n_columns, n_scores = told.values.shape
    shares = told.values.transpose(0, 2, 1).reshape(-1, n_columns)
    leading = [
        pa.array([key] * (n * n_scores)),
        pa.array(np.repeat(rows, n_scores)),
        pa.array(np.tile(np.arange(n_scores), n)),
        pa.array(told.base.reshape(-1)),
    ]
    columns = [pa.array(shares[:, place]) for place in range(n_columns)]
    return pa.table([*leading, *columns], names=[*LEADING, *about.schema.names])


def read_reasons(folder: Path, names: list[str], header: Json, about: About) -> Reasons:
    """Read what `write_attributions` wrote for each model.

    Raises
    ------
    StudyFormatError
    """
    reference, own = {}, {}
    with told_as_format_error(folder.parent / "study.json"):
        counts = header["reasons"]
        methods = {name: str(counts["methods"][name]) for name in ("shapley", *names)}
        rows = np.asarray(counts["rows"], dtype=np.int64)
        if rows.ndim != 1 or not len(rows) or not 0 <= rows.min() <= rows.max() < about.n_test:
            raise ValueError("the attributed rows are not among the test rows")
        n_background, n_permutations = int(counts["n_background"]), int(counts["n_permutations"])
        present = None
        if "present" in counts:
            present = np.asarray(counts["present"], dtype=np.int64).astype(bool)
            if present.shape != (len(rows), len(about.schema)):
                raise ValueError("the kinds of fragments are not those of the attributed rows")
            if not (present.sum(axis=1) > 1).any():
                raise ValueError("no molecule has two kinds of fragments")
    for name in names:
        path = folder / f"{name}.parquet"
        with told_as_format_error(path):
            table = pq.read_table(path)
            if table.column_names != [*LEADING, *about.schema.names]:
                raise ValueError("its columns are not those of study.json")
            reference[name] = _read_attributions(table, "shapley", methods["shapley"], rows, about)
            own[name] = _read_attributions(table, "own", methods[name], rows, about)
            if name == "teacher":
                again = _read_attributions(table, "shapley again", methods["shapley"], rows, about)
                members, retrained = _read_others(table, methods["shapley"], rows, about)
    numbers = n_background, n_permutations
    return Reasons(rows, *numbers, reference, again, own, members, retrained, present)


def _read_others(
    table: pa.Table, method: str, rows: np.ndarray, about: About
) -> tuple[tuple[Attributions, ...], Attributions | None]:
    """Read the attributions of the teacher's members and of the retrained, where they are."""
    kept = set(table.column(0).to_pylist())
    keys = [f"{MEMBER} {place}" for place in range(1, FULL.members + 1)]
    members = [_read_attributions(table, key, method, rows, about) for key in keys if key in kept]
    if RETRAINED not in kept:
        return tuple(members), None
    return tuple(members), _read_attributions(table, RETRAINED, method, rows, about)


def _read_attributions(
    table: pa.Table, key: str, method: str, rows: np.ndarray, about: About
) -> Attributions:
    part = table.filter(pa.compute.equal(table.column(0), key))
    values = np.column_stack(
        [part.column(len(LEADING) + place).to_numpy() for place in range(len(about.schema))]
    )
    n_scores = about.task.n_scores
    shares = values.reshape(-1, n_scores, len(about.schema)).transpose(0, 2, 1)
    base = part.column(3).to_numpy().reshape(-1, n_scores)
    if part.column(1).to_pylist() != np.repeat(rows, n_scores).tolist():
        raise ValueError(f"its rows of {key!r} are not those of study.json")
    shapes = {"shares": (len(rows), len(about.schema), n_scores), "base": (len(rows), n_scores)}
    checked = take_checked({"shares": np.ascontiguousarray(shares), "base": base}, shapes)
    return Attributions(checked["shares"], checked["base"], method)
