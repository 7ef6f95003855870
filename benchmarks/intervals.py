"""How often do intervals cover, and rules of deferral hold? Counted where the truth is known.

    python benchmarks/intervals.py
    python benchmarks/intervals.py --show

*Agreement.* Rows agree with a known probability; the interval is that of
`metrics.intervals.proportion`. Rows are drawn one by one, or in groups of four that agree together.

*Figures.* Samples are drawn, with replacement, from a population of 200 000 rows on which a figure
is known; the interval is that of the functions of `metrics.fidelity` and `metrics.performance`.
The two students are those of `synthetic_pairs.py`: one is a little off everywhere, the other far
off in one row of thirty. The classes of rows are drawn from the teacher's probabilities, values
from a normal distribution around the teacher's. In groups, four rows share most of their features.

*Deferral.* `audit.deferral.deferral` chooses a threshold of the margin on calibration rows, and
the population tells whether disagreement among the kept rows is above α. Besides those two, a
student is counted that disagrees in 1.01 α of the rows, whatever its margin is: every threshold
then breaks α, so that the share found is the share broken.

1 000 repetitions a cell. What is counted goes to ``benchmarks/results/intervals.json``, cell by
cell, and is counted once.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from bounds import REPETITIONS, share
from scipy.special import softmax
from synthetic_pairs import N_COLUMNS, STUDENTS, of_three, smooth

from explain_distill.audit.deferral import DELTA, deferral
from explain_distill.audit.halves import margin
from explain_distill.metrics.fidelity import (
    classification_fidelity,
    kl_divergence,
    regression_fidelity,
    score_r2,
)
from explain_distill.metrics.intervals import LEVEL, Estimate, proportion
from explain_distill.metrics.performance import classification_difference, regression_difference

RESULTS = Path(__file__).parent / "results" / "intervals.json"
ROWS = (50, 200, 1000)
GROUPED_ROWS = (200,)
CALIBRATION_ROWS = (200, 1000)
AGREEMENT = (0.8, 0.95, 0.99)
ALPHAS = (0.02, 0.05)
GROUP = 4  # rows
SHARED = 0.7  # of the variance of the features of a group's rows
N_POPULATION, N_TRAINING = 200_000, 1000
AT_RANDOM, ABOVE = "at random", 1.01
ENOUGH = 0.935  # 1.5 points below the level

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
    functions: list[Callable[[np.ndarray], np.ndarray]] = [smooth, STUDENTS[student]]
    if n_scores == 1:
        teacher, other = (function(X) for function in functions)
        return Population(teacher, other, teacher[:, 0] + rng.normal(size=len(X)))
    teacher, other = (of_three(function)(X) for function in functions)
    y = (softmax(teacher, axis=1).cumsum(axis=1) < rng.random((len(X), 1))).sum(axis=1)
    return Population(teacher, other, np.minimum(y, n_scores - 1))


def told_of(found: Estimate, truth: float) -> str:
    """Say on which side of the truth an interval lies, or that it covers it."""
    if found.low is None or found.high is None:
        return "no interval"
    if found.high < truth:
        return "too low"
    return "too high" if found.low > truth else "covers"


def agreement_cell(agreement: float, n: int, grouped: bool) -> dict[str, int]:
    """Count how often the interval of a proportion covers it."""
    rng = np.random.default_rng([n, int(100 * agreement), grouped])
    size = GROUP if grouped else 1
    groups = np.repeat(np.arange(n // size), size) if grouped else None
    told: Counter[str] = Counter()
    for _ in range(REPETITIONS):
        holds = np.repeat(rng.random(n // size) < agreement, size)
        told[told_of(proportion(holds, groups), agreement)] += 1
    return told


def figure_cells(student: str, n_scores: int, n: int, grouped: bool) -> dict[str, dict[str, int]]:
    """Count how often the interval of each figure covers it."""
    of = population(student, n_scores, grouped)
    rng = np.random.default_rng([n, n_scores, grouped])
    groups = np.repeat(np.arange(n // GROUP), GROUP) if grouped else None
    truth = of.truth()
    told: dict[str, Counter[str]] = {name: Counter() for name in truth}
    for _ in range(REPETITIONS):
        found = of.draw(n, grouped, rng).figures(groups)
        for name in truth:
            told[name][told_of(found[name], truth[name])] += 1
    return dict(told)


def deferral_cell(student: str, n: int, alpha: float) -> dict[str, int]:
    """Count how often a threshold is found, and how often it keeps too many disagreements."""
    of = population("near" if student == AT_RANDOM else student, 3, False)
    rng = np.random.default_rng([n, int(1000 * alpha)])
    lead, differs = margin(of.student), of.differs
    told: Counter[str] = Counter()
    for _ in range(REPETITIONS):
        rows, training = (rng.integers(len(lead), size=size) for size in (2 * n, N_TRAINING))
        first = np.arange(2 * n) < n
        wrong = differs[rows]
        if student == AT_RANDOM:
            wrong = rng.random(2 * n) < ABOVE * alpha
        found = deferral(
            "margin", lead[training], lead[rows], wrong, first, alpha=alpha, delta=DELTA
        )
        if found.threshold is None:
            told["none found"] += 1
        else:
            kept = lead >= found.threshold
            broken = student == AT_RANDOM or differs[kept].mean() > alpha
            told["breaks" if broken else "keeps"] += 1
    return told


Cell = dict[str, Any]
KEY = ("what", "of", "scores", "rows", "grouped")


def cells() -> Iterator[tuple[Cell, Callable[[], dict[str, dict[str, int]]]]]:
    """Name what is to be counted, and how: several figures are counted of the same draws."""
    for grouped in (False, True):
        for n in ROWS:
            for agreement in AGREEMENT:
                yield (
                    {"what": "agreement", "of": agreement, "scores": 0, "rows": n}
                    | {"grouped": grouped},
                    lambda a=agreement, n=n, g=grouped: {"agreement": agreement_cell(a, n, g)},
                )
    for n in CALIBRATION_ROWS:
        for student in (*STUDENTS, AT_RANDOM):
            yield (
                {"what": "deferral", "of": student, "scores": 3, "rows": n, "grouped": False},
                lambda s=student, n=n: {str(a): deferral_cell(s, n, a) for a in ALPHAS},
            )
    for grouped, sizes in ((True, GROUPED_ROWS), (False, ROWS)):
        for n in sizes:
            for student in STUDENTS:
                for n_scores in (1, 3):
                    yield (
                        {"what": "figures", "of": student, "scores": n_scores, "rows": n}
                        | {"grouped": grouped},
                        lambda s=student, k=n_scores, n=n, g=grouped: figure_cells(s, k, n, g),
                    )


def shown(told: list[Cell]) -> str:
    """Give the share of repetitions in which each interval covers, and each rule breaks its α."""
    parts = [
        _table("the truth is an agreement of", [c for c in told if c["what"] == "agreement"]),
        _table("student", [c for c in told if c["what"] == "figures"]),
        _deferrals([c for c in told if c["what"] == "deferral"]),
    ]
    return "\n\n".join(parts)


def _table(of: str, told: list[Cell]) -> str:
    lines = [
        f"| {of} | figure | rows | covers, % | too low, % | too high, % | no interval, % | |",
        f"|{'---|' * 8}",
    ]
    for cell in told:
        rows = f"{cell['rows']}, in groups of {GROUP}" if cell["grouped"] else str(cell["rows"])
        for name, counted in cell["counts"].items():
            n = sum(counted.values())
            ends = [100 * counted.get(key, 0) / n for key in ("too low", "too high", "no interval")]
            few = "" if counted.get("covers", 0) >= ENOUGH * n else "misses"
            figures = [share(counted.get("covers", 0), n), *(f"{end:.1f}" for end in ends)]
            lines.append(f"| {' | '.join([str(cell['of']), name, rows, *figures, few])} |")
    return "\n".join(lines)


def _deferrals(told: list[Cell]) -> str:
    lines = [
        f"| student | calibration rows | α | breaks α, % (at most {100 * DELTA:.0f}) | found, % |",
        f"|{'---|' * 5}",
    ]
    for cell in told:
        for alpha, counted in cell["counts"].items():
            n = sum(counted.values())
            found = 100 * (1 - counted.get("none found", 0) / n)
            shares = [share(counted.get("breaks", 0), n), f"{found:.1f}"]
            lines.append(f"| {' | '.join([cell['of'], str(cell['rows']), alpha, *shares])} |")
    return "\n".join(lines)


def kept() -> list[Cell]:
    """Give the cells that were counted before."""
    return json.loads(RESULTS.read_text())["cells"] if RESULTS.exists() else []


def main() -> None:
    """Count what is missing, or show what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what was counted before")
    parser.add_argument("--what", default="agreement,deferral,figures", help="of these three")
    arguments = parser.parse_args()
    if not arguments.show:
        for cell, count in cells():
            done = any(all(told[key] == cell[key] for key in KEY) for told in kept())
            if done or cell["what"] not in arguments.what.split(","):
                continue
            cell["counts"] = count()
            told = {"level": LEVEL, "delta": DELTA, "repetitions": REPETITIONS}
            RESULTS.write_text(json.dumps(told | {"cells": [*kept(), cell]}, indent=1) + "\n")
            print(cell, flush=True)
    print(shown(kept()))


if __name__ == "__main__":
    main()
