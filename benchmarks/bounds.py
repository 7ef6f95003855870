"""How often do bounds and rules hold what they say? Counted on pairs whose truth is known.

    python benchmarks/bounds.py
    python benchmarks/bounds.py --show

*The certificate.* Rows are drawn from a population on which the true gap of each column is known by
enumeration (`synthetic_pairs.py`), and the certificate is made of them. It misses where the bound
of some column lies below its true gap. 1 000 repetitions a cell; its level is 0.95.

What is counted goes to ``benchmarks/results/bounds.json``, cell by cell, and is counted once.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest
from synthetic_pairs import STUDENTS, Pair, pair

from explain_distill.audit.certificate import certify, measured_gaps

RESULTS = Path(__file__).parent / "results" / "bounds.json"
REPETITIONS = 1000
ROWS = (50, 200, 1000)
DRAWS = (1, 16)
SCORES = (1, 3)


def missed(of: Pair, n: int, n_draws: int, rng: np.random.Generator) -> tuple[bool, bool]:
    """Make one certificate; say whether each of its bounds is below the truth for some column."""
    data = of.draw(n, rng)
    students = {"student": of.student}
    gaps = measured_gaps(of.teacher, students, data, of.background, n_draws, rng)
    told = certify(gaps, "student", data.schema.names)
    bounds = np.array([[p.bound, p.bound_without_tails] for p in told.players])
    below = (bounds < of.gaps[:, None]).any(axis=0)
    return bool(below[0]), bool(below[1])


def cell(student: str, n_scores: int, n: int, n_draws: int, repetitions: int) -> dict[str, Any]:
    """Count the misses of many certificates."""
    of = pair(student, n_scores)
    rng = np.random.default_rng(n * 1000 + n_draws)
    counts = np.sum([missed(of, n, n_draws, rng) for _ in range(repetitions)], axis=0)
    return {
        "what": "certificate",
        "student": student,
        "scores": n_scores,
        "rows": n,
        "draws": n_draws,
        "repetitions": repetitions,
        "missed": int(counts[0]),
        "missed without tails": int(counts[1]),
    }


KEY = ("what", "student", "scores", "rows", "draws")


def shown(cells: list[dict[str, Any]]) -> str:
    """Give the share of misses of each cell, in Markdown."""
    lines = [
        "| student | scores | rows | draws | too low, % | without tails, % |",
        "|---|---|---|---|---|---|",
    ]
    for told in sorted(cells, key=lambda told: [told[key] for key in KEY]):
        ends = [
            _share(told[key], told["repetitions"]) for key in ("missed", "missed without tails")
        ]
        lines.append("| " + " | ".join([*(str(told[key]) for key in KEY[1:]), *ends]) + " |")
    return "\n".join(lines)


def _share(k: int, n: int) -> str:
    interval = binomtest(k, n).proportion_ci()
    return f"{100 * k / n:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def main() -> None:
    """Count what is missing, or show what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what was counted before")
    arguments = parser.parse_args()
    cells = json.loads(RESULTS.read_text())["cells"] if RESULTS.exists() else []
    if arguments.show:
        print(shown(cells))
        return
    for student in STUDENTS:
        for n_scores in SCORES:
            for n in ROWS:
                for n_draws in DRAWS:
                    wanted = ("certificate", student, n_scores, n, n_draws)
                    if any(tuple(told[key] for key in KEY) == wanted for told in cells):
                        continue
                    cells.append(cell(student, n_scores, n, n_draws, REPETITIONS))
                    RESULTS.write_text(json.dumps({"cells": cells}, indent=1) + "\n")
                    print(cells[-1], flush=True)


if __name__ == "__main__":
    main()
