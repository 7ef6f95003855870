"""Performance: closeness to the truth."""

from __future__ import annotations

from functools import partial

import numpy as np

from explain_distill._types import FloatArray, IntArray, Probabilities
from explain_distill.metrics.explained_share import explained_share
from explain_distill.metrics.intervals import Estimate, bootstrap, estimate, mean, proportion
from explain_distill.metrics.paired import difference

ECE_BINS = 10


def classification_performance(
    y: np.ndarray, probabilities: Probabilities, groups: IntArray | None = None
) -> dict[str, Estimate]:
    """Measure probabilities against true classes.

    Parameters
    ----------
    y : ndarray of shape (n_samples,)
        Class codes.
    probabilities : ndarray of shape (n_samples, n_classes)
    groups : ndarray of shape (n_samples,), optional
        Rows that belong together; intervals then count groups as wholes.

    Returns
    -------
    dict
        ``accuracy``, ``balanced_accuracy``, ``roc_auc`` (0 to 1, higher is better; the last is
        one-against-rest and absent where a class has no row); ``log_loss`` (nats), ``brier``
        (summed over classes, 0 to 2) and ``ece`` (0 to 1), where lower is better. ``ece`` has no
        interval: it is biased upwards on few rows, and more so on resampled ones.
    """
    n_classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    rows = np.arange(len(y))
    picked = np.clip(probabilities[rows, y], 1e-300, None)
    distance = np.square(probabilities - np.eye(n_classes)[y]).sum(axis=1)
    figures = {
        "accuracy": proportion(predicted == y, groups),
        "balanced_accuracy": balanced_accuracy(y, predicted, groups),
        "log_loss": mean(-np.log(picked), groups, within=(0, np.inf)),
        "brier": mean(distance, groups, within=(0, 2)),
        "ece": Estimate(
            expected_calibration_error(
                (predicted == y).astype(np.float64), probabilities.max(axis=1)
            ),
            n=len(y),
        ),
    }
    if len(np.unique(y)) == n_classes:
        area = partial(roc_auc, y, dense_ranks(probabilities))
        figures["roc_auc"] = bootstrap(area, rows, groups=groups, vectorized=False)
    return figures


def regression_performance(
    y: FloatArray, values: FloatArray, groups: IntArray | None = None
) -> dict[str, Estimate]:
    """Measure values against true values ``(n_samples,)``: ``r2``, ``mae``, ``rmse``.

    R² is at most 1, which is perfect, and absent where the truth does not vary; the errors are in
    the target's unit, lower is better.
    """
    figures = {
        "mae": mean(np.abs(y - values), groups, within=(0, np.inf)),
        "rmse": bootstrap(root_mean_square_error, y, values, groups=groups),
    }
    if np.ptp(y) > 0:
        figures["r2"] = explained_share(y, values, groups)
    return figures


def balanced_accuracy(
    y: np.ndarray, predicted: np.ndarray, groups: IntArray | None = None
) -> Estimate:
    """Mean recall of the classes that occur in `y`: 0 to 1, higher is better.

    Its interval is put together from those of the recalls (`proportion`), so that a class of few
    rows without an error counts for what it may be: their distances from the mean are added as
    squares, as of independent figures (MOVER, Zou & Donner 2008), or, where rows of several classes
    may share a group, as they are.

    Parameters
    ----------
    y, predicted : ndarray of shape (n_samples,)
        Class codes.
    groups : ndarray of shape (n_samples,), optional
        Rows that belong together.

    References
    ----------
    Zou & Donner (2008), Construction of confidence limits about effect measures: a general
    approach, Statistics in Medicine 27, 1693-1702.
    """
    of_classes = [y == code for code in np.unique(y)]
    recalls = [
        proportion((predicted == y)[rows], None if groups is None else groups[rows])
        for rows in of_classes
    ]
    told = np.array([(each.value, each.low, each.high) for each in recalls], dtype=np.float64)
    value, n_classes = float(told[:, 0].mean()), len(told)
    order = 2 if groups is None else 1
    below, above = (
        float(np.linalg.norm(told[:, 0] - told[:, end], order)) / n_classes for end in (1, 2)
    )
    return estimate(value, value - below, value + above, len(y))


def dense_ranks(probabilities: Probabilities) -> IntArray:
    """Rank the rows in each class, from 0, equal ones alike: ``(n_samples, n_classes)``."""
    from scipy.stats import rankdata

    ranks = rankdata(probabilities, method="dense", axis=0) - 1
    return np.asarray(ranks, dtype=np.int64)


def roc_auc(y: np.ndarray, ranks: IntArray, rows: np.ndarray) -> float:
    """Area under the ROC curve of some rows: 0 to 1, higher is better.

    ``P(p⁺ > p⁻) + ½ P(p⁺ = p⁻)``, counted by `dense_ranks`, so that no resample is sorted; the mean
    of one class against the rest where there are more than two, as scikit-learn's
    ``multi_class="ovr"`` (Fawcett 2006).
    """
    y, ranks = y[rows], ranks[rows]
    n_ranks = int(ranks.max()) + 1
    classes = range(ranks.shape[1])
    areas = []
    for code in classes if len(classes) > 2 else (1,):
        positive = y == code
        if positive.all() or not positive.any():
            continue
        of_class = np.bincount(ranks[positive, code], minlength=n_ranks)
        of_rest = np.bincount(ranks[~positive, code], minlength=n_ranks)
        below = np.cumsum(of_rest) - of_rest / 2
        areas.append(of_class @ below / (of_class.sum() * of_rest.sum()))
    return float(np.mean(areas)) if areas else 0.5


def expected_calibration_error(right: FloatArray, confidence: FloatArray) -> float:
    """Mean distance between confidence and accuracy in ten equal bins of confidence.

    0 to 1, lower is better (Naeini, Cooper & Hauskrecht 2015; Guo et al. 2017).
    """
    place = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(place, weights=right - confidence, minlength=ECE_BINS)
    return float(np.abs(gaps).sum() / len(right))


def r2(y: FloatArray, values: FloatArray, axis: int = -1) -> float | FloatArray:
    """Explained share of variance: ``1 - Σ (y - v)² / Σ (y - ȳ)²``, at most 1, which is perfect."""
    unexplained = np.square(y - values).sum(axis=axis)
    total = np.square(y - y.mean(axis=axis, keepdims=True)).sum(axis=axis)
    return 1 - unexplained / np.maximum(total, 1e-300)


def root_mean_square_error(y: FloatArray, values: FloatArray, axis: int = -1) -> float | FloatArray:
    """Root of the mean squared error, in the target's unit; lower is better."""
    return np.sqrt(np.square(y - values).mean(axis=axis))


def classification_difference(
    y: IntArray, student: Probabilities, teacher: Probabilities, groups: IntArray | None = None
) -> dict[str, Estimate]:
    """Measure how much better a student does than its teacher, row by row on the same rows.

    Returns
    -------
    dict
        ``accuracy_difference``, higher is better, and ``log_loss_difference``, in nats, lower is.
    """
    rows = np.arange(len(y))
    right = [(told.argmax(axis=1) == y).astype(np.float64) for told in (student, teacher)]
    losses = [-np.log(np.clip(told[rows, y], 1e-300, None)) for told in (student, teacher)]
    return {
        "accuracy_difference": difference(right[0], right[1], groups),
        "log_loss_difference": difference(losses[0], losses[1], groups),
    }


def regression_difference(
    y: FloatArray, student: FloatArray, teacher: FloatArray, groups: IntArray | None = None
) -> dict[str, Estimate]:
    """Measure ``mae_difference``: how much larger a student's error is than its teacher's."""
    return {"mae_difference": difference(np.abs(student - y), np.abs(teacher - y), groups)}
