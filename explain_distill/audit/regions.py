"""Where a student does not speak for its teacher: regions of disagreement in readable words.

Regions are sought on one half of the held-out rows and tested on the other: of each, whether rows
in it disagree more often than rows outside of it (Fisher's exact test, one-sided; where rows come
in groups, a score test that sums over each, too), corrected for the number of regions (Holm 1979)
and of students (Bonferroni). So regions that are there by chance are reported in at most 5% of
studies.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.stats import fisher_exact, t
from sklearn.tree import DecisionTreeClassifier

from explain_distill._arrays import is_number
from explain_distill._types import BoolArray, IntArray, Json, ReadableRows
from explain_distill.audit.deferral import estimate_from_json
from explain_distill.data.readable_features import ReadableFeature
from explain_distill.metrics.intervals import LEVEL, Estimate, independent_rows, proportion
from explain_distill.metrics.mean_bounds import by_group
from explain_distill.students.cuts import Cuts

MOST_CONDITIONS = 3
MOST_REGIONS = 5  # that are tested
LEAST_ROWS = 8  # of a region, in the half where it is sought
LEAST_GROUPS = 20  # that are tested
LEAST_WRONG = 3  # of them that disagree


@dataclass(frozen=True)
class Condition:
    """That one readable feature lies in an interval, or is missing.

    Parameters
    ----------
    feature : int
    low, high : float
        The feature is above `low` and at most `high`; infinite where there is no end.
    missing : bool
        Whether rows in which it is missing are meant, too.
    """

    feature: int
    low: float
    high: float
    missing: bool

    def holds(self, rows: ReadableRows) -> BoolArray:
        """Say in which rows ``(n, n_readable)`` it holds."""
        value = rows[:, self.feature]
        lacks = np.isnan(value)
        with np.errstate(invalid="ignore"):
            inside = (value > self.low) & (value <= self.high)
        return np.asarray(np.where(lacks, self.missing, inside))

    def words(self, features: tuple[ReadableFeature, ...], known: bool) -> str:
        """Say it; where no row lacks the feature, which is `known`, nothing is said of that."""
        feature = features[self.feature]
        unit = f" {feature.unit}" if feature.unit else ""
        if self.low == np.inf:
            return f"{feature.name} is missing"
        if np.isinf(self.low) and np.isinf(self.high):
            return f"{feature.name} is known"
        if feature.binary:
            holds = self.high == np.inf
            if feature.level is not None:
                subject = feature.name.removesuffix(f"={feature.level}")
                said = f"{subject} is {'' if holds else 'not '}{feature.level}"
            else:
                said = feature.name if holds else f"not {feature.name}"
        elif np.isinf(self.high):
            said = f"{feature.name} > {self.low:.4g}{unit}"
        elif np.isinf(self.low):
            said = f"{feature.name} ≤ {self.high:.4g}{unit}"
        else:
            said = f"{self.low:.4g} < {feature.name} ≤ {self.high:.4g}{unit}"
        lacking = self.missing and not known and feature.level is None
        return f"{said} or missing" if lacking else said


@dataclass(frozen=True)
class Region:
    """A part of the rows in which a student disagrees with its teacher more often than elsewhere.

    Parameters
    ----------
    words : str
        ``"age > 61 years and cholesterol is missing"``.
    inside, outside : Estimate
        Shares of disagreement among the rows that did not find it.
    p_value : float
        That rows inside disagree no more often, corrected for the regions that were tested.
    """

    words: str
    inside: Estimate
    outside: Estimate
    p_value: float

    def to_json(self) -> Json:
        """Give the region as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Json) -> Region:
        """Read what `to_json` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is of another form.
        """
        if not isinstance(told["words"], str) or not is_number(told["p_value"]):
            raise ValueError("a region is not of the form")
        inside, outside = (estimate_from_json(told[side]) for side in ("inside", "outside"))
        return cls(told["words"], inside, outside, float(told["p_value"]))


def regions_of_disagreement(
    rows: ReadableRows,
    differs: BoolArray,
    calibration: BoolArray,
    features: tuple[ReadableFeature, ...],
    groups: IntArray | None = None,
    seed: int = 0,
    n_students: int = 1,
) -> tuple[Region, ...]:
    """Find regions on one half of held-out rows, and keep those that the other half confirms.

    Parameters
    ----------
    rows : ndarray of shape (n, n_readable)
    differs : ndarray of shape (n,), bool
    calibration : ndarray of shape (n,), bool
        The half on which they are sought.
    features : tuple of ReadableFeature
    groups : ndarray of shape (n,), optional
        Rows that belong together; fewer than 20 of them confirm nothing.
    seed : int, default=0
    n_students : int, default=1
        Of how many students regions are sought in the same rows, for which they are corrected, too.

    Returns
    -------
    tuple of Region
        From the surest.
    """
    found = _sought(rows[calibration], differs[calibration], seed)
    X, wrong = rows[~calibration], differs[~calibration]
    members = None if groups is None else groups[~calibration]
    tested = []
    for conditions in found:
        inside = _inside(conditions, X)
        if inside.any() and not inside.all():
            tested.append((_p_value(wrong, inside, members), conditions, inside))
    tested.sort(key=lambda each: each[0])
    known: BoolArray = np.asarray(~np.isnan(rows).any(axis=0))
    regions: list[Region] = []
    corrected = 0.0
    for place, (p_value, conditions, inside) in enumerate(tested):
        corrected = max(corrected, min(1.0, p_value * n_students * (len(tested) - place)))
        if corrected > 1 - LEVEL:
            break
        words = " and ".join(each.words(features, bool(known[each.feature])) for each in conditions)
        here, elsewhere = (
            proportion(wrong[side], None if members is None else members[side])
            for side in (inside, ~inside)
        )
        regions.append(Region(words, here, elsewhere, corrected))
    return tuple(regions)


def _p_value(wrong: BoolArray, inside: BoolArray, groups: IntArray | None) -> float:
    """Test whether rows inside disagree more often: exactly, and for groups by their scores, too.

    The score of a row is the product of how far it is more inside, and more wrong, than the mean;
    those of a group are summed, since its rows are no independent draws, and the sums are tested
    against 0 (Liang & Zeger 1986). That rests on the normal law, which rare disagreement is far
    from; so the exact test of as many rows as the groups are worth must not doubt it (Fisher 1922).
    """
    worth = 1.0
    by_scores = 0.0
    if groups is not None:
        worth = independent_rows(wrong, groups) / len(wrong)
        scores = (inside - inside.mean()) * (wrong - wrong.mean())
        sums, _ = by_group(scores, groups)
        if len(sums) < LEAST_GROUPS or not sums.any():
            return 1.0
        statistic = sums.sum() / np.sqrt(np.square(sums).sum())
        by_scores = float(t.sf(statistic, len(sums) - 1))
    table = [
        [round(worth * int((right & side).sum())) for right in (wrong, ~wrong)]
        for side in (inside, ~inside)
    ]
    return max(by_scores, float(fisher_exact(table, alternative="greater").pvalue))


def _inside(conditions: tuple[Condition, ...], rows: ReadableRows) -> BoolArray:
    inside = np.ones(len(rows), dtype=bool)
    for condition in conditions:
        inside &= condition.holds(rows)
    return inside


def _sought(rows: ReadableRows, differs: BoolArray, seed: int) -> list[tuple[Condition, ...]]:
    """Grow a small tree on disagreement, and give the parts of it where it is most frequent."""
    if differs.sum() < LEAST_WRONG or differs.all():
        return []
    cuts = Cuts.fit(rows)
    tree = DecisionTreeClassifier(
        max_depth=MOST_CONDITIONS, min_samples_leaf=LEAST_ROWS, random_state=seed
    ).fit(cuts.codes(rows), differs)
    grown = tree.tree_
    ahead: list[tuple[int, dict[int, Condition]]] = [(0, {})]
    parts: list[tuple[float, tuple[Condition, ...]]] = []
    overall = differs.mean()
    while ahead:
        node, conditions = ahead.pop()
        if conditions:
            inside = _inside(tuple(conditions.values()), rows)
            wrong = int(differs[inside].sum())
            excess = wrong - overall * inside.sum()
            if wrong >= LEAST_WRONG and excess > 0:
                spread = np.sqrt(overall * (1 - overall) * inside.sum())
                parts.append((float(excess / spread), tuple(conditions.values())))
        if grown.children_left[node] >= 0:
            for child, right in (
                (grown.children_left[node], False),
                (grown.children_right[node], True),
            ):
                ahead.append((int(child), _narrowed(conditions, cuts, grown, node, right)))
    parts.sort(key=lambda part: -part[0])
    return [conditions for _, conditions in parts[:MOST_REGIONS]]


def _narrowed(
    conditions: dict[int, Condition], cuts: Cuts, grown: object, node: int, right: bool
) -> dict[int, Condition]:
    """Add one side of a split to the conditions of a node."""
    feature = int(grown.feature[node])  # type: ignore[attr-defined]
    threshold = float(grown.threshold[node])  # type: ignore[attr-defined]
    if np.isfinite(threshold):  # else the split parts missing values from all others
        threshold = cuts.threshold(feature, int(threshold))
    missing = bool(grown.missing_go_to_left[node]) != right  # type: ignore[attr-defined]
    before = conditions.get(feature, Condition(feature, -np.inf, np.inf, missing=True))
    low, high = (
        (max(before.low, threshold), before.high)
        if right
        else (before.low, min(before.high, threshold))
    )
    return conditions | {feature: Condition(feature, low, high, before.missing and missing)}
