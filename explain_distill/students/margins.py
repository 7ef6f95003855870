"""The outputs that regressors learn: one margin for two classes, one score for each of more.

Two classes have mirrored scores, so that one number a row, the log-odds of the second class, holds
all there is to learn.
"""

from __future__ import annotations

from explain_distill._types import FloatArray, Scores, TaskKind
from explain_distill.metrics.scores import score_of_margin
from explain_distill.students.base import soft_scores


def margins_of_labels(labels: FloatArray, task: TaskKind, temperature: float) -> FloatArray:
    """Turn labels without an exact 0, ``(n, n_scores)``, into margins ``(n, n_outputs)``.

    Parameters
    ----------
    labels : ndarray of shape (n_samples, n_scores)
        Soft labels, or values.
    task : {"classification", "regression"}
    temperature : float
        At which the labels were softened, which is undone.

    Returns
    -------
    ndarray of shape (n_samples, n_outputs)
        Values; the log-odds of the second of two classes; or centred log-probabilities.
    """
    if task == "regression":
        return labels
    scores = soft_scores(labels) * temperature
    return scores if scores.shape[1] > 2 else scores[:, [1]] - scores[:, [0]]


def scores_of_margins(margins: FloatArray, task: TaskKind) -> Scores:
    """Turn margins ``(n, n_outputs)`` into scores ``(n, n_scores)``; linear in the margins."""
    if task == "regression":
        return margins
    if margins.shape[1] == 1:
        return score_of_margin(margins[:, 0])
    return margins - margins.mean(axis=1, keepdims=True)


def n_outputs(n_scores: int) -> int:
    """Say how many margins stand for so many scores."""
    return 1 if n_scores == 2 else n_scores
