"""How far two models' Shapley values are apart, row by row, measured by walks over coalitions.

Shapley values are linear in the model, so that with ``h = teacher - student`` the difference of the
two models' attributions of a row is the attribution of ``h``. Walks over fresh coalitions estimate
it without bias.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from explain_distill._types import BoolArray, FloatArray, IntArray, Rows, Scores
from explain_distill.attribution.base import ScoreFunction
from explain_distill.attribution.own import Model, score_rows
from explain_distill.attribution.shapley import Draws, sampled_shapley
from explain_distill.data.dataset import Dataset
from explain_distill.exceptions import DataError
from explain_distill.students.base import Student
from explain_distill.teachers.base import Teacher

MOST_EVALUATIONS = 2_000_000  # rows that each model scores
MOST_DRAWS = 256


@dataclass(frozen=True, eq=False)
class Gaps:
    """What walks over coalitions told of the teacher and of each student, row by row.

    Parameters
    ----------
    teacher : tuple of two ndarrays of shape (n, n_players, n_scores)
        The teacher's attributions, by independent halves of the draws.
    students : dict of str to tuple of ndarrays of shape (n, n_players, n_scores)
        The student's attributions less the teacher's, on the same draws: by the same halves, or
        one of them where there is one draw a row.
    n_draws : int
    """

    teacher: tuple[FloatArray, FloatArray] = field(repr=False)
    students: dict[str, tuple[FloatArray, ...]] = field(repr=False)
    n_draws: int


def affordable_draws(n_rows: int, n_players: int, most_evaluations: int = MOST_EVALUATIONS) -> int:
    """Give the draws a row that a budget of scored rows affords: 1, or a power of 4 up to 256.

    Parameters
    ----------
    n_rows, n_players : int
    most_evaluations : int
        Rows that a model may be asked for.
    """
    draws = MOST_DRAWS
    while draws > 1 and draws * n_rows * n_players > most_evaluations:
        draws //= 4
    return draws


def measured_gaps(
    teacher: Teacher,
    students: Mapping[str, Student],
    data: Dataset,
    background: Rows,
    n_draws: int,
    rng: np.random.Generator,
    players: Sequence[IntArray] | None = None,
) -> Gaps:
    """Walk over fresh coalitions of held-out rows, by the teacher and all students alike.

    Parameters
    ----------
    teacher : Teacher
    students : mapping of str to Student
    data : Dataset
        Held-out rows.
    background : ndarray of shape (n_background, n_columns)
        Training rows, of which each walk draws one.
    n_draws : int
        Walks a row: 1, or a multiple of 4.
    rng : Generator
    players : sequence of ndarray, optional
        The columns of each player; each column is one where left out.
    """
    if n_draws != 1 and (n_draws < 4 or n_draws % 4):
        raise DataError(
            f"Draws must be 1 or a multiple of 4; however, got {n_draws}. Take 4, 16, 64 or 256."
        )
    models: list[Model] = [teacher, *students.values()]
    names = ["teacher", *students]

    def of_all(mixed: Rows) -> FloatArray:
        told = [score_rows(model, mixed, data.readable_features) for model in models]
        for name, scores in zip(names, told, strict=True):
            check_finite(name, scores, mixed, data)
        return np.concatenate(told, axis=1)

    score: ScoreFunction = of_all
    rows, n_players = data.X, data.X.shape[1]
    if players is not None:
        score, rows, background = _of_players(score, rows, background, players)
        n_players = len(players)
    n_pairs = max(n_draws // 4, 1)
    halves: list[list[FloatArray]] = []
    for _ in range(2):
        size = (len(rows), n_players, n_pairs, len(background))
        draws = Draws.draw(*size, rng, singly=n_draws == 1)
        shares = sampled_shapley(score, rows, background, draws).values
        halves.append(np.split(shares, len(models), axis=2))
    # With one draw a row the second walk only tells how important the teacher's features are.
    used = halves[:1] if n_draws == 1 else halves
    gaps = {
        name: tuple(half[i] - half[0] for half in used) for i, name in enumerate(students, start=1)
    }
    return Gaps((halves[0][0], halves[1][0]), gaps, n_draws)


def _of_players(
    score: ScoreFunction, rows: Rows, background: Rows, players: Sequence[IntArray]
) -> tuple[ScoreFunction, Rows, Rows]:
    """Let players move instead of columns.

    Rows then say of each player by number which row its columns come from, background rows as
    ``-1 - number``.
    """
    n_columns = rows.shape[1]
    columns, owner = np.arange(n_columns), np.full(n_columns, -1)
    for number, members in enumerate(players):
        owner[members] = number
    if (owner < 0).any() or sum(map(len, players)) != n_columns:
        raise DataError(
            "Each column must belong to one player; however, some belong to none or to several. "
            "Name each column once."
        )

    def of_numbers(numbers: Rows) -> FloatArray:
        source = numbers[:, owner].astype(np.int64)
        theirs = background[np.maximum(-1 - source, 0), columns]
        return score(np.where(source >= 0, rows[np.maximum(source, 0), columns], theirs))

    ours, theirs = (np.arange(len(part), dtype=np.float64)[:, None] for part in (rows, background))
    wide = np.ones(len(players))
    return of_numbers, ours * wide, -1 - theirs * wide


def cross_fitted(first: FloatArray, second: FloatArray) -> FloatArray:
    """Estimate each row's largest absolute attribution over scores, on average not too high.

    The first of two independent estimates says in which score, and with which sign, an attribution
    is largest; the second says how large it is there. Noise in either so adds nothing on average,
    whereas it adds to the absolute value of one estimate.

    Parameters
    ----------
    first, second : ndarray of shape (n, n_players, n_scores)

    Returns
    -------
    ndarray of shape (n, n_players)
    """
    return (signed(first, second) + signed(second, first)) / 2


def signed(chooser: FloatArray, told: FloatArray) -> FloatArray:
    """Give `told` in the score where `chooser` is largest, times its sign: ``(n, n_players)``."""
    place = np.abs(chooser).argmax(axis=2)[:, :, None]
    sign = np.sign(np.take_along_axis(chooser, place, axis=2))
    return np.asarray((sign * np.take_along_axis(told, place, axis=2))[:, :, 0])


def check_finite(model: str, scores: Scores, rows: Rows, data: Dataset) -> None:
    """Refuse scores that are no numbers.

    Raises
    ------
    DataError
        Which names the first row that has such a score.
    """
    sound: BoolArray = np.asarray(np.isfinite(scores).all(axis=1))
    if sound.all():
        return
    place = int(np.argmin(sound))
    row = data.schema.decode(rows[[place]]).iloc[0].to_dict()
    shown = ", ".join(f"{name}={value}" for name, value in list(row.items())[:8])
    raise DataError(
        f"Every row's score must be a finite number; however, {model} gives "
        f"{scores[place].tolist()} to {int((~sound).sum())} of {len(sound)} rows, the first being "
        f"{shown}{', …' if len(row) > 8 else ''}. Mend the model, or leave such rows out."
    )
