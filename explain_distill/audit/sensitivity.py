"""How much a model's own attributions change where a row moves a little."""

from __future__ import annotations

import numpy as np

from explain_distill._types import FloatArray, IntArray, Rows
from explain_distill.attribution.own import Model, own_attributions, score_rows
from explain_distill.attribution.shapley import Draws
from explain_distill.audit.effort import FULL
from explain_distill.data.features import Schema
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.metrics.intervals import Estimate, mean

RADIUS = 0.02  # of a column's standard deviation among the background rows
MOVES = 4  # of each row; the largest of more would be larger
BACKGROUND, LEAST_BACKGROUND = 8, 4  # background rows, shared out over the scores
PAIRS = 8  # of permutations a row, for a model without a method of its own


def sensitivity(
    model: Model,
    rows: Rows,
    background: Rows,
    features: ReadableFeatures,
    rng: np.random.Generator,
    groups: IntArray | None = None,
    n_rows: int = FULL.sensitive_rows,
) -> Estimate | None:
    """Estimate the mean over rows of a model's max-sensitivity; 0 to infinity, 0 is perfect.

    Each row is moved `MOVES` times at random: each number in it, uniformly, by at most `RADIUS` of
    its column's standard deviation among the background rows; categories, yes-or-no columns and
    missing cells stay. A row and its moves are attributed by the model's own method, on the same
    background rows and draws. Low is good, yet a model that truly changes fast is no less faithful
    for it.

    Parameters
    ----------
    model : Teacher or Student
    rows, background : ndarray of shape (n_samples, n_columns) and (n_background, n_columns)
        Raw rows.
    features : ReadableFeatures
    rng : Generator
        Where its state is the same, each model is told of the same rows and moves.
    groups : ndarray of shape (n_samples,), optional
        Rows that belong together.
    n_rows : int, default=16
        How many of the rows are moved, at most.

    Returns
    -------
    Estimate or None
        None where no column can be moved: each is a category, or always the same.
    """
    radii = move_radii(background, features.schema)
    if not radii.any():
        return None
    chosen = np.sort(rng.permutation(len(rows))[:n_rows])
    moved = random_moves(rows[chosen], radii, rng)
    n, n_columns = len(chosen), rows.shape[1]
    n_scores = score_rows(model, rows[:1], features).shape[1]
    n_shown = max(LEAST_BACKGROUND, BACKGROUND // max(1, n_scores - 1))
    shown = background[rng.permutation(len(background))[:n_shown]]
    draws = Draws.draw(n, n_columns, PAIRS, len(shown), rng)
    together = np.concatenate([rows[chosen][:, None], moved], axis=1).reshape(-1, n_columns)
    orders, places = (
        np.repeat(part, 1 + MOVES, axis=0) for part in (draws.orders, draws.background)
    )
    told = own_attributions(model, together, shown, features, Draws(orders, places)).values
    told = told.reshape(n, 1 + MOVES, -1)  # each row, then its moves
    among = None if groups is None else groups[chosen]
    return mean(max_sensitivity(told[:, 0], told[:, 1:]), among, within=(0, np.inf))


def max_sensitivity(values: FloatArray, moved: FloatArray) -> FloatArray:
    """Give the largest relative change of attributions, ``max_m ‖φ(x_m) − φ(x)‖ / ‖φ(x)‖``.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_shares)
        The attributions of each row, φ(x).
    moved : ndarray of shape (n_samples, n_moves, n_shares)
        Of the row as it is moved, φ(x_m).

    Returns
    -------
    ndarray of shape (n_samples,)
        0 to infinity, 0 is perfect. Where a row's attributions are all 0, the change itself.

    References
    ----------
    Yeh, Hsieh, Suggala, Inouye & Ravikumar (2019), On the (in)fidelity and sensitivity of
    explanations; relative to the attributions' norm as in ``captum.metrics.sensitivity_max``.
    """
    size = np.linalg.norm(values, axis=1)
    changes = np.linalg.norm(moved - values[:, None], axis=2).max(axis=1)
    return np.asarray(changes / np.where(size == 0, 1.0, size))


def move_radii(background: Rows, schema: Schema) -> FloatArray:
    """Give how far each column may move: ``(n_columns,)``, 0 for all but numbers."""
    numeric = np.array([feature.kind == "number" for feature in schema.features])
    spread = np.ma.masked_invalid(background).std(axis=0).filled(0.0)
    return np.where(numeric, RADIUS * spread, 0.0)


def random_moves(rows: Rows, radii: FloatArray, rng: np.random.Generator) -> Rows:
    """Move each row at random within the radii: ``(n_samples, n_moves, n_columns)``."""
    steps = rng.uniform(-1.0, 1.0, size=(len(rows), MOVES, rows.shape[1]))
    return np.asarray(rows[:, None] + radii * steps)
