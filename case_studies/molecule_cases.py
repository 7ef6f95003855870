"""What the case studies of molecules share: the study itself, and tables in Markdown."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t

import explain_distill as xd

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))

import molecules as benchmark  # noqa: E402 - it stands among the benchmarks

LEVEL = 0.95
SPLITS = ("balanced-scaffold", "ordered-scaffold")
STUDENT = "soft-tree.coalitions"


def study_of(here: Path, table: str, split: str, *, descriptors: bool = True) -> xd.Study:
    """Open the study of seed 0, or make it, which takes ten minutes to an hour.

    Without `descriptors`, its teacher is told the graph alone.
    """
    folder = here / "cache" / benchmark.name_of(table, split, descriptors, 0)
    if not folder.is_dir():
        benchmark.one_run(table, split, 0, folder.parent, descriptors=descriptors)
    return xd.Study.open(folder)


def table_of(table: str, split: str) -> str:
    """Give the tables of teachers and students over the seeds that were run."""
    told = []
    for descriptors in (True, False):
        runs = benchmark.kept_runs(table, split, descriptors)
        told.append(benchmark.table_of(table, split, descriptors, runs))
    return "\n\n".join(filter(None, told))


def interval(values: Sequence[float], many: int = 1) -> tuple[float, float, float]:
    """Give a mean and Student's interval, at a level corrected for so many of them."""
    told = np.asarray(values, dtype=np.float64)
    half = t.ppf(1 - (1 - LEVEL) / (2 * many), len(told) - 1) * told.std(ddof=1) / len(told) ** 0.5
    return float(told.mean()), float(told.mean() - half), float(told.mean() + half)


def in_markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Write a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def keep(here: Path, name: str, told: dict[str, Any]) -> None:
    """Write results beside the command that redoes them; the file is the old one or the new one."""
    folder = here / "results"
    folder.mkdir(exist_ok=True)
    draft = folder / f"{name}.draft"
    draft.write_text(json.dumps(told, indent=1) + "\n")
    draft.replace(folder / f"{name}.json")


def effects_of(study: xd.Study, student: str = STUDENT) -> list[dict[str, Any]]:
    """Give the mean share of each kind of fragment in the score, of teacher and student."""
    from explain_distill.audit.fragment_effects import fragment_effects

    return [
        {
            "kind": effect.kind,
            "molecules": effect.n,
            **{
                "teacher" if model == "teacher" else "student": [
                    None if value is None else round(value, 4)
                    for value in (estimate.value, estimate.low, estimate.high)
                ]
                for model, estimate in effect.shares.items()
            },
        }
        for effect in fragment_effects(study.comparison, student)
    ]


def tell_of_fragments(here: Path, table: str, about: str, *, descriptors: bool = True) -> None:
    """Measure the effects of fragments on the balanced scaffold split, or print what was measured.

    Beside them stand the tables over seeds, splits and transfer sets.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    if not parser.parse_args().show:
        study = study_of(here, table, SPLITS[0], descriptors=descriptors)
        keep(here, table, {"effects": effects_of(study)})
    told = json.loads((here / "results" / f"{table}.json").read_text())
    tables = [table_of(table, split) for split in SPLITS]
    print("\n\n".join([*filter(None, tables), effects_table(told["effects"])]))


def effects_table(effects: Sequence[dict[str, Any]], most: int = 12) -> str:
    """Write those effects, the teacher's largest first."""
    rows = [
        [
            effect["kind"],
            str(effect["molecules"]),
            *map(_told, (effect["teacher"], effect["student"])),
        ]
        for effect in effects[:most]
    ]
    return in_markdown(("fragment", "molecules", "teacher", "student"), rows)


def _told(estimate: Sequence[float | None]) -> str:
    value, low, high = estimate
    if low is None or high is None:
        return f"{value:+.2f}"
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"
