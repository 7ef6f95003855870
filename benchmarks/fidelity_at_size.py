"""How often trees of one size disagree with their teacher: this package's and other tools'.

    python3.11 -m venv .venv-other-tools
    .venv-other-tools/bin/pip install -r benchmarks/other_tools.txt
    python benchmarks/fidelity_at_size.py
    python benchmarks/fidelity_at_size.py --show

A table and a seed make a split and a teacher, the default `NeuralTeacher`. Every tool gets the same
training rows, the same teacher and the same number of leaves; the test rows are seen once, to count
on how many the tree and the teacher disagree:

- classification: another most probable class;
- regression: a value further from the teacher's than a quarter of the standard deviation of the
  teacher's values on the training rows. The limit is a choice, so the share of the teacher's
  variance that the tree leaves unexplained, 1 - R², is kept beside it.

Of a table with more rows, 6 000 training and 2 000 test rows are drawn by the seed. The trees:

- soft-tree, soft-tree-5, decision-tree: this package's, with the defaults of `xd.distill`; -5 has
  at most 5 features a gate. They learn on coalitions of the training rows that the teacher labels.
- cart-labels, cart-probabilities: scikit-learn's trees on the teacher's classes, and on its
  probabilities, the largest being the answer (for regression both are the same tree).
- trustee, mimic, figs: see other_tools.py. They run in an environment of their own.

What is measured goes to ``benchmarks/results/fidelity-at-size.json``, tree by tree, and is not
measured again; teachers are kept in ``benchmarks/.cache``.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fidelity_summary
import numpy as np
import torch
from fidelity_results import Measured
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import explain_distill as xd

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "fidelity-at-size.json"
TABLES = (
    "breast-cancer",
    "wine",
    "digits",
    "heart-disease",
    "pima-diabetes",
    "german-credit",
    "parkinsons",
    "magic",
    "adult",
    "compas",
    "letter-recognition",
    "diabetes",
)
LEAVES = (8, 16, 32)
MOST_TRAINING_ROWS, MOST_TEST_ROWS = 6000, 2000
LIMIT = 0.25  # of the standard deviation of the teacher's values

STUDENTS: dict[str, Callable[[int], xd.Student]] = {
    "soft-tree": lambda leaves: xd.SoftTree(depth=leaves.bit_length() - 1),
    "soft-tree-5": lambda leaves: xd.SoftTree(depth=leaves.bit_length() - 1, max_features=5),
    "decision-tree": lambda leaves: xd.DecisionTree(max_leaves=leaves),
}
CART = ("cart-labels", "cart-probabilities")
OTHERS = ("trustee", "mimic", "figs")


@dataclass(frozen=True)
class Problem:
    """One table and seed: the rows, the teacher, and what it says of them.

    Parameters
    ----------
    table : str
    seed : int
    train, test : Dataset
    teacher : NeuralTeacher
    """

    table: str
    seed: int
    train: xd.Dataset
    test: xd.Dataset
    teacher: xd.NeuralTeacher

    @classmethod
    def make(cls, table: str, seed: int, cache: Path) -> Problem:
        """Split the table; train the teacher, or take it from the cache."""
        rng = np.random.default_rng(seed)
        train, test = xd.load_dataset(table).split(seed=seed)
        train = drawn(train, MOST_TRAINING_ROWS, rng)
        folder = cache / f"{table}-{seed}"
        return cls(
            table, seed, train, drawn(test, MOST_TEST_ROWS, rng), teacher_of(train, seed, folder)
        )

    @property
    def classify(self) -> bool:
        """Whether the teacher is a classifier."""
        return self.train.task.kind == "classification"

    def labels(self) -> np.ndarray:
        """Give probabilities ``(n_train, n_classes)`` or values ``(n_train,)``."""
        predict = self.teacher.predict_proba if self.classify else self.teacher.predict
        return np.asarray(predict(self.train.X))

    def judge(self, answers: np.ndarray) -> dict[str, Any]:
        """Compare a tree's classes or values of the test rows ``(n_test,)`` with the teacher's."""
        said = self.teacher.predict(self.test.X)
        if self.classify:
            return counted(answers != said)
        error = np.abs(answers - said)
        unexplained = float(np.square(error).sum() / np.square(said - said.mean()).sum())
        return counted(error > LIMIT * self.labels().std()) | {"unexplained": round(unexplained, 6)}

    def about(self) -> dict[str, Any]:
        """Say how many rows there are, and how well the teacher performs."""
        groups = self.test.groups
        right, said = self.test.y, self.teacher.predict(self.test.X)
        fit = 1 - np.square(right - said).sum() / np.square(right - right.mean()).sum()
        return {
            "table": self.table,
            "seed": self.seed,
            "n_train": len(self.train),
            "n_test": len(self.test),
            "teacher": round(float((right == said).mean() if self.classify else fit), 4),
            "groups": None if groups is None else groups.tolist(),
        }


def drawn(data: xd.Dataset, most: int, rng: np.random.Generator) -> xd.Dataset:
    """Draw at most so many rows, without replacement and in their order."""
    if len(data) <= most:
        return data
    return data.take(np.sort(rng.choice(len(data), size=most, replace=False)))


def teacher_of(train: xd.Dataset, seed: int, folder: Path) -> xd.NeuralTeacher:
    """Train a teacher and keep it, or read the one that was kept."""
    config = folder / "config.json"
    if config.exists():
        return xd.NeuralTeacher.read(folder, json.loads(config.read_text()))
    teacher = xd.NeuralTeacher(seed=seed).fit(train)
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(teacher.write(folder)))
    return teacher


def counted(missed: np.ndarray) -> dict[str, Any]:
    """Give the share of rows that disagree, and which they are, as base64 of packed bits."""
    return {
        "disagreement": round(float(missed.mean()), 6),
        "rows": base64.b64encode(np.packbits(missed).tobytes()).decode(),
    }


def student(problem: Problem, tool: str, leaves: int) -> np.ndarray:
    """Distil one of this package's trees; give its answers for the test rows."""
    tree = xd.distill(problem.teacher, STUDENTS[tool](leaves), problem.train, seed=problem.seed)
    score = tree.predict_score(problem.test.readable())
    return score.argmax(axis=1) if problem.classify else score[:, 0]


def cart(problem: Problem, tool: str, leaves: int) -> np.ndarray:
    """Fit one of scikit-learn's trees to what the teacher says of the training rows."""
    labels, rows = problem.labels(), problem.train.readable()
    options = {"max_leaf_nodes": leaves, "random_state": problem.seed}
    if problem.classify and tool == "cart-labels":
        tree = DecisionTreeClassifier(**options).fit(rows, labels.argmax(axis=1))
        return np.asarray(tree.predict(problem.test.readable()))
    outputs = DecisionTreeRegressor(**options).fit(rows, labels).predict(problem.test.readable())
    return np.asarray(outputs.argmax(axis=1) if problem.classify else outputs)


def others(
    problem: Problem, wanted: Sequence[tuple[str, int]], python: Path, cache: Path
) -> Iterator[tuple[str, int, np.ndarray, float]]:
    """Have other tools fit their trees in their environment; give answers and seconds of each."""
    source, target = cache / "rows.npz", cache / "answers.npz"
    np.savez(
        source,
        train=problem.train.readable(),
        labels=problem.labels(),
        test=problem.test.readable(),
    )
    names = [f"{tool}-{leaves}" for tool, leaves in wanted]
    command = [python, HERE / "other_tools.py", source, target, ",".join(names), problem.seed]
    subprocess.run(list(map(str, command)), check=True)
    with np.load(target) as found:
        for (tool, leaves), name in zip(wanted, names, strict=True):
            yield tool, leaves, found[name], float(found[f"{name}-seconds"])


def measure(
    problem: Problem, wanted: Sequence[tuple[str, int]], python: Path, cache: Path
) -> Iterator[dict[str, Any]]:
    """Fit and judge the trees that are wanted; one result a tree."""
    foreign = [(tool, leaves) for tool, leaves in wanted if tool in OTHERS]
    for tool, leaves in wanted:
        if tool not in OTHERS:
            started = time.perf_counter()
            answers = (student if tool in STUDENTS else cart)(problem, tool, leaves)
            seconds = time.perf_counter() - started
            yield result(problem, tool, leaves, answers, seconds)
    if foreign:
        for tool, leaves, answers, seconds in others(problem, foreign, python, cache):
            yield result(problem, tool, leaves, answers, seconds)


def result(
    problem: Problem, tool: str, leaves: int, answers: np.ndarray, seconds: float
) -> dict[str, Any]:
    """Describe one tree."""
    named = {"table": problem.table, "seed": problem.seed, "tool": tool, "leaves": leaves}
    return named | problem.judge(answers) | {"seconds": round(seconds, 2)}


def main() -> None:
    """Measure what is missing among what the arguments name, or show what was measured."""
    every = (*CART, *OTHERS, *STUDENTS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--tools", default=",".join(every), help=f"of {', '.join(every)}")
    parser.add_argument("--other-python", type=Path, default=Path(".venv-other-tools/bin/python"))
    parser.add_argument("--cache", type=Path, default=HERE / ".cache")
    parser.add_argument("--show", action="store_true", help="print what was measured")
    parser.add_argument("--figure", type=Path, help="draw what was measured into this file")
    arguments = parser.parse_args()
    measured = Measured.read(RESULTS)
    if arguments.figure:
        fidelity_summary.draw(measured, arguments.figure)
    if arguments.show:
        fidelity_summary.show(measured)
    if arguments.show or arguments.figure:
        return
    torch.set_num_threads(1)
    for seed in map(int, arguments.seeds.split(",")):
        for table in arguments.tables.split(","):
            tools = arguments.tools.split(",")
            wanted = measured.missing(table, seed, [(t, n) for t in tools for n in LEAVES])
            if not wanted:
                continue
            problem = Problem.make(table, seed, arguments.cache)
            measured.about(problem.about())
            for found in measure(problem, wanted, arguments.other_python, arguments.cache):
                measured.add(found)
                measured.write(RESULTS)
                print({key: value for key, value in found.items() if key != "rows"}, flush=True)


if __name__ == "__main__":
    main()
