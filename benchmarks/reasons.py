"""How much a transfer set does for the reasons: the same run on several, table by table.

    python benchmarks/reasons.py --tables breast-cancer,wine --transfers coalitions,training-rows

makes the run of ``explain-distill run TABLE --transfer TRANSFER --seed SEED`` for each, and keeps
its figures in ``benchmarks/results/reasons-TABLE.json``; a run that stands there is not made again.
Of a table with more than 8 000 rows, so many are drawn by the seed. On two idle cores a run takes
about a minute, one on digits four.

    python benchmarks/reasons.py --tables letter-recognition --seeds 0 --linear

does so of a soft tree of depth 5 with linear leaves, on coalitions, against the same teacher.

    python benchmarks/reasons.py --show

prints the rank correlation of reasons out of those files: training rows → coalitions, as the README
has it, then each student on each transfer set. The ceiling is the teacher against itself on
independent draws, chance is what a random order of the columns gets.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tables import TABLES

import explain_distill as xd

RESULTS = Path(__file__).parent / "results"
TRANSFERS = (
    "coalitions",
    "training-rows",
    "munge",
    "conditional-coalitions",
    "coalitions+training-rows",
)
MOST_ROWS = 8000
REASONS = "attribution.rank_correlation"
LINEAR = "soft-tree-linear"
KEPT = (
    "performance.accuracy",
    "performance.r2",
    "fidelity.agreement",
    "fidelity.score_r2",
    REASONS,
    "attribution.top_k_overlap",
)


def one_run(table: str, transfer: str, seed: int) -> dict[str, Any]:
    """Make one run, and give its figures and its seconds."""
    started = time.perf_counter()
    study = xd.run(drawn(xd.load_dataset(table), seed), transfer=transfer, seed=seed)
    return described(transfer, seed, study, started)


def described(transfer: str, seed: int, study: xd.Study, started: float) -> dict[str, Any]:
    """Give what is kept of a study."""
    metrics = [metric for metric in study.comparison.metrics if metric.metric in KEPT]
    figures = {f"{metric.model} {metric.metric}": round(metric.value, 6) for metric in metrics}
    chance = next(metric.chance for metric in metrics if metric.metric == REASONS)
    return {
        "transfer": transfer,
        "seed": seed,
        "seconds": round(time.perf_counter() - started, 1),
        "chance": None if chance is None else round(chance, 6),
        "figures": figures,
    }


def linear_run(table: str, seed: int) -> dict[str, Any]:
    """Judge a soft tree of 32 linear leaves against the same teacher, learned on coalitions."""
    started = time.perf_counter()
    train, test = drawn(xd.load_dataset(table), seed).split(seed=seed)
    teacher = xd.NeuralTeacher(seed=seed).fit(train)
    tree = xd.distill(teacher, xd.SoftTree(depth=5, leaves="linear"), train, seed=seed)
    study = xd.compare(teacher, {LINEAR: tree}, test, seed=seed)
    return described("coalitions", seed, study, started) | {"leaves": "linear"}


def drawn(data: xd.Dataset, seed: int) -> xd.Dataset:
    """Draw at most so many rows, without replacement and in their order."""
    if len(data) <= MOST_ROWS:
        return data
    chosen = np.random.default_rng(seed).choice(len(data), size=MOST_ROWS, replace=False)
    return data.take(np.sort(chosen))


def kept(table: str) -> list[dict[str, Any]]:
    """Give the runs on a table that were made before."""
    path = RESULTS / f"reasons-{table}.json"
    runs: list[dict[str, Any]] = json.loads(path.read_text())["runs"] if path.exists() else []
    return runs


def keep(table: str, runs: list[dict[str, Any]]) -> None:
    """Write the runs on a table; the file is the old one or the new one."""
    path = RESULTS / f"reasons-{table}.json"
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({"table": table, "runs": runs}, indent=1) + "\n")
    draft.replace(path)


def means(runs: list[dict[str, Any]]) -> pd.DataFrame:
    """Average over the seeds: one row a transfer set and model, one column a figure."""
    table = pd.DataFrame(
        [
            {"transfer": run["transfer"], "model": key.split(" ")[0], key.split(" ")[1]: value}
            for run in runs
            for key, value in run["figures"].items()
        ]
    )
    return table.groupby(["transfer", "model"]).mean().round(4)


def measured() -> dict[str, list[dict[str, Any]]]:
    """Give the runs of every table that has some."""
    names = sorted(path.stem.removeprefix("reasons-") for path in RESULTS.glob("reasons-*.json"))
    return {name: kept(name) for name in names}


def shown() -> str:
    """Give the mean rank correlation on training rows and on coalitions, in Markdown."""
    lines = [
        "| table | seeds | soft tree | boosted trees | MLP | ceiling |",
        "|---|---|---|---|---|---|",
    ]
    for table, runs in measured().items():
        both = [run for run in runs if run["transfer"] in ("training-rows", "coalitions")]
        found = means(both)[REASONS]
        if len(found.index.levels[0]) < 2:
            continue
        before, after = found["training-rows"], found["coalitions"]
        cells = [f"{before[s]:.3f} → {after[s]:.3f}" for s in ("soft-tree", "boosted-trees", "mlp")]
        n_seeds = len({run["seed"] for run in both})
        row = [table, str(n_seeds), *cells, f"{after['teacher']:.3f}"]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def shown_by_transfer() -> str:
    """Give the mean rank correlation of each student on each transfer set, in Markdown."""
    lines = [
        f"| table | student | {' | '.join(TRANSFERS)} | ceiling | chance |",
        "|---|---|" + "---|" * (len(TRANSFERS) + 2),
    ]
    for table, runs in measured().items():
        found = means(runs).reset_index().pivot_table(REASONS, "model", "transfer")
        found = found.reindex(columns=TRANSFERS)
        chances = [run["chance"] for run in runs if run.get("chance") is not None]
        ends = [f"{found.loc['teacher'].mean():.3f}", f"{np.mean(chances):.2f}" if chances else ""]
        for model in found.index.drop("teacher"):
            cells = ["" if np.isnan(value) else f"{value:.3f}" for value in found.loc[model]]
            lines.append(f"| {' | '.join([table, model, *cells, *ends])} |")
    return "\n".join(lines)


def main() -> None:
    """Make the runs that the arguments name and that are missing, or show what there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default="breast-cancer", help=f"of {', '.join(TABLES)}")
    parser.add_argument("--transfers", default="coalitions,training-rows")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--linear", action="store_true", help="a soft tree with linear leaves")
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    if arguments.show:
        print(shown(), shown_by_transfer(), sep="\n\n")
        return
    for seed in map(int, arguments.seeds.split(",")):
        for table in arguments.tables.split(","):
            for transfer in ["linear"] if arguments.linear else arguments.transfers.split(","):
                runs = kept(table)
                done = [(run.get("leaves", run["transfer"]), run["seed"]) for run in runs]
                if (transfer, seed) in done:
                    continue
                linear = arguments.linear
                run = linear_run(table, seed) if linear else one_run(table, transfer, seed)
                keep(table, [*runs, run])
                print(f"{table} {transfer} seed {seed}: {run['seconds']} s", flush=True)


if __name__ == "__main__":
    main()
