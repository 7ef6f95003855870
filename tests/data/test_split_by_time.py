"""Testing on the latest rows."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import explain_distill as xd
from explain_distill.data.readers import SetAsideWarning
from explain_distill.exceptions import DataError, UnknownNameError


def written(tmp_path, times, name="visits.csv", **columns):
    rng = np.random.default_rng(0)
    n = len(times)
    table = pd.DataFrame({"age": rng.normal(60, 9, n).round(1), "when": times})
    table["ill"] = np.where(np.arange(n) % 2 == 0, "yes", "no")
    path = tmp_path / name
    table.assign(**columns).to_csv(path, index=False)
    return path


def test_the_latest_rows_are_tested_on_whatever_the_seed(tmp_path):
    times = np.random.default_rng(1).permutation(40)
    data = xd.read_table(written(tmp_path, times), target="ill", time="when")
    assert "when" not in data.schema.names
    for seed in (0, 1):
        train, test = data.split(seed=seed)
        assert len(test) == 10
        assert train.times.max() < test.times.min()
        assert np.array_equal(test.background, train.X)


def test_dates_are_times(tmp_path):
    days = pd.date_range("2020-01-01", periods=40).strftime("%Y-%m-%d")
    data = xd.read_table(written(tmp_path, days), target="ill", time="when")
    assert np.all(np.diff(data.times) > 0)


def test_rows_of_one_time_stay_together(tmp_path):
    years = np.repeat([2018, 2019, 2020, 2021], 10)
    train, test = xd.read_table(written(tmp_path, years), target="ill", time="when").split()
    assert set(test.times) == {2021.0}
    assert set(train.times) == {2018.0, 2019.0, 2020.0}


@pytest.mark.parametrize(
    ("times", "columns", "told"),
    [
        ([7] * 40, {}, "Rows must be of 2 times at least to be split by time; however, all are of"),
        (range(40), {"ill": ["no"] * 30 + ["yes"] * 10}, "however, all 30 are early"),
        ([*range(39), "soon"], {}, "however, 'when' is 'soon' in row 40"),
        ([*range(39), None], {}, "however, 'when' is 'nan' in row 40"),
    ],
)
def test_times_that_part_no_rows_are_refused(tmp_path, times, columns, told):
    path = written(tmp_path, times, **columns)
    with pytest.raises(DataError, match=told):
        xd.read_table(path, target="ill", time="when").split()


@pytest.mark.parametrize("share", [1.5, 1, 0, -1, float("nan")])
def test_a_share_that_parts_nothing_is_refused_with_times_and_without(tmp_path, share):
    data = xd.read_table(written(tmp_path, range(40)), target="ill", time="when")
    for each in (data, replace(data, times=None)):
        with pytest.raises(DataError, match=f"must lie between 0 and 1; however, got {share:g}"):
            each.split(test_size=share)


def test_a_time_that_is_not_there_and_one_beside_a_group_are_refused(tmp_path):
    path = written(tmp_path, range(40), site=["a", "b"] * 20)
    with pytest.raises(UnknownNameError, match=r"Did you mean 'when'\?"):
        xd.read_table(path, target="ill", time="wehn")
    with pytest.raises(DataError, match="--time when was given beside --group site"):
        xd.read_table(path, target="ill", time="when", group="site")
    with pytest.raises(DataError, match="--time ill was given beside the target"):
        xd.read_table(path, target="ill", time="ill")


def test_molecules_are_split_by_time_and_count_as_first_known(tmp_path):
    pytest.importorskip("rdkit", reason="molecules need the extra")
    from tests_molecules import SMILES

    path = tmp_path / "made.csv"
    cells = [*SMILES, SMILES[3]]
    table = pd.DataFrame({"smiles": cells, "y": [0.5 * len(s) for s in cells]})
    table.assign(year=np.arange(len(cells))).to_csv(path, index=False)
    with pytest.warns(SetAsideWarning, match="1 row is left out: the same molecule was"):
        data = xd.read_table(path, target="y", time="year")
    assert len(data) == len(SMILES)
    assert data.times[3] == 3.0
    train, test = data.split()
    assert train.times.max() < test.times.min()
