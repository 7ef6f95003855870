"""Populations of so many rows that what is measured on all of them counts as the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import softmax
from synthetic_pairs import ALL_STUDENTS, N_COLUMNS, of_three, smooth

from explain_distill.metrics.fidelity import (
    classification_fidelity,
    kl_divergence,
    regression_fidelity,
    score_r2,
)
from explain_distill.metrics.intervals import Estimate, bootstrap
from explain_distill.metrics.performance import (
    classification_difference,
    r2,
    regression_difference,
)

N_POPULATION = 200_000
GROUP = 4  # rows
SHARED = 0.7  # of the variance of the features of a group's rows

Figures = dict[str, Estimate]


@dataclass(frozen=True, eq=False)
class Population:
    """Rows with what a teacher and a student say of them, and the truth.

    Rows of a group follow each other.

    Parameters
    ----------
    teacher, student : ndarray of shape (n, n_scores)
    y : ndarray of shape (n,)
        Class codes where there are several scores, else values.
    """

    teacher: np.ndarray
    student: np.ndarray
    y: np.ndarray

    @property
    def classify(self) -> bool:
        """Whether there are classes."""
        return self.teacher.shape[1] > 1

    @property
    def differs(self) -> np.ndarray:
        """Whether the classes of teacher and student differ: ``(n,)``."""
        return self.teacher.argmax(axis=1) != self.student.argmax(axis=1)

    def draw(self, n: int, grouped: bool, rng: np.random.Generator) -> Population:
        """Draw rows, or whole groups of them, with replacement."""
        size = GROUP if grouped else 1
        first = rng.integers(len(self.y) // size, size=n // size) * size
        chosen = (first[:, None] + np.arange(size)).ravel()
        return Population(self.teacher[chosen], self.student[chosen], self.y[chosen])

    def figures(self, groups: np.ndarray | None) -> Figures:
        """Give every figure with its interval."""
        if self.classify:
            return classification_fidelity(self.teacher, self.student, groups) | (
                classification_difference(
                    self.y, softmax(self.student, axis=1), softmax(self.teacher, axis=1), groups
                )
            )
        told = regression_fidelity(self.teacher, self.student, groups)
        del told["r2"]  # the same as score_r2
        return told | regression_difference(self.y, self.student[:, 0], self.teacher[:, 0], groups)

    def by_bootstrap(self) -> Figures:
        """Give some of the figures with the interval of the bootstrap."""
        if not self.classify:
            return {"score_r2": bootstrap(r2, self.teacher[:, 0], self.student[:, 0])}
        right = [told.argmax(axis=1) == self.y for told in (self.student, self.teacher)]
        return {
            "kl": bootstrap(np.mean, kl_divergence(self.teacher, self.student)),
            "accuracy_difference": bootstrap(np.mean, right[0].astype(float) - right[1]),
        }

    def truth(self) -> dict[str, float]:
        """Give every figure over all rows."""
        found = {"score_r2": score_r2(self.teacher, self.student)}
        if not self.classify:
            distance = np.abs(self.teacher - self.student)
            errors = [np.abs(told[:, 0] - self.y) for told in (self.student, self.teacher)]
            more = float((errors[0] - errors[1]).mean())
            return found | {"mae": float(distance.mean()), "mae_difference": more}
        rows = np.arange(len(self.y))
        told = [softmax(scores, axis=1) for scores in (self.student, self.teacher)]
        right = [float((each.argmax(axis=1) == self.y).mean()) for each in told]
        losses = [float(-np.log(each[rows, self.y]).mean()) for each in told]
        return found | {
            "agreement": float(1 - self.differs.mean()),
            "kl": float(kl_divergence(self.teacher, self.student).mean()),
            "accuracy_difference": right[0] - right[1],
            "log_loss_difference": losses[0] - losses[1],
        }


@cache
def population(student: str, n_scores: int, grouped: bool) -> Population:
    """Make a population of a student by name, of one score (a value) or of three (classes)."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_POPULATION, N_COLUMNS))
    if grouped:
        ours = np.repeat(rng.normal(size=(N_POPULATION // GROUP, N_COLUMNS)), GROUP, axis=0)
        X = np.sqrt(SHARED) * ours + np.sqrt(1 - SHARED) * X
    functions: list[Callable[[np.ndarray], np.ndarray]] = [smooth, ALL_STUDENTS[student]]
    if n_scores == 1:
        teacher, other = (function(X) for function in functions)
        return Population(teacher, other, teacher[:, 0] + rng.normal(size=len(X)))
    teacher, other = (of_three(function)(X) for function in functions)
    y = (softmax(teacher, axis=1).cumsum(axis=1) < rng.random((len(X), 1))).sum(axis=1)
    return Population(teacher, other, np.minimum(y, n_scores - 1))
