"""How fast the neural teacher labels a million rows, beside its bare matrix products.

    python benchmarks/labelling.py

labels coalitions of a table by a `NeuralTeacher` of default size, on one thread and on two, in
turns with the products that its layers cannot do without, of as many rows at a time, in two forms:
as the network is defined, a batched product of all members a layer (`torch.bmm`); and as they are
fastest here, member by member, units as rows, which is how the teacher computes them. It prints the
ratio of the rates to both: 1 to the latter would mean that imputation, scaling, squashing,
activations and the mean over the members cost nothing. On two threads torch splits each product,
where the teacher gives each thread rows of its own. Each turn is a part of the rows, drawn anew,
since some memory is slower to read than other; figures are medians over the turns. The ratio is one
of a processor, too: the faster its products, the more all else weighs. So results go to
``benchmarks/results/labelling.json`` beside those of other processors.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import explain_distill as xd
from explain_distill.teachers.activations import Activation

RESULTS = Path(__file__).parent / "results" / "labelling.json"
TABLES = ("breast-cancer", "magic", "digits")
ACTIVATIONS: tuple[Activation, ...] = ("smelu", "silu")
THREADS = (1, 2)
TURN = 98_304  # rows
AT_A_TIME = 768  # rows, as many as the teacher computes


def batched_products(weights: list[torch.Tensor]) -> Callable[[], None]:
    """Give the products of all layers, members together, of weights ``(members, a, b)`` a layer."""
    rows = torch.randn(AT_A_TIME, weights[0].shape[1]).expand(len(weights[0]), -1, -1)
    units = [torch.empty(len(w), AT_A_TIME, w.shape[2]) for w in weights]

    def step() -> None:
        before = rows
        for weight, after in zip(weights, units, strict=True):
            before = torch.bmm(before, weight, out=after)

    return step


def single_products(weights: list[torch.Tensor]) -> Callable[[], None]:
    """Give the same, member by member, with samples as columns."""
    members = [[w[place].T.contiguous() for w in weights] for place in range(len(weights[0]))]
    columns = torch.randn(weights[0].shape[1], AT_A_TIME)
    units = [torch.empty(w.shape[2], AT_A_TIME) for w in weights]

    def step() -> None:
        for member in members:
            before = columns
            for weight, after in zip(member, units, strict=True):
                before = torch.mm(weight, before, out=after)

    return step


@torch.inference_mode()
def seconds_a_row(step: Callable[[], None], n_rows: int) -> float:
    """Time products of `AT_A_TIME` rows until `n_rows` are done."""
    steps = n_rows // AT_A_TIME
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return (time.perf_counter() - started) / (steps * AT_A_TIME)


def measured(table: str, activation: Activation, threads: int, n_rows: int) -> dict[str, object]:
    """Label `n_rows` coalitions of a table, in turns with the bare products."""
    torch.set_num_threads(threads)
    train, _ = xd.load_dataset(table).split(seed=0)
    teacher = xd.NeuralTeacher(activation=activation, max_epochs=1).fit(train)
    rng = np.random.default_rng(0)
    weights = [weight.detach() for weight in teacher._network.weights]
    steps = {"batched": batched_products(weights), "single": single_products(weights)}
    seconds: dict[str, list[float]] = {"batched": [], "single": [], "labelling": []}
    for _ in range(-(-n_rows // TURN)):
        rows = xd.Coalitions().draw(train.X, TURN, rng)
        for what, step in steps.items():
            seconds[what].append(seconds_a_row(step, len(rows)))
        started = time.perf_counter()
        teacher.predict_score(rows)
        seconds["labelling"].append((time.perf_counter() - started) / len(rows))
    turns = {what: np.array(each) for what, each in seconds.items()}
    return {
        "table": table,
        "activation": activation,
        "threads": threads,
        "rows": TURN * len(seconds["labelling"]),
        "readable_features": train.readable().shape[1],
        "microseconds_a_row": {
            what: round(float(np.median(each)) * 1e6, 3) for what, each in turns.items()
        },
        "ratio": round(float(np.median(turns["batched"] / turns["labelling"])), 3),
        "ratio_single": round(float(np.median(turns["single"] / turns["labelling"])), 3),
    }


def shown(kept: dict[str, Any]) -> str:
    """Give one line a processor, table and activation."""
    told = ("activation", "threads", "table", "readable_features")
    figures = (*told, "microseconds_a_row", "ratio", "ratio_single")
    return "\n".join(
        f"{name}, {', '.join(f'{figure} {run[figure]}' for figure in figures)}"
        for name, runs in kept["processors"].items()
        for run in runs
    )


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--processor", default="this one", help="the name to keep the results by")
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    kept = json.loads(RESULTS.read_text())
    if not arguments.show:
        kept["processors"][arguments.processor] = [
            measured(table, activation, threads, arguments.rows)
            for activation in ACTIVATIONS
            for threads in THREADS
            for table in arguments.tables.split(",")
        ]
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    print(shown(kept))


if __name__ == "__main__":
    main()
