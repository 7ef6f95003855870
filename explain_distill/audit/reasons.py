"""Do students give their teacher's reasons? One reference for all models, on the same draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from explain_distill._random import generator
from explain_distill._types import BoolArray, FloatArray, IntArray, Json, Rows
from explain_distill.attribution.base import Attributions
from explain_distill.attribution.own import Model, own_attributions, score_rows
from explain_distill.attribution.shapley import Draws, sampled_shapley
from explain_distill.audit.effort import FULL, Effort
from explain_distill.data.dataset import Dataset
from explain_distill.data.molecules import present_kinds
from explain_distill.metrics.attribution import (
    pairwise_rank_agreement,
    rank_agreement,
    rank_correlation,
    row_by_row,
    sign_agreement,
    sign_chance,
    top_k,
    top_k_overlap,
)
from explain_distill.metrics.intervals import Estimate, mean, mean_share
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher

MOST_ROWS = 100
FIRST_PAIRS = 16
ENOUGH = 0.95  # agreement of the teacher with itself, at which draws suffice
COMPARED = ("rank_correlation", "top_k_overlap", "sign_agreement")
SIGNED = ("rank_correlation",)  # from -1 to 1; the others are shares
PEERS = ("member", "retrained")  # other teachers, whose agreement of these three is a ceiling


Agreement = Callable[[FloatArray, FloatArray, int], FloatArray]
METRICS: dict[str, Agreement] = {
    "rank_correlation": lambda ours, theirs, k: rank_correlation(ours, theirs),
    "top_k_overlap": top_k_overlap,
    "sign_agreement": sign_agreement,
    "rank_agreement": rank_agreement,
    "signed_rank_agreement": partial(rank_agreement, signed=True),
    "pairwise_rank_agreement": lambda ours, theirs, k: pairwise_rank_agreement(ours, theirs),
}
"""How the agreement of two models is told, row by row, with so many leading columns."""


@dataclass(frozen=True, eq=False)
class Reasons:
    """The attributions of every model on the same rows, background rows and permutations.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Which of the judged rows they tell of.
    n_background : int
        The number of background rows that draws are taken from.
    n_permutations : int
        Permutations a row.
    reference : dict of str to Attributions
        Of ``"teacher"`` and of each student, by sampled Shapley values on the same draws.
    again : Attributions
        The teacher's on independent draws: the ceiling of all agreement.
    own : dict of str to Attributions
        Of each model by the method that suits it, for showing. Their sizes depend on the method,
        so they are never compared between models.
    members : tuple of Attributions
        Of the teacher's first members, each alone, on the same draws as the teacher; of three at
        most, and of none where it has none.
    retrained : Attributions or None
        Of a teacher that was trained again, on the same draws.
    present : ndarray of shape (n_rows, n_columns), optional
        Of molecules: which kinds of fragments each has; the others add nothing. Agreement is told
        of those, in molecules of two kinds and more. None where every column is compared.
    """

    rows: IntArray
    n_background: int
    n_permutations: int
    reference: dict[str, Attributions] = field(repr=False)
    again: Attributions = field(repr=False)
    own: dict[str, Attributions] = field(repr=False)
    members: tuple[Attributions, ...] = field(default=(), repr=False)
    retrained: Attributions | None = field(default=None, repr=False)
    present: BoolArray | None = field(default=None, repr=False)

    @property
    def ceiling(self) -> float:
        """The teacher's mean rank correlation with itself on independent draws."""
        return float(np.nanmean(self._each(METRICS["rank_correlation"], self.again)))

    @property
    def n_columns(self) -> int:
        """The number of raw columns that share the score."""
        return int(self.again.values.shape[1])

    def describe(self) -> str:
        """Say on what the reasons rest."""
        met = "reached" if self.ceiling >= ENOUGH else "not reached"
        against = f"{self.n_background} background rows"
        if self.present is not None:
            against = "told against methane"
        return (
            f"{len(self.rows)} rows, {against}, {self.n_permutations} antithetic permutations a "
            "row; the teacher agrees with itself "
            f"on independent draws at a rank correlation of {self.ceiling:.3f} "
            f"(aim {ENOUGH:.2f}: {met})"
        )

    def agreement(self, name: str, groups: IntArray | None = None) -> dict[str, Estimate]:
        """Measure a model's agreement with the teacher; of the teacher with itself.

        `groups` says which of the attributed rows belong together.
        """
        other = self.again if name == "teacher" else self.reference[name]
        return {
            key: self._mean(self._each(metric, other), key in SIGNED, groups)
            for key, metric in METRICS.items()
        }

    def ceilings(self, groups: IntArray | None = None) -> dict[str, Estimate]:
        """Measure how far other teachers that answer alike give the teacher's reasons.

        ``member_…`` is the mean of its members, each alone, of which the teacher itself is made;
        ``retrained_…`` is a teacher trained again. Neither is there where there is none.
        """
        again = () if self.retrained is None else (self.retrained,)
        return {
            f"{peer}_{key}": self._mean(
                np.mean([self._each(METRICS[key], other) for other in others], axis=0),
                key in SIGNED,
                groups,
            )
            for peer, others in zip(PEERS, (self.members, again), strict=True)
            if others
            for key in COMPARED
        }

    def _each(self, metric: Agreement, other: Attributions) -> FloatArray:
        """Measure each row's agreement of a model with the teacher; NaN where none is told."""
        teacher = self.reference["teacher"].values
        return row_by_row(metric, teacher, other.values, self.present)

    def _mean(self, told: FloatArray, signed: bool, groups: IntArray | None) -> Estimate:
        known = ~np.isnan(told)
        among = None if groups is None else groups[known]
        if signed:
            return mean(told[known], among, within=(-1, 1))
        return mean_share(told[known], among)

    def chance(self) -> dict[str, float]:
        """Give what the teacher's attributions get in a random order of the columns."""
        if self.present is None:
            each = [self._chance_of(self.n_columns)]
        else:
            counts = self.present.sum(axis=1)
            each = [self._chance_of(int(n)) for n in counts[counts > 1]]
        told = {key: float(np.mean([of[key] for of in each])) for key in each[0]}
        signs = self._each(lambda ours, _, k: sign_chance(ours, k), self.again)
        told["sign_agreement"] = float(np.nanmean(signs))
        told["signed_rank_agreement"] = told["rank_agreement"] * told["sign_agreement"]
        return told | {f"{peer}_{key}": told[key] for peer in PEERS for key in COMPARED}

    @staticmethod
    def _chance_of(n: int) -> dict[str, float]:
        return {
            "rank_correlation": 0.0 if n > 1 else 1.0,
            "top_k_overlap": top_k(n) / n,
            "rank_agreement": 1 / n,
            "pairwise_rank_agreement": 0.5 if n > 1 else 1.0,
        }

    def to_json(self) -> Json:
        """Give the counts and the methods as a JSON object."""
        return {
            "rows": self.rows.tolist(),
            "n_background": self.n_background,
            "n_permutations": self.n_permutations,
            **({} if self.present is None else {"present": self.present.astype(int).tolist()}),
            "methods": {"shapley": self.again.method}
            | {name: told.method for name, told in self.own.items()},
        }


def reasons_of(
    teacher: Teacher,
    students: Mapping[str, Student],
    data: Dataset,
    background: Rows,
    seed: int,
    on_stage: Callable[[str], None] | None = None,
    *,
    effort: Effort = FULL,
    retrained: Teacher | None = None,
) -> Reasons:
    """Attribute the score of the teacher and of each student to the raw columns.

    The number of permutations doubles until the teacher agrees with itself on independent draws at
    a rank correlation of `ENOUGH`, or a model would be asked for more rows than the effort allows.

    Parameters
    ----------
    teacher : Teacher
    students : mapping of str to Student
    data : Dataset
        Of which at most 100 rows are attributed.
    background : ndarray of shape (n_background, n_columns)
        Training rows.
    seed : int
    on_stage : callable, optional
        Told what is under way.
    effort : Effort, default=FULL
    retrained : Teacher, optional
        Trained again, to be attributed beside the teacher.
    """
    rng = generator(seed, "reasons")
    chosen = np.sort(rng.permutation(len(data))[:MOST_ROWS])
    rows = data.X[chosen]
    say = on_stage or (lambda _: None)

    def attribute(model: Model, draws: Draws) -> Attributions:
        def score(mixed: Rows) -> FloatArray:
            return score_rows(model, mixed, data.readable_features)

        return sampled_shapley(score, rows, background, draws)

    say("reasons of the teacher")
    most_pairs = max(1, effort.evaluations // (2 * rows.size))
    n_first = min(FIRST_PAIRS, most_pairs)
    draws, again = (_draw(rows, background, n_first, rng) for _ in range(2))
    first, second = attribute(teacher, draws), attribute(teacher, again)
    present = columns_present(data, rows)
    while _told(first, second, present) < ENOUGH and _affordable(draws, effort.evaluations):
        n_pairs = draws.orders.shape[1]
        more, more_again = (_draw(rows, background, n_pairs, rng) for _ in range(2))
        first = _average(first, attribute(teacher, more))
        second = _average(second, attribute(teacher, more_again))
        draws = draws.join(more)
    reference = {"teacher": first}
    for name, student in students.items():
        say(f"reasons of {name}")
        reference[name] = attribute(student, draws)
    single = teacher.single_members()[: effort.members]
    if single or retrained is not None:
        say("reasons of other teachers")
    members = tuple(attribute(member, draws) for member in single)
    other = None if retrained is None else attribute(retrained, draws)
    say("each model's own attributions")
    n_shown = max(5, effort.shown_background // second.values.shape[2])
    shown = background[rng.permutation(len(background))[:n_shown]]
    own_draws = _draw(rows, shown, draws.orders.shape[1], rng)
    models: dict[str, Model] = {"teacher": teacher, **students}
    own = {
        name: own_attributions(model, rows, shown, data.readable_features, own_draws)
        for name, model in models.items()
    }
    counts = len(background), draws.n_permutations
    return Reasons(chosen, *counts, reference, second, own, members, other, present)


def columns_present(data: Dataset, rows: Rows) -> BoolArray | None:
    """Say which kinds of fragments molecules have, as `Reasons.present`; None of other rows."""
    if data.schema.molecules is None:
        return None
    present = present_kinds(rows)
    return None if (present.sum(axis=1) < 2).all() else present


def _told(first: Attributions, second: Attributions, present: BoolArray | None) -> float:
    """Give the teacher's mean rank correlation with itself."""
    reference = {"teacher": first}
    return Reasons(
        np.arange(len(first.values)), 0, 0, reference, second, {}, (), None, present
    ).ceiling


def _draw(rows: Rows, background: Rows, n_pairs: int, rng: np.random.Generator) -> Draws:
    return Draws.draw(len(rows), rows.shape[1], n_pairs, len(background), rng)


def _affordable(draws: Draws, most_evaluations: int) -> bool:
    """Whether twice these draws stay within a budget of rows."""
    n_samples, _, n_columns = draws.orders.shape
    return 2 * n_samples * draws.n_permutations * n_columns <= most_evaluations


def _average(first: Attributions, second: Attributions) -> Attributions:
    """Join two estimates of the same number of independent draws."""
    return Attributions(
        (first.values + second.values) / 2, (first.base + second.base) / 2, first.method
    )
