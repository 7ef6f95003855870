"""How closely soft trees are certified that learned on coalitions, and on training rows.

    python benchmarks/certified_trees.py
    python benchmarks/certified_trees.py --show

For each seed, a split of the breast-cancer table, a `NeuralTeacher` of SiLU units, and soft trees
of three sizes, on coalitions and on training rows. Of each tree the certificate on all held-out
rows, by 64 and by 256 draws a row; its bounds in units of the teacher's importance, at 0.95: of the
five leading columns together, the mean over them of what a certificate lists (so that the bounds of
all 30 columns hold at once), and of all reasons together.

What is measured goes to ``benchmarks/results/certified_trees.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import explain_distill as xd
from explain_distill.audit.certificate import certify
from explain_distill.audit.gaps import measured_gaps

RESULTS = Path(__file__).parent / "results" / "certified_trees.json"
TABLE = "breast-cancer"
DRAWS = (64, 256)
TREES = {
    "by default": xd.SoftTree(),
    "linear leaves": xd.SoftTree(leaves="linear"),
    "depth 6, 12 000 steps": xd.SoftTree(depth=6, n_steps=12_000),
}
TRANSFER_SETS: dict[str, xd.TransferSet] = {
    "coalitions": xd.Coalitions(),
    "training rows": xd.TrainingRows(),
}
FIGURES = {
    "leading": "five leading columns together, bound",
    "leading_gap": "as measured",
    "listed": "mean of the bounds of the five",
    "share": "all reasons, bound",
    "share_gap": "as measured",
}


def measured(seed: int) -> list[dict[str, Any]]:
    """Teach the trees of one seed, and certify them on the same draws."""
    train, test = xd.load_dataset(TABLE).split(seed=seed)
    teacher = xd.NeuralTeacher(activation="silu", seed=seed).fit(train)
    taught: dict[tuple[str, str], xd.Student] = {}
    seconds = {}
    for tree, student in TREES.items():
        for transfer, rows in TRANSFER_SETS.items():
            started = time.perf_counter()
            taught[tree, transfer] = xd.distill(teacher, student, train, transfer=rows, seed=seed)
            seconds[tree, transfer] = round(time.perf_counter() - started, 1)
    found = []
    for n_draws in DRAWS:
        rng = np.random.default_rng(seed)
        named = {" on ".join(key): student for key, student in taught.items()}
        gaps = measured_gaps(teacher, named, test, train.X, n_draws, rng)
        for tree, transfer in taught:
            told = certify(gaps, f"{tree} on {transfer}", test.schema.names, test.groups)
            found.append(
                {
                    "seed": seed,
                    "tree": tree,
                    "transfer": transfer,
                    "draws": n_draws,
                    "rows": told.n,
                    "seconds": seconds[tree, transfer],
                    "leading": told.leading_bound,
                    "leading_gap": told.leading_gap,
                    "listed": float(np.mean([each.relative for each in told.leading])),
                    "share": told.relative_bound,
                    "share_gap": told.relative_gap,
                }
            )
    return found


def shown(runs: list[dict[str, Any]]) -> str:
    """Give the mean and the range over the seeds of each figure, in Markdown."""
    seeds = len({run["seed"] for run in runs})
    lines = [
        f"{TABLE}, {runs[0]['rows']} held-out rows, mean (lowest to highest) of {seeds} seeds",
        "",
        f"| tree | learned on | draws | {' | '.join(FIGURES.values())} |",
        f"|{'---|' * (3 + len(FIGURES))}",
    ]
    for tree in TREES:
        for transfer in TRANSFER_SETS:
            for n_draws in DRAWS:
                key = {"tree": tree, "transfer": transfer, "draws": n_draws}
                these = [run for run in runs if key.items() <= run.items()]
                cells = [tree, transfer, str(n_draws)]
                cells += [ranged([run[figure] for run in these]) for figure in FIGURES]
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def ranged(values: list[float]) -> str:
    """Give a mean and what it is the mean of."""
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    """Measure and keep, or show what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    if not arguments.show:
        torch.set_num_threads(1)
        runs = [run for seed in arguments.seeds.split(",") for run in measured(int(seed))]
        RESULTS.write_text(json.dumps({"table": TABLE, "runs": runs}, indent=1) + "\n")
    print(shown(json.loads(RESULTS.read_text())["runs"]))


if __name__ == "__main__":
    main()
