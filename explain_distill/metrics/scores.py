"""The score: the space in which models are compared and attributed, and the ways in and out of it.

The score of a classifier is its log-probabilities, centred so that each row sums to zero; the score
of a regressor is its value, as one column.
"""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from explain_distill._types import FloatArray, Probabilities, Scores

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
