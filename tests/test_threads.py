import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explain_distill._threads import FEWEST_UNITS, on_all_threads, torch_threads
from explain_distill.exceptions import DataError

UNIT = 10
WORTH_IT = 2 * FEWEST_UNITS * UNIT


@pytest.fixture
def two_threads():
    with torch_threads(2):
        yield


def run(n, most=200):
    """Double rows, and note each call's first row, rows, thread and number of torch's threads."""
    calls = []

    def doubled(rows):
        first = int(rows[0, 0]) if len(rows) else 0
        calls.append((first, len(rows), threading.get_ident(), torch.get_num_threads()))
        return 2 * rows

    rows = np.arange(float(n))[:, None] * [1, 1]
    assert np.array_equal(on_all_threads(doubled, rows, UNIT, most), 2 * rows)
    return sorted(calls)


@pytest.mark.parametrize("n", [0, 1, 79, 80, WORTH_IT - UNIT, WORTH_IT - 1, WORTH_IT, 261, 1000])
@pytest.mark.parametrize("most", [1, 35, 200])
def test_blocks_start_at_units_and_hold_at_most_so_many_rows(n, most, two_threads):
    firsts, lengths, *_ = zip(*run(n, most), strict=True)
    assert all(first % UNIT == 0 for first in firsts)
    assert max(lengths) <= max(most, UNIT)


def test_many_rows_are_shared_evenly_among_threads_of_their_own(two_threads):
    _, lengths, workers, of_torch = zip(*run(990), strict=True)
    assert len(lengths) % 2 == 0
    assert max(lengths) - min(lengths) <= UNIT * len(lengths)
    assert set(of_torch) == {1}
    assert threading.get_ident() not in workers
    assert torch.get_num_threads() == 2


def test_few_rows_stay_where_they_are(two_threads):
    assert run(WORTH_IT - UNIT) == [(0, WORTH_IT - UNIT, threading.get_ident(), 2)]


def of_a_new_thread():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(torch.get_num_threads).result()


def test_a_failure_in_a_thread_is_told_and_leaves_torch_its_threads(two_threads):
    def fails(rows):
        raise DataError("no score")

    with pytest.raises(DataError, match="no score"):
        on_all_threads(fails, np.zeros((1000, 1)), UNIT, 200)
    assert torch.get_num_threads() == 2
    assert of_a_new_thread() == 2


def test_threads_keep_to_one_of_torchs_whatever_another_one_sets(two_threads):
    both_are_there, of_torch = threading.Barrier(3), []

    def waits(rows):
        both_are_there.wait(30)
        both_are_there.wait(30)
        of_torch.append(torch.get_num_threads())
        return rows

    def elsewhere():
        both_are_there.wait(30)
        torch.set_num_threads(2)
        both_are_there.wait(30)

    other = threading.Thread(target=elsewhere)
    other.start()
    on_all_threads(waits, np.zeros((WORTH_IT, 1)), UNIT, WORTH_IT)
    other.join()
    assert of_torch == [1, 1]


LEAK = """
import torch
from sklearn.datasets import load_digits
import explain_distill as xd
from explain_distill.data.dataset import Task
from explain_distill.data.images import image_dataset
torch.set_num_threads(2)
table = load_digits()
task = Task("classification", "digit", tuple("0123456789"))
digits = image_dataset("digits", table.images[:200], table.target[:200], task)
xd.ImageTeacher(shape=(8, 8), n_epochs=1).fit(digits)
print(int((torch.full((2_000_000,), 1e-40) * 1 == 0).sum()))
"""


def test_training_on_all_threads_leaves_them_the_least_numbers():
    done = subprocess.run([sys.executable, "-c", LEAK], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "0"
