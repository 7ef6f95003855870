"""The front of size and fidelity: how small a student may be and still do as well as a larger one.

The burden of proof lies on the smaller student. It does as well as a larger one where its loss is
shown to exceed the larger one's by no more than a margin (non-inferiority); that no difference was
found is not enough, since on few rows none is ever found. The rows that decide are validation rows:
training rows from which no student learned. Test rows choose nothing.

References
----------
Berger (1982), Multiparameter hypothesis testing and acceptance sampling: of several statements that
must all hold, each is tested at the full level.
Hsu & Berger (1999), Stepwise confidence intervals without multiplicity adjustment for dose-response
and toxicity studies: so are statements in an order that was fixed beforehand, up to the first that
fails.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from explain_distill._arrays import is_count, is_number
from explain_distill._random import generator
from explain_distill._types import FloatArray, IntArray, Json, Scores
from explain_distill.audit.comparison import Comparison, Metric
from explain_distill.data.dataset import Dataset, split_indices
from explain_distill.metrics.fidelity import row_losses, variance_parts
from explain_distill.metrics.intervals import LEVEL, Estimate, mean, proportion
from explain_distill.metrics.paired import (
    excess_bound,
    fewest_rows,
    linearised,
    paired_share_bound,
)

MARGIN = 0.02
"""Two of 100 answers, and 2% of the score's variance."""
SHARE = 1 / 3
"""The share of the training rows that becomes validation rows."""

Verdict = Literal["largest", "as faithful", "less faithful", "not shown"]
"""Of a size beside every larger one: ``"not shown"`` says that the rows do not decide."""


@dataclass(frozen=True)
class Gap:
    """What a student loses in one measure of fidelity, and how much more than larger ones.

    Parameters
    ----------
    measure : str
        ``"agreement"`` or ``"score_r2"``; the loss is 1 less the measure.
    loss : Estimate
    excess : float or None
        The loss less that of the best of the larger students, as estimated; None for the largest.
    most : float or None
        The same with `Front.level` confidence at the most; no less than as many rows, or groups,
        leave open of two students that are alike in all of them, if in another row one can lose as
        much more as an answer is, or as the teacher's score varies.
    least : float or None
        At the least, so that all of one kind hold together with that confidence; further below
        `excess` than as many rows leave open, as `most` is above.
    """

    measure: str
    loss: Estimate
    excess: float | None = None
    most: float | None = None
    least: float | None = None


@dataclass(frozen=True)
class Step:
    """One size of a kind of student.

    Parameters
    ----------
    student : str
        Its name in the study.
    size : int
    verdict : str
    gaps : tuple of Gap
    """

    student: str
    size: int
    verdict: Verdict
    gaps: tuple[Gap, ...] = field(repr=False)


@dataclass(frozen=True)
class Ladder:
    """A kind of student at several sizes.

    Parameters
    ----------
    kind : str
        The kind's name, such as ``"soft-tree"``.
    unit : str
        What a size counts.
    steps : tuple of Step
        Ascending.
    tested : tuple of Gap
        Of the chosen size, on the test rows, which had no say in the choice: one comparison, made
        once. Empty where they are not known.
    """

    kind: str
    unit: str
    steps: tuple[Step, ...]
    tested: tuple[Gap, ...] = field(default=(), repr=False)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes, ascending."""
        return tuple(step.size for step in self.steps)

    @property
    def chosen(self) -> Step:
        """The smallest student that does as well as each larger one; at the worst the largest."""
        return next(step for step in self.steps if step.verdict in ("as faithful", "largest"))


@dataclass(frozen=True)
class Front:
    """Every kind of student at several sizes, and which size of each is to be read.

    Parameters
    ----------
    n_rows : int
        The number of validation rows: training rows from which no student learned.
    n_groups : int or None
        The number of groups that they come in.
    margin, level : float
        By how much a student may lose more than a larger one; the confidence of each statement.
    ladders : tuple of Ladder
    """

    n_rows: int
    n_groups: int | None
    margin: float
    level: float
    ladders: tuple[Ladder, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the kind that has most of them."""
        return max((ladder.sizes for ladder in self.ladders), key=len)

    @property
    def alike(self) -> bool:
        """Whether all kinds have the same sizes; one may end below the others."""
        return all(ladder.sizes == self.sizes for ladder in self.ladders)

    @property
    def fewest_rows(self) -> int:
        """So many rows, or groups of them, can show that a size does as well, and no fewer.

        No student is bounded more closely than if it were the larger one itself.
        """
        return fewest_rows(self.margin, level=self.level)

    def metrics(self) -> list[Metric]:
        """Give each student's size and its fidelity on validation rows, as rows of results.json."""
        rows = []
        for step in (step for ladder in self.ladders for step in ladder.steps):
            rows.append(Metric(step.student, "student", "complexity.size", step.size))
            for gap in step.gaps:
                of = gap.loss
                low, high = (None if end is None else 1 - end for end in (of.high, of.low))
                told = Estimate(1 - of.value, low, high, of.n, of.level)
                rows.append(
                    Metric(step.student, "student", f"validation.{gap.measure}", **asdict(told))
                )
        return rows

    def to_json(self) -> Json:
        """Give the fields as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, json: Json, students: Collection[str]) -> Front:
        """Read what `to_json` wrote of these students.

        KeyError, TypeError or ValueError where it is something else.
        """
        ladders = tuple(_ladder_of(ladder) for ladder in json["ladders"])
        named = {step.student for ladder in ladders for step in ladder.steps}
        measures = {
            tuple(gap.measure for gap in step.gaps) for ladder in ladders for step in ladder.steps
        }
        if measures not in ({("agreement", "score_r2")}, {("score_r2",)}):
            raise ValueError("its measures are not those of a front")
        if not named or not named <= set(students):
            raise ValueError("the front tells of other students")
        n_rows, n_groups = json["n_rows"], json["n_groups"]
        if not is_count(n_rows) or not (n_groups is None or is_count(n_groups)):
            raise ValueError(f"a front rests on {n_rows!r} rows in {n_groups!r} groups")
        margin, level = json["margin"], json["level"]
        if not all(is_number(share) and 0 < share < 1 for share in (margin, level)):
            raise ValueError(f"margin and level are {margin!r} and {level!r}, not between 0 and 1")
        return cls(n_rows, n_groups, float(margin), float(level), ladders)


def judge_sizes(
    kind: str,
    unit: str,
    sizes: Mapping[str, int],
    losses: Mapping[str, FloatArray],
    groups: IntArray | None = None,
    *,
    parts: FloatArray | None = None,
    margin: float = MARGIN,
    level: float = LEVEL,
) -> Ladder:
    """Say which sizes of one kind of student do as well as every larger one.

    A size does as well where, in every measure, its loss exceeds that of no larger student by more
    than `margin`: each of these statements is shown at `level`, so that all of them are
    (Berger 1982). Sizes are tested from the largest downwards until one fails, which keeps the
    probability of any wrong statement of the kind below ``1 - level`` (Hsu & Berger 1999). A size
    is less faithful where it exceeds the loss of a larger one by more than `margin`, by bounds that
    hold together for all pairs of sizes and all measures (Bonferroni).

    Parameters
    ----------
    kind, unit : str
    sizes : mapping of str to int
        Of each student, ascending.
    losses : mapping of str to ndarray of shape (n_samples, n_sizes)
        What each student loses on each row, by measure; see `metrics.fidelity.row_losses`.
    groups : ndarray of shape (n_samples,), optional
        Rows that belong together.
    parts : ndarray of shape (n_samples,), optional
        See `metrics.fidelity.variance_parts`, of the rows; known for certain where left out.
    margin : float, default=0.02
    level : float, default=0.95

    Returns
    -------
    Ladder
    """
    n_pairs = len(sizes) * (len(sizes) - 1) // 2 * len(losses)
    joint = 1 - (1 - level) / max(n_pairs, 1)
    steps: list[Step] = []
    standing = True
    for place, (student, size) in reversed(list(enumerate(sizes.items()))):
        gaps = tuple(
            _gap(measure, values, place, groups, parts, level, joint)
            for measure, values in losses.items()
        )
        standing = standing and all(gap.most is None or gap.most <= margin for gap in gaps)
        steps.insert(0, Step(student, size, _verdict(gaps, standing, margin), gaps))
    return Ladder(kind, unit, tuple(steps))


def _gap(
    measure: str,
    losses: FloatArray,
    place: int,
    groups: IntArray | None,
    parts: FloatArray | None,
    level: float,
    joint: float,
) -> Gap:
    """Compare the losses of one size with those of every larger one."""
    own, larger = losses[:, place], losses[:, place + 1 :].T
    if measure == "agreement":
        parts, loss = None, proportion(own > 0, groups)
    else:
        told = own if parts is None else linearised(own, parts)
        loss = mean(told, groups, within=(0.0, np.inf))
    if not len(larger):
        return Gap(measure, loss)
    n = len(own) if groups is None else len(np.unique(groups))
    excess = float(max(np.mean(own - other) for other in larger))

    def at_most(first: FloatArray, second: FloatArray, level: float) -> float:
        if parts is None:
            return excess_bound(first, second, groups, level=level)
        more = linearised(first - second, parts)
        return excess_bound(more, np.zeros(len(more)), groups, level=level)

    # What holds of each larger student holds of the best of them.
    least = max(-at_most(other, own, joint) for other in larger)
    return Gap(
        measure,
        loss,
        excess,
        most=max(
            paired_share_bound(0, 0, n, level=level),
            *(at_most(own, other, level) for other in larger),
        ),
        least=min(least, excess - paired_share_bound(0, 0, n, level=joint)),
    )


def _verdict(gaps: tuple[Gap, ...], standing: bool, margin: float) -> Verdict:
    if any(gap.most is None for gap in gaps):
        return "largest"
    if standing:
        return "as faithful"
    beyond = any(gap.least is not None and gap.least > margin for gap in gaps)
    return "less faithful" if beyond else "not shown"


def set_apart(train: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Part training rows into those that students learn from, and validation rows."""
    rows = split_indices(train, SHARE, generator(seed, "sizes"))
    return train.take(np.setdiff1d(np.arange(len(train)), rows)), train.take(rows)


def front_of(comparison: Comparison, sizes: Mapping[str, int], validation: Dataset) -> Front:
    """Judge students of several sizes, kind by kind.

    Parameters
    ----------
    comparison : Comparison
        The teacher and the students, as judged on test rows.
    sizes : mapping of str to int
        Of each student.
    validation : Dataset
        Rows that no student learned from, and none of which is a test row.

    Returns
    -------
    Front
    """
    students, test = comparison.students, comparison.data
    assert comparison.teacher is not None
    readable = validation.readable()
    scores = {name: student.predict_score(readable) for name, student in students.items()}
    scores["teacher"] = comparison.teacher.predict_score(validation.X)
    classify = validation.task.kind == "classification"
    ladders = []
    for kind in dict.fromkeys(student.NAME for student in students.values()):
        names = [name for name, student in students.items() if kind == student.NAME]
        names.sort(key=sizes.__getitem__)
        losses = _losses(scores, names, classify)
        unit, of = students[names[0]].SIZE_UNIT, {name: sizes[name] for name in names}
        parts = variance_parts(scores["teacher"])
        ladder = judge_sizes(kind, unit, of, losses, validation.groups, parts=parts)
        place = names.index(ladder.chosen.student)
        groups = None if test is None else test.groups
        parts = variance_parts(comparison.scores["teacher"])
        tested = tuple(
            _gap(measure, values, place, groups, parts, LEVEL, LEVEL)
            for measure, values in _losses(comparison.scores, names, classify).items()
        )
        ladders.append(replace(ladder, tested=tested))
    n_groups = None if validation.groups is None else len(np.unique(validation.groups))
    return Front(len(validation), n_groups, MARGIN, LEVEL, tuple(ladders))


def unexplained_shares(comparison: Comparison, validation: Dataset) -> dict[str, float]:
    """Give the share of the teacher's score that each student leaves unexplained on some rows."""
    assert comparison.teacher is not None
    readable = validation.readable()
    scores = {name: s.predict_score(readable) for name, s in comparison.students.items()}
    scores["teacher"] = comparison.teacher.predict_score(validation.X)
    names = list(comparison.students)
    losses = _losses(scores, names, validation.task.kind == "classification")["score_r2"]
    return dict(zip(names, losses.mean(axis=0).tolist(), strict=True))


def _losses(
    scores: Mapping[str, Scores], names: Sequence[str], classify: bool
) -> dict[str, FloatArray]:
    """Give what each of these students loses on each row, by measure: ``(n_samples, n_sizes)``."""
    each = [row_losses(scores["teacher"], scores[name], classify=classify) for name in names]
    return {measure: np.column_stack([told[measure] for told in each]) for measure in each[0]}


def _ladder_of(json: Json) -> Ladder:
    verdicts = get_args(Verdict)
    steps = tuple(
        Step(
            str(step["student"]),
            int(step["size"]),
            verdicts[verdicts.index(step["verdict"])],
            _gaps_of(step["gaps"]),
        )
        for step in json["steps"]
    )
    if [step.verdict for step in steps].index("largest") != len(steps) - 1:
        raise ValueError("the last of the sizes must be the largest")
    return Ladder(str(json["kind"]), str(json["unit"]), steps, _gaps_of(json["tested"]))


def _gaps_of(json: list[Json]) -> tuple[Gap, ...]:
    gaps = tuple(Gap(**gap | {"loss": Estimate(**gap["loss"])}) for gap in json)
    for gap in gaps:
        of_loss = (gap.loss.low, gap.loss.high, gap.loss.n, gap.loss.level)
        optional = (*of_loss, gap.excess, gap.most, gap.least)
        if not all(number is None or is_number(number) for number in optional):
            raise TypeError("a bound is no number")
        if not is_number(gap.loss.value):
            raise TypeError("a loss is no number")
    return gaps
