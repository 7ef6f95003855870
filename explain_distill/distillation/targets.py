"""What a student learns of a row: the teacher's soft label, or at times the truth."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import numpy as np

from explain_distill._training import ahead
from explain_distill._types import FloatArray, ReadableRows, Rows, Scores, SoftLabels
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.transfer_sets import TransferSet, for_data
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.students.base import Batch
from explain_distill.teachers.base import Teacher

SMALLEST = 1e-300
BATCHES_A_CALL = 16  # the teacher labels so many batches at once


def soft_labels(score: Scores, temperature: float, classify: bool) -> SoftLabels:
    """Turn a teacher's scores into soft labels.

    Parameters
    ----------
    score : ndarray of shape (n_samples, n_scores)
    temperature : float
        At which probabilities are softened (Hinton et al. 2015).
    classify : bool

    Returns
    -------
    ndarray of shape (n_samples, n_classes), or (n_samples,) for regression
    """
    if not classify:
        return score[:, 0]
    # An exact 0 would read as a hard label.
    return np.maximum(probabilities_of_score(score, temperature), SMALLEST)


class Labeller:
    """Draws transfer rows and labels them.

    With a hard weight w, a share w of the rows are training rows with their true label, so that
    the expected loss is Hinton's weighted sum of a soft and a hard part.

    Parameters
    ----------
    teacher : Teacher
    data : Dataset
        The training rows.
    transfer : TransferSet
    temperature, hard_weight : float
    rng : numpy.random.Generator
    """

    def __init__(
        self,
        teacher: Teacher,
        data: Dataset,
        transfer: TransferSet,
        temperature: float,
        hard_weight: float,
        rng: np.random.Generator,
    ) -> None:
        self.teacher, self.data, self.transfer = teacher, data, for_data(transfer, data)
        self.temperature, self.hard_weight, self.rng = temperature, hard_weight, rng
        self.classify = data.task.kind == "classification"

    def draw(self, n: int) -> Batch:
        """Give `n` readable rows and their labels."""
        n_hard = int(self.rng.binomial(n, self.hard_weight)) if self.hard_weight else 0
        chosen = self.rng.integers(len(self.data), size=n_hard)
        rows, labels = self.data.X[chosen], self._truth(chosen)
        if n_hard < n:
            drawn = self.transfer.draw(self.data.X, n - n_hard, self.rng)
            rows = np.concatenate([rows, drawn])
            labels = np.concatenate([labels, self._soft(drawn)])
        order = self.rng.permutation(n) if n_hard else slice(None)
        return self.data.readable_features.transform(rows[order]), labels[order]

    def all_rows(self) -> tuple[ReadableRows, SoftLabels, FloatArray]:
        """Give each training row with its soft and with its true label, and the weights of both."""
        readable = self.data.readable()
        soft, hard = self._soft(self.data.X), self._truth(np.arange(len(self.data)))
        weights = np.repeat([1 - self.hard_weight, self.hard_weight], len(readable))
        kept = weights > 0
        rows, labels = np.concatenate([readable, readable]), np.concatenate([soft, hard])
        return rows[kept], labels[kept], weights[kept]

    def batches(self, size: int) -> Iterator[Batch]:
        """Give batches of `size` rows without end, never the same coalition twice.

        The teacher labels the next rows in another thread while a student learns these.
        """
        for rows, labels in ahead(self.draw(size * BATCHES_A_CALL) for _ in count()):
            for start in range(0, len(rows), size):
                yield rows[start : start + size], labels[start : start + size]

    def _soft(self, rows: Rows) -> SoftLabels:
        return soft_labels(self.teacher.predict_score(rows), self.temperature, self.classify)

    def _truth(self, chosen: np.ndarray) -> SoftLabels:
        truth = self.data.y[chosen]
        return np.eye(self.data.task.n_scores)[truth] if self.classify else truth
