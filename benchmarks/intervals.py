"""How often do intervals cover, and rules of deferral hold? Counted where the truth is known.

    python benchmarks/intervals.py
    python benchmarks/intervals.py --show

*Agreement.* Rows agree with a known probability; the interval is that of
`metrics.intervals.proportion`. Rows are drawn one by one, or in groups of four that agree together,
or of which each has an agreement of its own (beta-distributed); of those, the bootstrap is counted
as a control, of 50 rows. In other groups the same holds, but their sizes vary nearly as much as
they are large (log-normal, four rows on the mean).

*Figures.* Samples are drawn, with replacement, from a population of 200 000 rows on which a figure
is known; the interval is that of the functions of `metrics.fidelity` and `metrics.performance`. The
students are those of `synthetic_pairs.py`: one is a little off everywhere, one far off in one row
of thirty, and one is that and hardly off elsewhere, so that a sample which holds none of its errors
does not look too good to be true. One sample of 50 in four shows no error of the second, and in
many the errors are too few to tell how large they can be: such a figure gets no interval, which
claims nothing and so is no false claim, but is counted on its own. A figure *misses* where more
than 6.5% of all samples get an interval that does not hold the truth. The classes of rows are drawn
from the teacher's probabilities, values from a normal distribution around the teacher's. In groups,
four rows share most of their features. As a control, the bootstrap (BCa) tells of the same draws.

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
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from bounds import REPETITIONS, share
from populations import GROUP, population
from synthetic_pairs import HIDDEN, STUDENTS

from explain_distill.audit.deferral import DELTA, deferral
from explain_distill.audit.halves import margin
from explain_distill.metrics.intervals import LEVEL, Estimate, bootstrap, proportion

RESULTS = Path(__file__).parent / "results" / "intervals.json"
ROWS = (50, 200, 1000)
GROUPED_ROWS = (200,)
CONTROL_ROWS = (50, 200)
CALIBRATION_ROWS = (200, 1000)
AGREEMENT = (0.8, 0.95, 0.99)
ALPHAS = (0.02, 0.05)
N_TRAINING = 1000
SPREAD = 1.5  # the sum of the two parameters of the beta distribution of groups
UNEVEN_CENTRE, UNEVEN = 0.8, 0.83  # of the logarithm of a group's size
AT_RANDOM, ABOVE = "at random", 1.01
MOST_FALSE = 0.065  # 1.5 points more than the level lets pass


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


def partly_cells(agreement: float, n: int) -> dict[str, dict[str, int]]:
    """Count the same where rows of a group need not agree together, and for the bootstrap."""
    rng = np.random.default_rng([n, int(100 * agreement)])
    groups = np.repeat(np.arange(n // GROUP), GROUP)
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(REPETITIONS):
        own = rng.beta(SPREAD * agreement, SPREAD * (1 - agreement), size=n // GROUP)
        holds = rng.random(len(groups)) < own[groups]
        found = proportion(holds, groups)
        told["agreement"][told_of(found, agreement)] += 1
        if n == CONTROL_ROWS[0]:
            if not holds.all():
                found = bootstrap(np.mean, holds.astype(float), groups=groups)
            told["agreement by bootstrap"][told_of(found, agreement)] += 1
    return dict(told)


def uneven_cell(agreement: float, n: int) -> dict[str, int]:
    """Count the same in groups of unequal size."""
    rng = np.random.default_rng([n, int(100 * agreement)])
    told: Counter[str] = Counter()
    for _ in range(REPETITIONS):
        sizes = np.ceil(rng.lognormal(UNEVEN_CENTRE, UNEVEN, size=n // GROUP)).astype(int)
        groups = np.repeat(np.arange(len(sizes)), sizes)
        own = rng.beta(SPREAD * agreement, SPREAD * (1 - agreement), size=len(sizes))
        holds = rng.random(len(groups)) < own[groups]
        told[told_of(proportion(holds, groups), agreement)] += 1
    return told


def control_cells(student: str, n_scores: int, n: int) -> dict[str, dict[str, int]]:
    """Count how often the bootstrap covers."""
    of = population(student, n_scores, False)
    rng = np.random.default_rng([n, n_scores, False])
    truth = of.truth()
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(REPETITIONS):
        for name, found in of.draw(n, False, rng).by_bootstrap().items():
            told[f"{name} by bootstrap"][told_of(found, truth[name])] += 1
    return dict(told)


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
WHAT = ("agreement", "partly", "uneven", "deferral", "figures", "control")


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
    for n in ROWS:
        for agreement in AGREEMENT:
            yield (
                {"what": "partly", "of": agreement, "scores": 0, "rows": n, "grouped": True},
                lambda a=agreement, n=n: partly_cells(a, n),
            )
    for n in (200, 1000):
        for agreement in AGREEMENT:
            yield (
                {"what": "uneven", "of": agreement, "scores": 0, "rows": n, "grouped": True},
                lambda a=agreement, n=n: {"agreement": uneven_cell(a, n)},
            )
    for n in CALIBRATION_ROWS:
        for student in (*STUDENTS, AT_RANDOM):
            yield (
                {"what": "deferral", "of": student, "scores": 3, "rows": n, "grouped": False},
                lambda s=student, n=n: {str(a): deferral_cell(s, n, a) for a in ALPHAS},
            )
    for grouped, sizes in ((True, GROUPED_ROWS), (False, ROWS)):
        for n in sizes:
            for student in (*STUDENTS, HIDDEN):
                for n_scores in (1, 3):
                    yield (
                        {"what": "figures", "of": student, "scores": n_scores, "rows": n}
                        | {"grouped": grouped},
                        lambda s=student, k=n_scores, n=n, g=grouped: figure_cells(s, k, n, g),
                    )

    for n in CONTROL_ROWS:
        for student in STUDENTS:
            for n_scores in (1, 3):
                yield (
                    {"what": "control", "of": student, "scores": n_scores, "rows": n}
                    | {"grouped": False},
                    lambda s=student, k=n_scores, n=n: control_cells(s, k, n),
                )


def shown(told: list[Cell]) -> str:
    """Give the share of repetitions in which each interval covers, and each rule breaks its α."""
    told = sorted(told, key=lambda cell: [cell["grouped"], cell["rows"]])
    parts = [
        _table("agreement in truth", [c for c in told if c["what"] == "agreement"]),
        _table("agreement in truth, partly", [c for c in told if c["what"] == "partly"]),
        _table("agreement in truth, uneven", [c for c in told if c["what"] == "uneven"]),
        _table("student", [c for c in told if c["what"] == "figures"]),
        _table("control: student", [c for c in told if c["what"] == "control"]),
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
            false = counted.get("too low", 0) + counted.get("too high", 0)
            few = "" if false <= MOST_FALSE * n else "misses"
            figures = [share(counted.get("covers", 0), n), *(f"{end:.1f}" for end in ends)]
            called = f"{name} of values" if cell["scores"] == 1 else name
            lines.append(f"| {' | '.join([str(cell['of']), called, rows, *figures, few])} |")
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
    parser.add_argument("--what", default=",".join(WHAT), help=f"of {', '.join(WHAT)}")
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
