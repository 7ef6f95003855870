"""Refining a grown tree by alternating optimisation, split by split from the leaves up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from explain_distill._types import FloatArray, IntArray
from explain_distill.students.leaf_answers import Answers, Labelled
from explain_distill.students.splits import Splits, numbered

ALL_RIGHT = -1.0  # a threshold below all codes
MOST_SWEEPS = 20
LEAST_GAIN = 1e-9  # of the loss, for a sweep to be followed by another


def refine(splits: Splits, codes: FloatArray, labelled: Labelled) -> Splits:
    """Make each split the best one for the rows that reach it, as long as the loss falls.

    With the rest of the tree fixed, a row that reaches a split loses something by going left and
    something by going right, so the best split is that of a weighted two-class problem; for a split
    by one feature it is found exactly. Splits of a level do not share rows, so going from the
    lowest level to the root and fitting the leaves again never raises the loss.

    Parameters
    ----------
    splits : Splits
        On codes.
    codes : ndarray of shape (n_samples, n_features)
    labelled : Labelled
        Of these rows.

    Returns
    -------
    Splits
        No leaf of it is without rows, so it may have fewer.

    References
    ----------
    Carreira-Perpiñán & Tavallali (2018), Alternating optimization of decision trees, with
    application to learning sparse oblique trees (TAO).
    """
    columns = _Columns(codes)
    before = np.inf
    splits = _without_empty(splits, codes)
    for _ in range(MOST_SWEEPS):
        leaves = splits.leaves_of(codes)
        sums = labelled.sums(leaves, splits.n_leaves)
        answers = sums.answers()
        loss = float(labelled.loss(answers, sums).sum())
        if not loss < before - LEAST_GAIN * abs(loss):
            break
        before = loss
        splits = _sweep(splits, codes, columns, labelled, answers, leaves)
        splits = _without_empty(splits, codes)
    return splits


def _sweep(
    splits: Splits,
    codes: FloatArray,
    columns: _Columns,
    labelled: Labelled,
    answers: Answers,
    leaves: IntArray,
) -> Splits:
    """Set each split anew, from the lowest level up."""
    # Rows reach a split by the splits above it, which change after it.
    reached = [np.flatnonzero(below[leaves]) for below in splits.below]
    for split in reversed(range(len(splits.children))):
        rows = reached[split]
        left, right = (
            labelled.costs(answers, rows, splits.leaves_of(codes[rows], start=int(child)))
            for child in splits.children[split]
        )
        lost = labelled.weights[rows] * (left - right)
        right_now = splits.goes_right(split, codes[rows, splits.features[split]])
        found = columns.best(rows, lost, float(lost[~right_now].sum()))
        if found is not None:
            splits = _with(splits, split, *found)
    return splits


class _Columns:
    """The rows' codes as whole numbers, in which the best split of any of the rows is found."""

    def __init__(self, codes: FloatArray) -> None:
        known = ~np.isnan(codes)
        self.width = int(np.nanmax(codes, initial=0.0)) + 2
        self.any_missing = not known.all()
        whole = np.where(known, codes, self.width - 1).astype(np.int64)
        self.flat = whole + self.width * np.arange(codes.shape[1])

    def best(self, rows: IntArray, lost: FloatArray, now: float) -> tuple[int, float, bool] | None:
        """Find the split whose left side loses least; none where that is not below `now`.

        Parameters
        ----------
        rows : ndarray of shape (n_reaching,)
        lost : ndarray of shape (n_reaching,)
            What a row loses by going left and not right.
        now : float
            What the present split's left side loses.

        Returns
        -------
        tuple of (feature, threshold, missing_left), or None
        """
        n_features = self.flat.shape[1]
        caring = lost != 0
        flat, lost = self.flat[rows[caring]], lost[caring]
        sums = np.bincount(flat.ravel(), np.repeat(lost, n_features), n_features * self.width)
        sums = sums.reshape(n_features, self.width)
        known = sums[:, :-1].cumsum(axis=1)
        sides = np.stack([known, known + sums[:, [-1]]]) if self.any_missing else known[None]
        least = min(0.0, float(sides.min()))  # 0 where all go right
        if not least < now - 1e-12 * np.abs(lost).sum():
            return None
        if sides.min() >= 0:
            return 0, ALL_RIGHT, False
        missing, feature, code = np.unravel_index(int(sides.argmin()), sides.shape)
        return int(feature), float(code), bool(missing)


def _with(splits: Splits, split: int, feature: int, threshold: float, missing: bool) -> Splits:
    """Set one split anew."""
    features, thresholds = splits.features.copy(), splits.thresholds.copy()
    missing_left = splits.missing_left.copy()
    features[split], thresholds[split], missing_left[split] = feature, threshold, missing
    return replace(splits, features=features, thresholds=thresholds, missing_left=missing_left)


def _without_empty(splits: Splits, codes: FloatArray) -> Splits:
    """Take out splits that send all rows one way."""
    filled = np.bincount(splits.leaves_of(codes), minlength=splits.n_leaves) > 0
    if filled.all():
        return splits
    children = splits.children.copy()

    def kept(child: int) -> int:
        """Give what stands in a child's place: itself, or what its only filled side leads to."""
        while child >= 0:
            sides = [c for c in splits.children[child] if _filled(splits, filled, int(c))]
            if len(sides) > 1:
                return child
            child = int(sides[0])
        return child

    for split, pair in enumerate(splits.children):
        for side, child in enumerate(pair):
            if _filled(splits, filled, int(child)):
                children[split, side] = kept(int(child))
    return numbered(kept(0), children, splits.features, splits.thresholds, splits.missing_left)


def _filled(splits: Splits, filled: np.ndarray, child: int) -> bool:
    return bool(filled[splits.below[child]].any() if child >= 0 else filled[-1 - child])
