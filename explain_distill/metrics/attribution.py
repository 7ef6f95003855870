"""Agreement of attributions: whether one model gives the same reasons as another, row by row.

Each function takes attributions ``(n_samples, n_columns, n_scores)`` of two models and gives one
figure a row, the mean over the scores; of two classes the second alone counts, for the first is its
mirror image. The chance level is what a random order of the columns gets.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import rankdata

from explain_distill._types import BoolArray, FloatArray


def rank_correlation(first: FloatArray, second: FloatArray) -> FloatArray:
    """Spearman's correlation of the absolute attributions: -1 to 1, 1 is perfect, chance is 0.

    Ties get their mean rank. Where one model's attributions are all equal, the correlation is 1 if
    the other's are too, else 0. With one column it is 1.
    """
    first, second = _told(first), _told(second)
    a, b = rankdata(np.abs(first), axis=1), rankdata(np.abs(second), axis=1)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size_a, size_b = np.square(a).sum(axis=1), np.square(b).sum(axis=1)
    product = (a * b).sum(axis=1)
    flat = (size_a == 0) | (size_b == 0)
    correlation = product / np.sqrt(np.where(flat, 1.0, size_a * size_b))
    correlation = np.where(flat, (size_a == 0) & (size_b == 0), correlation)
    return np.asarray(correlation.mean(axis=1))


def top_k_overlap(first: FloatArray, second: FloatArray, k: int) -> FloatArray:
    """Share of the k largest absolute attributions in common: 0 to 1, chance is k / n_columns.

    An attribution of 0 never leads. Where one model has fewer than k others, the share is of the
    larger of the two sets; two empty sets agree.
    """
    ours, theirs = _top(_told(first), k), _top(_told(second), k)
    size = np.maximum(ours.sum(axis=1), theirs.sum(axis=1))
    common = (ours & theirs).sum(axis=1)
    return np.asarray(np.where(size == 0, 1.0, common / np.maximum(size, 1)).mean(axis=1))


def sign_agreement(first: FloatArray, second: FloatArray, k: int) -> FloatArray:
    """Share of the first model's leading columns, k at most, to which both give the same sign.

    An attribution of 0 never leads; where none does, the share is 1. 0 to 1, 1 is perfect, chance
    is `sign_chance` (Krishna et al. 2022, The disagreement problem).
    """
    first, second = _told(first), _told(second)
    leading = _top(first, k)
    size = leading.sum(axis=1)
    same = ((np.sign(first) == np.sign(second)) & leading).sum(axis=1)
    return np.asarray(np.where(size == 0, 1.0, same / np.maximum(size, 1)).mean(axis=1))


def sign_chance(values: FloatArray, k: int) -> FloatArray:
    """Give the sign agreement of a model with itself, its columns in a random order: one a row.

    More than 1/2 where most of a row's attributions have one sign.
    """
    values = _told(values)
    leading, signs = _top(values, k), np.sign(values)
    among = np.where(
        signs > 0,
        (signs > 0).mean(axis=1, keepdims=True),
        (signs < 0).mean(axis=1, keepdims=True),
    )
    size = leading.sum(axis=1)
    share = np.where(size == 0, 1.0, (among * leading).sum(axis=1) / np.maximum(size, 1))
    return np.asarray(share.mean(axis=1))


def rank_agreement(
    first: FloatArray, second: FloatArray, k: int, *, signed: bool = False
) -> FloatArray:
    """Share of the k leading places that hold the same column in both models: 0 to 1.

    An attribution of 0 holds no place. Where one model has fewer than k others, the share is of the
    larger number of places; where both have none, it is 1. With `signed`, the column must have the
    same sign, too. Chance is 1 / n_columns, times `sign_chance` (Krishna et al. 2022).
    """
    models = (_told(first), _told(second))
    places = [np.argsort(-np.abs(values), axis=1, kind="stable")[:, :k] for values in models]
    signs = [
        np.sign(np.take_along_axis(values, place, axis=1))
        for values, place in zip(models, places, strict=True)
    ]
    same = (places[0] == places[1]) & (signs[0] != 0) & (signs[1] != 0)
    if signed:
        same &= signs[0] == signs[1]
    size = np.maximum(*((leading != 0).sum(axis=1) for leading in signs))
    share = np.where(size == 0, 1.0, same.sum(axis=1) / np.maximum(size, 1))
    return np.asarray(share.mean(axis=1))


def pairwise_rank_agreement(first: FloatArray, second: FloatArray) -> FloatArray:
    """Share of all pairs of columns of which both models hold the same one to matter more: 0 to 1.

    A tie agrees with a tie alone. Chance is 1/2; with one column it is 1 (Krishna et al. 2022).
    """
    first, second = np.abs(_told(first)), np.abs(_told(second))
    n_samples, n_columns, n_scores = first.shape
    if n_columns == 1:
        return np.ones(n_samples)
    upper = np.triu_indices(n_columns, 1)
    shares = np.empty((n_samples, n_scores))
    for row in range(n_samples):
        for score in range(n_scores):
            ours, theirs = (
                np.sign(sizes[row, upper[0], score] - sizes[row, upper[1], score])
                for sizes in (first, second)
            )
            shares[row, score] = np.mean(ours == theirs)
    return np.asarray(shares.mean(axis=1))


def top_k(n_columns: int) -> int:
    """How many leading columns are compared: five, or half of them where there are fewer."""
    return min(5, max(1, n_columns // 2))


def row_by_row(
    metric: Callable[[FloatArray, FloatArray, int], FloatArray],
    first: FloatArray,
    second: FloatArray,
    present: BoolArray | None = None,
) -> FloatArray:
    """Measure how two models agree in each row, among the columns that it has.

    Parameters
    ----------
    metric : callable
        Takes both models' attributions and how many columns lead.
    first, second : ndarray of shape (n_samples, n_columns, n_scores)
    present : ndarray of shape (n_samples, n_columns), optional
        The columns that are told of; all, where left out.

    Returns
    -------
    ndarray of shape (n_samples,)
        NaN where fewer than two columns are told of.
    """
    if present is None:
        return metric(first, second, top_k(first.shape[1]))
    told = np.full(len(first), np.nan)
    for row, here in enumerate(present):
        if here.sum() > 1:
            ours, theirs = (values[row : row + 1, here] for values in (first, second))
            told[row] = metric(ours, theirs, top_k(int(here.sum())))[0]
    return told


def importance(values: FloatArray) -> FloatArray:
    """Mean absolute attribution over rows and scores: ``(n_columns,)``, in units of the score."""
    return np.asarray(np.abs(_told(values)).mean(axis=(0, 2)))


def _told(values: FloatArray) -> FloatArray:
    """Leave out the first of two classes, whose attributions mirror the second's."""
    return values[:, :, 1:] if values.shape[2] == 2 else values


def _top(values: FloatArray, k: int) -> np.ndarray:
    """Mark the k largest absolute values along the columns, zeros left out."""
    order = np.argsort(-np.abs(values), axis=1, kind="stable")
    marks = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(marks, order[:, :k], True, axis=1)
    return marks & (values != 0)
