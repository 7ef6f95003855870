"""Predictions for the rows of a file: the same in one block and in many."""

import datetime
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import RandomForestClassifier

import explain_distill as xd
from explain_distill.data import files
from explain_distill.data.features import UnseenLevelWarning
from explain_distill.exceptions import DataError
from explain_distill.study.predictions import predict_file

TREES = "boosted-trees"
N = 60


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Of an ordinary table of a number, a level and a boolean."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "size": rng.normal(size=200),
            "colour": rng.choice(["red", "green", "2"], 200),
            "old": rng.choice(["yes", "no"], 200),
        }
    )
    table["big"] = np.where(table["size"] + (table["colour"] == "red") > 0.4, "yes", "no")
    path = tmp_path_factory.mktemp("ordinary") / "table.csv"
    table.to_csv(path, index=False)
    train, test = xd.read_table(path, "big").split(seed=0)
    forest = RandomForestClassifier(n_estimators=10, random_state=0)
    forest.fit(train.readable(), train.y)
    trees = xd.distill(forest, xd.BoostedTrees(n_trees=5), train, transfer="training-rows")
    return xd.compare(forest, {TREES: trees}, test, quick=True)


def cells():
    """Rows to predict, whose cells look otherwise in one block than in another."""
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=n) for n in range(N)]
    return pd.DataFrame(
        {
            "size": [None if n == 40 else n / 7 for n in range(N)],
            "colour": ["2"] * 20 + ["red", "NA", " green "] * 10 + ["blue"] * 10,
            "old": ["yes"] * 30 + ["1", "no", ""] * 10,
            "count": pd.array([None if n == 33 else 2**53 + n for n in range(N)], dtype="Int64"),
            "late": [""] * 20 + ["x, y", 'a "word"\nand more', "?"] * 13 + ["é"],
            "flag": pd.array([None if n > 50 else n % 2 == 0 for n in range(N)], dtype="boolean"),
            "day": days,
            "midnight": pd.to_datetime(days),
            "time": [pd.Timestamp(2024, 1, 1, 10 * (n == 45)) for n in range(N)],
            "span": pd.to_timedelta([n * (n > 30) for n in range(N)], unit="h"),
            "kind": pd.Categorical([f"k{n}" for n in range(N)]),
            "list": [None] * 30 + [[1, 2]] * 30,
        }
    )


@pytest.fixture(params=["comma.csv", "semicolon.csv", "parquet"])
def rows(request, tmp_path):
    path = tmp_path / f"rows.{request.param}"
    if path.suffix == ".parquet":
        cells().to_parquet(path, index=False)
    elif "comma" in path.name:
        cells().to_csv(path, index=False)
    else:
        cells().to_csv(path, index=False, sep=";", decimal=",")
    return path


def predicted(study, rows, out):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnseenLevelWarning)
        assert predict_file(study, TREES, rows, out) == N
    return out.read_bytes()


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_the_size_of_a_block_changes_nothing_that_is_written(
    study, rows, suffix, tmp_path, monkeypatch
):
    whole = predicted(study, rows, tmp_path / f"whole.{suffix}")
    for n_rows in (1, 7, 20):
        monkeypatch.setattr(files, "BLOCK", n_rows)
        assert predicted(study, rows, tmp_path / f"in_{n_rows}.{suffix}") == whole


def test_what_is_written_is_what_was_read(study, tmp_path):
    rows, out = tmp_path / "rows.parquet", tmp_path / "out.parquet"
    cells().to_parquet(rows, index=False)
    predicted(study, rows, out)
    read, written = pq.read_table(rows), pq.read_table(out)
    for name in set(read.column_names) - {"colour", "old", "late"}:
        assert written[name].type == read[name].type
        assert written[name].to_pylist() == read[name].to_pylist()
    predicted(study, rows, tmp_path / "out.csv")
    text = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    assert text["count"].tolist()[32:35] == [str(2**53 + 32), "", str(2**53 + 34)]
    assert text.loc[0, ["day", "midnight", "time"]].tolist() == [
        "2024-01-01", "2024-01-01", "2024-01-01 00:00:00",
    ]  # fmt: skip
    assert text["colour"].tolist()[20:23] == ["red", "", "green"]


def test_unseen_levels_are_told_once_of_all_blocks(study, tmp_path, monkeypatch):
    rows = tmp_path / "rows.csv"
    cells().to_csv(rows, index=False)
    monkeypatch.setattr(files, "BLOCK", 7)
    with pytest.warns(UnseenLevelWarning) as caught:
        predict_file(study, TREES, rows, tmp_path / "out.csv")
    assert [str(each.message) for each in caught] == [
        "Column 'colour' holds 'blue' in 10 of 60 rows; training never saw this level, so it is "
        "treated as missing."
    ]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_mistake_in_a_late_row_leaves_nothing_behind(study, suffix, tmp_path, monkeypatch):
    table = cells().astype({"size": object})
    table.loc[50, "size"] = "large"
    rows = tmp_path / "rows.csv"
    table.to_csv(rows, index=False)
    monkeypatch.setattr(files, "BLOCK", 7)
    with pytest.raises(DataError, match=r"'size' must hold numbers; however, row 51 holds 'large'"):
        predict_file(study, TREES, rows, tmp_path / f"out.{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_a_ragged_late_row_is_named_by_its_number_in_the_file(study, tmp_path, monkeypatch):
    rows = tmp_path / "rows.csv"
    rows.write_text("size,colour,old\n" + "1,red,yes\n" * 30 + "1,red\n")
    monkeypatch.setattr(files, "BLOCK", 7)
    with pytest.raises(DataError, match="row 31 has 2"):
        predict_file(study, TREES, rows, tmp_path / "out.csv")


def test_rows_of_a_parquet_file_are_written_in_groups(study, tmp_path, monkeypatch):
    monkeypatch.setattr("explain_distill.study.predictions.ROW_GROUP", 25)
    rows, out = tmp_path / "rows.csv", tmp_path / "out.parquet"
    cells().to_csv(rows, index=False)
    predicted(study, rows, out)
    with pq.ParquetFile(out) as file:
        told = file.metadata
        assert [told.row_group(n).num_rows for n in range(told.num_row_groups)] == [25, 25, 10]
        assert file.schema_arrow.field(f"{TREES} prediction").type == pa.large_string()
