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

- soft-tree, soft-tree-5, decision-tree, model-tree: this package's, with the defaults of
  `xd.distill`; -5 has at most 5 features a gate. All leaves are constant but those of model-tree,
  a decision tree whose leaves are sums of at most 8 features. They learn on coalitions of the
  training rows that the teacher labels.
- cart-labels, cart-probabilities: scikit-learn's trees on the teacher's classes, and on its
  probabilities, the largest being the answer (for regression both are the same tree).
- trustee, mimic, figs, figs-splits: see other_tools.py. They run in an environment of their own.

What is measured goes to ``benchmarks/results/fidelity-at-size.json``, tree by tree, and is not
measured again; teachers are kept in ``benchmarks/.cache``.
"""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import fidelity_summary
import numpy as np
import torch
from fidelity_problem import Problem
from fidelity_results import Measured
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from tables import TABLES

import explain_distill as xd

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "fidelity-at-size.json"
LEAVES = (8, 16, 32)

STUDENTS: dict[str, Callable[[int], xd.Student]] = {
    "soft-tree": lambda leaves: soft_tree(leaves),
    "soft-tree-5": lambda leaves: soft_tree(leaves, max_features=5),
    "decision-tree": lambda leaves: xd.DecisionTree(max_leaves=leaves),
    "model-tree": lambda leaves: xd.DecisionTree(max_leaves=leaves, leaves="linear"),
}
CART = ("cart-labels", "cart-probabilities")
OTHERS = ("trustee", "mimic", "figs", "figs-splits")


def soft_tree(leaves: int, max_features: int | None = None) -> xd.SoftTree:
    """Give a tree of constant leaves, as those of the other tools are."""
    depth = leaves.bit_length() - 1
    return xd.SoftTree(depth=depth, max_features=max_features, leaves="constant")


def student(problem: Problem, tool: str, leaves: int) -> np.ndarray:
    """Distil one of this package's trees; give its answers for the test rows."""
    tree = xd.distill(problem.remembering, STUDENTS[tool](leaves), problem.train, seed=problem.seed)
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
) -> Iterator[np.ndarray]:
    """Have other tools fit their trees in their environment; give the answers of each."""
    folder = cache / f"{problem.table}-{problem.seed}"
    source, target = folder / "rows.npz", folder / "answers.npz"
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
        yield from (found[name] for name in names)


def measure(
    problem: Problem, wanted: Sequence[tuple[str, int]], python: Path, cache: Path
) -> Iterator[dict[str, Any]]:
    """Fit and judge the trees that are wanted; one result a tree."""
    foreign = [(tool, leaves) for tool, leaves in wanted if tool in OTHERS]
    for tool, leaves in wanted:
        if tool not in OTHERS:
            fit = student if tool in STUDENTS else cart
            yield result(problem, tool, leaves, fit(problem, tool, leaves))
    if foreign:
        answers = others(problem, foreign, python, cache)
        for (tool, leaves), said in zip(foreign, answers, strict=True):
            yield result(problem, tool, leaves, said)


def result(problem: Problem, tool: str, leaves: int, answers: np.ndarray) -> dict[str, Any]:
    """Describe one tree."""
    named = {"table": problem.table, "seed": problem.seed, "tool": tool, "leaves": leaves}
    return named | problem.judge(answers)


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
        print(fidelity_summary.shown(measured))
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
            for found in measure(problem, wanted, arguments.other_python, arguments.cache):
                measured = Measured.read(RESULTS)  # others may write it too
                measured.add(problem.about(), found)
                measured.write(RESULTS)
                print({key: value for key, value in found.items() if key != "rows"}, flush=True)


if __name__ == "__main__":
    main()
