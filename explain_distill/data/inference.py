"""What a column of cells is: a number, a category, true or false, an identifier, or none."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from explain_distill.data.csv_files import UNNAMED
from explain_distill.data.features import (
    TRUE_WORDS,
    Feature,
    first_row,
    is_text,
    level_text,
    numbers,
)
from explain_distill.exceptions import DataError

MAX_LEVELS = 50
"""The most levels of a category: each becomes a readable feature of its own."""

MAX_CODES = 10
"""Up to so many different whole numbers may be codes of classes or levels."""

BOOLEAN_PAIRS = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DATE = (
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}"
    rf"|\d{{1,2}}[-/. ]{MONTH}[-/. ]\d{{2,4}}|{MONTH} \d{{1,2}},? \d{{4}})(?:[T ].*)?"
    r"|\d{1,2}:\d{2}(?::\d{2})?"
)
MONEY = r"(?:[$€£¥]|USD|EUR|GBP|CHF)"
DRESSED = (
    rf"\s*[-+]?{MONEY}?\s*[-+]?(?:\d{{1,3}}(?:[,.'\u2019\u00a0\u202f ]\d{{3}})+|\d+)"
    rf"(?:[.,]\d+)?\s*(?:%|{MONEY})?\s*"
)
MOSTLY = 0.9
"""So large a share of a column's cells says what the column is meant to be."""

ID_WORD = re.compile(
    r"(?i:(?:^|[\W_])(?:id|ids|uuid|guid|mrn|identifier)(?:$|[\W_]))|[a-z]I[dD]$", re.ASCII
)
ROW_LABEL = re.compile(rf"{UNNAMED}\d+|Unnamed: \d+|__index_level_\d+__")
"""What a table's row labels are called once they have become a column, here and by pandas."""


def settle(values: pd.Series) -> pd.Series:
    """Turn text whose cells are all numbers into numbers, and a dictionary into its values."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if not is_text(values) or values.isna().all():
        return values
    read = pd.to_numeric(values, errors="coerce")
    return values if bool((read.isna() & values.notna()).any()) else read


def infer_feature(values: pd.Series, name: str) -> Feature:
    """Say what a settled column is.

    Parameters
    ----------
    values : Series of shape (n_samples,)
        What `settle` gives, with two different values at least, or one and missing cells.
    name : str

    Returns
    -------
    Feature

    Raises
    ------
    DataError
        Where the column holds dates, lists, free text, an infinite value, or text among numbers.
    """
    refuse_unreadable(values, name)
    if is_number(values):
        read = numbers(values, name)
        codes = set(np.unique(read[~np.isnan(read)]))
        return Feature(name, "boolean" if codes == {0.0, 1.0} else "number")
    text = level_text(values)
    if set(text.dropna().str.lower()) in BOOLEAN_PAIRS:
        return Feature(name, "boolean", levels=boolean_words(values))
    levels = sorted_levels(text)
    if len(levels) > MAX_LEVELS:
        raise DataError(
            f"Column {name!r} must hold numbers or at most {MAX_LEVELS} levels; however, it holds "
            f"{len(levels)} different texts. Merge rare levels into one such as 'other', or remove "
            "the column."
        )
    return Feature(name, "category", levels=levels)


def boolean_words(values: pd.Series) -> tuple[str, ...]:
    """Give the column's own words for false and true; none where it holds truth values."""
    if pd.api.types.infer_dtype(values, skipna=True) == "boolean":
        return ()
    words = pd.Series(level_text(values).dropna().unique())
    is_true = words.str.lower().isin(TRUE_WORDS)
    return str(words[~is_true].iloc[0]), str(words[is_true].iloc[0])


def is_number(values: pd.Series) -> bool:
    """Whether a column is meant to hold numbers, be it that a few cells hold text by mistake.

    Text counts as a mistake in one cell, in one of a hundred cells, or in less than half of them
    where there are more than `MAX_CODES` different numbers. ``0, 1, 2, 3+`` remains a category.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return not pd.api.types.is_bool_dtype(values.dtype)
    if not is_text(values):
        return False
    filled = values.dropna()
    read = pd.to_numeric(filled, errors="coerce")
    n_text = int(read.isna().sum())
    if n_text >= len(filled) / 2:
        return False
    return n_text <= max(1, len(filled) / 100) or read.nunique() > MAX_CODES


def dressed_number(values: pd.Series) -> str | None:
    """Give a cell of a column of numbers written with a sign of percent or money, or in thousands.

    None where it holds others. A few such texts are levels, and no numbers.
    """
    if not is_text(values) or is_number(values):
        return None
    filled = values.dropna()
    if filled.nunique() <= MAX_CODES or filled.str.fullmatch(DRESSED).mean() <= MOSTLY:
        return None
    return str(filled[pd.to_numeric(filled, errors="coerce").isna()].iloc[0])


def is_whole(values: pd.Series) -> bool:
    """Whether a column holds whole numbers only, missing cells aside."""
    if not pd.api.types.is_numeric_dtype(values.dtype) or pd.api.types.is_bool_dtype(values.dtype):
        return False
    filled = values.dropna().to_numpy(dtype=np.float64)
    return bool(np.all(np.isfinite(filled)) and np.all(filled == np.round(filled)))


def is_identifier(values: pd.Series, name: str) -> bool:
    """Whether a settled column only tells rows, or those whom they describe, apart.

    It is text, a count of the rows or a table's row labels, and most rows have one of their own;
    or it is text or whole numbers under a name such as ``patient_id``, and most rows have one of
    their own or there are more than `MAX_LEVELS` of them.
    """
    if not (is_text(values) or is_whole(values)):
        return False
    filled, named = values.dropna(), ID_WORD.search(name) is not None
    one_a_row = len(filled) > len(values) / 2 and filled.is_unique
    if not (one_a_row or (named and filled.nunique() > MAX_LEVELS)):
        return False
    if is_text(values):
        dressed = dressed_number(values) is not None and not named
        return not (is_number(values) or _holds_dates(values) or dressed)
    return named or ROW_LABEL.fullmatch(name) is not None or _counts_rows(filled)


def _counts_rows(values: pd.Series) -> bool:
    return bool(values.min() in (0, 1) and values.max() - values.min() == len(values) - 1)


def sorted_levels(text: pd.Series) -> tuple[str, ...]:
    """Give the different texts of a column in order, numbers by size."""

    def order(level: str) -> tuple[bool, float, str]:
        number = pd.to_numeric(level, errors="coerce")
        return bool(np.isnan(number)), float(np.nan_to_num(number)), level

    return tuple(sorted((str(level) for level in text.dropna().unique()), key=order))


def refuse_unreadable(values: pd.Series, name: str) -> None:
    """Refuse dates, durations, and cells that are no single value.

    Raises
    ------
    DataError
    """
    dressed = dressed_number(values)
    if dressed is not None:
        raise DataError(
            f"Column {name!r} must hold plain numbers; however, it holds {dressed!r}. Write such "
            "cells without signs of percent or money, and without marks between thousands."
        )
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind in ("string", "boolean", "empty") and not _holds_dates(values):
        return
    if pd.api.types.is_numeric_dtype(values.dtype):
        return
    row = first_row(values.notna())
    cell = values[values.notna()].iloc[0]
    if kind == "string" or kind.startswith(("date", "time")):
        raise DataError(
            f"Column {name!r} must hold numbers or levels; however, it holds dates or times (row "
            f"{row}: {str(cell)!r}). Turn it into a number, such as an age in years or days since "
            "an event, or remove it."
        )
    raise DataError(
        f"Column {name!r} must hold one number or text in a cell; however, row {row} holds a "
        f"{type(cell).__name__}. Turn it into columns of numbers or text, or remove it."
    )


def _holds_dates(values: pd.Series) -> bool:
    if not is_text(values):
        return False
    filled = values.dropna()
    return len(filled) > 0 and bool(filled.str.fullmatch(DATE).mean() > MOSTLY)
