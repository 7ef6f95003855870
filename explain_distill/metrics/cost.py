"""Cost: milliseconds for one row, rows a second in batches."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from explain_distill._types import FloatArray, Rows

ONE_ROW_CALLS = 200
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
        ``row_milliseconds``, ``row_milliseconds_p99``: the median and the 99th percentile of calls
        with one row. ``rows_per_second``: from the median of calls with 4 096 rows.
    """
    batch = X[np.resize(np.arange(len(X)), BATCH_ROWS)]
    one = 1000 * _seconds(predict, batch[:1], ONE_ROW_CALLS)
    return {
        "row_milliseconds": float(np.median(one)),
        "row_milliseconds_p99": float(np.quantile(one, 0.99)),
        "rows_per_second": BATCH_ROWS / float(np.median(_seconds(predict, batch, BATCH_CALLS))),
    }


def _seconds(predict: Callable[[Rows], object], rows: Rows, calls: int) -> FloatArray:
    predict(rows)
    seconds = []
    for _ in range(calls):
        started = time.perf_counter()
        predict(rows)
        seconds.append(time.perf_counter() - started)
    return np.array(seconds)
