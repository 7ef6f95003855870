"""What each technique of distillation does to fidelity, to reasons and to cost, on ten tables.

    python benchmarks/techniques.py
    python benchmarks/techniques.py --show

A table and a seed make a split and a teacher, a `NeuralTeacher` of SiLU units. Each student is
distilled once plainly on each transfer set, and on coalitions with each technique added, by the
same seed. On at most 500 test rows it is compared with its teacher: agreement (classification) and
score R²; on at most 50 of them, by interventional Shapley values on the same draws for every model,
the rank correlation of its reasons. Draws double until the ceiling, the teacher against itself on
independent draws, is 0.95, or to 512 permutations a row. Cost is the ratio of a fit's processor
seconds to those on plain coalitions, the teacher's labelling included.

Tables with more rows are cut to 4 000 training rows, by the seed. Students that learn in steps take
1 500 steps, a quarter of their default, perceptrons have two layers of 64 units, and boosted trees
300 trees at a rate of 0.1 on 50 000 rows.

What is measured goes to ``benchmarks/results/techniques.json``, cell by cell, and is not measured
again; the tables that are printed also go into ``docs/techniques.md``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import explain_distill as xd
from explain_distill.attribution.shapley import Draws, sampled_shapley
from explain_distill.metrics.attribution import rank_correlation
from explain_distill.metrics.fidelity import score_r2

RESULTS = Path(__file__).parent / "results" / "techniques.json"
PAGE = Path(__file__).parents[1] / "docs" / "techniques.md"
FIRST, LAST = "<!-- measured: first -->\n", "<!-- measured: last -->\n"
TABLES = (
    "breast-cancer",
    "wine",
    "heart-disease",
    "pima-diabetes",
    "parkinsons",
    "german-credit",
    "diabetes",
    "magic",
    "compas",
    "adult",
)
MOST_TRAINING_ROWS, MOST_TEST_ROWS, MOST_ATTRIBUTED = 4000, 500, 50
FIRST_PAIRS, MOST_PAIRS = 32, 256  # of permutations a row: forth and back
ENOUGH = 0.95
STEPS, TREES, ROWS = 1500, 300, 50_000

STUDENTS: dict[str, Callable[[], Any]] = {
    "soft-tree": lambda: xd.SoftTree(depth=4, n_steps=STEPS),
    "mlp": lambda: xd.MLP(hidden=(64, 64), n_steps=STEPS),
    "boosted-trees": lambda: xd.BoostedTrees(n_trees=TREES, learning_rate=0.1),
}
TRANSFERS: dict[str, dict[str, Any]] = {
    "coalitions": {},
    "training-rows": {"transfer": xd.TrainingRows()},
    "munge": {"transfer": xd.Munge(ROWS)},
    "conditional-coalitions": {"transfer": xd.ConditionalCoalitions(ROWS)},
    "coalitions+munge": {"transfer": xd.Mixture(xd.Coalitions(ROWS), xd.Munge(ROWS))},
}
ADDED: dict[str, dict[str, Any]] = {
    "temperature 3": {"temperature": 3.0},
    "hard weight 0.3": {"hard_weight": 0.3},
    "spread weights": {"techniques": [xd.SpreadWeights()]},
    "attribution matching": {"techniques": [xd.AttributionMatching()]},
    "gradient matching": {"techniques": [xd.GradientMatching()]},
    "active queries": {"techniques": [xd.ActiveQueries()]},
    "hints": {"techniques": [xd.Hints()]},
    "training-rows, attribution matching": {
        "transfer": xd.TrainingRows(),
        "techniques": [xd.AttributionMatching()],
    },
    "training-rows, gradient matching": {
        "transfer": xd.TrainingRows(),
        "techniques": [xd.GradientMatching()],
    },
}
RECIPES = {**TRANSFERS, **ADDED}


def suits(student: str, recipe: str) -> bool:
    """Whether a student can learn so, and it is worth measuring."""
    if student == "boosted-trees":
        return recipe in TRANSFERS or recipe == "spread weights"
    return recipe != "hints" or student == "mlp"


class Problem:
    """A table with its teacher, and the teacher's own answers and reasons on test rows."""

    def __init__(self, table: str, seed: int) -> None:
        train, test = xd.load_dataset(table).split(seed=seed)
        rng = np.random.default_rng(seed)
        self.train = train.take(np.sort(rng.permutation(len(train))[:MOST_TRAINING_ROWS]))
        self.test = test.take(np.sort(rng.permutation(len(test))[:MOST_TEST_ROWS]))
        self.teacher = xd.NeuralTeacher(activation="silu", seed=seed).fit(self.train)
        self.attributed = self.test.X[:MOST_ATTRIBUTED]
        self.score = self.teacher.predict_score(self.test.X)
        n_pairs, self.ceiling = FIRST_PAIRS, 0.0
        while self.ceiling < ENOUGH and n_pairs <= MOST_PAIRS:
            shape = (len(self.attributed), self.train.X.shape[1], n_pairs, len(self.train))
            self.draws, again = (Draws.draw(*shape, rng) for _ in range(2))
            self.reasons = self._reasons(self.teacher.predict_score, self.draws)
            independent = self._reasons(self.teacher.predict_score, again)
            self.ceiling = float(rank_correlation(self.reasons, independent).mean())
            n_pairs *= 2

    def judge(self, student: xd.Student) -> dict[str, float]:
        """Compare a fitted student with the teacher on the test rows."""
        score = student.predict_score(self.test.readable())
        readable = self.train.readable_features.transform
        reasons = self._reasons(lambda rows: student.predict_score(readable(rows)), self.draws)
        figures = {
            "score_r2": score_r2(self.score, score),
            "rank_correlation": float(rank_correlation(self.reasons, reasons).mean()),
        }
        if self.train.task.kind == "classification":
            figures["agreement"] = float((self.score.argmax(1) == score.argmax(1)).mean())
        return figures

    def _reasons(self, score: Callable[[np.ndarray], np.ndarray], draws: Draws) -> np.ndarray:
        return sampled_shapley(score, self.attributed, self.train.X, draws).values


def cell(problem: Problem, student: str, recipe: str, seed: int) -> dict[str, float]:
    """Distil one student by one recipe, and judge it."""
    options = {"transfer": xd.Coalitions(ROWS), **RECIPES[recipe]}
    started = time.process_time()
    fitted = xd.distill(problem.teacher, STUDENTS[student](), problem.train, seed=seed, **options)
    seconds = time.process_time() - started
    return {"fit_cpu_seconds": seconds, **problem.judge(fitted)}


def cells(seeds: list[int], tables: list[str]) -> Iterator[tuple[str, int, str, str]]:
    """Name every cell: table, seed, student, recipe."""
    for seed in seeds:
        for table in tables:
            for student in STUDENTS:
                for recipe in RECIPES:
                    if suits(student, recipe):
                        yield table, seed, student, recipe


def measure(seeds: list[int], tables: list[str]) -> None:
    """Measure every cell that is not in the results yet."""
    runs = json.loads(RESULTS.read_text())["runs"] if RESULTS.exists() else []
    done = {(run["table"], run["seed"], run["student"], run["recipe"]) for run in runs}
    problem: Problem | None = None
    at = ("", -1)
    for table, seed, student, recipe in cells(seeds, tables):
        if (table, seed, student, recipe) in done:
            continue
        if problem is None or at != (table, seed):
            problem, at = Problem(table, seed), (table, seed)
        figures = cell(problem, student, recipe, seed) | {"ceiling": problem.ceiling}
        rounded = {name: round(value, 5) for name, value in figures.items()}
        names = {"table": table, "seed": seed, "student": student, "recipe": recipe}
        runs.append(names | rounded)
        print(*names.values(), rounded, flush=True)
        RESULTS.parent.mkdir(exist_ok=True)
        kept = {"steps": STEPS, "trees": TREES, "rows": ROWS, "runs": runs}
        RESULTS.write_text(json.dumps(kept, indent=1) + "\n")


def shown() -> str:
    """Give what was measured as a Markdown table for each student: means over tables and seeds."""
    import pandas as pd

    runs = pd.DataFrame(json.loads(RESULTS.read_text())["runs"])
    place = ["table", "seed", "student"]
    plain = runs[runs["recipe"] == "coalitions"].set_index(place)
    plain = plain[["fit_cpu_seconds", "rank_correlation"]].add_suffix("_plain")
    runs = runs.join(plain, on=place)
    runs["cost"] = runs["fit_cpu_seconds"] / runs["fit_cpu_seconds_plain"]
    runs["better"] = (runs["rank_correlation"] > runs["rank_correlation_plain"]).astype(float)
    parts = []
    for student in STUDENTS:
        mine = runs[runs["student"] == student]
        lines = [
            f"**{student}**, {mine['table'].nunique()} tables, ceiling of the reasons "
            f"{mine.groupby(place)['ceiling'].first().mean():.3f}",
            "",
            "| recipe | agreement | score R² | reasons | worst | better reasons on | cost |",
            "|---|---|---|---|---|---|---|",
        ]
        for recipe in RECIPES:
            some = mine[mine["recipe"] == recipe]
            if some.empty:
                continue
            better = "" if recipe == "coalitions" else f"{some['better'].sum():.0f} of {len(some)}"
            reasons = some["rank_correlation"]
            lines.append(
                f"| {recipe} | {some['agreement'].mean():.3f} | {some['score_r2'].mean():.3f} | "
                f"{reasons.mean():.3f} | {reasons.min():.3f} | {better} | "
                f"{some['cost'].median():.1f} |"
            )
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--show", action="store_true", help="print what was measured before")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if not arguments.show:
        seeds = [int(seed) for seed in arguments.seeds.split(",")]
        measure(seeds, arguments.tables.split(","))
    print(shown())
    before, _, rest = PAGE.read_text().partition(FIRST)
    PAGE.write_text(f"{before}{FIRST}\n{shown()}\n\n{LAST}{rest.partition(LAST)[2]}")


if __name__ == "__main__":
    main()
