"""Fidelity: closeness of a student to its teacher."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from explain_distill._types import FloatArray, IntArray, Scores
from explain_distill.metrics.explained_share import explained_share
from explain_distill.metrics.intervals import Estimate, mean, proportion
from explain_distill.metrics.paired import difference

ROUNDING = 1e-13
"""Scores that differ by so small a part of themselves do not vary."""


def classification_fidelity(
    teacher: Scores, student: Scores, groups: IntArray | None = None
) -> dict[str, Estimate]:
    """Measure scores against the teacher's.

    Parameters
    ----------
    teacher, student : ndarray of shape (n_samples, n_classes)
    groups : ndarray of shape (n_samples,), optional
        Rows that belong together; intervals then count groups as wholes.

    Returns
    -------
    dict
        ``agreement``: the share of rows with the same class, 0 to 1, with Clopper–Pearson's
        interval. ``score_r2``: the explained share of the scores' variance, at most 1, absent where
        the teacher's scores do not vary. ``beyond_usual``: by how much the agreement is larger than
        that of always giving the teacher's most frequent class (`metrics.paired.difference`).
        ``kl``: the mean divergence of the student's probabilities from the teacher's, in nats,
        lower is better.
    """
    answers = teacher.argmax(axis=1)
    same, usual = answers == student.argmax(axis=1), answers == np.bincount(answers).argmax()
    figures = {
        "agreement": proportion(same, groups),
        "beyond_usual": difference((~usual).astype(float), (~same).astype(float), groups),
        "kl": mean(kl_divergence(teacher, student), groups, within=(0, np.inf)),
    }
    if varies(teacher):
        figures["score_r2"] = explained_share(teacher, student, groups)
    return figures


def regression_fidelity(
    teacher: Scores, student: Scores, groups: IntArray | None = None
) -> dict[str, Estimate]:
    """Measure values ``(n_samples, 1)`` against the teacher's: ``r2``, ``mae``, ``score_r2``.

    The score of a regressor is its value, so that ``r2`` and ``score_r2`` are the same figure; it
    is absent where the teacher's values do not vary.
    """
    distance = np.abs(teacher[:, 0] - student[:, 0])
    figures = {"mae": mean(distance, groups, within=(0, np.inf))}
    if varies(teacher):
        explained = explained_share(teacher, student, groups)
        figures |= {"r2": explained, "score_r2": explained}
    return figures


def varies(scores: Scores) -> bool:
    """Say whether scores differ between rows, by more than the rounding of what made them."""
    return bool(np.ptp(scores, axis=0).max() > ROUNDING * np.abs(scores).max())


def score_r2(teacher: Scores, student: Scores) -> float:
    """Explained share of the teacher's score variance, all scores together; at most 1."""
    centred = teacher - teacher.mean(axis=0)
    return float(1 - np.square(teacher - student).sum() / max(np.square(centred).sum(), 1e-300))


def row_losses(teacher: Scores, student: Scores, *, classify: bool) -> dict[str, FloatArray]:
    """Give what each row takes from perfect fidelity, so that two students can be paired.

    Parameters
    ----------
    teacher, student : ndarray of shape (n_samples, n_scores)
    classify : bool

    Returns
    -------
    dict of str to ndarray of shape (n_samples,)
        ``agreement``, for classes: 1 where the class is another. ``score_r2``: the squared distance
        of the scores in units of the teacher's score variance over these rows, or as it is where
        they do not vary. The mean of each is 1 less the measure that it is named for.
    """
    variance = _variation(teacher).mean() if varies(teacher) else 1.0
    losses: dict[str, FloatArray] = {}
    if classify:
        losses["agreement"] = (teacher.argmax(axis=1) != student.argmax(axis=1)).astype(float)
    losses["score_r2"] = np.square(teacher - student).sum(axis=1) / variance
    return losses


def variance_parts(teacher: Scores) -> FloatArray:
    """Give each row's part in the variance of the teacher's scores: ``(n_samples,)``, mean 1.

    A loss in units of the variance is a ratio of two means of the same rows, whose uncertainty
    takes both (see `metrics.paired.linearised`). All 1 where scores do not vary.
    """
    if not varies(teacher):
        return np.ones(len(teacher))
    parts = _variation(teacher)
    return np.asarray(parts / parts.mean())


def _variation(scores: Scores) -> FloatArray:
    return np.asarray(np.square(scores - scores.mean(axis=0)).sum(axis=1))


def kl_divergence(teacher: Scores, student: Scores) -> FloatArray:
    """Give ``Σ_c p_c (log p_c - log q_c)`` of each row, in nats: ``(n_samples,)``, 0 is perfect."""
    log_p, log_q = log_softmax(teacher, axis=1), log_softmax(student, axis=1)
    return np.asarray(np.maximum((np.exp(log_p) * (log_p - log_q)).sum(axis=1), 0.0))
