"""What a study is about and how it came to be: what study.json holds."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from explain_distill import __version__
from explain_distill._arrays import is_number
from explain_distill._types import Json
from explain_distill.audit.deferral import ALPHA, DELTA, check_risk
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Schema
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher

OF_MOLECULES = ("chemprop", "rdkit")
NAMED_PACKAGES = ("numpy", "scikit-learn", "scipy", "shap", "torch", "xgboost")


def _packages(schema: Schema) -> list[str]:
    """Name the packages on whose versions figures depend."""
    further = () if schema.molecules is None else OF_MOLECULES
    return [*NAMED_PACKAGES, *(package for package in further if find_spec(package))]


def _version(package: str) -> str:
    """Give a package's version; by itself where it is installed by another name (xgboost-cpu)."""
    try:
        return version(package)
    except PackageNotFoundError:
        return str(import_module(package).__version__)


def _repeated(test: Dataset) -> tuple[str, ...]:
    """Say how many test rows are training rows once more; of molecules, alike ones are kept apart.

    Where columns hold few values that is to be expected; where many rows are, a table may hold some
    of them twice.
    """
    if test.background is None or test.schema.molecules is not None:
        return ()
    known = {row.tobytes() for row in test.background + 0.0}  # of 0 and -0, one
    repeated = sum(row.tobytes() in known for row in test.X + 0.0)
    if not repeated:
        return ()
    told = "is the same" if repeated == 1 else "are the same"
    return (
        f"{repeated} of {len(test)} test rows {told} in all columns as a training row, and say "
        "less of rows that are new. If rows belong together, name by what as the group.",
    )


@dataclass(frozen=True)
class About:
    """What a study is about and how it came to be.

    Parameters
    ----------
    name : str
        The data set's name.
    n_rows, n_train, n_test : int
        Rows in all, to train on, and to judge on. In all is their sum.
    sha256 : str
        The fingerprint of the rows in all, or of the test rows where only those are known.
    schema : Schema
    task : Task
    notes : tuple of str
        What was found or set aside while reading the data.
    teacher : str
        What the teacher is, in a phrase.
    teacher_kept : bool
        Whether the folder holds the teacher.
    distillations : dict of str to JSON object
        How each student came to be.
    configuration : JSON object
        What was asked: ``command``, ``seed`` and so on; empty where Python code made the study.
    versions : dict of str to str
        Of Python and of the packages that figures depend on.
    created : str
        Date and time in UTC, ISO 8601.
    """

    name: str
    n_rows: int
    n_train: int
    n_test: int
    sha256: str
    schema: Schema = field(repr=False)
    task: Task
    notes: tuple[str, ...] = ()
    teacher: str = ""
    teacher_kept: bool = True
    distillations: dict[str, Json] = field(default_factory=dict, repr=False)
    configuration: Json = field(default_factory=dict, repr=False)
    versions: dict[str, str] = field(default_factory=dict, repr=False)
    created: str = ""

    @property
    def price(self) -> float | None:
        """What an hour of one CPU was said to cost; None where no price was given."""
        price = self.configuration.get("price")
        return price if is_number(price) else None

    @property
    def risk(self) -> tuple[float, float]:
        """α and δ of the deferral rule; 0.05 where they are not told."""
        alpha = self.configuration.get("alpha", ALPHA)
        delta = self.configuration.get("delta", DELTA)
        return alpha, delta

    @classmethod
    def of(
        cls,
        teacher: Teacher,
        students: dict[str, Student],
        train: Dataset | None,
        test: Dataset,
        configuration: Json,
        sha256: str | None = None,
    ) -> About:
        """Gather what is known of a teacher, its students and their data."""
        n_train = len(test.background) if test.background is not None else 0
        if train is not None:
            n_train = len(train)
        return cls(
            name=test.name,
            n_rows=n_train + len(test),
            n_train=n_train,
            n_test=len(test),
            sha256=sha256 or test.sha256,
            schema=test.schema,
            task=test.task,
            notes=(*test.notes, *_repeated(test)),
            teacher=teacher.describe(),
            teacher_kept=teacher.can_be_saved,
            distillations={
                name: student.distillation_.to_json()
                for name, student in students.items()
                if hasattr(student, "distillation_")
            },
            configuration=configuration,
            versions={"python": platform.python_version(), "explain-distill": __version__}
            | {package: _version(package) for package in _packages(test.schema)},
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def to_json(self) -> Json:
        """Give the JSON object that study.json holds beside its format number."""
        return {
            "dataset": {
                "name": self.name,
                "n_rows": self.n_rows,
                "n_train": self.n_train,
                "n_test": self.n_test,
                "sha256": self.sha256,
                "task": self.task.to_json(),
                "columns": self.schema.to_json(),
                "notes": list(self.notes),
            },
            "teacher": {"describe": self.teacher, "kept": self.teacher_kept},
            "students": self.distillations,
            "configuration": self.configuration,
            "versions": self.versions,
            "created": self.created,
        }

    @classmethod
    def from_json(cls, json: Json) -> About:
        """Read what `to_json` wrote; KeyError or TypeError where something is not there."""
        data = json["dataset"]
        about = cls(
            name=data["name"],
            n_rows=data["n_rows"],
            n_train=data["n_train"],
            n_test=data["n_test"],
            sha256=data["sha256"],
            schema=Schema.from_json(data["columns"]),
            task=Task.from_json(data["task"]),
            notes=tuple(data["notes"]),
            teacher=json["teacher"]["describe"],
            teacher_kept=json["teacher"]["kept"],
            distillations=json["students"],
            configuration=json["configuration"],
            versions=json["versions"],
            created=json["created"],
        )
        check_risk(*about.risk)
        if type(about.configuration.get("seed", 0)) is not int:
            raise TypeError("the seed is no whole number")
        return about
