"""What a batch must be, so that a student in steps can learn it."""

from __future__ import annotations

import numpy as np

from explain_distill._types import TaskKind
from explain_distill.exceptions import DataError
from explain_distill.students.base import Batch, Student, check_size, checked_distribution


def checked_batch(batch: Batch, first: Batch, task: TaskKind) -> Batch:
    """Refuse a batch that no network could learn from, or whose columns are not the first's.

    Raises
    ------
    DataError
    """
    rows, labels = np.shape(batch.rows), np.shape(batch.labels)
    fits = len(labels) == 2 and labels[1] > 1 if task == "classification" else len(labels) == 1
    if len(rows) != 2 or rows[0] == 0 or labels[:1] != rows[:1] or not fits:
        raise DataError(
            "A batch must hold rows (n, n_readable) and as many labels, (n, n_classes) of two "
            f"classes or more, or values (n,); however, one for {task} holds rows {rows} and "
            f"labels {labels}."
        )
    before = np.shape(first.rows), np.shape(first.labels)
    if (rows[1:], labels[1:]) != (before[0][1:], before[1][1:]):
        raise DataError(
            f"Batches must have the same columns; however, one holds rows {rows} and labels "
            f"{labels} after rows {before[0]} and labels {before[1]}."
        )
    _check_extras(batch, rows[0])
    if task == "classification":
        checked_distribution(batch.labels)
    else:
        check_size(np.asarray(batch.labels, dtype=np.float64), Student.LARGEST_VALUE)
    if np.isinf(batch.rows).any() or not np.isfinite(batch.labels).all():
        raise DataError(
            "A batch's rows must be finite or missing, and its labels finite; however, one holds "
            "infinity, or a label that is no number. Leave such rows out."
        )
    return batch


def _check_extras(batch: Batch, n: int) -> None:
    """Refuse weights, pairs or hints that do not go with `n` rows.

    Raises
    ------
    DataError
    """
    weights, pairs, hints = map(np.asarray, batch[2:])
    if batch.weights is not None and not (weights.shape == (n,) and (weights >= 0).all()):
        rule, got = "weights, one a row and none below 0", weights
    elif batch.pairs is not None and not (pairs.ndim == 1 and 2 * len(pairs) <= n):
        rule, got = "weights of pairs, for two rows each", pairs
    elif batch.hints is not None and not (hints.ndim == 2 and len(hints) == n):
        rule, got = "hints, some for each row", hints
    else:
        return
    lowest = f", from {got.min():.4g}" if got.size else ""
    raise DataError(f"A batch of {n} rows may have {rule}; however, one has {got.shape}{lowest}.")
