import time

import numpy as np
import pytest

from explain_distill.exceptions import DataError
from explain_distill.metrics import cost
from explain_distill.metrics.cost import check_price, money_per_million, speed

X = np.zeros((10, 3))
FEW = (3, 5)  # calls that are timed
TIMES = {"row_milliseconds", "row_milliseconds_p99", "rows_per_second"}


def test_money_is_the_price_of_the_seconds_that_a_million_rows_take():
    assert money_per_million(1e6, 1, 3600) == pytest.approx(1.0)  # a second, at 1 a second
    assert money_per_million(1000, 1, 0.05) == pytest.approx(0.05 * 1000 / 3600)
    assert money_per_million(1000, 4, 0.05) == pytest.approx(4 * money_per_million(1000, 1, 0.05))


def test_without_a_price_times_alone_are_told():
    assert set(speed(len, X, calls=FEW)) == TIMES


def test_with_a_price_money_follows_from_the_figures_beside_it():
    told = speed(lambda rows: np.sort(np.repeat(rows, 20)), X, price=0.05, calls=FEW)
    assert set(told) == TIMES | {"processors", "money_per_million"}
    expected = money_per_million(told["rows_per_second"], told["processors"], 0.05)
    assert told["money_per_million"] == expected


def test_a_model_that_waits_costs_one_cpu():
    told = speed(lambda rows: time.sleep(0.002), X, price=1.0, calls=FEW)
    assert told["processors"] == 1.0


def test_processors_that_work_at_once_all_count(monkeypatch):
    clock = {"wall": 0.0, "busy": 0.0}

    def work(rows):
        clock["wall"] += 1.0
        clock["busy"] += 3.0

    monkeypatch.setattr(cost.time, "perf_counter", lambda: clock["wall"])
    monkeypatch.setattr(cost.time, "process_time", lambda: clock["busy"])
    assert speed(work, X, price=1.0, calls=FEW)["processors"] == pytest.approx(3.0)


@pytest.mark.parametrize("price", [0, -0.05, float("nan"), float("inf"), "0.05", True])
def test_a_price_is_a_number_above_0(price):
    with pytest.raises(DataError, match=r"price must be above 0; .* Give what an hour"):
        check_price(price)


def test_no_price_is_allowed():
    check_price(None)
    check_price(0.05)
