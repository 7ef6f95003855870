"""What a teacher is: anything that scores raw rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from explain_distill._types import FloatArray, Json, Probabilities, Rows, Scores
from explain_distill.data.dataset import Task
from explain_distill.metrics.scores import probabilities_of_score


class Teacher(ABC):
    """A black box to be distilled.

    A subclass says `predict_score`; the rest follows. Rows are raw columns, as a `Dataset` holds
    them.

    Attributes
    ----------
    task : Task
        Known once the teacher is fitted, or from the start for a foreign model.
    """

    task: Task

    @abstractmethod
    def predict_score(self, X: Rows) -> Scores:
        """Score rows.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_columns)

        Returns
        -------
        ndarray of shape (n_samples, n_scores)
            Centred log-probabilities, or values as one column.
        """

    def predict_proba(self, X: Rows) -> Probabilities:
        """Give the probability of each class: ``(n_samples, n_classes)``."""
        return probabilities_of_score(self.predict_score(X))

    def predict(self, X: Rows) -> np.ndarray:
        """Give class codes ``(n_samples,)``, or values ``(n_samples,)`` for regression."""
        score = self.predict_score(X)
        return score.argmax(axis=1) if self.task.kind == "classification" else score[:, 0]

    @contextmanager
    def forgetful(self) -> Iterator[None]:
        """Compute each score anew, for teachers that keep what they said."""
        yield

    def complexity(self) -> dict[str, float]:
        """Give the model's size in numbers, where that means something."""
        return {}

    def describe(self) -> str:
        """Say in one phrase what the teacher is."""
        return type(self).__name__

    def spread(self, X: Rows) -> FloatArray | None:
        """Give how far a teacher's members disagree on rows: ``(n_samples,)``.

        The standard deviation of the members' scores, root mean square over the scores; None for a
        teacher without members.
        """
        return None

    def single_members(self) -> tuple[Teacher, ...]:
        """Give each member as a teacher of its own; none for a teacher without members."""
        return ()

    def hidden(self, X: Rows) -> FloatArray | None:
        """Give the middle layer's units ``(n_samples, n_units)``; None for one without layers."""
        return None

    def gradient_model(self) -> Any | None:
        """Give a `GradientModel` of the score for teachers that have gradients, else None."""
        return None

    @property
    def can_be_saved(self) -> bool:
        """Whether the teacher can be kept in a folder without running code when it is read."""
        return False

    def write(self, folder: Path) -> Json:
        """Write the model's arrays into `folder` and return what its config.json must hold."""
        raise TypeError(f"{type(self).__name__} cannot be written to a folder.")


def spread_of(scores: FloatArray) -> FloatArray:
    """Give the spread of members' scores ``(n_members, n_samples, n_scores)``: ``(n_samples,)``."""
    return np.asarray(np.sqrt(scores.var(axis=0).mean(axis=1)))
