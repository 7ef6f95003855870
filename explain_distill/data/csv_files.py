"""CSV files as text in blocks of rows: decoded, with one kind of line ends, every cell a string."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explain_distill.exceptions import DataError

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK = 1 << 20  # bytes that are decoded together
LONGEST = 1 << 24  # bytes of a row; so many are parsed together
UNNAMED = "unnamed column "


def csv_batches(path: Path) -> tuple[str, Iterator[pa.RecordBatch]]:
    """Read a CSV file piece by piece.

    Parameters
    ----------
    path : Path

    Returns
    -------
    delimiter : str
    batches : iterator of RecordBatch
        One at least, with all columns as strings, under names of their own.

    Raises
    ------
    DataError
        Where the file is damaged, or not a table with a header; also while its batches are taken.
    """
    texts = _texts(path)
    head = ""
    while "\n" not in head:
        head += next(texts)
    delimiter = _delimiter(head)
    header = _header(head, delimiter, path)
    _refuse_headerless(header, path)
    names = checked_names(header, path)
    return delimiter, _batches(chain([head], texts), header, names, delimiter, path)


def _chunks(path: Path) -> Iterator[bytes]:
    """Give the file's bytes, and none at its end."""
    try:
        with gzip.open(path) if path.name.lower().endswith(".gz") else path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"'{path.name}' must be a whole, readable file; however, it cannot be read "
            f"({first_line(error)}). Write or copy the file again."
        ) from error
    yield b""


def _texts(path: Path) -> Iterator[str]:
    """Give the file's text, without blank lines before the header and after the last row."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    lines, held, begun = 1, "", False
    for chunk in _chunks(path):
        try:
            text = held + decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = lines + error.object.count(b"\n", 0, error.start)
            raise DataError(
                f"'{path.name}' must be text in UTF-8; however, line {line} holds a byte that is "
                f"not (0x{error.object[error.start]:02x}). Save the table again as 'CSV UTF-8'."
            ) from error
        lines += chunk.count(b"\n")
        if "\0" in text:
            raise DataError(
                f"'{path.name}' must be text in UTF-8; however, it holds binary data. Save the "
                "table again as 'CSV UTF-8'."
            )
        if not begun and not text.strip():
            held = text
            continue
        # Line ends wait for what follows: a carriage return may be one half of one, and blank lines
        # may be the file's last.
        body = text.rstrip("\r\n")
        held = text[len(body) :]
        if body:
            body = body.replace("\r\n", "\n").replace("\r", "\n")
            yield body if begun else body.lstrip("\n")
            begun = True
    if not begun:
        raise DataError(
            f"'{path.name}' must hold a table; however, the file is empty. Give a file with a "
            "header and rows."
        )
    yield "\n"


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
            f"read ({first_line(error)}). Look for a quote that is never closed."
        ) from error


def checked_names(header: Sequence[str], path: Path) -> list[str]:
    """Give the columns' names without spaces around them, every column with a name of its own.

    Raises
    ------
    DataError
    """
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


class _Bytes(io.RawIOBase):
    """Texts as a file of bytes."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = iter(texts)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            text = next(self._texts, None)
            if text is None:
                return 0
            self._left = memoryview(text.encode())
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _batches(
    texts: Iterable[str], header: Sequence[str], names: Sequence[str], delimiter: str, path: Path
) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    ragged: list[arrow_csv.InvalidRow] = []

    def note_ragged_row(row: arrow_csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        with arrow_csv.open_csv(
            io.BufferedReader(_Bytes(texts)),
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=LONGEST),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                invalid_row_handler=note_ragged_row,
                ignore_empty_lines=len(header) > 1,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=False
            ),
        ) as batches:
            for batch in batches:
                yield batch.rename_columns(names)
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
            f"({first_line(error)}). Save the table again as 'CSV UTF-8'."
        ) from error


def first_line(error: BaseException) -> str:
    """Give the first line of what an error says, to be put in brackets."""
    return str(error).strip().partition("\n")[0].rstrip(".")[:120] or type(error).__name__
