"""Tables whose columns are described by hand, from the documentation that comes with their file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema
from explain_distill.data.readers import missing_notes


@dataclass(frozen=True)
class Column:
    """What the documentation says of one column.

    Parameters
    ----------
    name : str
    unit : str, optional
    levels : mapping of str to str, optional
        The file's codes to words, in order; for a boolean, to yes and no.
    boolean : bool, default=False
        Whether it says yes or no; else it is a category where it has levels, or a number.
    """

    name: str
    unit: str | None = None
    levels: Mapping[str, str] | None = None
    boolean: bool = False

    def feature(self, cells: pd.Series) -> Feature:
        """Describe the column; levels that occur in no row are left out."""
        if self.boolean:
            return Feature(self.name, "boolean", levels=("no", "yes"))
        if self.levels is None:
            return Feature(self.name, unit=self.unit)
        found = set(cells.dropna())
        words = tuple(word for code, word in self.levels.items() if code in found)
        return Feature(self.name, "category", levels=words)

    def in_words(self, cells: pd.Series) -> pd.Series:
        """Give the column's cells with words for codes."""
        return cells if self.levels is None else cells.map(dict(self.levels))


def without_repeats(cells: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Drop the rows that repeat another in every cell, and say in words how many there were."""
    kept = cells.drop_duplicates(ignore_index=True)
    return kept, (
        f"{len(cells) - len(kept)} of the {len(cells)} rows repeat another in every cell; they "
        "are set aside, so that no row is trained on and tested on."
    )


def read_documented(path: Path, **options: Any) -> pd.DataFrame:
    """Read the cells as text, a whole number in one way whether written ``1`` or ``1.0``.

    Parameters
    ----------
    path : Path
        Of a file parted by commas, gzipped or not; ``?`` stands for a missing cell.
    **options
        Of `pandas.read_csv`.
    """
    cells = pd.read_csv(path, dtype=str, na_values=["?"], keep_default_na=False, **options)
    whole: pd.DataFrame = cells.apply(lambda values: values.str.removesuffix(".0"))
    return whole


def documented_dataset(
    name: str,
    cells: pd.DataFrame,
    columns: tuple[Column, ...],
    truth: np.ndarray,
    task: Task,
    *,
    notes: tuple[str, ...],
    groups: np.ndarray | None = None,
) -> Dataset:
    """Build a data set from cells and what the documentation says of them.

    Parameters
    ----------
    name : str
    cells : DataFrame of shape (n_samples, n_columns)
        Text, as `read_documented` gives it.
    columns : tuple of Column
        In the order of the cells' columns.
    truth : ndarray of shape (n_samples,)
        Class codes or values.
    task : Task
    notes : tuple of str
        What was done to the table; which cells are missing is added.
    groups : ndarray of shape (n_samples,), optional
    """
    texts = [cells.iloc[:, place] for place in range(len(columns))]
    pairs = list(zip(columns, texts, strict=True))
    schema = Schema(tuple(column.feature(text) for column, text in pairs))
    rows = schema.encode(
        pd.DataFrame({column.name: column.in_words(text) for column, text in pairs})
    )
    notes = (*notes, *missing_notes(rows, schema))
    return Dataset(name, rows, truth, schema, task, groups=groups, notes=notes)
