"""Attributions as tables: over many rows, and of one row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from explain_distill._types import FloatArray
from explain_distill.app import words
from explain_distill.attribution.base import Attributions
from explain_distill.audit.comparison import Comparison
from explain_distill.data.features import Schema
from explain_distill.data.molecules import present_kinds
from explain_distill.metrics.attribution import importance
from explain_distill.report.short_names import short_names

TOP = 15
"""How many features are shown unless more are asked for."""

FEW = 20
"""Up to so many features all are shown, without a choice."""

DIGITS = 6
"""Significant digits of a row's raw value."""


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
    if schema.molecules is not None:
        return "present" if present_kinds(row[None])[0, column] else "absent"
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
