"""Figures with their intervals as tables: results in, what charts draw out."""

from __future__ import annotations

import numpy as np
import pandas as pd

from explain_distill.app import words
from explain_distill.audit.comparison import Comparison
from explain_distill.report.front import TEST_FIGURES
from explain_distill.report.wording import FIGURES, called
from explain_distill.study.study import Study

FAMILIES = (
    *("fidelity", "attribution", "faithfulness", "deferral"),
    *("performance", "complexity", "cost"),
)
"""In the order in which figures are shown."""


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
    """Give all figures of the leading students, a row a metric and a column a model.

    Returns
    -------
    DataFrame of str
        Indexed by the metric's name; the first column says which direction is better.
    """
    comparison = study.leading
    families = dict.fromkeys(m.metric.partition(".")[0] for m in comparison.metrics)
    order = [*FAMILIES, *(family for family in families if family not in FAMILIES)]
    metrics = [metric for family in order for metric in measured(comparison, family)]
    named = [called(metric, study.about.task, study.about.price) for metric in metrics]
    cells: dict[str, list[str]] = {
        "Better": [name.better.removesuffix(" is better") or "–" for name in named]
    }
    for model in comparison.models:
        found = [comparison.get(model, metric) for metric in metrics]
        cells[model] = ["–" if m is None else words.figure(m) for m in found]
    return pd.DataFrame(cells, index=[name.name for name in named])


def sizes_table(study: Study) -> pd.DataFrame:
    """Give the leading figures of every student on test rows: a row a student, a column a metric.

    Returns
    -------
    DataFrame of str
        Indexed by the student's name.
    """
    comparison = study.comparison
    known = [m for m in TEST_FIGURES if any(found.metric == m for found in comparison.metrics)]
    cells = {
        called(metric, study.about.task).name: [
            "–" if (found := comparison.get(name, metric)) is None else words.figure(found)
            for name in comparison.students
        ]
        for metric in known
    }
    return pd.DataFrame(cells, index=list(comparison.students))
