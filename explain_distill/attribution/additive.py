"""Interventional Shapley values of additive models, exact and in closed form."""

from __future__ import annotations

import numpy as np

from explain_distill._types import FloatArray, ReadableRows
from explain_distill.students.additive import Additive
from explain_distill.students.additive_terms import Term


def additive_shapley(
    student: Additive, readable: ReadableRows, background: ReadableRows
) -> tuple[FloatArray, FloatArray]:
    """Compute exact interventional Shapley values of an additive model's scores.

    Shapley values add up over terms. A term of one feature gives it what the row has there, less
    the background's mean. A term f of two features shares its change between them, so that with
    background rows b

        φ_a = ½ E_b [ f(x_a, x_c) − f(b_a, x_c) + f(x_a, b_c) − f(b_a, b_c) ].

    Parameters
    ----------
    student : Additive
    readable : ndarray of shape (n_samples, n_readable)
    background : ndarray of shape (n_background, n_readable)

    Returns
    -------
    shares : ndarray of shape (n_samples, n_readable, n_scores)
    base : ndarray of shape (n_scores,)
        The mean score of the background.

    References
    ----------
    Shapley (1953), A value for n-person games (additivity).
    Lundberg & Lee (2017), A unified approach to interpreting model predictions.
    """
    shares = np.zeros((*readable.shape, len(student.intercepts_)))
    for term in student.terms_:
        parts = _shares(term, readable, background)
        for feature, part in zip(term.features, parts, strict=True):
            shares[:, feature] += part
    return shares, student.predict_score(background).mean(axis=0)


def _shares(term: Term, readable: ReadableRows, background: ReadableRows) -> list[FloatArray]:
    """Give each feature's share in one term: ``(n_samples, n_scores)`` each."""
    full, empty = term(readable), term(background).mean(axis=0)
    if len(term.features) == 1:
        return [full - empty]
    (a, c), (background_a, background_c) = term.bins(readable), term.bins(background)
    only_a = term.table[:, background_c].mean(axis=1)[a]  # E_b f(x_a, b_c)
    only_c = term.table[background_a].mean(axis=0)[c]  # E_b f(b_a, x_c)
    return [(full - only_c + only_a - empty) / 2, (full - only_a + only_c - empty) / 2]
