"""Rows, and what models say of one: answers, probabilities, the way through a tree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from explain_distill._types import FloatArray, IntArray
from explain_distill.app import words
from explain_distill.app.shares import leading
from explain_distill.audit.comparison import Comparison
from explain_distill.data.dataset import Dataset, Task
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.report.reading import known_rows
from explain_distill.report.tree_drawing import draw_tree
from explain_distill.students.nodes import (
    ReadableTree,
    answer_of_leaf,
    tree_nodes,
    unweighed_nodes,
)
from explain_distill.study.study import Study

MOST_CLASSES = 8
"""How many classes' probabilities are shown of one row."""

LEAF = "its leaf"
"""The name of the student's leaf among the models of `probabilities_table`."""

DEEPEST_DRAWN = 8
TREE_WIDTH = 1000


def distances(comparison: Comparison, name: str) -> FloatArray:
    """Give the distance between a student's scores and the teacher's, of each attributed row."""
    rows = comparison.reasons.rows
    gap = comparison.scores[name][rows] - comparison.scores["teacher"][rows]
    return np.asarray(np.sqrt(np.square(gap).sum(axis=1)))


def row_order(comparison: Comparison, name: str, apart: bool) -> IntArray:
    """Give the places of the attributed rows: as they come, or the furthest apart first."""
    if not apart:
        return np.arange(len(comparison.reasons.rows))
    return np.argsort(-distances(comparison, name), kind="stable")


def answers(
    comparison: Comparison,
    models: Sequence[str],
    task: Task,
    place: int,
    leaf: Sequence[float] | None = None,
) -> list[tuple[str, str]]:
    """Say truth (where kept) and what models and a leaf answer to an attributed row."""
    row = int(comparison.reasons.rows[place])
    told = []
    if comparison.data is not None:
        told.append(("truth", words.truth(task, float(comparison.data.y[row]))))
    told += [(name, words.answer(task, comparison.scores[name][row])) for name in models]
    if leaf is not None:
        told.append((LEAF, words.output(task, leaf)))
    return told


def tree_svg(study: Study, tree: ReadableTree, row: int | None = None) -> str:
    """Draw a tree as its training rows take it, and the way of one test row through it.

    Where no rows were kept, all branches are equally thick.
    """
    rows, data = known_rows(study), study.comparison.data
    nodes = unweighed_nodes(tree) if rows is None else tree_nodes(tree, rows)
    followed = None
    if row is not None and data is not None:
        followed = tree_nodes(tree, readable_row(data, row))
    weighed = rows is not None or followed is not None
    return draw_tree(nodes, study.about.task, followed=followed, weighed=weighed, width=TREE_WIDTH)


def readable_row(data: Dataset, row: int) -> FloatArray:
    """Give one test row as readable features: ``(1, n_readable)``."""
    return data.readable_features.transform(data.X[[row]])


def leaf_output(tree: ReadableTree, readable: FloatArray) -> tuple[float, ...]:
    """Give the answer of the leaf that holds most of a row: probabilities, or a value."""
    return tuple(answer_of_leaf(tree, readable).tolist())


def probabilities_table(
    comparison: Comparison, name: str, task: Task, row: int, leaf: Sequence[float] | None = None
) -> pd.DataFrame:
    """Give the class probabilities of one test row by teacher, student and the student's leaf.

    Returns
    -------
    DataFrame
        ``model``, ``class``, ``probability`` and ``text``, at most `MOST_CLASSES` classes, from
        the teacher's most probable one.
    """
    told = {
        model: probabilities_of_score(comparison.scores[model][[row]])[0]
        for model in ("teacher", name)
    }
    if leaf is not None:
        told[LEAF] = np.asarray(leaf)
    chosen = leading(np.stack(list(told.values())), MOST_CLASSES)
    return pd.DataFrame(
        [
            {
                "model": model,
                "class": task.class_names[code],
                "probability": float(found[code]),
                "text": f"{found[code]:.3f}",
            }
            for code in chosen
            for model, found in told.items()
        ]
    )
