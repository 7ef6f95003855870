"""Trees in one neutral form, from which every text is printed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, pairwise
from math import inf
from typing import Literal, TypeAlias

from explain_distill._types import TaskKind
from explain_distill.data.features import Feature
from explain_distill.data.readable_features import ReadableFeature
from explain_distill.students.splits import EVERYTHING

Combination: TypeAlias = Literal["leaf", "mixture", "sum"]


@dataclass(frozen=True)
class Split:
    """Whether one readable feature exceeds a threshold.

    Parameters
    ----------
    feature : int
    threshold : float
        In raw units.
    inclusive : bool
        Whether a value equal to the threshold exceeds it.
    missing_right : bool
        Whether a missing value goes right.
    """

    feature: int
    threshold: float
    inclusive: bool
    missing_right: bool

    @property
    def of_missing_alone(self) -> bool:
        """Whether it asks only whether the feature is missing: no value exceeds its threshold."""
        return self.missing_right and self.threshold == EVERYTHING


@dataclass(frozen=True)
class Sum:
    """A weighted sum of features.

    Parameters
    ----------
    weights : tuple of (feature, weight)
        For each raw unit by which a feature exceeds its centre; none is 0.
    missing_weights : tuple of (feature, weight)
        Added where the feature is missing, besides what its fill gives.
    """

    weights: tuple[tuple[int, float], ...]
    missing_weights: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Gate(Sum):
    """Whether a sum and its `bias` are positive; their sigmoid is the chance of going right."""

    bias: float


@dataclass(frozen=True)
class Branch:
    """A question and where its answers lead: another branch, or leaf i as ``-1 - i``."""

    question: Split | Gate
    left: int
    right: int


@dataclass(frozen=True)
class Aside:
    """The side of a branch that has fewer leaves: whether it is the right one, where it leads."""

    question: Split | Gate
    right: bool
    place: int


@dataclass(frozen=True)
class Tree:
    """Branches, the root first, and what each leaf holds.

    Parameters
    ----------
    branches : tuple of Branch
        Empty for a tree that is one leaf.
    leaves : tuple of tuple of float
        A number for each output.
    slopes : tuple of tuple of Sum, default=()
        What linear leaves add to these numbers for a row, one sum for each output.
    """

    branches: tuple[Branch, ...]
    leaves: tuple[tuple[float, ...], ...]
    slopes: tuple[tuple[Sum, ...], ...] = ()

    @property
    def root(self) -> int:
        """Where a row begins: branch 0, or the only leaf."""
        return 0 if self.branches else -1

    @cached_property
    def n_leaves_below(self) -> list[int]:
        """How many leaves lie below each branch, all of which come after their parents."""
        counts = [0] * len(self.branches)
        for number, branch in reversed(list(enumerate(self.branches))):
            counts[number] = sum(counts[p] if p >= 0 else 1 for p in (branch.left, branch.right))
        return counts

    def main_way(self, place: int) -> tuple[list[Aside], int]:
        """Follow the side with more leaves down to a leaf.

        A text that goes on along it, and nests only what lies aside, is at most log2(n_leaves)
        deep however deep the tree is, which parsers ask for.

        Returns
        -------
        asides : list of Aside
            One for each branch on the way.
        leaf : int
            The number of the leaf at its end.
        """
        asides = []
        while place >= 0:
            branch = self.branches[place]
            right = self._n_leaves(branch.right) <= self._n_leaves(branch.left)
            aside, place = (branch.right, branch.left) if right else (branch.left, branch.right)
            asides.append(Aside(branch.question, right, aside))
        return asides, -1 - place

    def _n_leaves(self, place: int) -> int:
        return self.n_leaves_below[place] if place >= 0 else 1


@dataclass(frozen=True)
class TreeModel:
    """A fitted student made of trees.

    Parameters
    ----------
    student : str
        Its kind: ``"soft-tree"``.
    task : {"classification", "regression"}
    class_names : tuple of str
        One empty name for regression.
    columns : tuple of Feature
        The raw columns.
    features : tuple of ReadableFeature
        What questions ask of.
    trees : tuple of Tree
    combination : {"leaf", "mixture", "sum"}
        ``"leaf"``: a row takes one path, and its leaf holds the probabilities or the value.
        ``"mixture"``: it takes every path with a probability; the leaves' answers are averaged,
        and averaged probabilities are raised to `temperature` and made to sum to 1.
        Linear leaves of classes hold scores in both cases; their softmax is the answer.
        ``"sum"``: `base` and one leaf of each tree add up to the log-odds of the second of two
        classes, to log-probabilities up to a constant, or to the value.
    fill, centre : tuple of float, default=()
        For sums: what stands in for each feature where it is missing, and what weights count from.
    base : tuple of float, default=()
    temperature : float, default=1.0
    """

    student: str
    task: TaskKind
    class_names: tuple[str, ...]
    columns: tuple[Feature, ...]
    features: tuple[ReadableFeature, ...]
    trees: tuple[Tree, ...]
    combination: Combination
    fill: tuple[float, ...] = ()
    centre: tuple[float, ...] = ()
    base: tuple[float, ...] = ()
    temperature: float = 1.0

    @property
    def questions(self) -> Iterator[Split | Gate]:
        """All questions of all trees."""
        return (branch.question for tree in self.trees for branch in tree.branches)

    @cached_property
    def gated(self) -> bool:
        """Whether its questions are weighted sums."""
        return any(isinstance(question, Gate) for question in self.questions)

    @cached_property
    def linear(self) -> bool:
        """Whether its leaves are linear."""
        return any(tree.slopes for tree in self.trees)

    @property
    def sums(self) -> Iterator[Sum]:
        """All weighted sums, of gates and of leaves."""
        yield from (question for question in self.questions if isinstance(question, Gate))
        for tree in self.trees:
            for leaf in tree.slopes:
                yield from leaf

    @property
    def numbers(self) -> Iterator[float]:
        """All numbers that a prediction is made of."""
        for question in self.questions:
            yield question.bias if isinstance(question, Gate) else question.threshold
        for each in self.sums:
            yield from (weight for _, weight in (*each.weights, *each.missing_weights))
        for tree in self.trees:
            yield from chain.from_iterable(tree.leaves)
        yield from (*self.fill, *self.centre, *self.base, self.temperature)

    @cached_property
    def compared(self) -> list[int]:
        """The readable features that some split compares with a threshold, in order."""
        splits = (question for question in self.questions if isinstance(question, Split))
        return sorted({split.feature for split in splits})

    @cached_property
    def gaps(self) -> dict[int, float]:
        """How far the two nearest thresholds of each compared feature are apart."""
        thresholds: dict[int, set[float]] = {feature: set() for feature in self.compared}
        for question in self.questions:
            if isinstance(question, Split):
                thresholds[question.feature].add(question.threshold)
        return {
            feature: min((b - a for a, b in pairwise(sorted(values))), default=inf)
            for feature, values in thresholds.items()
        }

    @cached_property
    def weighed(self) -> list[int]:
        """The readable features that some sum weighs, in order."""
        return sorted({feature for each in self.sums for feature, _ in each.weights})

    @cached_property
    def asked_whether_missing(self) -> list[int]:
        """The readable features of which some sum asks whether they are missing, in order."""
        return sorted({feature for each in self.sums for feature, _ in each.missing_weights})

    @cached_property
    def used(self) -> list[int]:
        """The readable features that it uses in any way, in order."""
        return sorted({*self.compared, *self.weighed, *self.asked_whether_missing})

    @property
    def saturation(self) -> float:
        """The logit beyond which a sigmoid is told from 0 or 1 by less than 1e-17 of an answer."""
        return 40.0 / min(self.temperature, 1.0)
