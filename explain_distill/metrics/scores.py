"""The score: the space in which models are compared and attributed, and the ways in and out of it.

The score of a classifier is its log-probabilities, centred so that each row sums to zero; the score
of a regressor is its value, as one column.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from explain_distill._types import FloatArray, Probabilities, Scores
from explain_distill.exceptions import DataError

UNCENTRED = 1e-3
"""So small a part of a row's scores may their sum be, and no larger."""

SMALLEST_PROBABILITY = 1e-7
"""A model that says 0 (a forest, say) is read as saying this: a log-probability must be finite."""


def score_of_probabilities(
    probabilities: Probabilities, smallest: float = SMALLEST_PROBABILITY
) -> Scores:
    """Centre the log-probabilities: ``s_c = log p_c - mean_j log p_j``.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
    smallest : float
        Smaller probabilities are raised to this.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Rows sum to 0; without bounds.
    """
    logs = np.log(np.clip(probabilities, smallest, None))
    return np.asarray(logs - logs.mean(axis=1, keepdims=True))


def checked_scores(scores: Scores, n_rows: int, model: str, n_scores: int | None = None) -> Scores:
    """Refuse scores of another form, or of classes that are not centred; NaN is told elsewhere.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_scores)
    n_rows : int
    model : str
        Who gave them.
    n_scores : int, optional
        Any number, if left out.

    Raises
    ------
    DataError
    """
    told = np.asarray(scores)
    if told.ndim != 2 or len(told) != n_rows or n_scores not in (None, told.shape[1]):
        raise DataError(
            "predict_score must give one row of scores a row, one column a class or one for a "
            f"value; however, {model} gives {told.shape} for {n_rows} rows."
        )
    if told.shape[1] > 1 and n_rows:
        sums, sizes = told.sum(axis=1), np.abs(told).sum(axis=1)
        off = np.abs(sums) > UNCENTRED * (1 + sizes)
        if off.any():
            shown = np.array2string(told[int(np.argmax(off))], precision=4, threshold=6)
            raise DataError(
                "Scores of classes must be centred, those of a row summing to 0; however, "
                f"{model} gives {shown}. Take each row's mean off, or pass its probabilities "
                "through metrics.scores.score_of_probabilities."
            )
    return told


def probabilities_of_score(score: Scores, temperature: float = 1.0) -> Probabilities:
    """Soften the score: ``p_c = exp(s_c / T) / sum_j exp(s_j / T)`` (Hinton et al. 2015).

    Parameters
    ----------
    score : ndarray of shape (n_samples, n_classes)
    temperature : float, default=1.0
        1 gives the model's own probabilities, more flattens them.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
    """
    return np.asarray(softmax(score / temperature, axis=1))


def score_of_margin(margin: FloatArray) -> Scores:
    """Turn the log-odds of the second class ``(n_samples,)`` into scores ``(n_samples, 2)``."""
    return np.stack([-margin / 2, margin / 2], axis=1)
