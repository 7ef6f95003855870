"""Molecules with atoms masked in the graph, as a transfer set: a control for coalitions.

Coalitions take fragments off and join what is left to a sound molecule, which the teacher labels.
The usual way with graph networks is to leave the graph as it is and blank the atoms of the
fragments (Yuan et al. 2021, On explainability of graph neural networks via subgraph explorations,
ICML, do so for Shapley values). A student describes molecules and cannot be shown blank atoms, so
that it is shown the molecule without the fragments beside the teacher's label of the masked graph.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import explain_distill as xd
from explain_distill.data.molecules import kinds_of
from explain_distill.teachers.message_passing import Told, blanked


class Masking(xd.Teacher):
    """A teacher of molecules that blanks the atoms of fragments that do not stay.

    Parameters
    ----------
    teacher : MolecularTeacher
        Of the graph alone: descriptors cannot be masked.
    """

    def __init__(self, teacher: xd.MolecularTeacher) -> None:
        self.teacher, self.task = teacher, teacher.task
        self._graphs: dict[float, Any] = {}
        self._known: dict[bytes, np.ndarray] = {}

    def predict_score(self, X: np.ndarray) -> np.ndarray:
        """Score rows ``(n, n_kinds)`` by masked graphs; cells are a molecule's number or 0."""
        keys = [row.tobytes() for row in X]
        new = {key: row for key, row in zip(keys, X, strict=True) if key not in self._known}
        if new:
            outputs = self.teacher._outputs([self._masked(row) for row in new.values()])
            scores = self.teacher._calibration.score(outputs).mean(axis=0)
            self._known.update(zip(new, scores, strict=True))
        return np.stack([self._known[key] for key in keys])

    def _masked(self, row: np.ndarray) -> Told:
        """Blank the atoms of a molecule whose kind is 0 in the row; without any, it is methane."""
        number = float(row.max())
        if number not in self._graphs:
            ((self._graphs[number], _),) = self.teacher._told_of([number])
        graph = self._graphs[number]
        stays = row[list(kinds_of(number))] == number if number else np.ones(1, dtype=bool)
        return blanked(graph, stays), None


@dataclass(frozen=True)
class TakenOff:
    """Training molecules without some kinds of their fragments, by a rate drawn for each."""

    n_rows: int = 20_000
    NAME: ClassVar[str] = "taken-off"

    def draw(self, X: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw `n` rows of the molecules ``(n_train, n_kinds)``."""
        rows = X[rng.integers(len(X), size=n)]
        return np.where(rng.random(rows.shape) >= rng.random((n, 1)), 0.0, rows)
