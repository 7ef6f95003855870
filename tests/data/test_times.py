"""What a column of times may hold, and in which order its cells are."""

from datetime import UTC, date, datetime
from datetime import time as time_of_day
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import explain_distill as xd
from explain_distill.data.times import read_times
from explain_distill.exceptions import DataError

DAY = 86_400.0


def told(cells, **options):
    return read_times(pd.Series(cells, **options), "when")


@pytest.mark.parametrize("mark", ["/", ".", "-"])
def test_european_dates_are_ordered_by_their_years(mark):
    cells = ["01/12/2020", "13/01/2021", "02/03/2021"]
    times = told([cell.replace("/", mark) for cell in cells])
    assert np.array_equal(np.diff(times), [43 * DAY, 48 * DAY])


def test_american_dates_are_read_months_first():
    assert np.array_equal(np.diff(told(["12/01/2020", "01/13/2021"])), [43 * DAY])


def test_dates_are_seconds_whatever_wrote_them():
    as_iso = told(["1970-01-02", "1970-01-03T12:00:00.5", "9999-12-31"])
    assert as_iso[:2].tolist() == [DAY, 2.5 * DAY + 0.5]
    days = ["1970-01-02", "1970-01-03"]
    for unit in ("s", "ms", "us", "ns"):
        assert told(np.array(days, dtype=f"datetime64[{unit}]")).tolist() == [DAY, 2 * DAY]
    assert told(["02.01.1970", "31.01.1970"])[0] == DAY
    assert told(["1970-01-02T01:00+01:00", "1970-01-03T00:00Z"]).tolist() == [DAY, 2 * DAY]


def test_numbers_stay_as_they_are():
    assert told([3, 1, 2]).tolist() == [3.0, 1.0, 2.0]
    assert told([3, 1], dtype="Int64").tolist() == [3.0, 1.0]
    assert told(["3", "1.5"]).tolist() == [3.0, 1.5]


def test_dates_that_can_be_read_two_ways_are_refused():
    with pytest.raises(DataError, match="must be read in one way; however, each of 'when' can be"):
        told(["05/05/2020", "01/02/2020", "03/04/2020"])
    with pytest.raises(DataError, match=r"'01/02/2020' in row 2\. Write them as ISO 8601 has it"):
        told(["05/05/2020", "01/02/2020", "03/04/2020"])
    assert len(set(told(["05/05/2020", "06/06/2020"]))) == 2


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (["13/01/2020", "01/13/2020"], "'01/13/2020' in row 2"),
        (["13/01/2020", "2020-01-14"], "'13/01/2020' in row 1|'2020-01-14' in row 2"),
        (["2020-01-31", "2020-02-30"], "'2020-02-30' in row 2"),
        (["1", "2", "soon"], "'soon' in row 3"),
        (["2020-01-31", None], "in row 2"),
        ([1.0, np.inf], "'inf' in row 2"),
        ([1.0, None], "'nan' in row 2"),
        ([[1, 2], [3]], r"'\[1, 2\]' in row 1"),
        ([time_of_day(10, 30), time_of_day(11)], "'10:30:00' in row 1"),
        ([Decimal("1.5"), Decimal("2")], "'1.5' in row 1"),
        ([True, False], "'True' in row 1"),
        ([pd.Timedelta(days=1)], "in row 1"),
    ],
)
def test_what_is_no_time_is_named(cells, shown):
    with pytest.raises(DataError, match=f"number or a date in every row; however, .*(?:{shown})"):
        told(cells)


@pytest.mark.parametrize(
    "make",
    [
        lambda day: date(2020, 1, day),
        lambda day: datetime(2020, 1, day, tzinfo=UTC),
        lambda day: float(day),
    ],
)
def test_times_of_parquet_files_are_read(tmp_path, make):
    path = written(tmp_path, [make(1 + row % 28) for row in range(40)])
    times = xd.read_table(path, target="ill", time="when").times
    assert (times[1] - times[0]) in (1.0, DAY)


@pytest.mark.parametrize("cell", [[1], time_of_day(10), np.inf])
def test_columns_of_parquet_files_that_are_no_times_are_refused(tmp_path, cell):
    with pytest.raises(DataError, match="must be a number or a date"):
        xd.read_table(written(tmp_path, [cell] * 40), target="ill", time="when")


def written(tmp_path, times):
    path = tmp_path / "visits.parquet"
    age = np.random.default_rng(0).normal(60, 9, len(times))
    ill = ["yes", "no"] * (len(times) // 2)
    pd.DataFrame({"age": age, "when": times, "ill": ill}).to_parquet(path, index=False)
    return path
