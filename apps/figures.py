"""Results in, tables out: what charts draw and what a test can repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from explain_distill._types import FloatArray, IntArray
from explain_distill.app import words
from explain_distill.attribution.base import Attributions
from explain_distill.audit.compare import Comparison
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.features import Schema
from explain_distill.metrics.attribution import importance
from explain_distill.metrics.scores import probabilities_of_score
from explain_distill.report.reading import known_rows, unweighed_nodes
from explain_distill.report.tree_drawing import draw_tree
from explain_distill.report.wording import FIGURES, called
from explain_distill.students.rules import tree_nodes
from explain_distill.students.soft_tree import SoftTree
from explain_distill.study.study import Study

FAMILIES = ("fidelity", "attribution", "performance", "complexity", "cost")
"""In the order in which figures are shown."""

TOP = 15
"""How many features are shown unless more are asked for."""

FEW = 20
"""Up to so many features all are shown, without a choice."""

LONGEST = 34
"""Characters of a feature's name on an axis."""

MOST_CLASSES = 8
"""How many classes' probabilities are shown of one row."""

DIGITS = 6
"""Significant digits of a row's raw value."""

DEEPEST_DRAWN = 8
TREE_WIDTH = 1000


# -- figures with intervals ------------------------------------------------------------------------


def figures_of(comparison: Comparison, metric: str) -> pd.DataFrame:
    """Give one metric of every model that has it.

    Returns
    -------
    DataFrame
        ``model``, ``value``, ``low``, ``high``, ``n``, ``text`` and ``chance``, a row a model.
    """
    found = [m for name in comparison.models if (m := comparison.get(name, metric)) is not None]
    return pd.DataFrame(
        {
            "model": [m.model for m in found],
            "value": [m.value for m in found],
            "low": [np.nan if m.low is None else m.low for m in found],
            "high": [np.nan if m.high is None else m.high for m in found],
            "n": [m.n for m in found],
            "text": [words.value(m.value, words.form_of(metric)) for m in found],
            "figure": [words.figure(m) for m in found],
            "chance": [np.nan if m.chance is None else m.chance for m in found],
        }
    )


def measured(comparison: Comparison, family: str) -> list[str]:
    """Give the metrics of a family (``"performance"``, say) that were measured, in order."""
    names = dict.fromkeys(m.metric for m in comparison.metrics)
    ordered = [name for name in FIGURES if name in names]
    ordered += [name for name in names if name not in FIGURES]
    return [name for name in ordered if name.startswith(f"{family}.")]


def charted(comparison: Comparison, family: str) -> list[str]:
    """Give the metrics of a family that are drawn: all of them, but none twice.

    The score of a regressor is its value, so that two of its R² are the same figure.
    """
    names = measured(comparison, family)
    return [n for n in names if n != "fidelity.score_r2" or "fidelity.r2" not in names]


def against_size(comparison: Comparison, metric: str) -> pd.DataFrame:
    """Give a metric of every student that has a size on disk, with that size as ``bytes``."""
    table = figures_of(comparison, metric)
    table = table[table["model"] != "teacher"].reset_index(drop=True)
    sizes = [n_bytes(comparison, name) for name in table["model"]]
    table["bytes"] = [np.nan if size is None else size for size in sizes]
    table["size"] = ["" if size is None else words.size(size) for size in sizes]
    return table[table["bytes"].notna()].reset_index(drop=True)


def n_bytes(comparison: Comparison, name: str) -> float | None:
    """Give a model's size on disk; None where it could not be kept."""
    found = comparison.get(name, "cost.bytes")
    return None if found is None else found.value


def figure_table(study: Study) -> pd.DataFrame:
    """Give all figures, a row a metric and a column a model, an interval beside each.

    Returns
    -------
    DataFrame of str
        Indexed by the metric's name; the first column says which direction is better.
    """
    comparison = study.comparison
    families = dict.fromkeys(m.metric.partition(".")[0] for m in comparison.metrics)
    order = [*FAMILIES, *(family for family in families if family not in FAMILIES)]
    metrics = [metric for family in order for metric in measured(comparison, family)]
    named = [called(metric, study.about.task) for metric in metrics]
    cells: dict[str, list[str]] = {
        "Better": [name.better.removesuffix(" is better") or "–" for name in named]
    }
    for model in comparison.models:
        found = [comparison.get(model, metric) for metric in metrics]
        cells[model] = ["–" if m is None else words.figure(m) for m in found]
    return pd.DataFrame(cells, index=[name.name for name in named])


# -- attributions ----------------------------------------------------------------------------------


def importance_table(
    told: Mapping[str, Attributions], names: Sequence[str], score: int, k: int
) -> pd.DataFrame:
    """Give the mean absolute attributions in one score of the leading features.

    Parameters
    ----------
    told : mapping of str to Attributions
        Of the models shown.
    names : sequence of str
        The raw columns.
    score : int
        The class's code, or 0 for regression.
    k : int
        How many features: those that matter most to any of the models.

    Returns
    -------
    DataFrame
        ``model``, ``feature`` (short), ``name``, ``importance`` and ``text``, from the feature
        that matters most to the first model.
    """
    sizes = {model: importance(_told(found)[:, :, [score]]) for model, found in told.items()}
    chosen = leading(np.stack(list(sizes.values())), k)
    labels = short_names(names)
    return pd.DataFrame(
        [
            {
                "model": model,
                "feature": labels[place],
                "name": names[place],
                "importance": float(size[place]),
                "text": words.significant(float(size[place])),
            }
            for place in chosen
            for model, size in sizes.items()
        ]
    )


def rest_of_importance(told: Mapping[str, Attributions], score: int, k: int) -> dict[str, float]:
    """Give the part of each model's importance that lies in the features not shown: 0 to 1."""
    sizes = {model: importance(_told(found)[:, :, [score]]) for model, found in told.items()}
    chosen = leading(np.stack(list(sizes.values())), k)
    return {
        model: float(1 - size[chosen].sum() / max(size.sum(), 1e-300))
        for model, size in sizes.items()
    }


def leading(sizes: FloatArray, k: int) -> list[int]:
    """Choose columns of sizes ``(n_models, n_columns)``.

    Those that matter most to any model, in the order of the first.
    """
    most = np.argsort(-sizes.max(axis=0), kind="stable")[:k]
    return [int(place) for place in most[np.argsort(-sizes[0, most], kind="stable")]]


def shares_table(
    told: Mapping[str, Attributions],
    schema: Schema,
    row: FloatArray | None,
    place: int,
    score: int,
    k: int,
) -> pd.DataFrame:
    """Give one row's attributions in one score.

    Parameters
    ----------
    told : mapping of str to Attributions
        Of the models shown.
    schema : Schema
    row : ndarray of shape (n_columns,) or None
        The row's raw values; None where they were not kept.
    place : int
        Which of the attributed rows.
    score : int
    k : int
        How many features: those with the largest shares in any of the models.

    Returns
    -------
    DataFrame
        ``model``, ``feature`` (short, with its value), ``name``, ``value``, ``share`` and
        ``text``, from the feature with the largest share in the first model; what all further
        features add comes last.
    """
    shares = {model: _told(found)[place, :, score] for model, found in told.items()}
    chosen = leading(np.abs(np.stack(list(shares.values()))), k)
    labels = short_names(schema.names)
    raw = [value_word(schema, row, i) for i in range(len(schema))]
    rows = [
        {
            "model": model,
            "feature": f"{labels[i]} = {raw[i]}" if raw[i] else labels[i],
            "name": schema.names[i],
            "value": raw[i] or "not kept",
            "share": float(share[i]),
        }
        for i in chosen
        for model, share in shares.items()
    ]
    others = [i for i in range(len(schema)) if i not in set(chosen)]
    if others:
        word = f"all {len(others)} others" if len(others) > 1 else "the one other"
        rows += [
            {
                "model": model,
                "feature": word,
                "name": word,
                "value": "",
                "share": float(share[others].sum()),
            }
            for model, share in shares.items()
        ]
    return pd.DataFrame(rows).assign(
        text=lambda table: [words.significant(share) for share in table["share"]]
    )


def _told(found: Attributions) -> FloatArray:
    return found.values  # noqa: PD011 - these are attributions, not a table


def value_word(schema: Schema, row: FloatArray | None, column: int) -> str:
    """Say a row's raw value with its unit; empty where it was not kept."""
    if row is None:
        return ""
    word = schema.features[column].word(float(row[column]), DIGITS)
    return f"−{word[1:]}" if row[column] < 0 else word


def sums_table(
    told: Mapping[str, Attributions],
    comparison: Comparison,
    place: int,
    score: int,
) -> pd.DataFrame:
    """Show that base and shares of a row add up to its score.

    Returns
    -------
    DataFrame
        Indexed by model: ``base``, ``shares``, ``sum`` and ``score``.
    """
    test_row = int(comparison.reasons.rows[place])
    rows = {}
    for model, found in told.items():
        base = float(found.base[place, score])
        shares = float(_told(found)[place, :, score].sum())
        reached = float(comparison.scores[model][test_row, score])
        rows[model] = {"base": base, "shares": shares, "sum": base + shares, "score": reached}
    return pd.DataFrame.from_dict(rows, orient="index")


def sums_words(table: pd.DataFrame) -> pd.DataFrame:
    """Write `sums_table` for a screen."""
    written = table.map(lambda number: words.significant(number, 4))
    return written.rename(
        columns={
            "base": "Base",
            "shares": "All shares together",
            "sum": "Base and shares",
            "score": "The model's score",
        }
    )


def short_names(names: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Shorten long names, and keep them apart: in the middle, or around where they differ."""
    short = [_without_middle(name, longest) for name in names]
    for text, n in Counter(short).items():
        if n > 1:
            alike = [place for place, other in enumerate(short) if other == text]
            apart = _around_difference([names[place] for place in alike], longest)
            for place, told in zip(alike, apart, strict=True):
                short[place] = told
    seen: Counter[str] = Counter()
    for place, text in enumerate(short):
        seen[text] += 1
        if seen[text] > 1:
            short[place] = f"{text} ({seen[text]})"
    return short


def _without_middle(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    head = (longest - 1) // 2
    return f"{name[:head].rstrip()}…{name[head + 1 - longest :].lstrip()}"


def _around_difference(names: Sequence[str], longest: int) -> list[str]:
    """Cut names that begin alike to where they begin to differ."""
    letters = enumerate(zip(*names, strict=False))
    differ = next((place for place, found in letters if len(set(found)) > 1), 0)
    start = max(0, differ - longest // 3)
    ends = start + longest - 2
    return [f"…{name[start:ends].strip()}{'…' if len(name) > ends else ''}" for name in names]


# -- rows ------------------------------------------------------------------------------------------


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


# -- a tree and one row ----------------------------------------------------------------------------


def tree_svg(study: Study, tree: SoftTree, row: int | None = None) -> str:
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


def reached_leaf(tree: SoftTree, readable: FloatArray) -> int:
    """Give the number of the leaf that holds most of a row ``(1, n_readable)``, from 0."""
    return int(tree.log_path_probabilities(readable)[0].argmax())


def leaf_output(tree: SoftTree, readable: FloatArray) -> tuple[float, ...]:
    """Give the answer of the leaf that holds most of a row: probabilities, or a value."""
    nodes = tree_nodes(tree, readable)
    return nodes[2**tree.depth - 1 + reached_leaf(tree, readable)].output


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


LEAF = "its leaf"
"""The name of the student's leaf among the models of `probabilities_table`."""
