"""How much coalitions add: the same run on coalitions and on training rows, table by table.

    python benchmarks/reasons.py --tables breast-cancer --seeds 0,1,2,3,4

runs ``explain-distill run TABLE --transfer TRANSFER --seed SEED`` for both transfer sets and each
seed, reads results.json, prints the means over the seeds, and writes them, run by run, to
``benchmarks/results/reasons-TABLE.json``. On two idle cores a run takes about a minute, one on
digits four.

    python benchmarks/reasons.py --show

prints the rank correlation of reasons out of those files, as the README has it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parent / "results"
TRANSFERS = ("coalitions", "training-rows")
SHOWN = (
    "performance.accuracy",
    "performance.r2",
    "fidelity.agreement",
    "fidelity.score_r2",
    "attribution.rank_correlation",
    "attribution.top_k_overlap",
)


def one_run(table: str, transfer: str, seed: int) -> dict[str, object]:
    """Run the command line once, and give its figures and its seconds."""
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / "study"
        command = ["run", table, "--transfer", transfer, "--seed", str(seed), "--out", str(out)]
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "explain_distill.cli", *command, "--quiet"], check=True
        )
        seconds = time.perf_counter() - started
        rows = json.loads((out / "results.json").read_text())["metrics"]
    figures = {f"{row['model']} {row['metric']}": row["value"] for row in rows}
    kept = {key: value for key, value in figures.items() if key.split(" ")[1] in SHOWN}
    return {
        "transfer": transfer,
        "seed": seed,
        "seconds": round(seconds, 1),
        "figures": {key: round(value, 6) for key, value in kept.items()},
    }


def means(runs: list[dict[str, object]]) -> pd.DataFrame:
    """Average over the seeds: one row a transfer set and model, one column a figure."""
    table = pd.DataFrame(
        [
            {"transfer": run["transfer"], "model": key.split(" ")[0], key.split(" ")[1]: value}
            for run in runs
            for key, value in run["figures"].items()  # type: ignore[attr-defined]
        ]
    )
    return table.groupby(["transfer", "model"]).mean().round(4)


def shown() -> str:
    """Give the mean rank correlation of reasons of every measured table, in Markdown."""
    lines = [
        "| table | seeds | soft tree | boosted trees | MLP | ceiling |",
        "|---|---|---|---|---|---|",
    ]
    for path in sorted(RESULTS.glob("reasons-*.json")):
        measured = json.loads(path.read_text())
        table = means(measured["runs"])["attribution.rank_correlation"]
        before, after = table["training-rows"], table["coalitions"]
        cells = [f"{before[s]:.3f} → {after[s]:.3f}" for s in ("soft-tree", "boosted-trees", "mlp")]
        n_seeds = len({run["seed"] for run in measured["runs"]})
        row = [measured["table"], str(n_seeds), *cells, f"{after['teacher']:.3f}"]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default="breast-cancer")
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    if arguments.show:
        print(shown())
        return
    for table in arguments.tables.split(","):
        runs = []
        for seed in map(int, arguments.seeds.split(",")):
            for transfer in TRANSFERS:
                runs.append(one_run(table, transfer, seed))
                print(f"{table} {transfer} seed {seed}: {runs[-1]['seconds']} s", flush=True)
        print(means(runs).to_string(), flush=True)
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"reasons-{table}.json"
        path.write_text(json.dumps({"table": table, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
