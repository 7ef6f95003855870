"""Asking again where the student is furthest from its teacher."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain_distill._ranges import Range
from explain_distill._types import IntArray, Scores, SoftLabels
from explain_distill.distillation.techniques import Technique
from explain_distill.exceptions import DataError
from explain_distill.students.base import is_hard, soft_scores


@dataclass(frozen=True)
class ActiveQueries(Technique):
    """A share of each batch are rows met lately on which the student is furthest from its teacher.

    Every sixteen steps the student, as it then stands, scores the rows of the last sixteen, and
    those with the largest squared distance from the teacher's score are learned once more. They
    are labelled already, so it costs no further word of the teacher. The student's errors are then
    no longer weighed as the transfer set would have them: large errors get smaller, at the expense
    of many small ones.

    Parameters
    ----------
    share : float, default=0.25
        Above 0 and at most 0.5, so that no more rows are asked again than were new.

    References
    ----------
    Seung, Opper & Sompolinsky (1992), Query by committee.
    Settles (2009), Active learning literature survey (query by disagreement, from a pool).
    """

    share: float = 0.25
    NAME: ClassVar[str] = "active-queries"

    def __post_init__(self) -> None:
        if self.share not in Range(0, 0.5, without_low=True):
            raise DataError(
                f"share must be above 0 and at most 0.5; however, got {self.share!r}. "
                "0.25 makes a quarter of each batch rows that are asked again."
            )

    def hardest(self, score: Scores, labels: SoftLabels, n: int) -> IntArray:
        """Give the numbers of the `n` rows whose score is furthest from their soft label.

        Parameters
        ----------
        score : ndarray of shape (n_rows, n_scores)
            The student's, softened.
        labels : ndarray of shape (n_rows, n_classes) or (n_rows,)
        n : int
        """
        if labels.ndim == 1:
            distance = np.square(score[:, 0] - labels)
        else:
            hard = is_hard(labels)
            distance = np.zeros(len(labels))
            distance[~hard] = np.square(score[~hard] - soft_scores(labels[~hard])).sum(axis=1)
        return np.asarray(np.argpartition(-distance, n - 1)[:n])
