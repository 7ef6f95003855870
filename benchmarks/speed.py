"""What a soft tree costs beside its bare matrix products, and a row beside a student's call.

    python benchmarks/speed.py

prints ratios measured in this run, each the median of several, and writes them to
``benchmarks/results/speed.json``; ``--show`` prints what stands there. Times are CPU seconds of
this process on one thread, as the students train, so that another process disturbs little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"  # before numpy is loaded

import numpy as np  # noqa: E402
import torch  # noqa: E402

import explain_distill as xd  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "speed.json"
N_FEATURES, N_CLASSES, BATCH = 784, 10, 256  # as of images of handwritten digits
REPEATS = 7
STEPS = {4: 3200, 8: 800, 10: 320}  # epochs of 40, batches put together anew each fourth


def seconds(task: Callable[[], object]) -> float:
    """Time one call."""
    started = time.process_time()
    task()
    return time.process_time() - started


def bare_products(rows: torch.Tensor, depth: int, steps: int) -> float:
    """Time what no soft tree can do without: rows by gates forward, and the weights' slopes."""
    gates = 2**depth - 1
    weights, slopes = torch.randn(gates, N_FEATURES), torch.randn(gates, BATCH)
    forward, backward = torch.empty(gates, BATCH), torch.empty(gates, N_FEATURES)
    batches = rows[: len(rows) // BATCH * BATCH].split(BATCH)

    def products() -> None:
        for step in range(steps):
            batch = batches[step % len(batches)]
            torch.mm(weights, batch.T, out=forward)
            torch.mm(slopes, batch, out=backward)

    return seconds(products) / steps


def training_step(X: np.ndarray, labels: np.ndarray, depth: int, steps: int, loss: str) -> float:
    """Time a step of training, from the end of the first to the end of the last."""
    marks = []

    def on_step(*_: object) -> None:
        marks.append(time.process_time())

    xd.SoftTree(
        depth=depth,
        loss=loss,
        n_steps=steps,
        batch_size=BATCH,
        learning_rate=1e-3,
        random_state=0,
    ).fit(X, labels, on_step=on_step)
    return (marks[-1] - marks[0]) / (steps - 1)


def training_ratios() -> dict[str, float]:
    """Give a step of training beside its bare products, penalty and Adam included."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((10_240, N_FEATURES))
    labels = rng.dirichlet(np.ones(N_CLASSES), len(X))
    rows = torch.from_numpy(X).float()
    found = {}
    for depth, steps in STEPS.items():
        for loss in ("scores", "leaf-entropy"):
            training_step(X, labels, depth, 5, loss)
            ratios = [
                training_step(X, labels, depth, steps, loss) / bare_products(rows, depth, steps)
                for _ in range(REPEATS)
            ]
            found[f"step / bare products, depth {depth}, {loss}"] = statistics.median(ratios)
    return found


def prediction_ratios() -> dict[str, float]:
    """Give the most probable path beside the mixture, for 100 000 rows."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((100_000, 64))
    labels = rng.dirichlet(np.ones(N_CLASSES), len(X))
    found = {}
    for depth in (4, 8):
        tree = xd.SoftTree(depth=depth, n_steps=20, random_state=0).fit(X, labels)
        sparse = xd.SoftTree(depth=depth, n_steps=20, max_features=5, random_state=0)
        sparse.fit(X, labels)
        ratios = []
        for _ in range(REPEATS):
            mixture = seconds(lambda tree=tree: tree.predict_proba(X))
            tree.set_params(inference="path")
            ratios.append(seconds(lambda tree=tree: tree.predict_proba(X)) / mixture)
            tree.set_params(inference="mixture")
        found[f"path / mixture, depth {depth}"] = statistics.median(ratios)
        found[f"mixture with 5 features a gate / with all, depth {depth}"] = statistics.median(
            seconds(lambda s=sparse: s.predict_proba(X))
            / seconds(lambda t=tree: t.predict_proba(X))
            for _ in range(REPEATS)
        )
    return found


def one_row_milliseconds() -> dict[str, float]:
    """Give the milliseconds of `predict_proba` for one row, the median of many calls."""
    train, test = xd.load_dataset("breast-cancer").split(seed=0)
    X, y, row = train.readable(), train.y, test.readable()[:1]
    students = {
        "soft-tree": xd.SoftTree(n_steps=50),
        "boosted-trees": xd.BoostedTrees(),
        "mlp": xd.MLP(n_steps=50),
        "decision-tree": xd.DecisionTree(),
        "additive": xd.Additive(),
    }
    found = {}
    for name, student in students.items():
        student.fit(X, y)
        calls = [seconds(lambda s=student: s.predict_proba(row)) for _ in range(2000)]
        found[f"milliseconds of one row, {name}"] = 1000 * statistics.median(calls)
    return found


def exported_microseconds() -> dict[str, float]:
    """Give the microseconds of an exported Python function for one row, of students by default."""
    train, test = xd.load_dataset("breast-cancer").split(seed=0)
    teacher = xd.NeuralTeacher(seed=0).fit(train)
    row = dict(zip(train.schema.names, test.X[0].tolist(), strict=True))
    found = {}
    for kind in (xd.SoftTree, xd.DecisionTree, xd.BoostedTrees):
        student = xd.distill(teacher, kind(), train, seed=0)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "student.py"
            xd.export(student, path, "python")
            scope: dict[str, Callable[[dict[str, float]], object]] = {}
            exec(path.read_text(), scope)
        predict = scope["predict"]

        def many(predict: Callable[[dict[str, float]], object] = predict) -> None:
            for _ in range(1000):
                predict(row)

        each = statistics.median(seconds(many) for _ in range(21)) / 1000
        found[f"microseconds of one row in exported Python, {student.NAME}"] = 1e6 * each
    return found


def shown(found: dict[str, float]) -> str:
    """Give one line a figure."""
    return "\n".join(f"{name:60} {value:8.3f}" for name, value in found.items())


def main() -> None:
    """Measure, print and keep, or show what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    if parser.parse_args().show:
        print(shown(json.loads(RESULTS.read_text())))
        return
    torch.set_num_threads(1)
    found = training_ratios() | prediction_ratios() | one_row_milliseconds()
    found |= exported_microseconds()
    print(shown(found))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({k: round(v, 4) for k, v in found.items()}, indent=1) + "\n")


if __name__ == "__main__":
    main()
