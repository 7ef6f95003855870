"""Teacher and students side by side: the figures, and what they were measured on."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import pandas as pd

from explain_distill._types import Json, Scores
from explain_distill.audit.reasons import Reasons
from explain_distill.audit.trust import Trust
from explain_distill.data.dataset import Dataset
from explain_distill.exceptions import DataError
from explain_distill.metrics.intervals import Estimate
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher

Role = Literal["teacher", "student"]
NAME = re.compile(r"[^\W_][\w +.-]*")


@dataclass(frozen=True)
class Metric:
    """One figure of one model: a row of results.json.

    Parameters
    ----------
    model : str
        ``"teacher"`` or the student's name.
    role : {"teacher", "student"}
    metric : str
        Such as ``"fidelity.agreement"``.
    value : float
    low, high, n, level : float, float, int and float, or None
        The interval, the rows it rests on and its confidence level.
    chance : float, optional
        What a random order of the columns gets, for agreement of attributions.
    """

    model: str
    role: Role
    metric: str
    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None
    level: float | None = None
    chance: float | None = None

    @property
    def estimate(self) -> Estimate:
        """The figure with its interval."""
        return Estimate(self.value, self.low, self.high, self.n, self.level)

    def to_json(self) -> Json:
        """Give the row as a JSON object; `chance` only where there is one."""
        row = asdict(self)
        if self.chance is None:
            del row["chance"]
        return row


@dataclass(frozen=True, eq=False)
class Comparison:
    """A teacher and its students, judged on rows that none of them has seen.

    Parameters
    ----------
    teacher : Teacher or None
        None where a kept study could not hold it.
    students : dict of str to Student
    data : Dataset or None
        The judged rows; None where a kept study left them out.
    metrics : tuple of Metric
    scores : dict of str to ndarray of shape (n_samples, n_scores)
        Of ``"teacher"`` and each student, on the judged rows.
    reasons : Reasons
    trust : dict of str to Trust
        What each student may claim; empty where a study was made before it was asked.
    repeats : dict of str to tuple of Student
        The same students distilled again; empty where they were not.
    retrained : Teacher or None
        The teacher trained again, where it was compared with, and could be kept.
    """

    teacher: Teacher | None
    students: dict[str, Student]
    data: Dataset | None = field(repr=False)
    metrics: tuple[Metric, ...] = field(repr=False)
    scores: dict[str, Scores] = field(repr=False)
    reasons: Reasons = field(repr=False)
    trust: dict[str, Trust] = field(default_factory=dict, repr=False)
    repeats: dict[str, tuple[Student, ...]] = field(default_factory=dict, repr=False)
    retrained: Teacher | None = field(default=None, repr=False)

    @property
    def models(self) -> list[str]:
        """``"teacher"``, then the students' names."""
        return ["teacher", *self.students]

    def get(self, model: str, metric: str) -> Metric | None:
        """Look one figure up; None where it was not measured."""
        found = (m for m in self.metrics if m.model == model and m.metric == metric)
        return next(found, None)

    def of(self, names: Collection[str]) -> Comparison:
        """Give the same with these students alone; nothing is measured again."""
        kept = {name: student for name, student in self.students.items() if name in names}
        metrics = tuple(m for m in self.metrics if m.model == "teacher" or m.model in kept)
        trust = {name: told for name, told in self.trust.items() if name in kept}
        repeats = {name: again for name, again in self.repeats.items() if name in kept}
        return replace(self, students=kept, metrics=metrics, trust=trust, repeats=repeats)

    @property
    def caution(self) -> str | None:
        """Say where the teacher cannot be told from one that knows nothing; None where it can."""
        area, explained = (
            self.get("teacher", "performance.roc_auc"),
            self.get("teacher", "performance.r2"),
        )
        if area is not None and (area.value if area.low is None else area.low) <= 0.5:
            shown = f"area under the ROC curve {area.estimate}"
        elif explained is not None and explained.low is not None and explained.low <= 0:
            shown = f"R² {explained.estimate}"
        else:
            return None
        return (
            f"On these test rows the teacher cannot be told from one that knows nothing ({shown}). "
            "A student that is faithful to it, and its reasons, explain little."
        )

    def summary(self) -> pd.DataFrame:
        """Give all figures as a table, one row a model and metric, an interval beside each.

        Returns
        -------
        DataFrame
            Indexed by ``(model, metric)``, with ``value``, ``low``, ``high``, ``n``, ``level``.
        """
        table = pd.DataFrame([m.to_json() for m in self.metrics])
        columns = ["value", "low", "high", "n", "level"]
        return table.set_index(["model", "metric"])[columns]


def check_names(names: Iterable[str]) -> list[str]:
    """Check the students' names: each becomes a folder's name.

    Raises
    ------
    DataError
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise DataError(
            f"Students must be given by name; however, got a {type(names).__name__}. Pass "
            "{'soft-tree': tree}, say."
        )
    checked = list(names)
    if not checked:
        raise DataError(
            "A comparison needs at least one student; however, got none. Pass {'soft-tree': tree}, "
            "say."
        )
    for name in checked:
        if name == "teacher" or not isinstance(name, str) or not NAME.fullmatch(name):
            raise DataError(
                "A student's name must begin with a letter or a digit, go on with those, spaces, "
                f"'_', '+', '.' or '-', and not be 'teacher'; however, got {name!r}. Rename it."
            )
    return checked
