import gzip
from datetime import time
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from explain_distill.data.files import read_cells
from explain_distill.exceptions import DataError

CELLS = [["1.5", "x"], ["2.5", "z"]]


def test_a_missing_file_is_named_with_its_path(tmp_path):
    with pytest.raises(DataError) as caught:
        read_cells(tmp_path / "absent.csv")
    assert str(caught.value) == (
        f"The data must be a file; however, there is no '{tmp_path / 'absent.csv'}'. "
        "Check its path."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "",
            "'patients.csv' must hold a table; however, the file is empty. "
            "Give a file with a header and rows.",
        ),
        (
            "age,died\n",
            "'patients.csv' must hold rows under its header; however, it has none. "
            "Give a table with rows.",
        ),
        (
            "age,age,died\n1,2,no\n",
            "Each column of 'patients.csv' must have a name of its own; however, 'age' names "
            "2 columns. Rename or remove one.",
        ),
        (
            "63.0,1.0,1.0,0\n67.0,1.0,4.0,2\n",
            "The first line of 'patients.csv' must hold the columns' names; however, it holds "
            "numbers (63.0, 1.0, 1.0, …). Add a line of names above it.",
        ),
        (
            "age,died\n1,no\n2,yes,3\n",
            "Each row of 'patients.csv' must have 2 cells like its header; however, row 2 has 3. "
            "Mend that row, or put text that holds the separator in quotes.",
        ),
        (
            "name,died\nJosé,no\n".encode("latin-1"),
            "'patients.csv' must be text in UTF-8; however, line 2 holds a byte that is not "
            "(0xe9). Save the table again as 'CSV UTF-8'.",
        ),
        (
            b"a\0b,died\n1,no\n",
            "'patients.csv' must be text in UTF-8; however, it holds binary data. "
            "Save the table again as 'CSV UTF-8'.",
        ),
        (
            '"age,died\n' + "1,no\n" * 50_000,
            "The first line of 'patients.csv' must hold the columns' names; however, it cannot be "
            "read (field larger than field limit (131072)). Look for a quote that is never closed.",
        ),
    ],
)
def test_a_csv_file_that_is_no_table_is_refused_with_the_remedy(write, content, message):
    with pytest.raises(DataError) as caught:
        read_cells(write(content))
    assert str(caught.value) == message


def test_another_format_is_refused(write):
    with pytest.raises(DataError, match=r"however, got 'table.xlsx'. Save the table as CSV"):
        read_cells(write("x", "table.xlsx"))


@pytest.mark.parametrize("kept", [0, 100, -200])
def test_a_truncated_parquet_file_is_refused(write, patients, kept):
    whole = write(patients(), "whole.parquet").read_bytes()
    with pytest.raises(DataError) as caught:
        read_cells(write(whole[:kept], "half.parquet"))
    message = str(caught.value)
    assert message.startswith("'half.parquet' must be a whole Parquet file; however, it cannot be")
    assert message.endswith("Write or copy the file again.")
    assert "\n" not in message


def test_a_truncated_gzip_file_is_refused(write):
    whole = gzip.compress(b"age,died\n" + b"1,no\n" * 1000)
    with pytest.raises(DataError, match=r"'p.csv.gz' must be a whole, readable file; however"):
        read_cells(write(whole[:-20], "p.csv.gz"))


@pytest.mark.parametrize(
    "text",
    [
        "age,died\n1.5,x\n2.5,z\n",
        "age,died\r\n1.5,x\r\n2.5,z\r\n",
        "age,died\r1.5,x\r2.5,z",
        "\ufeffage,died\n1.5,x\n2.5,z",
        "\n age , died \n 1.5 ,x\n\n2.5, z\n",
        "age;died\n1,5;x\n2,5;z\n",
        "age\tdied\n1.5\tx\n2.5\tz\n",
        '"age","died"\n"1.5","x"\n"2.5","z"\n',
    ],
)
def test_the_same_cells_are_read_from_every_way_to_write_csv(write, text):
    table = read_cells(write(text))
    assert table.columns.tolist() == ["age", "died"]
    assert table.to_numpy().tolist() == CELLS


def test_words_for_missing_are_missing(write):
    table = read_cells(write("a,b\n?,1\nNA,2\n,3\nN/A,4\nnull,5\nnone of these,6\n"))
    assert table["a"].isna().tolist() == [True] * 5 + [False]


def test_parquet_cells_keep_their_meaning(write):
    path = write(b"", "kinds.parquet")
    columns = {
        "decimal": pa.array([Decimal("1.25"), None], pa.decimal128(9, 2)),
        "truth": pa.array([True, None]),
        "list": pa.array([[1, 2], None]),
        "time": pa.array([time(10, 30), None]),
        "text": pa.array([" a ", "?"]),
        "level": pa.array(["a", "b"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), path)
    table = read_cells(path)
    assert table["decimal"].dtype == np.float64
    assert table["decimal"][0] == 1.25
    assert table["truth"][0] is True
    assert list(table["list"][0]) == [1, 2]
    assert table["time"][0] == time(10, 30)
    assert table["text"][0] == "a"
    assert pd.isna(table["text"][1])
    assert table["level"].tolist() == ["a", "b"]
