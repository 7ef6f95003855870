"""Teachers and students whose true gap of reasons is known: functions of a few columns.

A pair is judged on rows drawn from a population of so many rows, all as likely, against a handful
of background rows; so the true gap is a finite sum, and exact: Shapley values by enumeration of all
coalitions, the mean over the population.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import factorial
from typing import Any

import numpy as np

import explain_distill as xd
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Feature, Schema

N_COLUMNS, N_POPULATION, N_BACKGROUND = 6, 1000, 30


class Function(xd.Teacher):
    """A model that is a function of rows ``(n, n_columns)``, giving scores ``(n, n_scores)``."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray], task: Task) -> None:
        self.function, self.task = function, task

    def predict_score(self, X: np.ndarray) -> np.ndarray:
        """Score rows ``(n, n_columns)``."""
        return self.function(np.asarray(X, dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Pair:
    """A teacher and a student on a population of rows.

    Parameters
    ----------
    teacher, student : Function
    population : Dataset
    background : ndarray of shape (n_background, n_columns)
    """

    teacher: Function
    student: Function
    population: Dataset
    background: np.ndarray

    def draw(self, n: int, rng: np.random.Generator) -> Dataset:
        """Draw rows of the population, with replacement."""
        return self.population.take(rng.integers(len(self.population), size=n))

    @cached_property
    def shapley(self) -> np.ndarray:
        """The difference's Shapley values of each row of the population, exactly."""

        def difference(X: np.ndarray) -> np.ndarray:
            return self.student.predict_score(X) - self.teacher.predict_score(X)

        return exact_shapley(difference, self.population.X, self.background)

    @cached_property
    def gaps(self) -> np.ndarray:
        """The true gap of each column: ``(n_columns,)``."""
        return np.abs(self.shapley).max(axis=2).mean(axis=0)

    @cached_property
    def importance(self) -> np.ndarray:
        """The teacher's true importance of each column: ``(n_columns,)``."""
        own = exact_shapley(self.teacher.predict_score, self.population.X, self.background)
        return np.abs(own).max(axis=2).mean(axis=0)

    @property
    def share(self) -> float:
        """All true gaps as a share of all of the teacher's importance."""
        return float(self.gaps.sum() / self.importance.sum())


def exact_shapley(
    function: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, background: np.ndarray
) -> np.ndarray:
    """Compute interventional Shapley values by enumeration: ``(n, n_columns, n_scores)``."""
    d = rows.shape[1]
    values = []
    for coalition in range(2**d):
        taken = (coalition >> np.arange(d)) & 1 == 1
        mixed = np.where(taken, rows[:, None, :], background[None])
        scores = function(mixed.reshape(-1, d))
        values.append(scores.reshape(len(rows), len(background), -1).mean(axis=1))
    shares = np.zeros((len(rows), d, values[0].shape[1]))
    for coalition in range(2**d):
        size = coalition.bit_count()
        for i in range(d):
            if not coalition >> i & 1:
                weight = factorial(size) * factorial(d - size - 1) / factorial(d)
                shares[:, i] += weight * (values[coalition | 1 << i] - values[coalition])
    return shares


def smooth(X: np.ndarray) -> np.ndarray:
    """Give a teacher's score: curved, with interactions."""
    return (np.sin(X[:, 0]) + X[:, 1] * X[:, 2] + 0.5 * X[:, 3] ** 2 + 0.3 * X[:, 4])[:, None]


def near(X: np.ndarray) -> np.ndarray:
    """Give a student that is a little off everywhere."""
    return smooth(X) + 0.2 * (np.tanh(X[:, 0] * X[:, 5]) + 0.5 * X[:, 3])[:, None]


def wrong_in_places(X: np.ndarray) -> np.ndarray:
    """Give a student that is far off in a corner that one row in thirty is in."""
    return smooth(X) + 3.0 * ((X[:, 0] > 1) & (X[:, 1] > 0.9))[:, None]


def off_and_wrong_in_places(X: np.ndarray) -> np.ndarray:
    """Give a student that is hardly off everywhere, and far off in the same corner."""
    return wrong_in_places(X) + 0.02 * np.sin(5 * X[:, [5]])


def of_three(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Give three centred scores made of a function's one."""

    def scores(X: np.ndarray) -> np.ndarray:
        value = function(X)
        told = np.concatenate([value, 0.5 * value * X[:, [4]], -0.7 * value + X[:, [5]]], axis=1)
        return told - told.mean(axis=1, keepdims=True)

    return scores


STUDENTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "near": near,
    "wrong in places": wrong_in_places,
}
HIDDEN = "hardly off, and wrong in places"
"""Of this one, no sample that misses the corner tells that it is there."""
ALL_STUDENTS = STUDENTS | {HIDDEN: off_and_wrong_in_places}


def pair(student: str, n_scores: int = 1, seed: int = 0, **sizes: Any) -> Pair:
    """Make a pair: a student by name, of one score (a value) or of three (classes)."""
    rng = np.random.default_rng(seed)
    schema = Schema(tuple(Feature(f"v{i}") for i in range(N_COLUMNS)))
    X = rng.normal(size=(sizes.get("population", N_POPULATION), N_COLUMNS))
    background = rng.normal(size=(sizes.get("background", N_BACKGROUND), N_COLUMNS))
    functions = [smooth, ALL_STUDENTS[student]]
    task = Task("regression", "value")
    y = smooth(X)[:, 0]
    if n_scores == 3:
        functions = [of_three(function) for function in functions]
        task = Task("classification", "kind", ("a", "b", "c"))
        y = functions[0](X).argmax(axis=1)
    data = Dataset(student, X, y, schema, task, background=background)
    teacher, other = (Function(function, task) for function in functions)
    return Pair(teacher, other, data, background)
