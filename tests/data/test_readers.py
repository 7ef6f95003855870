import re

import numpy as np
import pandas as pd
import pytest

from explain_distill.data.features import UnseenLevelWarning
from explain_distill.data.readers import SetAsideWarning, read_table
from explain_distill.data.rows_to_predict import read_rows
from explain_distill.exceptions import DataError, UnknownNameError


@pytest.mark.parametrize("name", ["patients.csv", "patients.csv.gz", "patients.parquet"])
def test_a_table_is_read_the_same_from_every_format(write, patients, name):
    table = patients(smoker=np.resize([True, False, True], 40))
    data = read_table(write(table, name), "died")
    kinds = [(feature.name, feature.kind) for feature in data.schema.features]
    assert kinds == [("age", "number"), ("sex", "category"), ("smoker", "boolean")]
    assert data.name == "patients"
    assert data.task.class_names == ("no", "yes")
    np.testing.assert_array_equal(data.y, table["died"] == "yes")
    np.testing.assert_array_equal(data.frame()["age"], table["age"])
    assert data.frame()["sex"].tolist() == table["sex"].tolist()
    assert data.notes == ()


def test_one_feature_is_enough(write, patients):
    data = read_table(write(patients()[["age", "died"]]), "died")
    assert data.X.shape == (40, 1)
    assert len(data.split()[0]) == 30


def test_the_target_must_be_named(write, patients):
    with pytest.raises(DataError) as caught:
        read_table(write(patients()))
    assert str(caught.value) == (
        "The column to predict must be named; however, none was for 'patients.csv', whose columns "
        "are age, sex, died. Name it with --target."
    )


def test_an_absent_target_gets_a_suggestion(write, patients):
    with pytest.raises(UnknownNameError) as caught:
        read_table(write(patients()), "dead")
    assert str(caught.value) == (
        "The target must be one of age, died, sex; however, got 'dead'. Did you mean 'died'?"
    )


RANDOM = np.random.default_rng(0).normal(size=40)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"died": "no"},
            "The target must have at least two classes; however, 'died' is 'no' in every row. "
            "Name another column with --target.",
        ),
        (
            {"died": ["yes"] + ["no"] * 39},
            "Each class of the target must have at least 4 rows (for training, validation and "
            "test); however, 'yes' of 'died' has 1. Merge that class with another or remove its "
            "rows.",
        ),
        (
            {"died": None},
            "The target must be known in some rows; however, 'died' is empty in every row. "
            "Name another column with --target.",
        ),
        (
            {"died": [f"text {row}" for row in range(40)], "age": RANDOM},
            "Each class of the target must have at least 4 rows (for training, validation and "
            "test); however, 'text 0' of 'died' has 1. Merge that class with another or remove "
            "its rows.",
        ),
        (
            {"weight": np.nan},
            "Each column must hold values; however, 'weight' is empty in all 40 rows. "
            "Remove the column.",
        ),
        (
            {"weight": [*RANDOM[:39], np.inf]},
            "Column 'weight' must hold finite numbers; however, row 40 is infinite. Mend that "
            "row, or leave the cell empty where the value is unknown.",
        ),
        (
            {"weight": np.inf},
            "Column 'weight' must hold finite numbers; however, row 1 is infinite. Mend that "
            "row, or leave the cell empty where the value is unknown.",
        ),
        (
            {"weight": ["heavy", *RANDOM[1:]]},
            "Column 'weight' must hold numbers; however, row 1 holds 'heavy'. Mend that row, or "
            "leave the cell empty.",
        ),
        (
            {"seen": pd.date_range("2020-01-31", periods=40).astype(str)},
            "Column 'seen' must hold numbers or levels; however, it holds dates or times (row 1: "
            "'2020-01-31'). Turn it into a number, such as an age in years or days since an "
            "event, or remove it.",
        ),
    ],
)
def test_a_table_that_cannot_be_learnt_from_is_refused(write, patients, columns, message):
    with pytest.raises(DataError) as caught:
        read_table(write(patients(**columns)), "died")
    assert str(caught.value) == message


def test_dates_of_a_parquet_file_are_refused(write, patients):
    table = patients(seen=pd.date_range("2020-01-31", periods=40))
    with pytest.raises(DataError, match=r"'seen' .* holds dates or times .*Turn it into a number"):
        read_table(write(table, "p.parquet"), "died")


def test_three_rows_are_too_few(write, patients):
    with pytest.raises(DataError, match=r"at least 20 rows .*; however, 'patients' has 3. Give"):
        read_table(write(patients(3)), "died")


def test_a_table_without_features_is_refused(write, patients):
    with pytest.raises(DataError, match=r"must have a column to predict from; however, .* none"):
        read_table(write(patients()[["died"]]), "died")


def test_an_identifier_is_set_aside_with_a_warning(write, patients):
    table = patients(patient_id=np.random.default_rng(0).permutation(1000)[:40])
    said = "Column 'patient_id' is set aside: it looks like an identifier"
    with pytest.warns(SetAsideWarning, match=said) as caught:
        data = read_table(write(table), "died")
    assert "patient_id" not in data.schema.names
    assert data.notes == tuple(str(warning.message) for warning in caught)


def test_constant_columns_and_rows_without_a_target_are_set_aside_and_said(write, patients):
    table = patients(ward="A", died=["yes", "no", None, "no"] * 10)
    with pytest.warns(SetAsideWarning) as caught:
        data = read_table(write(table), "died")
    assert [str(warning.message) for warning in caught] == [
        "10 rows are set aside: the target 'died' is empty there.",
        "Column 'ward' is set aside: it is 'A' in every row.",
    ]
    assert data.X.shape == (30, 2)


def test_missing_cells_are_counted_in_the_notes(write, patients):
    data = read_table(write(patients(age=[None, *RANDOM[1:]])), "died")
    assert np.isnan(data.X[0, 0])
    assert data.notes == ("Missing cells of 40 rows: 'age' (1).",)


def test_a_group_is_no_feature_and_stays_together(write, patients):
    table = patients(person=[f"p{row % 10}" for row in range(40)], died=["no", "yes"] * 20)
    data = read_table(write(table), "died", group="person")
    assert data.schema.names == ["age", "sex"]
    train, test = data.split()
    assert not set(train.groups) & set(test.groups)


@pytest.mark.parametrize(
    ("person", "message"),
    [
        ("p", "The group must part the rows; however, 'person' is 'p' in every row."),
        (
            [None, *(f"p{row % 10}" for row in range(39))],
            "The group must be known in every row; however, 'person' is empty in row 1.",
        ),
    ],
)
def test_a_group_that_parts_nothing_is_refused(write, patients, person, message):
    with pytest.raises(DataError, match=re.escape(message)):
        read_table(write(patients(person=person)), "died", group="person")


def test_unknown_options_get_a_suggestion(write, patients):
    with pytest.raises(UnknownNameError, match="Did you mean 'sex'"):
        read_table(write(patients()), "died", group="sexx")
    with pytest.raises(UnknownNameError, match="Did you mean 'regression'"):
        read_table(write(patients()), "died", task="regresion")
    with pytest.raises(DataError, match="must be another column than the target"):
        read_table(write(patients()), "died", group="died")


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        (RANDOM, "regression"),
        (np.arange(40) % 11, "regression"),
        (np.arange(40) % 3, "classification"),
        (RANDOM > 0, "classification"),
    ],
)
def test_the_task_follows_from_the_target(write, patients, target, kind):
    assert read_table(write(patients(died=target)), "died").task.kind == kind


def test_a_count_can_be_predicted_as_a_value(write, patients):
    data = read_table(write(patients(died=np.arange(40) % 3)), "died", task="regression")
    assert data.y.dtype == np.float64


def test_rows_to_predict_may_be_reordered_and_have_further_columns(write, patients):
    table = patients()
    data = read_table(write(table), "died")
    further = table.assign(note="x")[["note", "sex", "age"]]
    (block,) = read_rows(write(further, "new.csv"), data.schema)
    np.testing.assert_array_equal(block.rows, data.X)
    assert block.table.columns.tolist() == ["note", "sex", "age"]


def test_rows_to_predict_must_have_every_feature(write, patients):
    schema = read_table(write(patients()), "died").schema
    with pytest.raises(DataError, match=r"'new.csv' must hold the columns .*'age', 'sex' are abs"):
        list(read_rows(write(patients()[["died"]], "new.csv"), schema))


def test_a_level_that_training_never_saw_is_reported(write, patients):
    schema = read_table(write(patients()), "died").schema
    with pytest.warns(UnseenLevelWarning, match=r"'sex' holds 'diverse' in 1 of 40 rows"):
        blocks = list(
            read_rows(write(patients(sex=["diverse"] + ["male"] * 39), "new.csv"), schema)
        )
    (block,) = blocks
    assert np.isnan(block.rows[0, 1])
    assert not np.isnan(block.rows[1:, 1]).any()


def test_rows_to_predict_without_a_value_are_missing(write, patients):
    schema = read_table(write(patients()), "died").schema
    (block,) = read_rows(write(patients(age=None, sex=None), "new.csv"), schema)
    assert np.isnan(block.rows).all()
