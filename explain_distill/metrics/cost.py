"""Cost: milliseconds for one row, rows a second in batches."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from explain_distill._types import Rows

ONE_ROW_CALLS = 50
BATCH_ROWS = 4096
BATCH_CALLS = 5


def speed(predict: Callable[[Rows], object], X: Rows) -> dict[str, float]:
    """Time a model on this machine, warm.

    Parameters
    ----------
    predict : callable
        Takes rows ``(n, n_columns)``.
    X : ndarray of shape (n_samples, n_columns)

    Returns
    -------
    dict
        ``row_milliseconds``: the median of calls with one row. ``rows_per_second``: from the median
        of calls with 4 096 rows.
    """
    batch = X[np.resize(np.arange(len(X)), BATCH_ROWS)]
    return {
        "row_milliseconds": 1000 * _median_seconds(predict, batch[:1], ONE_ROW_CALLS),
        "rows_per_second": BATCH_ROWS / _median_seconds(predict, batch, BATCH_CALLS),
    }


def _median_seconds(predict: Callable[[Rows], object], rows: Rows, calls: int) -> float:
    predict(rows)
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        predict(rows)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))
