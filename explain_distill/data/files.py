"""Files of tables: CSV and Parquet become cells, before anybody asks what a column means.

Nothing here runs what a file holds: CSV is text, and Parquet is read without pandas' metadata.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from explain_distill.data.features import is_text
from explain_distill.exceptions import DataError

if TYPE_CHECKING:
    import pyarrow as pa

MISSING_WORDS = ("", "?", ".", "NA", "N/A", "#N/A", "n/a", "na", "NaN", "nan", "NULL", "null")
"""What a cell without a value is written as, besides nothing at all."""

TEXT_SUFFIXES = (".csv", ".tsv", ".data", ".txt")
DECIMAL_COMMA = r"[+-]?\d+(?:,\d+)?"
UNNAMED = "unnamed column "


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
    path = Path(path)
    if path.is_dir():
        raise DataError(
            f"The data must be a file; however, '{path}' is a folder. Name a file in it."
        )
    if not path.exists():
        raise DataError(f"The data must be a file; however, there is no '{path}'. Check its path.")
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if path.name.lower().endswith(".parquet"):
        table = _read_parquet(path)
    elif suffix in TEXT_SUFFIXES:
        table = _read_csv(path)
    else:
        raise DataError(
            f"The data must be a CSV file ({', '.join(TEXT_SUFFIXES)}, also with .gz) or a "
            f".parquet file; however, got '{path.name}'. Save the table as CSV in UTF-8."
        )
    if table.empty:
        raise DataError(
            f"'{path.name}' must hold rows under its header; however, it has none. Give a table "
            "with rows."
        )
    return table.apply(_clean)


def _clean(values: pd.Series) -> pd.Series:
    if not is_text(values):
        return values
    text = values.str.strip()
    return text.mask(text.isin(MISSING_WORDS))


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            table = file.read()
        names = _checked_names(table.column_names, path)
        table = _decimals_to_floats(table.rename_columns(names))
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, date_as_object=False)
        return frame
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"'{path.name}' must be a whole Parquet file; however, it cannot be read "
            f"({_first_line(error)}). Write or copy the file again."
        ) from error


def _decimals_to_floats(table: pa.Table) -> pa.Table:
    import pyarrow as pa

    for place, column in enumerate(table.schema):
        if pa.types.is_decimal(column.type):
            floats = table.column(place).cast(pa.float64())
            table = table.set_column(place, column.name, floats)
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    raw = _read_bytes(path)
    text = _decode(raw, path)
    delimiter = _delimiter(text)
    header = _header(text, delimiter, path)
    _refuse_headerless(header, path)
    names = _checked_names(header, path)
    cells = _parse(text, header, delimiter, path).rename_columns(names)
    frame: pd.DataFrame = cells.to_pandas()
    return frame.apply(_decimal_commas_to_points) if delimiter == ";" else frame


def _read_bytes(path: Path) -> bytes:
    try:
        if path.name.lower().endswith(".gz"):
            with gzip.open(path) as file:
                return file.read()
        return path.read_bytes()
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"'{path.name}' must be a whole, readable file; however, it cannot be read "
            f"({_first_line(error)}). Write or copy the file again."
        ) from error


def _decode(raw: bytes, path: Path) -> str:
    """Give the file's text, without blank lines before the header."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"'{path.name}' must be text in UTF-8; however, line {line} holds a byte that is not "
            f"(0x{raw[error.start]:02x}). Save the table again as 'CSV UTF-8'."
        ) from error
    if "\0" in text:
        raise DataError(
            f"'{path.name}' must be text in UTF-8; however, it holds binary data. Save the table "
            "again as 'CSV UTF-8'."
        )
    if not text.strip():
        raise DataError(
            f"'{path.name}' must hold a table; however, the file is empty. Give a file with a "
            "header and rows."
        )
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip("\n") + "\n"


def _delimiter(text: str) -> str:
    """Give the mark that parts the header: the most frequent of comma, semicolon and tab."""
    header = text[: text.index("\n")]
    return max((",", ";", "\t"), key=header.count)


def _header(text: str, delimiter: str, path: Path) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise DataError(
            f"The first line of '{path.name}' must hold the columns' names; however, it cannot be "
            f"read ({_first_line(error)}). Look for a quote that is never closed."
        ) from error


def _checked_names(header: Sequence[str], path: Path) -> list[str]:
    """Give the columns' names without spaces around them, every column with a name of its own."""
    names = [name.strip() or f"{UNNAMED}{place}" for place, name in enumerate(header, 1)]
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise DataError(
            f"Each column of '{path.name}' must have a name of its own; however, {name!r} names "
            f"{count} columns. Rename or remove one."
        )
    return names


def _refuse_headerless(header: Sequence[str], path: Path) -> None:
    """Refuse a first line that is mostly numbers, unless they count up as column numbers do."""
    numbers = [float(name) for name in header if _is_number(name)]
    counting = all(a < b for a, b in pairwise(numbers))
    if len(numbers) > len(header) / 2 and not (counting and len(numbers) > 1):
        raise DataError(
            f"The first line of '{path.name}' must hold the columns' names; however, it holds "
            f"numbers ({', '.join(header[:3])}, …). Add a line of names above it."
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _parse(text: str, header: Sequence[str], delimiter: str, path: Path) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    ragged: list[arrow_csv.InvalidRow] = []

    def note_ragged_row(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        return arrow_csv.read_csv(
            pa.BufferReader(text.encode()),
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=1 << 24),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=note_ragged_row,
                ignore_empty_lines=len(header) > 1,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=False
            ),
        )
    except pa.ArrowException as error:
        if ragged:
            row = ragged[0]
            raise DataError(
                f"Each row of '{path.name}' must have {row.expected_columns} cells like its "
                f"header; however, row {row.number - 1} has {row.actual_columns}. Mend that "
                "row, or put text that holds the separator in quotes."
            ) from error
        raise DataError(
            f"'{path.name}' must be a table in CSV; however, it cannot be read "
            f"({_first_line(error)}). Save the table again as 'CSV UTF-8'."
        ) from error


def _decimal_commas_to_points(values: pd.Series) -> pd.Series:
    """Write ``3,5`` as ``3.5`` in a column that is made of such numbers."""
    filled = values[~values.str.strip().isin(MISSING_WORDS)]
    if not len(filled) or filled.str.fullmatch(DECIMAL_COMMA).mean() < 0.9:
        return values
    return values.str.replace(",", ".", n=1, regex=False)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".")[:120] or type(error).__name__
