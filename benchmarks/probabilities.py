"""How much of a teacher's probabilities boosted trees keep, from soft labels and from hard ones.

The same trees, as many and as deep, learn coalitions of digits from the teacher's soft labels, the
same coalitions from its answers alone, and the training rows from their true labels. The figure is
KL(teacher ‖ student) on test rows, in nats, for each seed, and the ratio of the means.

    python benchmarks/probabilities.py

keeps its figures in ``benchmarks/results/probabilities-digits.json``; ``--show`` prints them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

import explain_distill as xd

RESULTS = Path(__file__).parent / "results" / "probabilities-digits.json"
N_ROWS, N_TREES, DEPTH = 50_000, 300, 4
SMALLEST_LABEL = 1e-300  # an exact 0 would read as a hard label
SMALLEST = 1e-12  # of a student's probability, so that its logarithm is finite
SOFT, ANSWERS, TRUTH = "soft labels", "teacher's answers", "true labels, training rows"


def one_run(seed: int) -> dict[str, Any]:
    """Measure the divergence of each of the three students of one teacher."""
    train, test = xd.load_dataset("digits").split(seed=seed)
    teacher = xd.NeuralTeacher(seed=seed).fit(train)
    rng = np.random.default_rng(seed)
    rows = xd.Coalitions().draw(train.X, N_ROWS, rng)
    soft = np.maximum(teacher.predict_proba(rows), SMALLEST_LABEL)
    n_classes = soft.shape[1]
    lessons = {
        SOFT: (rows, soft),
        ANSWERS: (rows, np.eye(n_classes)[soft.argmax(axis=1)]),
        TRUTH: (train.X, np.eye(n_classes)[train.y]),
    }
    figures: dict[str, Any] = {"seed": seed}
    for name, (X, labels) in lessons.items():
        # Every round is boosted, so that the trees are as many whatever they learn.
        student = xd.BoostedTrees(
            n_trees=N_TREES, depth=DEPTH, validation_share=0, random_state=seed
        )
        started = time.perf_counter()
        student.fit(train.readable_features.transform(X), labels)
        figures[name] = {
            "kl": round(divergence(teacher, student, test), 6),
            "agreement": round(agreement(teacher, student, test), 6),
            "seconds": round(time.perf_counter() - started, 1),
        }
    return figures


def divergence(teacher: xd.Teacher, student: xd.Student, test: xd.Dataset) -> float:
    """Give the mean of KL(teacher ‖ student) over test rows, in nats."""
    p = teacher.predict_proba(test.X)
    q = student.predict_proba(test.readable())
    logs = np.log(np.maximum(p, SMALLEST)) - np.log(np.maximum(q, SMALLEST))
    return float((p * logs).sum(axis=1).mean())


def agreement(teacher: xd.Teacher, student: xd.Student, test: xd.Dataset) -> float:
    """Give the share of test rows with the same answer."""
    return float(np.mean(teacher.predict(test.X) == student.predict(test.readable())))


def shown(runs: list[dict[str, Any]]) -> str:
    """Give the means over the seeds, and the ratios of soft labels to the others."""
    means = {
        name: float(np.mean([run[name]["kl"] for run in runs])) for name in (SOFT, ANSWERS, TRUTH)
    }
    lines = [f"digits, {N_TREES} rounds of depth {DEPTH}, {len(runs)} seeds: KL(teacher ‖ student)"]
    lines += [
        f"  {name}: {mean:.4f} nats, ratio of soft to these {means[SOFT] / mean:.3f}"
        for name, mean in means.items()
    ]
    return "\n".join(lines)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    if arguments.show:
        print(shown(json.loads(RESULTS.read_text())["runs"]))
        return
    runs = []
    for seed in map(int, arguments.seeds.split(",")):
        runs.append(one_run(seed))
        print(json.dumps(runs[-1], ensure_ascii=False), flush=True)
        about = {"rows": N_ROWS, "rounds": N_TREES, "depth": DEPTH, "runs": runs}
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n")
    print(shown(runs))


if __name__ == "__main__":
    main()
