"""A teacher that is asked once of each row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from explain_distill._types import FloatArray, Json, Rows, Scores
from explain_distill.data.dataset import Task
from explain_distill.data.features import Schema
from explain_distill.teachers.base import Teacher

FIRST_ROOM = 1024  # rows that are made room for at first


class CachedTeacher(Teacher):
    """Another teacher, whose scores are kept in memory and looked up when a row comes again.

    It pays where rows come again, as training rows and shifts of them do and coalitions do not, and
    where an answer of the teacher costs much more than eight bytes a class and a look at the row.
    Two rows are taken for one where a 64-bit hash of their bytes is the same, which among a million
    rows happens with a probability of some 3e-8.

    Parameters
    ----------
    teacher : Teacher

    Examples
    --------
    >>> import explain_distill as xd
    >>> train, test = xd.load_dataset("wine").split(seed=0)
    >>> teacher = xd.CachedTeacher(xd.NeuralTeacher(members=1, max_epochs=5).fit(train))
    >>> _ = teacher.predict_score(train.X), teacher.predict_score(train.X)
    >>> teacher.n_asked == len(train)
    True
    """

    def __init__(self, teacher: Teacher) -> None:
        self.teacher = teacher
        self._places: dict[int, int] = {}
        self._scores: FloatArray = np.empty((FIRST_ROOM, 0))
        self._lock = Lock()

    @property
    def task(self) -> Task:  # type: ignore[override]
        """The task of the teacher that is asked."""
        return self.teacher.task

    @property
    def schema(self) -> Schema:
        """The columns of the teacher that is asked, where it knows them."""
        return self.teacher.schema  # type: ignore[attr-defined]

    @property
    def n_asked(self) -> int:
        """The number of rows of which the teacher was asked and whose scores are kept."""
        return len(self._places)

    def predict_score(self, X: Rows) -> Scores:
        """Score rows ``(n_samples, n_columns)``, asking the teacher of those that are new."""
        rows = np.ascontiguousarray(X, dtype=np.float64)
        if not len(rows):
            return self.teacher.predict_score(rows)
        keys = [hash(row.tobytes()) for row in rows]
        new = {key: at for at, key in enumerate(keys) if key not in self._places}
        scores = self.teacher.predict_score(rows[list(new.values())]) if new else None
        with self._lock:
            if scores is not None:
                # Another thread may have kept some of them meanwhile.
                still = {key: at for at, key in enumerate(new) if key not in self._places}
                self._keep(list(still), scores[list(still.values())])
            return self._scores[[self._places[key] for key in keys]]

    def _keep(self, keys: list[int], scores: Scores) -> None:
        if not self._places:
            self._scores = np.empty((FIRST_ROOM, scores.shape[1]))
        first, end = len(self._places), len(self._places) + len(keys)
        if end > len(self._scores):
            more = np.empty((max(end, 2 * len(self._scores)) - first, scores.shape[1]))
            self._scores = np.concatenate([self._scores[:first], more])
        self._scores[first:end] = scores
        self._places.update(zip(keys, range(first, end), strict=True))

    @contextmanager
    def forgetful(self) -> Iterator[None]:
        """Ask the teacher anew."""
        kept = self._places, self._scores
        self._places = {}
        try:
            with self.teacher.forgetful():
                yield
        finally:
            self._places, self._scores = kept

    def complexity(self) -> dict[str, float]:
        """Give the size of the teacher that is asked."""
        return self.teacher.complexity()

    def describe(self) -> str:
        """Say in one phrase what the teacher is that is asked."""
        return self.teacher.describe()

    def spread(self, X: Rows) -> FloatArray | None:
        """Ask the teacher anew how far its members disagree."""
        return self.teacher.spread(X)

    def single_members(self) -> tuple[Teacher, ...]:
        """Give the members of the teacher that is asked; what they say is not kept."""
        return self.teacher.single_members()

    def hidden(self, X: Rows) -> FloatArray | None:
        """Ask the teacher anew for its middle layer."""
        return self.teacher.hidden(X)

    def gradient_model(self) -> Any | None:
        """Give the gradients of the teacher that is asked."""
        return self.teacher.gradient_model()

    @property
    def can_be_saved(self) -> bool:
        """Whether the teacher that is asked can be kept."""
        return self.teacher.can_be_saved

    def write(self, folder: Path) -> Json:
        """Write the teacher that is asked."""
        return self.teacher.write(folder)
