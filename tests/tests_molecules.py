"""Molecules that tests share, and a property of theirs that is known."""

import numpy as np
import pytest

pytest.importorskip("rdkit", reason="molecules need the extra")

from explain_distill.data.dataset import Task
from explain_distill.data.fragments import KINDS
from explain_distill.data.molecule_tables import molecules
from explain_distill.data.molecules import kinds_of, numbers_of
from explain_distill.teachers.base import Teacher

CORES = ("c1ccccc1{}", "c1ccncc1{}", "C1CCCCC1{}", "CCCC{}", "c1ccc2ccccc2c1{}", "C1CCOCC1{}")
ENDS = (
    "C(=O)O", "O", "N", "C#N", "Cl", "Br", "C(=O)OC", "C(=O)NC", "CC(C)C", "F", "S(=O)(=O)N", "C=C",
    "COC", "[N+](=O)[O-]",
)  # fmt: skip
SMILES = [core.format(end) for core in CORES for end in ENDS]
WEIGHTS = {"chlorine": -1.5, "hydroxyl": 1.0, "phenol hydroxyl": 1.0, "aromatic carbocycle": -2.0}


def atoms_of_kind(number):
    """Count the atoms of each kind of fragment."""
    return np.bincount(np.array(kinds_of(number), dtype=int), minlength=len(KINDS))


def known_property(numbers):
    """Weigh the atoms of some kinds of fragments."""
    weights = np.array([WEIGHTS.get(kind, 0.0) for kind in KINDS])
    return np.array([float(atoms_of_kind(number) @ weights) for number in numbers])


def dataset(task="regression"):
    """Give the molecules with the property, or whether it is below its median."""
    empty = molecules("made", SMILES, np.zeros(len(SMILES)), Task("regression", "property"))
    y = known_property(numbers_of(empty.X))
    if task == "regression":
        told = Task("regression", "property", unit="u")
        return molecules("made", SMILES, y, told)
    low = (y < np.median(y)).astype(np.int64)
    return molecules("made", SMILES, low, Task("classification", "low", ("no", "yes")))


class KnownTeacher(Teacher):
    """Says the property itself."""

    def __init__(self, data):
        self.task, self.schema = data.task, data.schema

    def predict_score(self, X):
        return known_property(numbers_of(X))[:, None]
