"""When a student should defer to its teacher: a threshold on how reliable it is in a row.

The rule keeps a row where the student's reliability is at least the threshold, and defers it to the
teacher elsewhere. Thresholds are tried from strict to lenient, in an order that no calibration row
decides; each passes where disagreement among the rows that it keeps is shown to be at most α, at
1 - δ; the first that fails ends the trial (fixed-sequence testing), so that the last that passed
breaks α with a probability of at most δ however many were tried.

References
----------
Angelopoulos, Bates, Candès, Jordan & Lei (2021), Learn then test: calibrating predictive algorithms
to achieve risk control. Geifman & El-Yaniv (2017), Selective classification for deep neural
networks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import beta
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import NearestNeighbors

from explain_distill._arrays import is_number
from explain_distill._preparation import Preparation
from explain_distill._types import BoolArray, FloatArray, IntArray, Json, ReadableRows, Scores
from explain_distill.audit.halves import margin
from explain_distill.exceptions import DataError
from explain_distill.metrics.intervals import Estimate, proportion
from explain_distill.metrics.mean_bounds import bounded_mean_bound, by_group

ALPHA, DELTA = 0.05, 0.05
MOST_DELTA = 0.3  # bounds of a mean are made for a level of 0.7 and above
SHARES = np.linspace(0.05, 1.0, 20)
"""Of the training rows that the thresholds keep, from strict to lenient."""

KEEP_ALL = float(np.finfo(np.float64).min)
"""The threshold that every row reaches."""

START = 2.0  # times the least rows, that the strictest threshold keeps
TREES = 100
NEIGHBOURS = 5
MEANING = {
    "margin": "by how much its most probable class leads",
    "nearness": "how near the row is to training rows",
    "learned": "a forest that learned on training rows where it disagrees",
}


@dataclass(frozen=True)
class Deferral:
    """A threshold on a student's reliability, and what came of it on rows that did not choose it.

    Parameters
    ----------
    reliability : str
        Of `MEANING`.
    alpha, delta : float
    threshold : float or None
        The student speaks where its reliability is at least this; None where no threshold passed.
    n_calibration : int
        Rows that chose it.
    kept_share : float
        Of the calibration rows; 0 where none passed.
    bound : float or None
        Of disagreement among kept calibration rows, at ``1 - delta``.
    kept : Estimate or None
        The share kept of the other half.
    disagreement : Estimate or None
        Among the kept rows of the other half; None where none is kept.
    least_rows : int
        So many kept calibration rows, or groups of rows that belong together, without any
        disagreement are needed to pass at all.
    n_groups : int or None
        The groups of the rows that chose it; None where each row stands for itself.
    """

    reliability: str
    alpha: float
    delta: float
    threshold: float | None
    n_calibration: int
    kept_share: float
    bound: float | None
    kept: Estimate | None
    disagreement: Estimate | None
    least_rows: int
    n_groups: int | None = None

    @property
    def keeps_all(self) -> bool:
        """Whether the student never defers."""
        return self.threshold == KEEP_ALL

    def to_json(self) -> Json:
        """Give the rule as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Json) -> Deferral:
        """Read what `to_json` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is of another form.
        """
        given = dict(told)
        if given["reliability"] not in MEANING:
            raise ValueError(f"there is no reliability {given['reliability']!r}")
        for name in ("kept", "disagreement"):
            given[name] = None if given[name] is None else estimate_from_json(given[name])
        numbers = ("alpha", "delta", "n_calibration", "kept_share", "least_rows")
        perhaps = (given["threshold"], given["bound"], given.get("n_groups"))
        if not all(is_number(given[name]) for name in numbers) or not all(
            value is None or is_number(value) for value in perhaps
        ):
            raise ValueError("a deferral is not of the form")
        return cls(**given)


def estimate_from_json(told: Json) -> Estimate:
    """Read an estimate with its interval.

    Raises
    ------
    ValueError, TypeError
    """
    if not is_number(told["value"]) or not all(v is None or is_number(v) for v in told.values()):
        raise ValueError("an estimate is not of the form")
    return Estimate(**told)


def check_risk(alpha: float, delta: float) -> None:
    """Refuse an α that is no probability, or a δ that is none or so large that it says little.

    Raises
    ------
    DataError
    """
    if not (isinstance(alpha, (int, float)) and 0 < alpha < 1):
        raise DataError(
            f"alpha must be above 0 and below 1; however, got {alpha!r}. Take 0.05, say."
        )
    if not (isinstance(delta, (int, float)) and 0 < delta <= MOST_DELTA):
        raise DataError(
            f"delta must be above 0 and at most {MOST_DELTA}; however, got {delta!r}. "
            "Take 0.05, say."
        )


def least_rows(alpha: float, delta: float) -> int:
    """Give how many rows without a disagreement show a share of at most α, at 1 - δ."""
    return int(np.ceil(np.log(delta) / np.log1p(-alpha)))


def deferral(
    reliability: str,
    on_training: FloatArray,
    on_held_out: FloatArray,
    differs: BoolArray,
    calibration: BoolArray,
    groups: IntArray | None = None,
    *,
    alpha: float = ALPHA,
    delta: float = DELTA,
) -> Deferral:
    """Choose a threshold on calibration rows, and judge it on the others.

    Parameters
    ----------
    reliability : str
    on_training : ndarray of shape (n_train,)
        The student's reliability in training rows, whose quantiles are the thresholds.
    on_held_out : ndarray of shape (n,)
    differs : ndarray of shape (n,), bool
        Whether student and teacher disagree.
    calibration : ndarray of shape (n,), bool
    groups : ndarray of shape (n,), optional
        Rows that belong together.
    alpha, delta : float, default=0.05

    Raises
    ------
    DataError
    """
    check_risk(alpha, delta)
    needed = least_rows(alpha, delta)
    n_calibration = int(calibration.sum())
    chosen, bound, share = None, None, 0.0
    # Thresholds so strict that what they keep could not pass are left out beforehand.
    expected = SHARES * n_calibration
    shares = SHARES[expected >= min(START * needed, expected[-1])]
    for threshold in np.where(shares < 1, np.quantile(on_training, 1 - shares), KEEP_ALL):
        kept = calibration & (on_held_out >= threshold)
        most = _most(differs[kept], None if groups is None else groups[kept], delta)
        if most > alpha:
            break
        chosen, bound, share = float(threshold), most, float(kept.sum() / n_calibration)
    held, disagreement = None, None
    if chosen is not None:
        other = ~calibration
        kept = other & (on_held_out >= chosen)
        held = proportion(kept[other], None if groups is None else groups[other])
        if kept.any():
            disagreement = proportion(differs[kept], None if groups is None else groups[kept])
    return Deferral(
        reliability,
        alpha,
        delta,
        chosen,
        n_calibration,
        share,
        bound,
        held,
        disagreement,
        needed,
        None if groups is None else len(np.unique(groups[calibration])),
    )


def _most(differs: BoolArray, groups: IntArray | None, delta: float) -> float:
    """Bound the share of rows that disagree from above, at 1 - δ."""
    n, k = len(differs), int(differs.sum())
    if not n:
        return 1.0
    if groups is not None:
        sums, sizes = by_group(differs.astype(np.float64), groups)
        return bounded_mean_bound(sums, sizes, 1.0, level=1 - delta)
    return 1.0 if k == n else float(beta.ppf(1 - delta, k + 1, n - k))


Reliability = Callable[[ReadableRows, Scores], FloatArray]
"""From readable rows and the student's scores of them: larger where it is more reliable."""


def reliabilities(
    rows: ReadableRows,
    differs: BoolArray,
    scores: Scores,
    seed: int,
    *,
    classify: bool,
) -> dict[str, Reliability]:
    """Give what tells how reliable a student is, learned on training rows alone.

    Parameters
    ----------
    rows : ndarray of shape (n_train, n_readable)
    differs : ndarray of shape (n_train,), bool
    scores : ndarray of shape (n_train, n_scores)
        The student's.
    seed : int
    classify : bool

    Returns
    -------
    dict of str to callable
        The first is the one that a rule is stated by. ``"margin"`` is for classes alone,
        ``"learned"`` only where student and teacher disagree in some training rows.
    """
    preparation = Preparation.fit(rows)
    prepared = preparation(rows)
    found: dict[str, Reliability] = {}
    if classify:
        found["margin"] = lambda _, told: margin(told)
    if 0 < differs.sum() < len(differs):
        forest = RandomForestClassifier(
            TREES, min_samples_leaf=5, random_state=seed, class_weight="balanced_subsample"
        ).fit(_with_margin(prepared, scores, classify), differs)
        agrees = int(np.flatnonzero(~forest.classes_)[0])
        found["learned"] = lambda X, told: forest.predict_proba(
            _with_margin(preparation(X), told, classify)
        )[:, agrees]
    near = NearestNeighbors(n_neighbors=min(NEIGHBOURS, len(rows))).fit(prepared)
    found["nearness"] = lambda X, _: -near.kneighbors(preparation(X))[0].mean(axis=1)
    return found


def _with_margin(prepared: FloatArray, scores: Scores, classify: bool) -> FloatArray:
    return np.column_stack([prepared, margin(scores) if classify else scores])
