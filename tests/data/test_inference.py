import numpy as np
import pandas as pd
import pytest

from explain_distill.data.features import Feature
from explain_distill.data.inference import infer_feature, is_identifier, settle, sorted_levels
from explain_distill.exceptions import DataError


def inferred(cells):
    return infer_feature(settle(pd.Series(cells)), "c")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1.5", "2", None], Feature("c")),
        ([3, 4, 5], Feature("c")),
        (["0", "1", None], Feature("c", "boolean")),
        (["Yes", "no"], Feature("c", "boolean", levels=("no", "Yes"))),
        ([True, None, False], Feature("c", "boolean")),
        (["male", "female"], Feature("c", "category", levels=("female", "male"))),
        (
            ["10", "2", "3+", "2", "3+"],
            Feature("c", "category", levels=("2", "10", "3+")),
        ),
        (pd.Categorical(["3", "1", None]), Feature("c")),
    ],
)
def test_the_kind_of_a_column_is_found(cells, expected):
    assert inferred(cells) == expected


def test_one_text_among_ten_thousand_numbers_is_named_with_its_row():
    cells = [f"{value:.3f}" for value in np.random.default_rng(0).normal(size=10_000)]
    cells[7421] = "unknown"
    with pytest.raises(DataError) as caught:
        inferred(cells)
    assert str(caught.value) == (
        "Column 'c' must hold numbers; however, row 7422 holds 'unknown'. "
        "Mend that row, or leave the cell empty."
    )


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["2020-01-31", "2021-02-28"], "2020-01-31"),
        (["31/01/2020 10:30", None, "28/02/2021 09:15"], "31/01/2020 10:30"),
        (["31 Jan 2020", "28 Feb 2021"], "31 Jan 2020"),
        (["10:30", "9:15"], "10:30"),
        (pd.to_datetime(["2020-01-31", "2021-02-28"]), "2020-01-31 00:00:00"),
        (pd.to_timedelta(["1D", "2D"]), "1 days 00:00:00"),
    ],
)
def test_dates_and_times_are_refused_with_advice(cells, first):
    with pytest.raises(DataError) as caught:
        inferred(cells)
    assert str(caught.value) == (
        f"Column 'c' must hold numbers or levels; however, it holds dates or times (row 1: "
        f"'{first}'). Turn it into a number, such as an age in years or days since an event, or "
        "remove it."
    )


def test_lists_are_refused():
    with pytest.raises(DataError, match=r"must hold one number or text in a cell; however, row 2"):
        inferred([None, [1, 2], [3]])


def test_free_text_is_refused():
    with pytest.raises(DataError, match=r"at most 50 levels; however, it holds 60 different"):
        inferred([f"text {number // 2}" for number in range(120)])


def test_levels_are_sorted_numbers_by_size_first():
    assert sorted_levels(pd.Series(["b", "10", "9", None, "a"])) == ("9", "10", "a", "b")


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("code", [f"P{number:03}" for number in range(40)]),
        ("n", range(1, 41)),
        ("patient_id", RNG.permutation(1000)[:40]),
        ("PatientID", [None, *RNG.permutation(1000)[:39]]),
        ("patient_id", RNG.integers(0, 200, 400)),
        ("Unnamed: 0", RNG.permutation(1000)[:40]),
        ("__index_level_0__", RNG.permutation(1000)[:40]),
    ],
)
def test_what_tells_rows_apart_is_an_identifier(name, cells):
    assert is_identifier(settle(pd.Series(cells)), name)


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("income", RNG.permutation(10**6)[:40]),
        ("thyroid", RNG.permutation(1000)[:40]),
        ("hospital_id", RNG.integers(0, 5, 400)),
        ("patient_id", RNG.normal(size=40)),
        ("date", pd.date_range("2020-01-01", periods=40).astype(str)),
    ],
)
def test_what_may_say_something_of_new_rows_is_no_identifier(name, cells):
    assert not is_identifier(settle(pd.Series(cells)), name)


@pytest.mark.parametrize(
    "written",
    [
        lambda x: f"{x:.3f}%",
        lambda x: f"{1000 * x:,.2f}",
        lambda x: f"${x:.2f}",
        lambda x: f"{x:.2f} €",
        lambda x: f"{1000 * x:,.2f}".replace(",", " "),
        lambda x: f"-{x:.2f}%",
    ],
)
def test_numbers_with_signs_or_marks_are_refused_with_what_to_write(written):
    cells = settle(pd.Series([written(12.3 + i) for i in range(60)]))
    assert not is_identifier(cells, "rate")
    with pytest.raises(DataError, match="'rate' must hold plain numbers; however, it holds "):
        infer_feature(cells, "rate")


def test_a_few_levels_that_look_so_are_levels():
    cells = pd.Series(["5%", "10%", "20%"] * 20)
    assert infer_feature(settle(cells), "dose").levels == ("10%", "20%", "5%")
