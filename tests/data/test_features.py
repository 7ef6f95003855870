import numpy as np
import pandas as pd
import pytest

from explain_distill.data.features import Feature, Schema, UnseenLevelWarning, level_text, numbers
from explain_distill.exceptions import DataError

SCHEMA = Schema(
    (
        Feature("age", unit="years"),
        Feature("sex", "category", levels=("female", "male")),
        Feature("smoker", "boolean"),
    )
)
TABLE = pd.DataFrame(
    {"age": [54.0, np.nan, 61.5], "sex": ["male", "female", None], "smoker": ["yes", None, "no"]}
)
ROWS = np.array([[54.0, 1.0, 1.0], [np.nan, 0.0, np.nan], [61.5, np.nan, 0.0]])


def test_a_table_is_coded_and_decoded_without_loss():
    np.testing.assert_array_equal(SCHEMA.encode(TABLE), ROWS)
    np.testing.assert_array_equal(SCHEMA.encode(SCHEMA.decode(ROWS)), ROWS)


def test_extra_and_reordered_columns_make_no_difference():
    table = TABLE[["smoker", "age", "sex"]].assign(note="x")
    np.testing.assert_array_equal(SCHEMA.encode(table), ROWS)


def test_an_absent_column_is_named():
    with pytest.raises(DataError) as caught:
        SCHEMA.encode(TABLE.drop(columns="sex"), "'new.csv'")
    assert str(caught.value) == (
        "'new.csv' must hold the columns that training had; however, 'sex' is absent. "
        "Add the column; leave its cells empty where the value is unknown."
    )


def test_a_doubled_column_is_refused():
    with pytest.raises(DataError, match=r"must have a name of its own; however, 'age' names"):
        SCHEMA.encode(pd.concat([TABLE, TABLE[["age"]]], axis=1))


def test_a_level_that_training_never_saw_becomes_missing_with_a_warning():
    with pytest.warns(UnseenLevelWarning) as caught:
        rows = SCHEMA.encode(TABLE.assign(sex=["other", "female", "other"]))
    assert str(caught[0].message) == (
        "Column 'sex' holds 'other' in 2 of 3 rows; training never saw this level, so it is "
        "treated as missing."
    )
    np.testing.assert_array_equal(rows[:, 1], [np.nan, 0, np.nan])


@pytest.mark.parametrize(
    "cells", [[1, 0, 1], [True, False, True], ["T", "f", " YES "], [1.0, 0, 1]]
)
def test_true_and_false_are_read_in_every_spelling(cells):
    np.testing.assert_array_equal(Feature("b", "boolean").encode(pd.Series(cells)), [1, 0, 1])


def test_what_is_neither_true_nor_false_is_named_with_its_row():
    with pytest.raises(DataError, match=r"'b' must hold true or false; however, row 2 holds 'may"):
        Feature("b", "boolean").encode(pd.Series(["yes", "maybe"]))


@pytest.mark.parametrize("infinity", [np.inf, -np.inf, "inf", "-Infinity"])
def test_an_infinite_value_is_named_with_its_row(infinity):
    with pytest.raises(DataError) as caught:
        numbers(pd.Series([1.0, infinity]), "x")
    assert str(caught.value) == (
        "Column 'x' must hold finite numbers; however, row 2 is infinite. Mend that row, or leave "
        "the cell empty where the value is unknown."
    )


def test_a_date_is_no_number():
    with pytest.raises(DataError, match="must hold numbers; however, row 1 holds '2020-01-31"):
        numbers(pd.Series(pd.to_datetime(["2020-01-31"])), "x")


def test_the_row_in_an_error_is_that_of_the_file_after_rows_were_set_aside():
    cells = pd.Series(["1", None, "2", "x"])[lambda values: values.notna()]
    with pytest.raises(DataError, match="row 4 holds 'x'"):
        numbers(cells, "x")


def test_a_level_reads_the_same_from_csv_and_parquet():
    assert level_text(pd.Series([1.0, 2.0, np.nan])).tolist()[:2] == ["1", "2"]
    assert level_text(pd.Series([1, 2])).tolist() == ["1", "2"]
    assert level_text(pd.Series([" 1", "2 "])).tolist() == ["1", "2"]
    assert level_text(pd.Series([0.5, 1e300])).tolist() == ["0.5", "1e+300"]


def test_a_value_is_said_with_its_unit():
    assert SCHEMA.features[0].word(54.25) == "54.25 years"
    assert SCHEMA.features[1].word(1) == "male"
    assert SCHEMA.features[2].word(0) == "no"
    assert SCHEMA.features[0].word(np.nan) == "missing"


def test_a_schema_survives_json():
    assert Schema.from_json(SCHEMA.to_json()) == SCHEMA


def test_environments_of_atoms_are_of_molecules():
    told = SCHEMA.to_json()
    told[0]["environments"] = [{"key": 1, "smiles": "C", "share": 0.5, "structures": 1}]
    with pytest.raises(ValueError, match="where rows are no molecules"):
        Schema.from_json(told)
    told[0]["part_of"] = "smiles"
    assert Schema.from_json(told).environments[0].share == 0.5
