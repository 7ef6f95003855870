"""The folder of a study: what lies where, and how it is written and read.

::

    study.json                   format number, what the study is about, how it came to be
    results.json                 {"format": 1, "metrics": [ROW, …]}
    teacher/                     config.json, model.safetensors
    students/NAME/               config.json, model.safetensors or model.ubj
    data/                        train.parquet, test.parquet (absent for private rows)
    scores.parquet               each model's scores of the test rows
    attributions/NAME.parquet    each model's attributions of some test rows

Nothing in it can run code when it is read: JSON, Parquet without pandas' metadata, safetensors, and
xgboost's own binary format.

`FORMAT` is raised where a folder of the old form could no longer be read as the new one, never for
a further key or file; then `read_study` says what to do with folders of the old number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from explain_distill._types import Json
from explain_distill.attribution.base import Attributions
from explain_distill.audit.compare import Comparison, Metric, check_names
from explain_distill.audit.reasons import Reasons
from explain_distill.data.dataset import Dataset
from explain_distill.exceptions import StudyFormatError
from explain_distill.students.base import Student
from explain_distill.students.names import STUDENTS
from explain_distill.study.about import About
from explain_distill.teachers.base import Teacher
from explain_distill.teachers.neural import NeuralTeacher

FORMAT = 1
LEADING = ("(method)", "(row)", "(score)", "(base)")
"""The columns of an attributions file before those of the features."""


def write_study(
    folder: Path, about: About, comparison: Comparison, train: Dataset | None, with_data: bool
) -> None:
    """Write a study into an empty folder."""
    header = {"format": FORMAT, **about.to_json(), "reasons": comparison.reasons.to_json()}
    write_json(folder / "study.json", header)
    rows = [metric.to_json() for metric in comparison.metrics]
    write_json(folder / "results.json", {"format": FORMAT, "metrics": rows})
    if comparison.teacher is not None and about.teacher_kept:
        _write_model(folder / "teacher", comparison.teacher, {})
    for name, student in comparison.students.items():
        _write_model(folder / "students" / name, student, _student_config(student))
    if with_data and comparison.data is not None:
        (folder / "data").mkdir()
        for part, data in (("train", train), ("test", comparison.data)):
            if data is not None:
                _write_rows(folder / "data" / f"{part}.parquet", data)
    _write_scores(folder / "scores.parquet", comparison)
    (folder / "attributions").mkdir()
    for name in comparison.models:
        _write_attributions(folder / "attributions" / f"{name}.parquet", name, comparison, about)


def read_study(folder: Path) -> tuple[About, Comparison, Dataset | None]:
    """Read what `write_study` wrote.

    Raises
    ------
    StudyFormatError
        Where a file is missing, altered, or of another format number.
    """
    if not (folder / "study.json").is_file():
        raise StudyFormatError(
            f"A study must be a folder with a study.json; however, '{folder}' has none. "
            "Make one with: explain-distill run DATA --out DIR"
        )
    header = _read_json(folder / "study.json")
    with _told_as_format_error(folder / "study.json"):
        about = About.from_json(header)
    results = _read_json(folder / "results.json")
    with _told_as_format_error(folder / "results.json"):
        metrics = tuple(_metric(row) for row in results["metrics"])
        names = check_names(dict.fromkeys(m.model for m in metrics if m.role == "student"))
    teacher = _read_teacher(folder / "teacher", about) if about.teacher_kept else None
    students = {name: _read_student(folder / "students" / name, about) for name in names}
    train = _read_rows(folder / "data" / "train.parquet", about, None)
    background = None if train is None else train.X
    test = _read_rows(folder / "data" / "test.parquet", about, background)
    models = ["teacher", *students]
    with _told_as_format_error(folder / "scores.parquet"):
        scores = _read_scores(folder / "scores.parquet", models, about)
    reasons = _read_reasons(folder / "attributions", models, header, about)
    return about, Comparison(teacher, students, test, metrics, scores, reasons), train


# -- JSON ------------------------------------------------------------------------------------------


def write_json(path: Path, value: Json) -> None:
    """Write a JSON object for machines and people."""
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _read_json(path: Path) -> Json:
    with _told_as_format_error(path):
        value = json.loads(path.read_text(encoding="utf-8"))
        number = value.get("format")
    if number != FORMAT:
        raise StudyFormatError(
            f"'{path}' must have format {FORMAT}; however, it has {number!r}. Open it with the "
            "version of explain-distill that wrote it."
        )
    return dict(value)


def _metric(row: Json) -> Metric:
    known = ("model", "role", "metric", "value", "low", "high", "n", "level")
    return Metric(**{key: row[key] for key in known}, chance=row.get("chance"))


@contextmanager
def _told_as_format_error(path: Path) -> Iterator[None]:
    """Say which file of a study is missing or altered."""
    from safetensors import SafetensorError

    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StudyFormatError(
            f"A study must be whole; however, '{path}' is missing. Copy the whole folder again, or "
            "run the study again."
        ) from error
    except (
        *(ValueError, KeyError, TypeError, AttributeError, RuntimeError, OSError, IndexError),
        *(pa.ArrowException, SafetensorError),
    ) as error:
        detail = str(error).strip().partition("\n")[0][:160] or type(error).__name__
        raise StudyFormatError(
            f"A study's files must be as they were written; however, '{path}' cannot be read "
            f"({detail}). Copy the folder again, or run the study again."
        ) from error


# -- models ----------------------------------------------------------------------------------------


def _write_model(folder: Path, model: Teacher | Student, config: Json) -> None:
    folder.mkdir(parents=True)
    write_json(folder / "config.json", {"format": FORMAT, **config, **model.write(folder)})


def _student_config(student: Student) -> Json:
    parameters = {
        key: value
        for key, value in student.get_params(deep=False).items()
        if isinstance(value, (int, float, str, bool, tuple, list, type(None)))
    }
    return {"student": student.NAME, "parameters": parameters}


def _read_teacher(folder: Path, about: About) -> Teacher:
    config = _read_json(folder / "config.json")
    with _told_as_format_error(folder):
        teacher = NeuralTeacher.read(folder, config)
        if teacher.schema != about.schema or teacher.task != about.task:
            raise ValueError("its columns are not those of study.json")
    return teacher


def _read_student(folder: Path, about: About) -> Student:
    config = _read_json(folder / "config.json")
    with _told_as_format_error(folder):
        if config["student"] not in STUDENTS:
            raise ValueError(f"there is no student {config['student']!r}")
        student = STUDENTS[config["student"]](**config["parameters"])
        student.read(folder, config)
        student.set_names(about.schema, about.task.class_names)
        if about.task.kind == "classification":
            student.classes_ = np.arange(about.task.n_scores)
        wanted = len(student.readable_features())
        if student.n_features_in_ != wanted:
            raise ValueError(f"it takes {student.n_features_in_} features, not {wanted}")
    return student


# -- rows ------------------------------------------------------------------------------------------


def _write_rows(path: Path, data: Dataset) -> None:
    """Write rows as a person would read them: levels in words, the target last."""
    columns = [pa.array(data.X[:, i]) for i in range(len(data.schema))]
    for place, feature in enumerate(data.schema.features):
        if feature.kind != "number":
            columns[place] = pa.array(feature.decode(data.X[:, place]).to_list(), pa.string())
    truth: Any = data.y
    if data.task.kind == "classification":
        truth = [data.task.class_names[code] for code in data.y]
    names = [*data.schema.names, data.task.target]
    pq.write_table(pa.table([*columns, pa.array(truth)], names=names), path)


def _read_rows(path: Path, about: About, background: np.ndarray | None) -> Dataset | None:
    if not path.is_file():
        return None
    with _told_as_format_error(path):
        table = pq.read_table(path)
        n_columns = len(about.schema)
        if table.column_names != [*about.schema.names, about.task.target]:
            raise ValueError("its columns are not those of study.json")
        X = np.empty((table.num_rows, n_columns))
        for place, feature in enumerate(about.schema.features):
            column = table.column(place)
            if feature.kind == "number":
                X[:, place] = column.to_numpy()
            else:
                levels = feature.levels if feature.kind == "category" else ("no", "yes")
                X[:, place] = _codes(column.to_pylist(), levels)
        truth = table.column(n_columns).to_pylist()
        classes = about.task.class_names
        y = (
            np.array(_codes(truth, classes), dtype=np.int64)
            if about.task.kind == "classification"
            else np.array(truth, dtype=np.float64)
        )
    return Dataset(
        about.name, X, y, about.schema, about.task, background=background, notes=about.notes
    )


def _codes(words: list[str | None], levels: tuple[str, ...]) -> list[float]:
    code_of: dict[str | None, float] = {level: float(code) for code, level in enumerate(levels)}
    return [np.nan if word is None else code_of[word] for word in words]


# -- scores and attributions -----------------------------------------------------------------------


def _write_scores(path: Path, comparison: Comparison) -> None:
    columns = {
        f"{name} {score}": values[:, score]
        for name, values in comparison.scores.items()
        for score in range(values.shape[1])
    }
    pq.write_table(pa.table(columns), path)


def _read_scores(path: Path, names: list[str], about: About) -> dict[str, np.ndarray]:
    table = pq.read_table(path)
    return {
        name: np.column_stack(
            [table.column(f"{name} {score}").to_numpy() for score in range(about.task.n_scores)]
        )
        for name in names
    }


def _write_attributions(path: Path, name: str, comparison: Comparison, about: About) -> None:
    reasons = comparison.reasons
    told = {"shapley": reasons.reference[name], "own": reasons.own[name]}
    if name == "teacher":
        told["shapley again"] = reasons.again
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


def _read_reasons(folder: Path, names: list[str], header: Json, about: About) -> Reasons:
    reference, own = {}, {}
    with _told_as_format_error(folder.parent / "study.json"):
        counts = header["reasons"]
        methods = {name: str(counts["methods"][name]) for name in ("shapley", *names)}
    for name in names:
        path = folder / f"{name}.parquet"
        with _told_as_format_error(path):
            table = pq.read_table(path)
            reference[name] = _read_attributions(table, "shapley", methods["shapley"], about)
            own[name] = _read_attributions(table, "own", methods[name], about)
            if name == "teacher":
                again = _read_attributions(table, "shapley again", methods["shapley"], about)
    with _told_as_format_error(folder.parent / "study.json"):
        return Reasons(
            np.asarray(counts["rows"], dtype=np.int64),
            counts["n_background"],
            counts["n_permutations"],
            reference,
            again,
            own,
        )


def _read_attributions(table: pa.Table, key: str, method: str, about: About) -> Attributions:
    if table.column_names != [*LEADING, *about.schema.names]:
        raise ValueError("its columns are not those of study.json")
    part = table.filter(pa.compute.equal(table.column(0), key))
    values = np.column_stack(
        [part.column(len(LEADING) + place).to_numpy() for place in range(len(about.schema))]
    )
    n_scores = about.task.n_scores
    shares = values.reshape(-1, n_scores, len(about.schema)).transpose(0, 2, 1)
    base = part.column(3).to_numpy().reshape(-1, n_scores)
    return Attributions(np.ascontiguousarray(shares), base, method)
