"""Gaps of reasons on real tables, of which samples are drawn to see how often bounds hold.

The held-out rows of a table, 2 000 at the most, stand for a population. The teacher is a
`NeuralTeacher` of SiLU units, the student a soft tree, distilled by default; walks over coalitions
tell their gaps once, and a certificate is made of the gaps of a sample of the rows. True gaps are
extrapolated as in `certificates.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from certificates import true_gaps
from fidelity_problem import Problem, drawn

import explain_distill as xd
from explain_distill.audit.gaps import Gaps, cross_fitted, measured_gaps

CACHE = Path(__file__).parent / ".cache"
TABLES = ("compas", "magic", "adult")
MOST_ROWS = 2000
DRAWS = 64


@dataclass(frozen=True, eq=False)
class TableGaps:
    """The gaps of a soft tree on a table's held-out rows.

    Parameters
    ----------
    table : str
    names : tuple of str
        The columns.
    told : Gaps
        Of all rows.
    """

    table: str
    names: tuple[str, ...]
    told: Gaps

    @classmethod
    def measure(cls, table: str) -> TableGaps:
        """Train a teacher, distil it, and walk over the held-out rows."""
        problem = Problem.make(table, 0, CACHE, "silu")
        tree = xd.distill(problem.teacher, xd.SoftTree(), problem.train, seed=0)
        rng = np.random.default_rng(0)
        rows = drawn(problem.test, MOST_ROWS, rng)
        students = {"student": tree}
        told = measured_gaps(problem.teacher, students, rows, problem.train.X, DRAWS, rng)
        return cls(table, tuple(rows.schema.names), told)

    def draw(self, n: int, rng: np.random.Generator) -> Gaps:
        """Draw rows of the population, with replacement."""
        rows = rng.integers(len(self.told.teacher[0]), size=n)
        first, second = self.told.teacher
        student = tuple(half[rows] for half in self.told.students["student"])
        return Gaps((first[rows], second[rows]), {"student": student}, DRAWS)

    @cached_property
    def gaps(self) -> np.ndarray:
        """Each column's true gap, the largest over the scores, on the mean over rows."""
        first, second = self.told.students["student"]
        return true_gaps(first, second)

    @cached_property
    def importance(self) -> np.ndarray:
        """The teacher's importance of each column, as all rows tell it: ``(n_columns,)``."""
        return cross_fitted(*self.told.teacher).mean(axis=0)
