"""Held-out rows in two halves: what is chosen on the one is judged on the other."""

from __future__ import annotations

import numpy as np

from explain_distill._random import generator
from explain_distill._types import BoolArray, FloatArray, Scores
from explain_distill.data.dataset import Dataset

TOLERANCE = 0.25
"""Values of a regression disagree where they are further apart, in standard deviations.

A standard deviation is told by the quartiles, so that a few extreme values do not widen it.
"""
QUARTILE_RANGE = 1.349  # of a normal distribution, in standard deviations


def calibration_half(data: Dataset, seed: int) -> BoolArray:
    """Choose the rows on which thresholds and regions are chosen; the others judge them.

    Groups stay whole.

    Returns
    -------
    ndarray of shape (n,), bool
    """
    groups = np.arange(len(data)) if data.groups is None else data.groups
    codes = np.unique(groups, return_inverse=True)[1]
    order = generator(seed, "halves").permutation(codes.max() + 1)
    sizes = np.bincount(codes)[order]
    chosen = order[: int(np.searchsorted(np.cumsum(sizes), len(data) / 2, side="left")) + 1]
    return np.isin(codes, chosen)


def tolerance(teacher_on_background: Scores) -> float:
    """Give how far two values may be apart and still agree, by the teacher's on training rows.

    Where half of its values are alike, their standard deviation as such is taken.
    """
    low, high = np.quantile(teacher_on_background, (0.25, 0.75))
    spread = (high - low) / QUARTILE_RANGE if high > low else np.std(teacher_on_background)
    return TOLERANCE * float(spread)


def disagreements(teacher: Scores, student: Scores, most: float, *, classify: bool) -> BoolArray:
    """Say in which rows the student gives another class, or a value further away than `most`."""
    if classify:
        return np.asarray(teacher.argmax(axis=1) != student.argmax(axis=1))
    return np.asarray(np.abs(teacher - student)[:, 0] > most)


def margin(scores: Scores) -> FloatArray:
    """Give by how much the most probable class leads the next, in units of the score: ``(n,)``."""
    ordered = np.sort(scores, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2])
