"""Interventional Shapley values: sampled for any model, exact for boosted trees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explain_distill._types import FloatArray, IntArray, Rows
from explain_distill.attribution.base import Attributions, ScoreFunction
from explain_distill.students.boosted_trees import BoostedTrees
from explain_distill.students.margins import scores_of_margins

CALL_CELLS, CALL_ROWS = 1 << 22, 1 << 16  # what a model scores at once, at most
TREE_ROWS = 10  # rows a call of TreeSHAP


@dataclass(frozen=True, eq=False)
class Draws:
    """Permutations and background rows, drawn once and used for every model.

    Permutations come in antithetic pairs, an order and its reverse on the same background row, or
    singly.

    Parameters
    ----------
    orders : ndarray of shape (n_samples, n_pairs, n_columns)
    background : ndarray of shape (n_samples, n_pairs)
        The number of a background row for each pair.
    singly : bool, default=False
        Whether an order stands for itself alone, not for its reverse as well.
    """

    orders: IntArray
    background: IntArray
    singly: bool = False

    @classmethod
    def draw(
        cls,
        n_samples: int,
        n_columns: int,
        n_pairs: int,
        n_background: int,
        rng: np.random.Generator,
        singly: bool = False,
    ) -> Draws:
        """Draw `n_pairs` pairs for each row, or as many single permutations."""
        in_order = np.tile(np.arange(n_columns), (n_samples, n_pairs, 1))
        orders = rng.permuted(in_order, axis=2)
        return cls(orders, rng.integers(n_background, size=(n_samples, n_pairs)), singly)

    @property
    def n_permutations(self) -> int:
        """The number of permutations a row: two a pair."""
        return (1 if self.singly else 2) * self.orders.shape[1]

    def join(self, other: Draws) -> Draws:
        """Put further draws of the same rows behind these."""
        return Draws(
            np.concatenate([self.orders, other.orders], axis=1),
            np.concatenate([self.background, other.background], axis=1),
            self.singly,
        )


def sampled_shapley(
    score: ScoreFunction, rows: Rows, background: Rows, draws: Draws
) -> Attributions:
    """Estimate interventional Shapley values of the score by antithetic permutations.

    For each permutation the columns move one by one from the background row's value to the row's;
    a column's share is the mean change of the score as it moves. The shares of each permutation
    add up exactly to the score of the row less that of its background row.

    Parameters
    ----------
    score : callable
        Raw rows to scores ``(n, n_scores)``.
    rows : ndarray of shape (n_samples, n_columns)
    background : ndarray of shape (n_background, n_columns)
    draws : Draws

    Returns
    -------
    Attributions
        The base is the mean score of the background rows that were drawn for the row.

    References
    ----------
    Štrumbelj & Kononenko (2014), Explaining prediction models and individual predictions with
    feature contributions. Mitchell, Cooper, Frank & Holmes (2022), Sampling permutations for
    Shapley value estimation (antithetic pairs).
    """
    n_samples, n_pairs, n_columns = draws.orders.shape
    path = 2 * n_columns  # rows of a pair: its two paths, which share their ends
    pairs_a_call = max(1, min(CALL_CELLS // (path * n_columns), CALL_ROWS // path))
    flat_orders = draws.orders.reshape(-1, n_columns)
    flat_background = draws.background.reshape(-1)
    owners = np.repeat(np.arange(n_samples), n_pairs)
    totals: FloatArray | None = None
    base: FloatArray | None = None
    for start in range(0, len(owners), pairs_a_call):
        part = slice(start, start + pairs_a_call)
        owner = owners[part]
        shares, ends = _pair_shares(
            score, rows[owner], background[flat_background[part]], flat_orders[part], draws.singly
        )
        if totals is None or base is None:
            totals = np.zeros((n_samples, n_columns, shares.shape[2]))
            base = np.zeros((n_samples, shares.shape[2]))
        np.add.at(totals, owner, shares)
        np.add.at(base, owner, ends)
    assert totals is not None
    assert base is not None
    return Attributions(totals / n_pairs, base / n_pairs, "sampled Shapley values of the score")


def _pair_shares(
    score: ScoreFunction, rows: Rows, background: Rows, orders: IntArray, singly: bool
) -> tuple[FloatArray, FloatArray]:
    """Walk an order forth and back for each pair, or forth alone.

    Returns
    -------
    shares : ndarray of shape (n_pairs, n_columns, n_scores)
    start : ndarray of shape (n_pairs, n_scores)
        The background rows' scores.
    """
    n_pairs, n_columns = orders.shape
    rank = np.empty_like(orders)
    np.put_along_axis(rank, orders, np.arange(n_columns)[None], axis=1)
    step = np.arange(n_columns + 1)[None, :, None]
    forth = rank[:, None, :] < step  # step s holds the first s columns of the order
    back = rank[:, None, :] >= n_columns - step[:, 1:-1]  # and of its reverse, ends left out
    moved = forth if singly else np.concatenate([forth, back], axis=1)
    mixed = np.where(moved, rows[:, None, :], background[:, None, :])
    scores = score(mixed.reshape(-1, n_columns)).reshape(n_pairs, moved.shape[1], -1)
    forth_scores = scores[:, : n_columns + 1]
    shares = np.take_along_axis(np.diff(forth_scores, axis=1), rank[:, :, None], axis=1)
    if singly:
        return shares, scores[:, 0]
    back_scores = np.concatenate(
        [scores[:, :1], scores[:, n_columns + 1 :], scores[:, [n_columns]]], axis=1
    )
    reverse_rank = (n_columns - 1 - rank)[:, :, None]
    shares = shares + np.take_along_axis(np.diff(back_scores, axis=1), reverse_rank, axis=1)
    return shares / 2, scores[:, 0]


def tree_shapley(student: BoostedTrees, readable: FloatArray, background: FloatArray) -> FloatArray:
    """Compute exact interventional Shapley values of boosted trees by TreeSHAP.

    Parameters
    ----------
    student : BoostedTrees
    readable : ndarray of shape (n_samples, n_readable)
    background : ndarray of shape (n_background, n_readable)

    Returns
    -------
    ndarray of shape (n_samples, n_readable + 1, n_scores)
        Shares in the score of each readable feature, and last the base.

    References
    ----------
    Lundberg et al. (2020), From local explanations to global understanding with explainable AI for
    trees.
    """
    import shap

    explainer = shap.TreeExplainer(
        student.booster_, background, feature_perturbation="interventional"
    )
    base = np.asarray(explainer.expected_value, dtype=np.float64).reshape(1, 1, -1)
    parts = []
    # Beyond ten seconds a call, shap's compiled part prints a bar of its own.
    for start in range(0, len(readable), TREE_ROWS):
        rows = readable[start : start + TREE_ROWS]
        # shap compares with xgboost's float32 sums, too strictly for large scores.
        shares = explainer.shap_values(rows, check_additivity=False)
        shares = np.asarray(shares, dtype=np.float64).reshape(*rows.shape, -1)
        bases = np.broadcast_to(base, (len(rows), 1, base.shape[2]))
        parts.append(np.concatenate([shares, bases], axis=1))
    return _shares_of_margins(student, np.concatenate(parts))


def _shares_of_margins(student: BoostedTrees, margins: FloatArray) -> FloatArray:
    """Turn shares in margins into shares in scores: both are linear, the last row holds the base.

    Parameters
    ----------
    margins : ndarray of shape (n_samples, n_readable + 1, n_outputs)
    """
    margins = margins * student.output_scale_
    margins[:, -1] += student.output_centre_
    flat = scores_of_margins(margins.reshape(-1, margins.shape[2]), student.task)
    return flat.reshape(*margins.shape[:2], -1)
