"""Files of tables: CSV and Parquet become cells, before anybody asks what a column means.

Nothing here runs what a file holds: CSV is text, and Parquet is read without pandas' metadata.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from explain_distill.data.csv_files import checked_names, csv_batches, first_line
from explain_distill.data.features import is_text
from explain_distill.exceptions import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MISSING_WORDS = ("", "?", ".", "NA", "N/A", "#N/A", "n/a", "na", "NaN", "nan", "NULL", "null")
"""What a cell without a value is written as, besides nothing at all."""

TEXT_SUFFIXES = (".csv", ".tsv", ".data", ".txt")
DECIMAL_COMMA = r"[+-]?\d+(?:,\d+)?"
BLOCK = 5_000  # rows
READ_AT_ONCE = 1 << 16  # rows of a file that is read whole


def read_cells(path: str | Path) -> pd.DataFrame:
    """Read a file's cells: text as text, without a guess at what it means.

    Parameters
    ----------
    path : str or Path
        A CSV file (``.csv``, ``.tsv``, ``.data``, ``.txt``, each also with ``.gz``) in UTF-8, its
        first line the columns' names, parted by commas, semicolons or tabs; or a Parquet file.

    Returns
    -------
    DataFrame of shape (n_samples, n_columns)
        At least one row. Text without spaces around it; missing values as such.

    Raises
    ------
    DataError
        Where the file is absent, of another format, damaged, or not a table with a header.
    """
    import pyarrow as pa

    table = pa.concat_tables(list(arrow_blocks(Path(path), READ_AT_ONCE)))
    cells: pd.DataFrame = table.to_pandas(ignore_metadata=True, date_as_object=False)
    return cells.apply(_clean)


def cell_blocks(path: Path) -> Iterator[tuple[pd.DataFrame, pa.Schema]]:
    """Read a file's cells, `BLOCK` rows at a time, each cell as `read_cells` gives it.

    What type a column is does not depend on the block: whole numbers and truth values have types
    of their own that may miss some, and days stay days.

    Yields
    ------
    table : DataFrame of shape (at most BLOCK, n_columns)
        Its index counts the rows of the file from 0.
    types : pyarrow.Schema
        How the file holds the columns.

    Raises
    ------
    DataError
        As of `read_cells`; while the blocks are taken.
    """
    nullable, start = _nullable(), 0
    for block in arrow_blocks(path, BLOCK):
        table = block.to_pandas(ignore_metadata=True, types_mapper=nullable.get)
        table.index = pd.RangeIndex(start, start + len(table))
        start += len(table)
        yield table.apply(_clean), block.schema


def _nullable() -> dict[pa.DataType, pd.api.extensions.ExtensionDtype]:
    """Give the types of whole numbers and truth values of which some are missing."""
    import pyarrow as pa

    return {
        pa.bool_(): pd.BooleanDtype(),
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.uint8(): pd.UInt8Dtype(),
        pa.uint16(): pd.UInt16Dtype(),
        pa.uint32(): pd.UInt32Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
    }


def _clean(values: pd.Series) -> pd.Series:
    if not is_text(values):
        return values
    text = values.str.strip()
    return text.mask(text.isin(MISSING_WORDS))


def arrow_blocks(path: Path, n_rows: int) -> Iterator[pa.Table]:
    """Read a file as it holds its cells, so many rows at a time, decimal commas as points.

    Raises
    ------
    DataError
        As of `read_cells`; while the blocks are taken.
    """
    import pyarrow as pa

    if path.is_dir():
        raise DataError(
            f"The data must be a file; however, '{path}' is a folder. Name a file in it."
        )
    if not path.exists():
        raise DataError(f"The data must be a file; however, there is no '{path}'. Check its path.")
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if path.name.lower().endswith(".parquet"):
        batches = _parquet_batches(path)
    elif suffix in TEXT_SUFFIXES:
        batches = _text_batches(path)
    else:
        raise DataError(
            f"The data must be a CSV file ({', '.join(TEXT_SUFFIXES)}, also with .gz) or a "
            f".parquet file; however, got '{path.name}'. Save the table as CSV in UTF-8."
        )
    empty = True
    tables = (pa.Table.from_batches([batch]) for batch in batches)
    for block in of_length(tables, n_rows):
        empty = False
        yield block
    if empty:
        raise DataError(
            f"'{path.name}' must hold rows under its header; however, it has none. Give a table "
            "with rows."
        )


def of_length(tables: Iterable[pa.Table], n_rows: int) -> Iterator[pa.Table]:
    """Part tables anew into such of so many rows; the last may have fewer."""
    import pyarrow as pa

    left = None
    for table in tables:
        left = table if left is None else pa.concat_tables([left, table])
        while left.num_rows > n_rows:
            yield left.slice(0, n_rows)
            left = left.slice(n_rows)
    if left is not None and left.num_rows and left.num_columns:
        yield left


def _parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            names = checked_names(file.schema_arrow.names, path)
            for batch in file.iter_batches(READ_AT_ONCE):
                yield _decimals_to_floats(batch.rename_columns(names))
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"'{path.name}' must be a whole Parquet file; however, it cannot be read "
            f"({first_line(error)}). Write or copy the file again."
        ) from error


def _decimals_to_floats(batch: pa.RecordBatch) -> pa.RecordBatch:
    import pyarrow as pa

    for place, column in enumerate(batch.schema):
        if pa.types.is_decimal(column.type):
            floats = batch.column(place).cast(pa.float64())
            batch = batch.set_column(place, column.name, floats)
    return batch


def _text_batches(path: Path) -> Iterator[pa.RecordBatch]:
    delimiter, batches = csv_batches(path)
    commas = _decimal_commas(batches) if delimiter == ";" else []
    if delimiter == ";":
        batches = csv_batches(path)[1]
    for batch in batches:
        yield _with_points(batch, commas)


def _decimal_commas(batches: Iterable[pa.RecordBatch]) -> list[str]:
    """Find the columns that are made of numbers such as ``3,5``."""
    filled: dict[str, int] = {}
    found: dict[str, int] = {}
    for batch in batches:
        for name, values in batch.to_pandas().items():
            cells = values[~values.str.strip().isin(MISSING_WORDS)]
            filled[name] = filled.get(name, 0) + len(cells)
            found[name] = found.get(name, 0) + int(cells.str.fullmatch(DECIMAL_COMMA).sum())
    return [name for name, count in filled.items() if count and found[name] / count >= 0.9]


def _with_points(batch: pa.RecordBatch, commas: Iterable[str]) -> pa.RecordBatch:
    """Write ``3,5`` as ``3.5`` in some columns."""
    from pyarrow import compute

    for name in commas:
        points = compute.replace_substring(batch[name], ",", ".", max_replacements=1)
        batch = batch.set_column(batch.schema.get_field_index(name), name, points)
    return batch
