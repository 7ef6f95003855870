"""A model's own attributions, for showing: by the method that suits its kind."""

from __future__ import annotations

import numpy as np

from explain_distill._gradients import GradientModel
from explain_distill._types import FloatArray, Rows, Scores
from explain_distill.attribution.additive import additive_shapley
from explain_distill.attribution.base import Attributions, exact_for
from explain_distill.attribution.gradients import expected_gradients
from explain_distill.attribution.shapley import Draws, sampled_shapley, tree_shapley
from explain_distill.attribution.tree_shapley import decision_tree_shapley
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.metrics.scores import checked_scores
from explain_distill.students.additive import Additive
from explain_distill.students.base import Student
from explain_distill.students.boosted_trees import BoostedTrees
from explain_distill.students.decision_tree import DecisionTree
from explain_distill.teachers.base import Teacher

Model = Teacher | Student


def score_rows(model: Model, rows: Rows, features: ReadableFeatures) -> Scores:
    """Score raw rows ``(n, n_columns)`` by a teacher or a student: ``(n, n_scores)``.

    Raises
    ------
    DataError
        Where the scores are not of the form (see `checked_scores`).
    """
    if isinstance(model, Student):
        told = model.predict_score(features.transform(rows))
    else:
        told = model.predict_score(rows)
    return checked_scores(told, len(rows), type(model).__name__)


def own_attributions(
    model: Model, rows: Rows, background: Rows, features: ReadableFeatures, draws: Draws
) -> Attributions:
    """Attribute the score by the method that suits the model.

    Trees of constant leaves get exact interventional TreeSHAP, additive models exact Shapley values
    in closed form, models with gradients get expected gradients, and any other model, or any model
    of molecules, the sampled Shapley values.

    Parameters
    ----------
    model : Teacher or Student
    rows, background : ndarray of shape (n_samples, n_columns) and (n_background, n_columns)
        Raw rows.
    features : ReadableFeatures
    draws : Draws
        For a model without a method of its own; they number the rows of `background`.

    Returns
    -------
    Attributions
        By raw column. They add up to the score.
    """
    if features.of_molecules:  # a readable feature belongs to no fragment alone
        return sampled_shapley(lambda r: score_rows(model, r, features), rows, background, draws)
    if isinstance(model, BoostedTrees):
        told = tree_shapley(model, features.transform(rows), features.transform(background))
        shares = by_column(told[:, :-1], features.columns, len(features.schema))
        return Attributions(shares, told[:, -1], exact_for(background, "TreeSHAP"))
    if isinstance(model, DecisionTree) and model.linear_leaves_ is None:
        return decision_tree_shapley(model, rows, background, features)
    if isinstance(model, Additive):
        told, base = additive_shapley(
            model, features.transform(rows), features.transform(background)
        )
        shares = by_column(told, features.columns, len(features.schema))
        base = np.tile(base, (len(rows), 1))
        return Attributions(shares, base, exact_for(background))
    gradients = model.gradient_model()
    if gradients is None:
        return sampled_shapley(lambda r: score_rows(model, r, features), rows, background, draws)
    inputs, origins = _inputs_of(model, gradients, rows, background, features)
    prepared = expected_gradients(gradients, *inputs)
    shares = by_column(prepared, origins, len(features.schema))
    base = score_rows(model, background, features).mean(axis=0)
    base = np.tile(base, (len(rows), 1))
    how = (
        f"expected gradients (integrated gradients from each of {len(background)} background rows)"
    )
    return Attributions(shares, base, how)


def _inputs_of(
    model: Model,
    gradients: GradientModel,
    rows: Rows,
    background: Rows,
    features: ReadableFeatures,
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Give a model's inputs, and the raw column of each of its prepared columns."""
    origins = features.columns[gradients.origin]
    if isinstance(model, Student):
        return (features.transform(rows), features.transform(background)), origins
    return (rows, background), origins


def by_column(values: FloatArray, columns: np.ndarray, n_columns: int) -> FloatArray:
    """Add shares ``(n, n_parts, n_scores)`` up to raw columns ``(n, n_columns, n_scores)``."""
    membership = columns[:, None] == np.arange(n_columns)
    return np.einsum("npk,pc->nck", values, membership.astype(np.float64))
