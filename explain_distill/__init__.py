"""Distil a black box into students that a person can read, and measure how far each speaks for it.

The names below are all there is to learn; each is imported when it is first used.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from explain_distill.audit.comparison import Comparison
    from explain_distill.audit.redistillation import redistill
    from explain_distill.data.catalog import load_dataset
    from explain_distill.data.dataset import Dataset
    from explain_distill.data.environments import environments_of
    from explain_distill.data.images import load_images
    from explain_distill.data.molecule_tables import by_scaffold
    from explain_distill.data.readers import read_table
    from explain_distill.distillation.active_queries import ActiveQueries
    from explain_distill.distillation.conditional_coalitions import ConditionalCoalitions
    from explain_distill.distillation.distill import distill
    from explain_distill.distillation.hints import Hints
    from explain_distill.distillation.image_transfer import Shifts
    from explain_distill.distillation.matching import AttributionMatching, GradientMatching
    from explain_distill.distillation.munge import Munge
    from explain_distill.distillation.spread_weights import SpreadWeights
    from explain_distill.distillation.transfer_sets import (
        Coalitions,
        Mixture,
        TrainingRows,
        TransferSet,
    )
    from explain_distill.exceptions import ExplainDistillError
    from explain_distill.report.gate_images import draw_gates
    from explain_distill.students.additive import Additive
    from explain_distill.students.base import Student
    from explain_distill.students.boosted_trees import BoostedTrees
    from explain_distill.students.decision_tree import DecisionTree
    from explain_distill.students.mlp import MLP
    from explain_distill.students.soft_tree import SoftTree
    from explain_distill.study.exports import export
    from explain_distill.study.run import run
    from explain_distill.study.study import Study, compare
    from explain_distill.teachers.base import Teacher
    from explain_distill.teachers.cached import CachedTeacher
    from explain_distill.teachers.ensemble import EnsembleTeacher
    from explain_distill.teachers.fingerprints import FingerprintTeacher
    from explain_distill.teachers.images import ImageTeacher
    from explain_distill.teachers.molecules import MolecularTeacher
    from explain_distill.teachers.neural import NeuralTeacher
    from explain_distill.teachers.wrapped import WrappedTeacher

__version__ = "0.1.0"

# Threads that wait by spinning, as OpenMP's do unless told otherwise, make work many times slower
# where another process has some of the cores. It is read when torch or xgboost first loads, and
# what is set already is left alone.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_HOMES = {
    "ActiveQueries": "distillation.active_queries",
    "AttributionMatching": "distillation.matching",
    "Additive": "students.additive",
    "BoostedTrees": "students.boosted_trees",
    "CachedTeacher": "teachers.cached",
    "Coalitions": "distillation.transfer_sets",
    "Comparison": "audit.comparison",
    "ConditionalCoalitions": "distillation.conditional_coalitions",
    "Dataset": "data.dataset",
    "DecisionTree": "students.decision_tree",
    "EnsembleTeacher": "teachers.ensemble",
    "ExplainDistillError": "exceptions",
    "environments_of": "data.environments",
    "FingerprintTeacher": "teachers.fingerprints",
    "GradientMatching": "distillation.matching",
    "Hints": "distillation.hints",
    "ImageTeacher": "teachers.images",
    "MLP": "students.mlp",
    "Mixture": "distillation.transfer_sets",
    "MolecularTeacher": "teachers.molecules",
    "Munge": "distillation.munge",
    "NeuralTeacher": "teachers.neural",
    "Shifts": "distillation.image_transfer",
    "SoftTree": "students.soft_tree",
    "SpreadWeights": "distillation.spread_weights",
    "Student": "students.base",
    "Study": "study.study",
    "Teacher": "teachers.base",
    "TrainingRows": "distillation.transfer_sets",
    "TransferSet": "distillation.transfer_sets",
    "WrappedTeacher": "teachers.wrapped",
    "by_scaffold": "data.molecule_tables",
    "compare": "study.study",
    "distill": "distillation.distill",
    "draw_gates": "report.gate_images",
    "export": "study.exports",
    "load_dataset": "data.catalog",
    "load_images": "data.images",
    "read_table": "data.readers",
    "redistill": "audit.redistillation",
    "run": "study.run",
}

__all__ = [
    "MLP",
    "ActiveQueries",
    "Additive",
    "AttributionMatching",
    "BoostedTrees",
    "CachedTeacher",
    "Coalitions",
    "Comparison",
    "ConditionalCoalitions",
    "Dataset",
    "DecisionTree",
    "EnsembleTeacher",
    "ExplainDistillError",
    "FingerprintTeacher",
    "GradientMatching",
    "Hints",
    "ImageTeacher",
    "Mixture",
    "MolecularTeacher",
    "Munge",
    "NeuralTeacher",
    "Shifts",
    "SoftTree",
    "SpreadWeights",
    "Student",
    "Study",
    "Teacher",
    "TrainingRows",
    "TransferSet",
    "WrappedTeacher",
    "by_scaffold",
    "compare",
    "distill",
    "draw_gates",
    "environments_of",
    "export",
    "load_dataset",
    "load_images",
    "read_table",
    "redistill",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
