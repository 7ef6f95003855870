"""A file of rows to predict, in blocks of rows, coded as the training rows were."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from explain_distill._types import Rows
from explain_distill.data.features import SHOWN_LEVELS, Schema, UnseenLevelWarning
from explain_distill.data.files import cell_blocks
from explain_distill.data.molecules import (
    SHOWN,
    Standardiser,
    first_of,
    forgetting,
    refusal,
    rows_of,
    standardised,
)
from explain_distill.data.readers import SetAsideWarning
from explain_distill.exceptions import DataError


@dataclass(frozen=True, eq=False)
class RowsToPredict:
    """A block of a file's rows.

    Parameters
    ----------
    rows : ndarray of shape (n_told, n_columns)
        Raw rows, as the models take them.
    table : DataFrame of shape (n_samples, at least n_columns)
        The file's cells, all its columns, in its order; the index counts the file's rows from 0.
    refused : dict of int to str
        Of the table's rows that hold no molecule: why, by the index. They are not in `rows`.
    """

    rows: Rows
    table: pd.DataFrame
    refused: dict[int, str]


def read_rows(path: str | Path, schema: Schema) -> Iterator[RowsToPredict]:
    """Read rows to predict from a CSV or Parquet file, block by block.

    Columns may stand in any order, and further ones are ignored. Molecules are known until the next
    block is taken. After the last block, an
    `UnseenLevelWarning` says which levels training never saw, which are treated as missing, and a
    `SetAsideWarning` which rows hold no molecule.

    Parameters
    ----------
    path : str or Path
    schema : Schema
        The columns that the model was trained on.

    Yields
    ------
    RowsToPredict

    Raises
    ------
    DataError
        Where the file cannot be read, a column is absent or holds what cannot be read, or no row
        holds a molecule; while the blocks are taken.
    """
    path = Path(path)
    found = _Found(schema)
    for table, _ in cell_blocks(path):
        schema.check(table, f"'{path.name}'")
        with forgetting():
            block = _coded(table, schema) if schema.molecules is None else _molecules(table, schema)
            found.add(block)
            yield block
    found.tell(path)


def _coded(table: pd.DataFrame, schema: Schema) -> RowsToPredict:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenLevelWarning)  # told of all blocks together
        return RowsToPredict(schema.encode(table), table, {})


def _molecules(table: pd.DataFrame, schema: Schema) -> RowsToPredict:
    told, refused = standardised(table[schema.molecules], Standardiser())
    by_row = {int(table.index[place]): why for place, why in refused.items()}
    return RowsToPredict(rows_of(told.values()), table, by_row)


@dataclass
class _Found:
    """What is to be told of all blocks together."""

    schema: Schema
    n_rows: int = 0
    n_refused: int = 0
    refused: list[str] = field(default_factory=list)
    n_unseen: dict[str, int] = field(default_factory=dict)
    levels: dict[str, list[str]] = field(default_factory=dict)

    def add(self, block: RowsToPredict) -> None:
        """Count a block's refused rows, and the levels that training never saw."""
        self.n_rows += len(block.table)
        if self.schema.molecules is not None:
            self._add_refused(block)
            return
        for feature in self.schema.features:
            if feature.kind == "category":
                unseen = feature.unseen(block.table[feature.name])
                self.n_unseen[feature.name] = self.n_unseen.get(feature.name, 0) + len(unseen)
                shown = [*self.levels.get(feature.name, []), *unseen.unique()]
                self.levels[feature.name] = list(dict.fromkeys(shown))[:SHOWN_LEVELS]

    def _add_refused(self, block: RowsToPredict) -> None:
        self.n_refused += len(block.refused)
        cells = block.table[self.schema.molecules]
        for row, why in list(block.refused.items())[: SHOWN - len(self.refused)]:
            self.refused.append(refusal(row + 1, cells[row], why))

    def tell(self, path: Path) -> None:
        """Warn of what was found, or refuse a file that holds no molecule."""
        for feature in self.schema.features:
            count = self.n_unseen.get(feature.name)
            if count:
                told = feature.unseen_warning(self.levels[feature.name], count, self.n_rows)
                warnings.warn(told, stacklevel=3)
        if not self.n_refused:
            return
        named = first_of(self.refused, self.n_refused)
        if self.n_refused == self.n_rows:
            raise DataError(
                f"Column {self.schema.molecules!r} of '{path.name}' must hold molecules as SMILES; "
                f"however, none of its {self.n_rows} rows does: {named}. Mend the column."
            )
        holds = "holds no molecule and has" if self.n_refused == 1 else "hold no molecule and have"
        warnings.warn(
            f"{self.n_refused} of {self.n_rows} rows {holds} no prediction: {named}.",
            SetAsideWarning,
            stacklevel=3,
        )
