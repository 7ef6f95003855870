"""Cost: milliseconds for one row, rows a second in batches, money at a price."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from explain_distill._ranges import Range, check_ranges
from explain_distill._types import FloatArray, Rows

ONE_ROW_CALLS = 200
BATCH_ROWS = 4096
BATCH_CALLS = 5
HOUR = 3600  # seconds
PRICE = Range(0, without_low=True, remedy="Give what an hour of one CPU costs: 0.05, say.")


def speed(
    predict: Callable[[Rows], object],
    X: Rows,
    price: float | None = None,
    calls: tuple[int, int] = (ONE_ROW_CALLS, BATCH_CALLS),
    batch_rows: int = BATCH_ROWS,
) -> dict[str, float]:
    """Time a model on this machine, warm.

    Parameters
    ----------
    predict : callable
        Takes rows ``(n, n_columns)``.
    X : ndarray of shape (n_samples, n_columns)
    price : float, optional
        Of an hour of one CPU.
    calls : tuple of two int, optional
        How many calls are timed, of one row and of a batch.
    batch_rows : int, default=4096
        Of a batch; rows come again where there are fewer.

    Returns
    -------
    dict
        ``row_milliseconds``, ``row_milliseconds_p99``: the median and the 99th percentile of calls
        with one row. ``rows_per_second``: from the median of calls with a batch. With a price,
        ``processors``: how many were at work in these calls, one at least; and
        ``money_per_million``, see `money_per_million`.
    """
    batch = X[np.resize(np.arange(len(X)), batch_rows)]
    one = 1000 * _seconds(predict, batch[:1], calls[0])[0]
    seconds, busy = _seconds(predict, batch, calls[1])
    told = {
        "row_milliseconds": float(np.median(one)),
        "row_milliseconds_p99": float(np.quantile(one, 0.99)),
        "rows_per_second": batch_rows / float(np.median(seconds)),
    }
    if price is not None:
        told["processors"] = max(1.0, float(busy.sum() / seconds.sum()))
        told["money_per_million"] = money_per_million(
            told["rows_per_second"], told["processors"], price
        )
    return told


def money_per_million(rows_per_second: float, processors: float, price: float) -> float:
    """Give what a million predictions in batches cost, in the money of the price; low is good.

    ``price / 3600 * 1e6 / rows_per_second * processors``: the seconds of one CPU for a million
    rows, at the price of an hour. Time in which a model waits for another machine counts as one
    CPU's.

    Parameters
    ----------
    rows_per_second : float
    processors : float
        At work at once, on the mean; one at least.
    price : float
        Of an hour of one CPU.
    """
    return price / HOUR * 1e6 / rows_per_second * processors


def check_price(price: float | None) -> None:
    """Refuse a price that is no number above 0; none is allowed.

    Raises
    ------
    DataError
    """
    if price is not None:
        check_ranges({"price": price}, {"price": PRICE})


def _seconds(
    predict: Callable[[Rows], object], rows: Rows, calls: int
) -> tuple[FloatArray, FloatArray]:
    """Time calls by the clock, and by what all processors spent on them: ``(n_calls,)`` each."""
    predict(rows)
    seconds, busy = [], []
    for _ in range(calls):
        spent, started = time.process_time(), time.perf_counter()
        predict(rows)
        seconds.append(time.perf_counter() - started)
        busy.append(time.process_time() - spent)
    return np.array(seconds), np.array(busy)
