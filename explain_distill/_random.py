"""One seed, many independent streams: randomness is passed in, never global."""

from __future__ import annotations

import zlib

import numpy as np

from explain_distill.exceptions import DataError


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """Give the stream of random numbers that `seed` holds for a purpose.

    Streams of different purposes are independent, and adding a purpose changes no other stream.

    Parameters
    ----------
    seed : int
        The study's seed, not negative.
    *purpose : str
        What the numbers are for, for example ``"split"`` or ``"distill", "soft-tree"``.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise DataError(
            f"seed must be a whole number, 0 or more; however, got {seed!r}. Give seed=0, say."
        )
    key = tuple(zlib.crc32(word.encode()) for word in purpose)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def integer_seed(rng: np.random.Generator) -> int:
    """Draw a seed for a library that wants a 31-bit integer."""
    return int(rng.integers(2**31 - 1))
