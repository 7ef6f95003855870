"""Is a student the same each time? What changes where it is distilled again.

Everything is said of the student that is read, beside others that were distilled on resampled rows
and from other seeds: what they have in common with it, and how far their scores lie apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.special import expit
from scipy.stats import norm

from explain_distill._arrays import is_count, is_number
from explain_distill._types import FloatArray, Json, ReadableRows, Rows, Scores
from explain_distill.attribution.own import score_rows
from explain_distill.attribution.shapley import Draws, sampled_shapley
from explain_distill.audit.deferral import estimate_from_json
from explain_distill.audit.reasons import METRICS, columns_present
from explain_distill.data.dataset import Dataset
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.distillation.transfer_sets import Coalitions
from explain_distill.metrics.attribution import row_by_row
from explain_distill.metrics.fidelity import varies
from explain_distill.metrics.intervals import Estimate, mean_of_few
from explain_distill.students.base import Student
from explain_distill.students.decision_tree import DecisionTree
from explain_distill.students.nodes import tree_nodes
from explain_distill.students.soft_tree import SoftTree

MOST_ROWS = 50  # whose reasons are compared
MOST_PAIRS = 16  # of permutations a row
MOST_EVALUATIONS = 2_000_000  # of all distillations of a student together
ALPHA = 0.05
ROUNDING = 1e-9
LEAST_REPEATS = 3  # fewer tell of no others
FIRST_COALITIONS, MOST_COALITIONS = 2048, 131_072

Scorer = Callable[[Rows], Scores]


@dataclass(frozen=True)
class Choice:
    """Which of several distillations is closest to the teacher, and whether that is reproducible.

    Parameters
    ----------
    n_coalitions : int
        Fresh coalitions on which they were compared.
    risk : float
        The probability that as many others would choose another, at the most.
    chosen : int
        0 the student itself, 1 and up the repeats.
    needed : int or None
        The coalitions that would do; None where more are of no use, for two are equally close.
    """

    n_coalitions: int
    risk: float
    chosen: int
    needed: int | None

    @property
    def reproducible(self) -> bool:
        """Whether other coalitions would choose the same."""
        return self.risk <= ALPHA


@dataclass(frozen=True)
class Stability:
    """How much a student changes where it is distilled again.

    Parameters
    ----------
    n_repeats : int
    top_k_overlap, rank_correlation : Estimate
        Of the reasons of the student and of a repeat on the same draws, the mean over rows. All
        figures are means over repeats, and their intervals tell what other repeats would give,
        whatever the law of these: they are wide where there are few.
    split_overlap : Estimate or None
        See `split_overlap`. None of a student that is no single tree.
    least_split_overlap : float or None
        That of the repeat which has least in common with the student.
    same_answer : Estimate or None
        The share of rows to which a repeat gives the student's class; None of values.
    score_spread : float or None
        The standard deviation of a row's score over all distillations, the student among them, as a
        share of the standard deviation of the teacher's score over the rows; the mean over rows.
        None where the teacher gives all rows the same score.
    choice : Choice
    """

    n_repeats: int
    top_k_overlap: Estimate
    rank_correlation: Estimate
    split_overlap: Estimate | None
    least_split_overlap: float | None
    same_answer: Estimate | None
    score_spread: float | None
    choice: Choice

    def estimates(self) -> dict[str, Estimate]:
        """Give the figures by their names in results.json."""
        figures = {
            "top_k_overlap": self.top_k_overlap,
            "rank_correlation": self.rank_correlation,
            "split_overlap": self.split_overlap,
            "same_answer": self.same_answer,
            "score_spread": None if self.score_spread is None else Estimate(self.score_spread),
        }
        return {f"stability.{key}": each for key, each in figures.items() if each is not None}

    def to_json(self) -> Json:
        """Give all of it as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Json) -> Stability:
        """Read what `to_json` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is of another form.
        """
        choice, n_repeats = told["choice"], told["n_repeats"]
        counts = [choice["n_coalitions"], n_repeats]
        counts += [] if choice["needed"] is None else [choice["needed"]]
        further = (told["least_split_overlap"], told["score_spread"])
        sound = all(map(is_count, counts)) and is_number(choice["risk"])
        if not sound or not all(n is None or is_number(n) for n in further):
            raise ValueError("stability is not of the form")
        if n_repeats < LEAST_REPEATS or choice["chosen"] not in range(n_repeats + 1):
            raise ValueError("stability tells of repeats that are not there")

        def some(name: str) -> Estimate | None:
            return None if told[name] is None else estimate_from_json(told[name])

        return cls(
            n_repeats,
            estimate_from_json(told["top_k_overlap"]),
            estimate_from_json(told["rank_correlation"]),
            some("split_overlap"),
            told["least_split_overlap"],
            some("same_answer"),
            told["score_spread"],
            Choice(**choice),
        )


def stability_of(
    teacher: Scorer,
    student: Student,
    repeats: Sequence[Student],
    data: Dataset,
    background: Rows,
    taught: Scores,
    rng: np.random.Generator,
) -> Stability:
    """Compare a student with others that were distilled as it was.

    Parameters
    ----------
    teacher : callable
        Raw rows to scores ``(n, n_scores)``.
    student : Student
    repeats : sequence of Student
        At least three.
    data : Dataset
        Held-out rows.
    background : ndarray of shape (n_background, n_columns)
        Training rows.
    taught : ndarray of shape (n, n_scores)
        The teacher's scores of the held-out rows.
    rng : Generator
    """
    models = [student, *repeats]
    features = data.readable_features
    rows = data.readable()
    scorers = [partial(_score, model, features) for model in models]
    scores = np.stack([model.predict_score(rows) for model in models])
    overlaps, correlations = _reasons(scorers, data, data.baseline, rng)
    splits = _split_overlaps(models, rows)
    same = None
    if data.task.kind == "classification":
        answers = scores.argmax(axis=2)
        same = mean_of_few((answers[1:] == answers[0]).mean(axis=1))
    return Stability(
        len(repeats),
        mean_of_few(overlaps),
        mean_of_few(correlations, within=(-1.0, 1.0)),
        None if splits is None else mean_of_few(splits),
        None if splits is None else float(np.min(splits)),
        same,
        _spread(scores, taught),
        reproducible_choice(
            teacher,
            scorers,
            background,
            rng,
            most=MOST_COALITIONS if data.schema.molecules is None else FIRST_COALITIONS,
        ),
    )


def _score(model: Student, features: ReadableFeatures, raw: Rows) -> Scores:
    return score_rows(model, raw, features)


def _reasons(
    scorers: Sequence[Scorer], data: Dataset, background: Rows, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Give each other model's overlap and correlation with the first one's reasons."""
    chosen = np.sort(rng.permutation(len(data))[:MOST_ROWS])
    rows = data.X[chosen]
    n_pairs = MOST_EVALUATIONS // (2 * rows.size * len(scorers))
    n_pairs = int(np.clip(n_pairs, 1, MOST_PAIRS))
    draws = Draws.draw(len(rows), rows.shape[1], n_pairs, len(background), rng)
    first, *others = (sampled_shapley(score, rows, background, draws).values for score in scorers)
    present = columns_present(data, rows)

    def shared(metric: str) -> FloatArray:
        told = [row_by_row(METRICS[metric], first, other, present) for other in others]
        return np.nanmean(told, axis=1)

    return shared("top_k_overlap"), shared("rank_correlation")


def _spread(scores: FloatArray, taught: Scores) -> float | None:
    """Give rows' standard deviation over models, in that of the teacher over rows."""
    if not varies(taught):
        return None
    own = np.sqrt(scores.var(axis=0, ddof=1).mean(axis=1))
    return float(own.mean() / np.sqrt(taught.var(axis=0).mean()))


def _split_overlaps(models: Sequence[Student], rows: ReadableRows) -> FloatArray | None:
    """Give the overlap of each repeat's splits with the first model's; None where it is no tree."""
    if not isinstance(models[0], (SoftTree, DecisionTree)):
        return None
    first, *others = (_questions(model, rows) for model in models)
    overlaps = np.array([split_overlap(*first, *other) for other in others])
    return np.where(overlaps > 1 - ROUNDING, 1.0, overlaps)


def _questions(tree: Student, rows: ReadableRows) -> tuple[FloatArray, FloatArray]:
    """Give what each question answers to each row, and the share of the rows that come to it."""
    assert isinstance(tree, (SoftTree, DecisionTree))
    if isinstance(tree, SoftTree):
        answers = expit(tree.gates(rows))
    else:
        splits = tree.splits
        sides = [splits.goes_right(i, rows[:, f]) for i, f in enumerate(splits.features)]
        answers = np.reshape(sides, (len(sides), len(rows))).T.astype(np.float64)
    reach = [node.reach for node in tree_nodes(tree, rows) if node.question is not None]
    return answers, np.array(reach)


def split_overlap(
    first: FloatArray, first_reach: FloatArray, second: FloatArray, second_reach: FloatArray
) -> float:
    """Say how much of two trees' questions is the same, by what they answer to the same rows.

    Questions are paired one to one, so that as much as possible agrees; a pair agrees by the
    absolute correlation of its answers, and counts by the share of the rows that come to it in the
    tree in which they are fewer. So it does not matter where in the tree a question is asked, which
    side is called left, or how a threshold is written.

    Parameters
    ----------
    first, second : ndarray of shape (n_rows, n_questions)
        The probability that a row goes right.
    first_reach, second_reach : ndarray of shape (n_questions,)
        The share of rows that come to a question.

    Returns
    -------
    float
        From 0 to 1: the same questions of the same rows. Two trees without questions agree.
    """
    most = max(float(first_reach.sum()), float(second_reach.sum()))
    if most == 0:
        return 1.0
    a, b = (
        (each - each.mean(axis=0)) / np.where(each.std(axis=0) > 0, each.std(axis=0), np.inf)
        for each in (first, second)
    )
    agreed = np.abs(a.T @ b) / len(a) * np.minimum.outer(first_reach, second_reach)
    ours, theirs = linear_sum_assignment(agreed, maximize=True)
    return float(min(agreed[ours, theirs].sum() / most, 1.0))


def reproducible_choice(
    teacher: Scorer,
    candidates: Sequence[Scorer],
    background: Rows,
    rng: np.random.Generator,
    first: int = FIRST_COALITIONS,
    most: int = MOST_COALITIONS,
) -> Choice:
    """Choose the distillation that is closest to the teacher on enough coalitions to repeat it.

    The mean squared distance of scores decides. By the central limit theorem, another sample of as
    many coalitions prefers candidate j to the best one with probability
    ``Φ(-√(n/2) d / s)``, where d and s are the mean and the standard deviation of the difference of
    their losses; the sum over candidates bounds the risk. Coalitions are added until it is at most
    `ALPHA`, or there would be more than `most`.

    Parameters
    ----------
    teacher : callable
        Raw rows to scores.
    candidates : sequence of callable
        The same of each distillation.
    background : ndarray of shape (n_background, n_columns)
        Training rows, of which coalitions are made.
    rng : Generator
    first, most : int
        Coalitions at first, and at the most.

    References
    ----------
    Zhou, Xu & Hooker (2022), A generic approach for reproducible model distillation,
    arXiv:2211.12631.
    """
    losses = np.empty((len(candidates), 0))
    wanted = first
    while True:
        rows = Coalitions().draw(background, wanted - losses.shape[1], rng)
        taught = teacher(rows)
        further = [np.square(score(rows) - taught).mean(axis=1) for score in candidates]
        losses = np.concatenate([losses, further], axis=1)
        risk, best, needed = _risk(losses)
        if risk <= ALPHA or wanted >= most:
            return Choice(wanted, risk, best, needed)
        ahead = 2 * wanted if needed is None else max(2 * wanted, needed)
        wanted = min(ahead, most)


def _risk(losses: FloatArray) -> tuple[float, int, int | None]:
    """Bound the probability that other coalitions choose another, by losses ``(k, n)``.

    Returns
    -------
    risk : float
    best : int
    needed : int or None
        The coalitions that would do; None where one is as close as the best.
    """
    n_candidates, n = losses.shape
    best = int(losses.mean(axis=1).argmin())
    behind = np.delete(losses, best, axis=0) - losses[best]
    ahead, spread = behind.mean(axis=1), behind.std(axis=1, ddof=1)
    # One that is as wrong in every row, but for rounding, is the same choice.
    told_apart = spread > ROUNDING * losses[best].mean()
    ahead, spread = ahead[told_apart], spread[told_apart]
    if not len(ahead):
        return 0.0, best, n
    risk = min(1.0, float(norm.sf(np.sqrt(n / 2) * ahead / spread).sum()))
    quantile = norm.isf(ALPHA / (n_candidates - 1))
    with np.errstate(divide="ignore", over="ignore"):
        enough = float(np.max(2 * np.square(quantile * spread / ahead)))
    return risk, best, int(np.ceil(enough)) if enough < 1e12 else None
