"""A column of numbers or dates becomes times, in one unit."""

from __future__ import annotations

import numpy as np
import pandas as pd

from explain_distill._types import FloatArray
from explain_distill.data.features import first_row, is_text
from explain_distill.exceptions import DataError

MARKS = "/.-"  # between day, month and year
EPOCH = pd.Timestamp(0, tz="UTC").as_unit("s")
SECOND = pd.Timedelta(seconds=1).as_unit("s")


def read_times(values: pd.Series, time: str) -> FloatArray:
    """Read when each row was known: ``(n_samples,)``.

    Text is read in one way for the whole column: as numbers, else as ISO 8601 dates and times,
    else as days first or months first (``31/12/2020``, also with ``.`` or ``-``).

    Parameters
    ----------
    values : Series of shape (n_samples,)
    time : str
        The column's name.

    Returns
    -------
    ndarray of shape (n_samples,)
        Numbers as they are; dates in seconds since the beginning of 1970, in UTC where they name no
        zone.

    Raises
    ------
    DataError
        Where a cell is empty, infinite, or neither number nor date, or dates can be read both days
        first and months first.
    """
    read = _of_text(values, time) if is_text(values) else _of_values(values)
    wrong = read.isna() | read.isin([np.inf, -np.inf])
    if wrong.any():
        raise DataError(
            f"The time must be a number or a date in every row; however, {time!r} is "
            f"{str(values[wrong].iloc[0])[:60]!r} in row {first_row(wrong)}. Mend that cell, or "
            "remove the row."
        )
    return read.to_numpy()


def _of_values(values: pd.Series) -> pd.Series:
    """Read a column that is no text; lists, times of day and the like as missing."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _seconds(pd.to_datetime(values, utc=True))
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan), index=values.index)
    return pd.Series(np.nan, index=values.index)


def _of_text(values: pd.Series, time: str) -> pd.Series:
    """Read text in the first way that reads every filled cell, or else the most of them."""
    ways = [pd.to_numeric(values, errors="coerce").astype(np.float64), _dates(values, "ISO8601")]
    for mark in MARKS:
        days_first = _dates(values, f"%d{mark}%m{mark}%Y")
        months_first = _dates(values, f"%m{mark}%d{mark}%Y")
        _refuse_both(values, time, days_first, months_first)
        ways += [days_first, months_first]
    counts = [int(way.notna().sum()) for way in ways]
    return ways[int(np.argmax(counts))]


def _refuse_both(
    values: pd.Series, time: str, days_first: pd.Series, months_first: pd.Series
) -> None:
    """Refuse dates of which nothing tells whether days or months stand first."""
    filled = values.notna()
    differ = filled & (days_first != months_first)
    if differ.any() and (filled <= (days_first.notna() & months_first.notna())).all():
        raise DataError(
            f"Dates must be read in one way; however, each of {time!r} can be read both days first "
            f"and months first, such as {str(values[differ].iloc[0])!r} in row "
            f"{first_row(differ)}. Write them as ISO 8601 has it: 2020-12-31."
        )


def _dates(values: pd.Series, form: str) -> pd.Series:
    return _seconds(pd.to_datetime(values, errors="coerce", utc=True, format=form))


def _seconds(dates: pd.Series) -> pd.Series:
    # pandas counts dates in units that depend on the file and on the cells.
    return (dates - EPOCH) / SECOND
