"""The students by the names that the command line and a study's folder know them by."""

from __future__ import annotations

from explain_distill.students.additive import Additive
from explain_distill.students.base import Student
from explain_distill.students.boosted_trees import BoostedTrees
from explain_distill.students.decision_tree import DecisionTree
from explain_distill.students.mlp import MLP
from explain_distill.students.soft_tree import SoftTree

STUDENTS: dict[str, type[Student]] = {
    student.NAME: student for student in (SoftTree, DecisionTree, BoostedTrees, MLP, Additive)
}

DEFAULT_STUDENTS = (SoftTree.NAME, BoostedTrees.NAME, MLP.NAME)
"""Those of a run that names none: they need no optional package."""
