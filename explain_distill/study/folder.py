"""The folder of a study: what lies where, and how it is written and read.

::

    study.json                   format number, under "figures" by which rules they were measured,
                                 what the study is about, how it came to be; under "front" which
                                 sizes of a student do as well as larger ones; under "budget" which
                                 student one allows; under "files" the SHA-256 of each other file
    results.json                 {"format": 1, "metrics": [ROW, …]}
    teacher/                     config.json, model.safetensors
    retrained/                   the same of the teacher trained again, where there is one
    students/NAME/               config.json, model.safetensors
    repeats/NAME/1/ …            the same of each student that was distilled again
    trust.json                   what each student may claim: certificate, deferral, regions, and
                                 the findings that follow, in words
    data/                        train.parquet, test.parquet (absent for private rows);
                                 background.parquet where training rows are known without truth
    scores.parquet               each model's scores of the test rows
    attributions/NAME.parquet    each model's attributions of some test rows

Nothing in it can run code when it is read: JSON, Parquet without pandas' metadata, safetensors.
Each array is checked before it is used, so that a tampered file cannot lead outside of its arrays.

`FORMAT` is raised where a folder of the old form could no longer be read as the new one, never for
a further key or file; then `read_study` says what to do with folders of the old number. Format 2
keeps soft trees of any shape, and boosted trees as checked arrays; a folder of format 1 is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from explain_distill._arrays import is_count
from explain_distill._types import Json
from explain_distill.audit.budget import Budget
from explain_distill.audit.comparison import Comparison, Metric, check_names
from explain_distill.audit.findings import findings
from explain_distill.audit.front import Front
from explain_distill.audit.trust import Trust
from explain_distill.data.dataset import Dataset
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.distillation.distill import Distillation
from explain_distill.exceptions import DataError, StudyFormatError
from explain_distill.students.base import Student
from explain_distill.students.names import STUDENTS
from explain_distill.study.about import About
from explain_distill.study.json_files import (
    FORMAT,
    RESULTS_FORMAT,
    read_json,
    told_as_format_error,
    write_json,
)
from explain_distill.study.tables import (
    read_background,
    read_reasons,
    read_rows,
    read_scores,
    write_attributions,
    write_background,
    write_rows,
    write_scores,
)
from explain_distill.teachers.base import Teacher
from explain_distill.teachers.fingerprints import FingerprintTeacher
from explain_distill.teachers.images import ImageTeacher
from explain_distill.teachers.molecules import MolecularTeacher
from explain_distill.teachers.neural import NeuralTeacher

TRUST_FORMAT = 1
FIGURES = 7
"""Raised where a figure is measured otherwise, so that those of earlier studies come out anew."""
TEACHERS: dict[str, type[NeuralTeacher] | type[ImageTeacher] | type[MolecularTeacher]] = {
    "neural": NeuralTeacher,
    "fingerprint": FingerprintTeacher,
    "image": ImageTeacher,
    "molecular": MolecularTeacher,
}
"""The teachers that a study can keep, by their kind in config.json."""


def write_study(
    folder: Path,
    about: About,
    comparison: Comparison,
    train: Dataset | None,
    front: Front | None,
    budget: Budget | None,
) -> None:
    """Write a study into an empty folder."""
    rows = [metric.to_json() for metric in comparison.metrics]
    write_json(folder / "results.json", {"format": RESULTS_FORMAT, "metrics": rows})
    if comparison.teacher is not None and about.teacher_kept:
        _write_model(folder / "teacher", comparison.teacher, {})
    if comparison.retrained is not None and comparison.retrained.can_be_saved:
        _write_model(folder / "retrained", comparison.retrained, {})
    _check_kinds(comparison.students)
    for name, student in comparison.students.items():
        _write_model(folder / "students" / name, student, _student_config(student))
    for name, repeats in comparison.repeats.items():
        for number, student in enumerate(repeats, 1):
            place = folder / "repeats" / name / str(number)
            _write_model(place, student, _student_config(student))
    if comparison.data is not None:
        (folder / "data").mkdir()
        for part, data in (("train", train), ("test", comparison.data)):
            if data is not None:
                write_rows(folder / "data" / f"{part}.parquet", data)
        if train is None and comparison.data.background is not None:
            write_background(folder / "data" / "background.parquet", comparison.data)
    if comparison.trust:
        told = {
            name: trust.to_json()
            | {"findings": [finding.to_json() for finding in findings(comparison, name)]}
            for name, trust in comparison.trust.items()
        }
        write_json(folder / "trust.json", {"format": TRUST_FORMAT, "students": told})
    write_scores(folder / "scores.parquet", comparison)
    (folder / "attributions").mkdir()
    for name in comparison.models:
        write_attributions(folder / "attributions" / f"{name}.parquet", name, comparison, about)
    header = {"format": FORMAT, "figures": FIGURES, **about.to_json()}
    header["reasons"] = comparison.reasons.to_json()
    if front is not None:
        header["front"] = front.to_json()
    if budget is not None:
        header["budget"] = budget.to_json()
    header["files"] = {_name(path, folder): _sha256(path) for path in _files(folder)}
    write_json(folder / "study.json", header)


def _check_kinds(students: Mapping[str, Student]) -> None:
    """Refuse students that could not be read again: of kinds that the package does not know.

    Raises
    ------
    DataError
    """
    for name, student in students.items():
        if STUDENTS.get(student.NAME) is not type(student):
            raise DataError(
                f"A study keeps students of the package's kinds; however, {name!r} is a "
                f"{type(student).__name__}. Name its class in explain_distill/students/names.py, "
                "or leave it out."
            )


def changed_files(folder: Path) -> list[str]:
    """Name the files of a study that are not as they were written, or are no longer there.

    Of a study that kept no fingerprints, none is named.

    Raises
    ------
    StudyFormatError
        Where the folder holds no study.
    """
    check_study(folder)
    header = read_json(folder / "study.json")
    with told_as_format_error(folder / "study.json"):
        kept = {str(name): str(sha256) for name, sha256 in dict(header.get("files", {})).items()}
    found = {_name(path, folder): path for path in _files(folder)}
    return [
        name for name, sha256 in kept.items() if name not in found or _sha256(found[name]) != sha256
    ]


def figures_number(folder: Path) -> int:
    """Give the `FIGURES` by which a study was measured; 1 where it was not yet counted."""
    path = folder / "study.json"
    number = read_json(path).get("figures", 1)
    with told_as_format_error(path):
        if not is_count(number):
            raise ValueError(f"its figures are of version {number!r}")
    return int(number)


def _files(folder: Path) -> list[Path]:
    """List the files of a study that its fingerprints are of: all but study.json and reports."""
    others = (path for path in folder.rglob("*") if path.is_file())
    return sorted(
        path
        for path in others
        if path.parent != folder or not path.name.startswith(("study.json", "report."))
    )


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_study(folder: Path) -> None:
    """Refuse a folder that holds no study.

    Raises
    ------
    StudyFormatError
    """
    if not (folder / "study.json").is_file():
        raise StudyFormatError(
            f"A study must be a folder with a study.json; however, '{folder}' has none. "
            "Make one with: explain-distill run DATA --out DIR"
        )


def read_study(
    folder: Path,
) -> tuple[About, Comparison, Dataset | None, Front | None, Budget | None]:
    """Read what `write_study` wrote.

    Raises
    ------
    StudyFormatError
        Where a file is missing, altered, or of another format number.
    """
    check_study(folder)
    header = read_json(folder / "study.json")
    with told_as_format_error(folder / "study.json"):
        about = About.from_json(header)
    results = read_json(folder / "results.json", RESULTS_FORMAT)
    with told_as_format_error(folder / "results.json"):
        metrics = tuple(_metric(row) for row in results["metrics"])
        names = check_names(dict.fromkeys(m.model for m in metrics if m.role == "student"))
    with told_as_format_error(folder / "study.json"):
        front = Front.from_json(header["front"], names) if "front" in header else None
        budget = Budget.from_json(header["budget"], names) if "budget" in header else None
    teacher = _read_teacher(folder / "teacher", about) if about.teacher_kept else None
    again = folder / "retrained"
    retrained = _read_teacher(again, about) if again.is_dir() else None
    students = {name: _read_student(folder / "students" / name, about) for name in names}
    with told_as_format_error(folder / "study.json"):
        for name, student in students.items():
            if name in about.distillations:
                student.distillation_ = Distillation.from_json(about.distillations[name])
    train = read_rows(folder / "data" / "train.parquet", about, None)
    background = train.X if train is not None else read_background(folder / "data", about)
    test = read_rows(folder / "data" / "test.parquet", about, background)
    models = ["teacher", *students]
    with told_as_format_error(folder / "scores.parquet"):
        scores = read_scores(folder / "scores.parquet", models, about)
    reasons = read_reasons(folder / "attributions", models, header, about)
    trust = _read_trust(folder / "trust.json", names, about)
    repeats = {
        name: tuple(
            _read_repeat(folder / "repeats" / name / str(number), about, students[name])
            for number in range(1, told.stability.n_repeats + 1)
        )
        for name, told in trust.items()
        if told.stability is not None
    }
    judged = (metrics, scores, reasons, trust, repeats, retrained)
    comparison = Comparison(teacher, students, test, *judged)
    return about, comparison, train, front, budget


def _read_trust(path: Path, names: list[str], about: About) -> dict[str, Trust]:
    """Read what each student may claim; nothing where the study was made before it was asked."""
    if not path.is_file():
        return {}
    told = read_json(path, TRUST_FORMAT)
    with told_as_format_error(path):
        trust = {name: Trust.from_json(told["students"][name]) for name in names}
        for each in trust.values():
            players = () if each.certificate is None else each.certificate.players
            if players and [player.player for player in players] != about.schema.names:
                raise ValueError("a certificate's features are not those of study.json")
    return trust


def _metric(row: Json) -> Metric:
    words = {key: row[key] for key in ("model", "role", "metric")}
    numbers = {key: row[key] for key in ("value", "low", "high", "n", "level")}
    numbers["chance"] = row.get("chance")
    if not all(isinstance(word, str) for word in words.values()):
        raise TypeError(f"a row is not of the form: {row}")
    if not all(isinstance(number, (int, float, type(None))) for number in numbers.values()):
        raise TypeError(f"a row is not of the form: {row}")
    return Metric(**words, **numbers)


def _write_model(folder: Path, model: Teacher | Student, config: Json) -> None:
    folder.mkdir(parents=True)
    write_json(folder / "config.json", {"format": FORMAT, **config, **model.write(folder)})


def _student_config(student: Student) -> Json:
    parameters = student.get_params(deep=False)
    return {
        "student": student.NAME,
        "parameters": {key: _plain(key, value) for key, value in parameters.items()},
    }


def _plain(name: str, value: Any) -> Any:
    """Turn a student's parameter into what JSON holds."""
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(name, part) for part in value]
    if isinstance(value, Mapping):  # pairs, since JSON knows no keys that are numbers
        return [[_plain(name, each) for each in pair] for pair in value.items()]
    if isinstance(value, (int, float, str, bool, type(None))):
        return value
    if name == "random_state":
        return None  # a generator; the seed of the distillation is kept
    raise TypeError(f"The parameter {name!r} cannot be kept: it is a {type(value).__name__}.")


def _read_teacher(folder: Path, about: About) -> Teacher:
    config = read_json(folder / "config.json")
    with told_as_format_error(folder):
        if config["kind"] not in TEACHERS:
            raise ValueError(f"there is no teacher {config['kind']!r}")
        teacher = TEACHERS[config["kind"]].read(folder, config)
        if teacher.schema != about.schema or teacher.task != about.task:
            raise ValueError("its columns are not those of study.json")
        _try_out(teacher.predict_score(np.zeros((1, len(about.schema)))), about)
    return teacher


def _read_repeat(folder: Path, about: About, of: Student) -> Student:
    repeat = _read_student(folder, about)
    with told_as_format_error(folder):
        if repeat.NAME != of.NAME:
            raise ValueError(f"it is a {repeat.NAME}, where a {of.NAME} was distilled again")
    return repeat


def _try_out(score: np.ndarray, about: About) -> None:
    """Check the score that a model gives a row of zeros."""
    if score.shape != (1, about.task.n_scores) or not np.isfinite(score).all():
        raise ValueError(f"a row scores {score.tolist()}")


def _read_student(folder: Path, about: About) -> Student:
    config = read_json(folder / "config.json")
    with told_as_format_error(folder):
        if config["student"] not in STUDENTS:
            raise ValueError(f"there is no student {config['student']!r}")
        student = STUDENTS[config["student"]](**config["parameters"])
        student.check_parameters()
        student.read(folder, config)
        wanted = len(ReadableFeatures(about.schema).features)
        if student.n_features_in_ != wanted:
            raise ValueError(f"it takes {student.n_features_in_} features, not {wanted}")
        student.set_names(about.schema, about.task.class_names)
        if about.task.kind == "classification":
            student.classes_ = np.arange(about.task.n_scores)
        if student.task != about.task.kind:
            raise ValueError(f"its task is {student.task}, not {about.task.kind}")
        _try_out(student.predict_score(np.zeros((1, wanted))), about)
    return student
