"""The attribution-gap certificate: how far a student's reasons can be from its teacher's.

Walks over coalitions estimate the difference of a row's attributions without bias (`audit.gaps`).
Their mean absolute value over held-out rows is on average no less than that of the true differences
(Jensen), and is bounded from above as any mean of rows is. The proof, and what it assumes, stand in
``docs/mathematics.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from explain_distill._arrays import is_number
from explain_distill._random import generator
from explain_distill._types import FloatArray, IntArray, Json, Rows
from explain_distill.audit.gap_shares import (
    leading_elsewhere,
    leading_of,
    share_at_least,
    share_at_most,
)
from explain_distill.audit.gaps import (
    Gaps,
    affordable_draws,
    cross_fitted,
    measured_gaps,
    signed,
)
from explain_distill.data.dataset import Dataset
from explain_distill.exceptions import DataError
from explain_distill.metrics.intervals import LEVEL
from explain_distill.metrics.mean_bounds import (
    betting_mean_bound,
    bounded_mean_bound,
    group_means,
)
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher

BEYOND_LEAST, BEYOND_MOST = 1.5, 3.0
"""So many times the largest gap that was seen of a player may be one in a row that was not seen.

Chosen by how often bounds were too low in samples of two tables (compas and adult) of those that
`benchmarks/bounds.py` counts. See `beyond_seen`."""

MATERIAL = 0.01
"""Players whose mean gap is this share of the largest mean, or more, say how long tails are."""

NIL = 1e-9
"""So small a part of the teacher's largest attribution is no more than rounding."""

LEAST_ROWS = 20
"""Fewer held-out rows, or groups of rows, bound nothing worth saying."""


@dataclass(frozen=True)
class GapBound:
    """How far a student's share of one player can be from the teacher's, on the mean over rows.

    A row's gap is the largest over the scores (classes), so that the bound holds for each of them.

    Parameters
    ----------
    player : str
        A feature, or a group of features that move together.
    gap : float
        As measured, in units of the score; on average no less than the true gap.
    bound : float
        With the certificate's level, the true gap of no player is larger than its bound, if no gap
        in a row that was not seen is much larger than those that were (see `beyond_seen`).
    bound_without_tails : float
        The same without an assumption on how the gaps are distributed, but that none is larger than
        `Certificate.highest`.
    importance : float
        The teacher's mean absolute attribution; on average no more than the true one.
    leaning : float
        By how much the student says more than the teacher, on the mean, in the score and with the
        sign of the teacher's largest attribution; 0 where that cannot be told from no difference,
        at the level of a certificate and for all players together.
    """

    player: str
    gap: float
    bound: float
    bound_without_tails: float
    importance: float
    leaning: float

    @property
    def relative(self) -> float:
        """The bound in units of the teacher's own importance; infinite where that is nil."""
        return self.bound / self.importance if self.importance > 0 else np.inf


@dataclass(frozen=True)
class Certificate:
    """An upper bound, player by player, on how far a student's reasons are from its teacher's.

    Parameters
    ----------
    players : tuple of GapBound
        In the order of the table's columns.
    n : int
        Held-out rows.
    n_independent : int
        Groups of rows that belong together, or rows.
    n_draws : int
        Fresh coalitions a row and player, chosen beforehand.
    level : float
        So sure are all bounds together.
    highest : float
        That no row's gap is assumed to exceed, for `GapBound.bound_without_tails`: twice the
        largest that was seen, unless given.
    relative_gap : float or None
        All gaps together, as a share of all of the teacher's importance; 0 is the same reasons.
        None where the teacher is not shown to give any feature weight.
    relative_bound, relative_least : float or None
        Its upper bound and its lower one, each at `level` by itself. The lower is of the gaps as
        independent halves of the draws tell them, by an importance that is on average no less than
        the true one; it is None with one draw a row.
    leading_gap, leading_bound : float or None
        The gap and its upper bound, as `relative_gap` and `relative_bound`, of leading players
        alone: all their gaps together, as a share of all of their importance. In each half of the
        rows, or of the groups, those count that lead in the other, so that no importance is counted
        that led to the choice; `leading` are nearly the same, chosen on all rows.
    """

    players: tuple[GapBound, ...]
    n: int
    n_independent: int
    n_draws: int
    level: float
    highest: float
    relative_gap: float | None
    relative_bound: float | None
    relative_least: float | None
    leading_gap: float | None = None
    leading_bound: float | None = None

    @property
    def largest(self) -> GapBound:
        """The player of the largest bound."""
        return max(self.players, key=lambda each: each.bound)

    @property
    def leading(self) -> tuple[GapBound, ...]:
        """The players that matter most to the teacher, five at the most."""
        importance = np.array([each.importance for each in self.players])
        return tuple(self.players[place] for place in leading_of(importance))

    def to_json(self) -> Json:
        """Give the certificate as a JSON object."""
        return {
            "n": self.n,
            "n_independent": self.n_independent,
            "n_draws": self.n_draws,
            "level": self.level,
            "highest": self.highest,
            "relative_gap": self.relative_gap,
            "relative_bound": self.relative_bound,
            "relative_least": self.relative_least,
            "leading_gap": self.leading_gap,
            "leading_bound": self.leading_bound,
            "players": [
                {
                    "player": each.player,
                    "gap": each.gap,
                    "bound": each.bound,
                    "bound_without_tails": each.bound_without_tails,
                    "importance": each.importance,
                    "leaning": each.leaning,
                }
                for each in self.players
            ],
        }

    @classmethod
    def from_json(cls, told: Json) -> Certificate:
        """Read what `to_json` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is of another form.
        """
        players = []
        for each in told["players"]:
            name, numbers = each["player"], {k: v for k, v in each.items() if k != "player"}
            if not isinstance(name, str) or not all(map(is_number, numbers.values())):
                raise ValueError(f"a player of a certificate is not of the form: {each}")
            players.append(GapBound(name, **numbers))
        counts = {name: told[name] for name in ("n", "n_independent", "n_draws")}
        numbers = {name: told[name] for name in ("level", "highest")}
        relative = {
            name: told[name] for name in ("relative_gap", "relative_bound", "relative_least")
        }
        relative |= {name: told.get(name) for name in ("leading_gap", "leading_bound")}
        if not all(value is None or is_number(value) for value in relative.values()):
            raise ValueError("a certificate is not of the form")
        if not players or not all(map(is_number, (*counts.values(), *numbers.values()))):
            raise ValueError("a certificate is not of the form")
        return cls(tuple(players), **{k: int(v) for k, v in counts.items()}, **numbers, **relative)


def certify(
    gaps: Gaps,
    student: str,
    names: Sequence[str],
    groups: IntArray | None = None,
    *,
    level: float = LEVEL,
    highest: float | None = None,
) -> Certificate:
    """Bound a student's gaps, all players together.

    A player's gaps are taken to be no larger than `beyond_seen` says, and their mean is bounded by
    `bounded_mean_bound`. Each player's bound holds at ``1 - (1 - level) / n_players``, and so all
    hold together at `level` (Bonferroni).

    Parameters
    ----------
    gaps : Gaps
    student : str
    names : sequence of str
        The players' names.
    groups : ndarray of shape (n,), optional
        Rows that belong together.
    level : float, default=0.95
    highest : float, optional
        No row's gap is larger, by what is known beforehand; twice the largest seen, if left out.

    Returns
    -------
    Certificate

    Raises
    ------
    DataError
        Where held-out rows are too few to bound anything, or a gap exceeds `highest`.
    """
    halves = gaps.students[student]
    difference = np.mean(halves, axis=0)
    n_independent = len(difference) if groups is None else len(np.unique(groups))
    if n_independent < LEAST_ROWS:
        kind = "rows" if groups is None else "groups of rows"
        raise DataError(
            f"A certificate needs at least {LEAST_ROWS} held-out {kind}; however, there are "
            f"{n_independent}. Hold more of them out."
        )
    sizes = np.abs(difference).max(axis=2)
    seen = float(sizes.max())
    if highest is None:
        highest = 2 * seen
    if highest < seen:
        raise DataError(
            f"highest must be no less than any gap; however, got {highest:.4g}, and a gap of "
            f"{seen:.4g} was seen. Give what is known to hold, or leave it out."
        )
    figures = np.stack([group_means(size, groups)[0] for size in sizes.T], axis=1)
    ones = np.ones(len(figures))
    tops = np.minimum(beyond_seen(figures, seen), highest)
    each_level = 1 - (1 - level) / len(names)
    importance = cross_fitted(*gaps.teacher)
    leaning = _leanings(gaps, halves, groups, each_level)
    players = []
    for place, name in enumerate(names):
        means, top = figures[:, place], float(tops[place])
        players.append(
            GapBound(
                name,
                float(means.mean()),
                bounded_mean_bound(means, ones, top, level=each_level),
                betting_mean_bound(means, ones, highest, level=each_level),
                float(group_means(importance[:, place], groups)[0].mean()),
                leaning[place],
            )
        )
    gap, bound = share_at_most(sizes.sum(axis=1), importance.sum(axis=1), groups, level)
    leading = leading_elsewhere(importance, groups)
    return Certificate(
        tuple(players),
        len(difference),
        n_independent,
        gaps.n_draws,
        level,
        highest,
        gap,
        bound,
        share_at_least(gap, halves, gaps.teacher, groups, level),
        *share_at_most(
            (sizes * leading).sum(axis=1), (importance * leading).sum(axis=1), groups, level
        ),
    )


def beyond_seen(figures: FloatArray, seen: float) -> FloatArray:
    """Give how large each player's gap is taken to be, at the most, in a row that was not seen.

    Few rows may not hold the rare one that is far off; but among many players it was seen of some.
    So each player's tail is taken to be as long as the longest, measured by the largest gap in
    units of the mean, and from `BEYOND_LEAST` to `BEYOND_MOST` times the largest that was seen of
    the player. A player that shows no gap may have the largest of all.

    Parameters
    ----------
    figures : ndarray of shape (n, n_players)
        Gaps, by row or by group of rows.
    seen : float
        The largest of all.

    Returns
    -------
    ndarray of shape (n_players,)
    """
    largest, mean = figures.max(axis=0), figures.mean(axis=0)
    shown = largest > 0
    lengths = np.divide(largest, mean, out=np.ones_like(mean), where=shown)
    longest = lengths[mean >= MATERIAL * mean.max()].max()
    times = np.clip(longest / lengths, BEYOND_LEAST, BEYOND_MOST)
    return np.where(shown, times * largest, seen)


def _leanings(
    gaps: Gaps, halves: tuple[FloatArray, ...], groups: IntArray | None, level: float
) -> list[float]:
    """Give how much more the student says than the teacher, where it can be told from nothing.

    One half of the draws says in which score, and with which sign, the teacher's attribution is
    largest, the other how much more the student says there.
    """
    if len(halves) < 2:
        return [0.0] * halves[0].shape[1]
    told = (signed(gaps.teacher[0], halves[1]) + signed(gaps.teacher[1], halves[0])) / 2
    found = []
    for figure in told.T:
        means, _ = group_means(figure, groups)
        error = means.std(ddof=1) / np.sqrt(len(means))
        sure = abs(means.mean()) > t.isf((1 - level) / 2, len(means) - 1) * error
        beyond_rounding = abs(means.mean()) > NIL * np.abs(gaps.teacher[0]).max()
        found.append(float(means.mean()) if sure and beyond_rounding else 0.0)
    return found


def certificates(
    teacher: Teacher,
    students: Mapping[str, Student],
    data: Dataset,
    background: Rows,
    seed: int,
    *,
    n_draws: int | None = None,
) -> dict[str, Certificate]:
    """Certify each student on held-out rows, by fresh coalitions of its own.

    Parameters
    ----------
    teacher : Teacher
    students : mapping of str to Student
    data : Dataset
        Held-out rows.
    background : ndarray of shape (n_background, n_columns)
        Training rows.
    seed : int
    n_draws : int, optional
        A row; as many as `affordable_draws` says, if left out.

    Returns
    -------
    dict of str to Certificate
        Empty where held-out rows are too few.
    """
    n_independent = len(data) if data.groups is None else len(np.unique(data.groups))
    if n_independent < LEAST_ROWS:
        return {}
    draws = affordable_draws(*data.X.shape) if n_draws is None else n_draws
    rng = generator(seed, "certificate")
    gaps = measured_gaps(teacher, students, data, background, draws, rng)
    names = data.schema.names
    return {name: certify(gaps, name, names, data.groups) for name in students}
