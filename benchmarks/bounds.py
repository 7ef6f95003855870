"""How often do bounds and rules hold what they say? Counted on pairs whose truth is known.

    python benchmarks/bounds.py
    python benchmarks/bounds.py --show

*The certificate.* Rows are drawn from a population on which the true gap of each column is known by
enumeration (`synthetic_pairs.py`), and the certificate is made of them. It misses where the bound
of some column lies below its true gap, or its share of importance, of all columns or of the leading
ones, is on the wrong side of the true one. The gaps as measured, which are no bounds, are counted
as a control. The same is counted of samples of real tables' held-out rows (`table_gaps.py`), whose
gaps have heavier tails. 1 000 repetitions a cell; the level is 0.95.

What is counted goes to ``benchmarks/results/bounds.json``, cell by cell, and is counted once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest
from synthetic_pairs import STUDENTS, pair
from table_gaps import DRAWS as TABLE_DRAWS
from table_gaps import TABLES, TableGaps

from explain_distill.audit.certificate import certify
from explain_distill.audit.gap_shares import leading_elsewhere
from explain_distill.audit.gaps import Gaps, cross_fitted, measured_gaps

RESULTS = Path(__file__).parent / "results" / "bounds.json"
REPETITIONS = 1000
ROWS = (50, 200, 1000)
DRAWS = {1: (1, 16), 3: (4,)}  # by the number of scores


def missed(
    gaps: Gaps, names: Sequence[str], true_gaps: np.ndarray, importance: np.ndarray
) -> list[bool]:
    """Make one certificate; say which of its bounds are on the wrong side of the truth.

    The bounds of columns count where one of them is too low; as a control, so do the means that
    were measured, which are no bounds.
    """
    told = certify(gaps, "student", names)
    bounds = np.array([[p.bound, p.bound_without_tails, p.gap] for p in told.players])
    below = (bounds < true_gaps[:, None]).any(axis=0).tolist()
    counts = leading_elsewhere(cross_fitted(*gaps.teacher), None).sum(axis=0)
    true_share = true_gaps.sum() / importance.sum()
    of_leading = (counts @ true_gaps) / (counts @ importance)
    most, least, most_leading = told.relative_bound, told.relative_least, told.leading_bound
    return [
        *below,
        most is not None and most < true_share,
        least is not None and least > true_share,
        most_leading is not None and most_leading < of_leading,
    ]


def cell_of_pair(student: str, n_scores: int, n: int, n_draws: int) -> dict[str, Any]:
    """Count the misses of many certificates of a pair whose gaps are known."""
    of = pair(student, n_scores)

    def once(rng: np.random.Generator) -> list[bool]:
        data = of.draw(n, rng)
        students = {"student": of.student}
        gaps = measured_gaps(of.teacher, students, data, of.background, n_draws, rng)
        return missed(gaps, data.schema.names, of.gaps, of.importance)

    return counted(student, n_scores, n, n_draws, once)


def cell_of_table(of: TableGaps, n: int) -> dict[str, Any]:
    """Count the misses of many certificates of samples of a table's rows."""

    def once(rng: np.random.Generator) -> list[bool]:
        return missed(of.draw(n, rng), of.names, of.gaps, of.importance)

    n_scores = of.told.teacher[0].shape[2]
    return counted(f"soft tree, {of.table}", n_scores, n, TABLE_DRAWS, once)


def counted(
    student: str,
    n_scores: int,
    n: int,
    n_draws: int,
    once: Callable[[np.random.Generator], list[bool]],
) -> dict[str, Any]:
    """Repeat what is done once, and count."""
    rng = np.random.default_rng(n * 1000 + n_draws)
    counts = np.sum([once(rng) for _ in range(REPETITIONS)], axis=0)
    return {
        "what": "certificate",
        "student": student,
        "scores": n_scores,
        "rows": n,
        "draws": n_draws,
        "repetitions": REPETITIONS,
        "missed": dict(zip(COUNTED, counts.tolist(), strict=True)),
    }


COUNTED = (
    "gap at most",
    "at any number of rows",
    "control: gap as measured",
    "share at most",
    "share at least",
    "leading share at most",
)
KEY = ("what", "student", "scores", "rows", "draws")


def shown(cells: list[dict[str, Any]]) -> str:
    """Give the share of misses of each cell, in Markdown."""
    lines = [
        f"| student | scores | rows | draws | {' | '.join(f'{name}, %' for name in COUNTED)} |",
        f"|{'---|' * (4 + len(COUNTED))}",
    ]
    for told in sorted(cells, key=lambda told: [told[key] for key in KEY]):
        shares = [
            share(told["missed"][name], told["repetitions"]) if name in told["missed"] else ""
            for name in COUNTED
        ]
        lines.append("| " + " | ".join([*(str(told[key]) for key in KEY[1:]), *shares]) + " |")
    return "\n".join(lines)


def share(k: int, n: int) -> str:
    """Give a share of repetitions in percent, with Clopper & Pearson's interval."""
    interval = binomtest(k, n).proportion_ci()
    return f"{100 * k / n:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


def main() -> None:
    """Count what is missing, or show what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what was counted before")
    parser.add_argument("--students", default=",".join(STUDENTS), help=f"of {', '.join(STUDENTS)}")
    parser.add_argument("--tables", default=",".join(TABLES), help=f"of {', '.join(TABLES)}")
    arguments = parser.parse_args()
    if arguments.show:
        print(shown(kept()))
        return
    for student in filter(None, arguments.students.split(",")):
        for n in ROWS:
            for n_scores, draws in DRAWS.items():
                for n_draws in draws:
                    if not is_kept(student, n, n_scores, n_draws):
                        keep(cell_of_pair(student, n_scores, n, n_draws))
    for table in filter(None, arguments.tables.split(",")):
        if any(not is_kept(f"soft tree, {table}", n) for n in ROWS):
            of = TableGaps.measure(table)
            for n in ROWS:
                if not is_kept(f"soft tree, {table}", n):
                    keep(cell_of_table(of, n))


def keep(found: dict[str, Any]) -> None:
    """Add a cell to those that were counted."""
    RESULTS.write_text(json.dumps({"cells": [*kept(), found]}, indent=1) + "\n")
    print(found, flush=True)


def is_kept(student: str, n: int, n_scores: int | None = None, n_draws: int | None = None) -> bool:
    """Say whether a cell was counted before; of any scores and draws, where they are left out."""
    return any(
        (told["student"], told["rows"]) == (student, n)
        and n_scores in (None, told["scores"])
        and n_draws in (None, told["draws"])
        for told in kept()
    )


def kept() -> list[dict[str, Any]]:
    """Give the cells that were counted before."""
    return json.loads(RESULTS.read_text())["cells"] if RESULTS.exists() else []


if __name__ == "__main__":
    main()
