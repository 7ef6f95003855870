"""How far is the certificate above the gap that it bounds? Measured on the tables of `tables.py`.

    python benchmarks/certificates.py
    python benchmarks/certificates.py --show

A table makes a split, a teacher (a `NeuralTeacher` of SiLU units, else by default) and a soft
tree, distilled by default. On at most 200 held-out rows the certificate is made of 64 draws a row;
the gap it bounds is measured on the same rows by 640 fresh draws. Noise of the draws adds to an
absolute value, nearly in proportion to 1 / draws, so that the gap as measured is too high: twice
the gap of 640 draws less that of their halves is taken for the true one (Richardson
extrapolation), and both are kept.

Bound / gap is printed of four bounds, each at 0.95: of *all reasons*, the share of all importance
by which a certificate is summed up; of the five leading columns *together*, as a share of their
importance; of the same, *each by itself*; and as a certificate lists them, *all at once*, so that
of no column of the table the bound is too low. The last is the product of two: `width`, the bound
by the mean of the same 64 draws, which is what the rows leave unknown, and `noise`, that mean by
the gap. The width is given twice more: of each column by itself, and on all held-out rows, 2 000 at
the most. The tail is the largest gap of a row, or of a group of rows, by the mean.

The five leading columns are those of the most importance to the teacher, the largest that of the
largest bound, which is picked for being wide. What is measured goes to
``benchmarks/results/certificates.json``, table by table, and is not measured again.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fidelity_problem import Problem, drawn
from tables import TABLES

import explain_distill as xd
from explain_distill.audit.certificate import Certificate, beyond_seen, certify
from explain_distill.audit.gaps import Gaps, cross_fitted, measured_gaps
from explain_distill.exceptions import DataError
from explain_distill.metrics.intervals import LEVEL
from explain_distill.metrics.mean_bounds import bounded_mean_bound, group_means

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "certificates.json"

DRAWS, MORE_DRAWS = 64, 640
MOST_ROWS = 200
TARGET = 2.0
STUDENT = "soft-tree"


def measure(table: str) -> dict[str, Any]:
    """Make a certificate and measure what it bounds."""
    started = time.perf_counter()
    problem = Problem.make(table, 0, HERE / ".cache", "silu")
    tree = xd.distill(problem.teacher, xd.SoftTree(), problem.train, seed=0)
    rng = np.random.default_rng(0)
    few = drawn(problem.test, MOST_ROWS, rng)

    def gaps_of(data: xd.Dataset, n_draws: int) -> Gaps:
        students = {STUDENT: tree}
        return measured_gaps(problem.teacher, students, data, problem.train.X, n_draws, rng)

    gaps = gaps_of(few, DRAWS)
    told = certify(gaps, STUDENT, few.schema.names, few.groups)
    ours = certify(gaps_of(problem.test, DRAWS), STUDENT, few.schema.names, problem.test.groups)
    more = gaps_of(few, MORE_DRAWS)
    columns = columns_of(told, gaps, more, few.groups)
    for column, other in zip(columns, ours.players, strict=True):
        column["width_all_rows"] = other.bound / other.gap
    place = {player.player: number for number, player in enumerate(told.players)}
    leading = [place[player.player] for player in told.leading]
    importance = importance_of(more, few.groups)
    every = list(range(len(columns)))
    return {
        "table": table,
        "rows": told.n,
        "independent": told.n_independent,
        "all_rows": ours.n,
        "columns": len(columns),
        "scores": problem.teacher.task.n_scores,
        "seconds": round(time.perf_counter() - started, 1),
        "leading": [columns[i] for i in leading],
        "largest": columns[place[told.largest.player]],
        "share": share_of(told.relative_bound, columns, importance, every),
        "leading_share": share_of(told.leading_bound, columns, importance, leading),
    }


def importance_of(more: Gaps, groups: np.ndarray | None) -> np.ndarray:
    """Give each column's importance to the teacher, by many draws."""
    each = cross_fitted(*more.teacher)
    return np.array([group_means(column, groups)[0].mean() for column in each.T])


def share_of(
    bound: float | None, columns: list[dict[str, Any]], importance: np.ndarray, places: list[int]
) -> dict[str, Any]:
    """Give the gaps of some columns as a share of their importance, beside its bound."""
    gap = sum(columns[i]["gap"] for i in places) / float(importance[places].sum())
    return {"bound": bound, "gap": gap, "ratio": None if bound is None else bound / gap}


def columns_of(
    told: Certificate, gaps: Gaps, more: Gaps, groups: np.ndarray | None
) -> list[dict[str, Any]]:
    """Give each column's bound, the gap that it bounds, and what lies between the two."""
    first, second = more.students[STUDENT]
    measured = mean_gaps((first + second) / 2, groups)
    true = true_gaps(first, second, groups)
    alone, tails = alone_and_tails(np.mean(gaps.students[STUDENT], axis=0), groups)
    return [
        {
            "column": player.player,
            "importance": player.importance,
            "bound": player.bound,
            "gap_as_measured": float(measured[i]),
            "gap": float(true[i]),
            "ratio": player.bound / float(true[i]),
            "width": player.bound / player.gap,
            "noise": player.gap / float(true[i]),
            "ratio_alone": float(alone[i]) / float(true[i]),
            "width_alone": float(alone[i]) / player.gap,
            "tail": float(tails[i]),
        }
        for i, player in enumerate(told.players)
    ]


def true_gaps(
    first: np.ndarray, second: np.ndarray, groups: np.ndarray | None = None
) -> np.ndarray:
    """Extrapolate the mean gaps of two halves of the draws to draws without end."""
    halves = (mean_gaps(first, groups) + mean_gaps(second, groups)) / 2
    return 2 * mean_gaps((first + second) / 2, groups) - halves


def mean_gaps(difference: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Give the mean over rows, or over groups of rows, of the largest gap over the scores."""
    sizes = np.abs(difference).max(axis=2)
    return np.array([group_means(size, groups)[0].mean() for size in sizes.T])


def alone_and_tails(difference: np.ndarray, groups: np.ndarray | None) -> np.ndarray:
    """Bound each column's gap as the certificate does, but for itself alone; and give its tail."""
    sizes = np.abs(difference).max(axis=2)
    figures = np.stack([group_means(size, groups)[0] for size in sizes.T], axis=1)
    tops, ones = beyond_seen(figures, float(sizes.max())), np.ones(len(figures))
    alone = [
        bounded_mean_bound(figure, ones, top, level=LEVEL)
        for figure, top in zip(figures.T, tops, strict=True)
    ]
    return np.stack([alone, figures.max(axis=0) / figures.mean(axis=0)])


FIGURES = ("ratio_alone", "ratio", "width", "noise", "tail", "width_alone", "width_all_rows")
NAMES = (
    "each by itself",
    "all at once",
    "width",
    "noise",
    "tail",
    "width, by itself",
    "width, all rows",
)


def shown(tables: list[dict[str, Any]]) -> str:
    """Give the mean over the leading columns and the largest column of each table, in Markdown."""
    lines = [
        "| table | rows | columns | scores | all reasons | leading, together | "
        f"{' | '.join(NAMES)} | all rows | largest | its ratio |",
        f"|{'---|' * (9 + len(NAMES))}",
    ]
    for told in tables:
        means = [f"{np.mean([each[name] for each in told['leading']]):.2f}" for name in FIGURES]
        largest = told["largest"]
        rows = _rows(told["rows"], told["independent"])
        cells = [told["table"], rows, str(told["columns"]), str(told["scores"])]
        cells += [f"{told[share]['ratio']:.2f}" for share in ("share", "leading_share")] + means
        cells += [str(told["all_rows"]), largest["column"], f"{largest['ratio']:.2f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _rows(n: int, independent: int) -> str:
    return str(n) if n == independent else f"{n} in {independent} groups"


def shown_columns(tables: list[dict[str, Any]]) -> str:
    """Give every leading column, in Markdown."""
    lines = [
        "| table | column | bound | gap | gap of 640 draws | bound / gap |",
        "|---|---|---|---|---|---|",
    ]
    for told in tables:
        for each in told["leading"]:
            figures = [f"{each[name]:.4f}" for name in ("bound", "gap", "gap_as_measured")]
            cells = [told["table"], each["column"], *figures, f"{each['ratio']:.2f}"]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def said(tables: list[dict[str, Any]]) -> str:
    """Say what misses the target, why, and which tables were left out."""
    names = [told["table"] for told in kept()]
    out = [table for table in TABLES if table not in names]
    lines = [f"Not measured: {', '.join(out) or 'none'}."]
    lines += [f"{told['table']}: {told['refused']}" for told in kept() if "refused" in told]
    for told in tables:
        parts = (
            ("its leading columns, all bounds at once", told["leading"]),
            ("its largest", [told["largest"]]),
        )
        for name, columns in parts:
            means = {key: float(np.mean([each[key] for each in columns])) for key in FIGURES}
            if means["ratio"] > TARGET:
                lines.append(f"{told['table']}, {name}: {_why(means, told)}")
    return "\n".join(lines)


def _why(means: dict[str, float], told: dict[str, Any]) -> str:
    every = ""
    if told["all_rows"] > told["rows"]:
        every = f", {means['width_all_rows']:.2f} on {told['all_rows']} rows"
    return (
        f"{means['ratio']:.2f} is above {TARGET:.0f}. {told['rows']} rows, the largest of which is "
        f"{means['tail']:.0f} times the mean, make a factor of {means['width']:.2f} "
        f"({means['width_alone']:.2f} if one column were bounded and not {told['columns']}"
        f"{every}), and noise of {DRAWS} draws one of {means['noise']:.2f}."
    )


def kept() -> list[dict[str, Any]]:
    """Give the tables that were measured before."""
    return json.loads(RESULTS.read_text())["tables"] if RESULTS.exists() else []


def keep(tables: list[dict[str, Any]]) -> None:
    """Write what was measured; the file is the old one or the new one."""
    draft = RESULTS.with_suffix(".draft")
    told = {"draws": DRAWS, "more_draws": MORE_DRAWS, "level": LEVEL, "tables": tables}
    draft.write_text(json.dumps(told, indent=1) + "\n")
    draft.replace(RESULTS)


def main() -> None:
    """Measure the tables that the arguments name and that are missing, or show what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    if not arguments.show:
        torch.set_num_threads(1)
        for table in arguments.tables.split(","):
            if table in [told["table"] for told in kept()]:
                continue
            try:
                found = measure(table)
            except DataError as refused:
                found = {"table": table, "refused": str(refused)}
            keep([*kept(), found])
            print(f"{table}: {found.get('refused') or found['seconds']}", flush=True)
    told = [each for each in kept() if "refused" not in each]
    print(shown(told), shown_columns(told), said(told), sep="\n\n")


if __name__ == "__main__":
    main()
