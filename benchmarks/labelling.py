"""How fast the neural teacher labels a million rows, beside its bare matrix products.

    python benchmarks/labelling.py

labels coalitions of a table by a `NeuralTeacher` of default size on one thread, in turns with the
products that its layers cannot do without, all members' at once, of as many rows at a time, and
prints the ratio of the two rates: 1 would mean that imputation, scaling, squashing, activations and
the mean over the members cost nothing. Each turn is a tenth of the rows; figures are medians over
the turns. Both activations are measured. The ratio is one of a processor, too: the faster its
products, the more all else weighs. So results go to ``benchmarks/results/labelling.json`` beside
those of other processors.
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

RESULTS = Path(__file__).parent / "results" / "labelling.json"
TABLES = ("breast-cancer", "magic", "digits")
ACTIVATIONS = ("smelu", "silu")
TURNS = 10


def bare_products(teacher: xd.NeuralTeacher, n_rows: int) -> float:
    """Give the seconds of the products of all layers for `n_rows` rows, chunk by chunk."""
    weights = [weight.detach() for weight in teacher._network.weights]
    at_a_time = teacher._forward_pass().at_a_time
    rows = torch.randn(at_a_time, weights[0].shape[1]).expand(len(weights[0]), -1, -1)
    units = [torch.empty(len(w), at_a_time, w.shape[2]) for w in weights]
    started = time.perf_counter()
    with torch.inference_mode():
        for _ in range(n_rows // at_a_time):
            before = rows
            for weight, after in zip(weights, units, strict=True):
                torch.bmm(before, weight, out=after)
                before = after
    return (time.perf_counter() - started) * n_rows / (n_rows // at_a_time * at_a_time)


def measured(table: str, activation: str, n_rows: int) -> dict[str, object]:
    """Label `n_rows` coalitions of a table, in turns with the bare products."""
    train, _ = xd.load_dataset(table).split(seed=0)
    teacher = xd.NeuralTeacher(activation=activation, max_epochs=1).fit(train)
    rows = xd.Coalitions().draw(train.X, n_rows // TURNS, np.random.default_rng(0))
    teacher.predict_score(rows[:1000])
    bare_products(teacher, 1000)
    products, labelling = [], []
    for _ in range(TURNS):
        products.append(bare_products(teacher, len(rows)))
        started = time.perf_counter()
        teacher.predict_score(rows)
        labelling.append(time.perf_counter() - started)
    ratios = np.array(products) / np.array(labelling)
    return {
        "table": table,
        "activation": activation,
        "rows": len(rows) * TURNS,
        "readable_features": train.readable().shape[1],
        "microseconds_a_row": round(float(np.median(labelling)) / len(rows) * 1e6, 3),
        "products_microseconds_a_row": round(float(np.median(products)) / len(rows) * 1e6, 3),
        "ratio": round(float(np.median(ratios)), 3),
        "ratios": [round(float(ratio), 3) for ratio in ratios],
    }


def shown(kept: dict[str, Any]) -> str:
    """Give one line a processor, table and activation."""
    told = ("activation", "table", "readable_features")
    figures = (*told, "microseconds_a_row", "products_microseconds_a_row", "ratio")
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
        torch.set_num_threads(1)
        kept["processors"][arguments.processor] = [
            measured(table, activation, arguments.rows)
            for activation in ACTIVATIONS
            for table in arguments.tables.split(",")
        ]
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")
    print(shown(kept))


if __name__ == "__main__":
    main()
