"""The molecules of a study: what was measured of each, and what teacher and student say."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from explain_distill._random import generator
from explain_distill._types import BoolArray, FloatArray, IntArray, Rows, Scores
from explain_distill.attribution.own import score_rows
from explain_distill.audit.comparison import Comparison
from explain_distill.data.dataset import Dataset, Task
from explain_distill.data.molecules import numbers_of, smiles_of
from explain_distill.metrics.scores import probabilities_of_score

MOST_MOLECULES = 2_000
TEACHER = "teacher"


@dataclass(frozen=True, eq=False)
class KnownMolecules:
    """Molecules with their measurements and what the models say of them.

    Parameters
    ----------
    task : Task
    score : int
        Which class is told of; 0 for regression.
    smiles : tuple of n str
        Canonical.
    truth : ndarray of shape (n,)
        Class codes, or measured values.
    scores : dict of str to ndarray of shape (n, n_scores)
        Of each model, in the order in which they are shown.
    training : ndarray of shape (n,), bool
        Whether the models learned from it; test molecules otherwise.
    groups : ndarray of shape (n,), optional
        Molecules that belong together.
    n_all : int, default=0
        How many there are, where these were drawn from more.
    """

    task: Task
    score: int
    smiles: tuple[str, ...] = field(repr=False)
    truth: np.ndarray = field(repr=False)
    scores: dict[str, Scores] = field(repr=False)
    training: BoolArray = field(repr=False)
    groups: IntArray | None = field(default=None, repr=False)
    n_all: int = 0

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models."""
        return tuple(self.scores)

    @property
    def classifies(self) -> bool:
        """Whether classes are told, not values."""
        return self.task.kind == "classification"

    @property
    def measured(self) -> FloatArray:
        """What was measured ``(n,)``: the value, or 1 where it is of the class, else 0."""
        if self.classifies:
            return (self.truth == self.score).astype(np.float64)
        return np.asarray(self.truth, dtype=np.float64)

    def said(self, model: str) -> FloatArray:
        """Give what a model says ``(n,)``: the value, or the probability of the class."""
        return said_of(self.scores[model], self.task, self.score)


def said_of(scores: Scores, task: Task, score: int) -> FloatArray:
    """Turn scores into what a person reads.

    Parameters
    ----------
    scores : ndarray of shape (n, n_scores)
    task : Task
    score : int
        The class.

    Returns
    -------
    ndarray of shape (n,)
        Values in the target's unit, or probabilities of the class.
    """
    if task.kind == "regression":
        return np.asarray(scores[:, 0])
    return np.asarray(probabilities_of_score(scores)[:, score])


def default_score(task: Task) -> int:
    """Give the class that is told of where none is asked for: the last; 0 for regression."""
    return task.n_scores - 1


def asked(comparison: Comparison, model: str, rows: Rows) -> Scores | None:
    """Score molecules ``(n, n_kinds)`` by a model of a comparison: ``(n, n_scores)``.

    None where it is the teacher and was not kept.
    """
    asks = comparison.teacher if model == TEACHER else comparison.students[model]
    if asks is None or comparison.data is None:
        return None
    return score_rows(asks, rows, comparison.data.readable_features)


def known_molecules(
    comparison: Comparison,
    train: Dataset | None,
    student: str,
    *,
    most: int = MOST_MOLECULES,
    seed: int = 0,
) -> KnownMolecules:
    """Gather a study's molecules, training and test.

    Where the teacher was not kept, or training rows are not known, they are the test molecules.

    Parameters
    ----------
    comparison : Comparison
        Of molecules, with its rows.
    train : Dataset or None
    student : str
    most : int, default=2000
        So many are drawn at random where there are more.
    seed : int, default=0

    Returns
    -------
    KnownMolecules
        Of ``"teacher"`` and the student.
    """
    test = comparison.data
    assert test is not None
    parts = [test] if train is None or comparison.teacher is None else [test, train]
    sizes = [len(part) for part in parts]
    n_all = sum(sizes)
    chosen = np.arange(n_all)
    if n_all > most:
        chosen = np.sort(generator(seed, "known molecules").permutation(n_all)[:most])
    held_out = chosen[chosen < len(test)]
    learned = chosen[chosen >= len(test)] - len(test)
    scores = {}
    for model in (TEACHER, student):
        told = comparison.scores[model][held_out]
        if len(learned):
            more = asked(comparison, model, parts[1].X[learned])
            assert more is not None
            told = np.concatenate([told, more])
        scores[model] = told
    rows = np.concatenate([part.X for part in parts])[chosen]
    groups = None
    if all(part.groups is not None for part in parts):
        groups = np.concatenate([part.groups for part in parts])[chosen]
    return KnownMolecules(
        test.task,
        default_score(test.task),
        tuple(smiles_of(float(number)) for number in numbers_of(rows)),
        np.concatenate([part.y for part in parts])[chosen],
        scores,
        chosen >= len(test),
        groups,
        n_all,
    )
