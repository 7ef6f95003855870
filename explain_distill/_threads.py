"""How many of torch's threads compute, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch

from explain_distill._arrays import in_blocks
from explain_distill._types import FloatArray

FEWEST_UNITS = 8  # that a thread computes


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """Keep torch to `n` threads.

    One suits small batches, whose products cost less than their hand-over: on two cores a small
    network trains about as fast on one thread as on two, and many times faster where another
    process keeps a core busy, since two threads wait for each other at every product. Convolutions
    gain by more.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def flushing() -> Iterator[None]:
    """Take for 0 what is below the smallest normal number, in this thread.

    Probabilities of paths get there, and a processor is many times slower with such numbers. Torch
    must be kept to one thread: others that it starts meanwhile would do so for ever.
    """
    before = not np.float32(1e-40) * np.float32(1)
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def on_all_threads(
    function: Callable[[FloatArray], FloatArray], rows: FloatArray, unit: int, most: int
) -> FloatArray:
    """Apply a function of rows block by block, as many blocks at a time as torch has threads.

    Each block is one thread's, and starts at a multiple of `unit` rows. So small products scale,
    which torch itself splits at a loss. Few rows are not worth starting threads for. A thread that
    first uses torch while this runs keeps to one of torch's threads, too.

    Parameters
    ----------
    function : callable
        Gives what it makes of each row.
    rows : ndarray of shape (n, ...)
    unit : int
        As many rows as the function takes at a time.
    most : int
        Rows of a block at most, unless a unit is more.
    """
    threads, units = torch.get_num_threads(), -(-len(rows) // unit)
    units_at_most = max(1, most // unit)
    workers = min(threads, units // FEWEST_UNITS)
    if workers < 2:
        return in_blocks(function, rows, unit * units_at_most)
    n_blocks = workers * -(-units // (workers * units_at_most))
    size = unit * -(-units // n_blocks)
    blocks = (rows[start : start + size] for start in range(0, len(rows), size))
    try:
        with ThreadPoolExecutor(workers, initializer=_keep_to_one_thread) as pool:
            return np.concatenate(list(pool.map(function, blocks)))
    finally:
        torch.set_num_threads(threads)


def _keep_to_one_thread() -> None:
    torch.get_num_threads()  # a thread's first call takes up the number that all have
    torch.set_num_threads(1)
