"""An axis-parallel decision tree that asks its teacher."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np

from explain_distill._arrays import take_checked
from explain_distill._preparation import Preparation
from explain_distill._ranges import Range
from explain_distill._types import (
    BoolArray,
    FloatArray,
    IntArray,
    Json,
    ReadableRows,
    Scores,
    TaskKind,
)
from explain_distill.metrics.fidelity import score_r2
from explain_distill.metrics.scores import probabilities_of_score, score_of_probabilities
from explain_distill.students.base import (
    OnStep,
    Student,
    checked_distribution,
    is_hard,
    soft_scores,
)
from explain_distill.students.cuts import Cuts
from explain_distill.students.leaf_answers import Answers, Labelled, scores_of
from explain_distill.students.leaf_queries import coalitions_within
from explain_distill.students.linear_leaves import PREFIX, LeafLesson, LinearLeaves
from explain_distill.students.oracle import Oracle
from explain_distill.students.splits import Splits, with_usual_sides
from explain_distill.students.tree_growth import regrow
from explain_distill.students.tree_search import LARGER, ROUNDS, Ask, Material, search

MOST_LEAVES = 1024
LEAST_ROWS = 500  # in a leaf that is not asked about
WELL_KNOWN = 1000  # training rows; where there are more of them, each counts more than a coalition

Leaves = Literal["constant", "linear"]


class DecisionTree(Student):
    r"""A tree whose every question compares one feature with a threshold.

    It is grown best-first on soft labels to more leaves than it may keep, pruned to the subtree
    that loses least, and refined by alternating optimisation; then its leaves are grown further
    and all of it is done again, as long as it gets closer to its teacher. Close means to give the
    teacher's answer, and among trees that do so equally, to be close in probability.

    Parameters
    ----------
    max_leaves : int, default=16
    leaves : {"constant", "linear"}, default="constant"
        A linear leaf answers with a small linear model of the row's score (a model tree, Quinlan
        1992), where that is closer to the labels than one answer for all rows of the leaf. The
        tree is grown as if leaves were constant, and then pruned by what their sums leave.
    max_leaf_features : int, default=8
        The most readable features that a linear leaf weighs.
    n_queries : int, default=20_000
        Rows of the transfer set that are labelled for a tree that asks its teacher, and the most
        rows that are labelled besides to fill up leaves of few rows.
    task : {"classification", "regression"}, default="classification"
    temperature : float, default=1.0
        At which the soft labels were softened; scores are multiplied by it.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    children_ : ndarray of shape (n_splits, 2), int64
        Left and right; another split where not negative, leaf ``-1 - child`` otherwise. Splits are
        numbered level by level, leaves from left to right.
    feature_ : ndarray of shape (n_splits,), int64
    threshold_ : ndarray of shape (n_splits,)
        A row goes left where its value is not greater.
    missing_left_ : ndarray of shape (n_splits,), bool
        Whether a row goes left whose value is missing.
    leaf_outputs_ : ndarray of shape (n_leaves, n_scores)
        Scores; of a linear leaf, those that it would give all its rows if it were constant.
    linear_leaves_ : LinearLeaves or None
        What linear leaves answer, on prepared rows.
    preparation_ : Preparation or None
        Of the rows, for linear leaves.
    missing_seen_ : ndarray of shape (n_features_in_,), bool
        Whether a row that was learned lacks the feature.
    classes_ : ndarray of shape (n_classes,)

    References
    ----------
    Craven & Shavlik (1996), Extracting tree-structured representations of trained networks
    (TREPAN). Bohanec & Bratko (1994), Trading accuracy for simplicity in decision trees.
    Carreira-Perpiñán & Tavallali (2018), Alternating optimization of decision trees. Quinlan
    (1992), Learning with continuous classes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> print(*DecisionTree(max_leaves=3).fit(X, y).rules(), sep="\n")
    x3 > 0.8?
      Yes: x3 > 1.75?
        Yes: class 2 with probability 0.96 (leaf 3)
        No: class 1 with probability 0.90 (leaf 2)
      No: class 0 with probability 0.99 (leaf 1)
    """

    NAME: ClassVar[str] = "decision-tree"
    SIZE_UNIT: ClassVar[str] = "leaves"
    LARGEST_VALUE: ClassVar[float] = np.inf
    RANGES: ClassVar[dict[str, Range]] = Student.RANGES | {
        "max_leaves": Range(2, MOST_LEAVES, whole=True, remedy="16 can be read at a glance."),
        "max_leaf_features": Range(1, whole=True),
        "n_queries": Range(1, whole=True),
    }
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = Student.CHOICES | {"leaves": get_args(Leaves)}

    children_: IntArray
    feature_: IntArray
    threshold_: FloatArray
    missing_left_: BoolArray
    leaf_outputs_: Scores
    linear_leaves_: LinearLeaves | None
    preparation_: Preparation | None
    missing_seen_: BoolArray

    def __init__(
        self,
        *,
        max_leaves: int = 16,
        leaves: Leaves = "constant",
        max_leaf_features: int = 8,
        n_queries: int = 20_000,
        task: TaskKind = "classification",
        temperature: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.max_leaves = max_leaves
        self.leaves = leaves
        self.max_leaf_features = max_leaf_features
        self.n_queries = n_queries
        self.task = task
        self.temperature = temperature
        self.random_state = random_state

    def fit_oracle(self, oracle: Oracle, on_step: OnStep | None = None) -> DecisionTree:
        """Learn from a teacher that can be asked.

        The tree learns the training rows and `n_queries` rows of the transfer set. A training row
        counts as much as one of these, and more where there are more than `WELL_KNOWN`: what few
        rows leave open is learned from the teacher, and many tell where it is asked in practice.
        Leaves that hold less than `LEAST_ROWS` of them are filled up with coalitions of the
        training rows in them, and grown again.

        Parameters
        ----------
        oracle : Oracle
        on_step : callable, optional
            Called with round, number of rounds, loss and fidelity (score R²) so far.

        Returns
        -------
        DecisionTree
            Itself.
        """
        with self._learning():
            self._learn_asking(oracle, on_step)
        return self

    def _learn_asking(self, oracle: Oracle, on_step: OnStep | None) -> None:
        rng = self._rng()
        X, labels, weights = oracle.known()
        weights = weights * max(1.0, len(oracle.rows) / WELL_KNOWN)
        drawn, more = oracle.draw(self.n_queries)
        X, labels = np.concatenate([X, drawn]), np.concatenate([labels, more])
        weights = np.concatenate([weights, np.ones(len(drawn))])
        self.n_features_in_ = X.shape[1]
        if self.task == "classification":
            self.classes_ = np.arange(labels.shape[1])
            checked_distribution(labels)
        cuts = Cuts.fit(X)
        self._take_unit(labels)
        material = self._material(cuts, X, labels.reshape(len(X), -1), weights)

        n_left = self.n_queries

        def ask(splits: Splits, so_far: Material) -> Material | None:
            nonlocal n_left
            counts = np.bincount(splits.leaves_of(so_far.codes), minlength=splits.n_leaves)
            own = splits.leaves_of(so_far.codes[: len(oracle.rows)])
            short = np.maximum(LEAST_ROWS - counts, 0)
            rows = coalitions_within(oracle.rows, own, short, rng)
            if len(rows) > n_left:
                rows = rng.permutation(rows)[:n_left]
            if not len(rows):
                return None
            n_left -= len(rows)
            asked, told = oracle.ask(rows)
            return self._material(cuts, asked, told.reshape(len(asked), -1), np.ones(len(asked)))

        self._learn(cuts, material, on_step, ask)

    def _fit_labels(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> None:
        cuts = Cuts.fit(X)
        self._take_unit(labels)
        self._learn(cuts, self._material(cuts, X, labels, weights), on_step)

    def _take_unit(self, labels: FloatArray) -> None:
        """Set where values are counted from and in which unit, so that their squares stay exact."""
        self._centre, self._unit = 0.0, 1.0
        if self.task == "regression":
            self._centre = float(labels.mean())
            largest = float(np.abs(labels - self._centre).max()) or 1.0
            self._unit = largest * (float(np.std(labels / largest)) or 1.0)

    def _material(
        self, cuts: Cuts, X: ReadableRows, labels: FloatArray, weights: FloatArray
    ) -> Material:
        classify, labels = self.task == "classification", (labels - self._centre) / self._unit
        labelled = Labelled(self._unsoftened(labels), weights, classify)
        rows = X if self.leaves == "linear" else None
        return Material(cuts.codes(X), _targets(labels), labelled, rows)

    def _learn(
        self, cuts: Cuts, material: Material, on_step: OnStep | None, ask: Ask | None = None
    ) -> None:
        def on_round(step: int, splits: Splits, so_far: Material) -> None:
            if on_step is not None:
                loss = so_far.loss(splits) / float(so_far.labelled.weights.sum())
                on_step(step, ROUNDS, loss, _fidelity(splits, so_far))

        splits, material = search(material, self.max_leaves, ask=ask, on_round=on_round)
        lesson = self._leaf_lesson(material)
        if lesson is not None:
            splits = self._pruned_for_sums(splits, material, lesson)
        splits = with_usual_sides(splits, material.codes, material.labelled.weights)
        self.missing_seen_ = np.asarray(np.isnan(material.codes).any(axis=0))
        leaves = splits.leaves_of(material.codes)
        self._take(cuts.in_raw_units(splits), material.labelled, leaves)
        self.linear_leaves_ = None
        if lesson is not None:
            answers = (self.leaf_outputs_ - self._centre) / self._unit
            found = lesson.better_leaves(leaves, answers)
            self.linear_leaves_ = found.scaled(self._unit, self._centre)

    def _unsoftened(self, labels: FloatArray) -> FloatArray:
        """Undo the temperature of soft labels."""
        if self.task == "regression" or self.temperature == 1:
            return labels
        labels, soft = labels.copy(), ~is_hard(labels)
        labels[soft] = probabilities_of_score(soft_scores(labels[soft]) * self.temperature)
        return labels

    def _take(self, splits: Splits, labelled: Labelled, leaves: np.ndarray) -> None:
        """Keep the splits, and the scores that the leaves give their rows."""
        self.children_, self.feature_ = splits.children, splits.features
        self.threshold_, self.missing_left_ = splits.thresholds, splits.missing_left
        sums = labelled.sums(leaves, splits.n_leaves)
        answers = sums.answers()
        if self.task == "regression":
            self.leaf_outputs_ = answers.means * self._unit + self._centre
            return
        # One doubtful row is added to a leaf of hard labels, so that it is never quite sure.
        hard = labelled.weights * is_hard(labelled.labels)
        doubt = np.bincount(leaves, hard, splits.n_leaves) / np.maximum(sums.total, 1e-300)
        base = sums.labels.sum(axis=0) / sums.total.sum()
        means = sums.labels + doubt[:, None] * base
        means /= (sums.total + doubt)[:, None]
        self.leaf_outputs_ = scores_of(Answers(means, answers.classes))

    def _leaf_lesson(self, material: Material) -> LeafLesson | None:
        """Give what linear leaves learn; None where leaves are constant."""
        self.preparation_ = None if material.rows is None else Preparation.fit(material.rows)
        if self.preparation_ is None or material.rows is None:
            return None
        return LeafLesson(
            self.preparation_(material.rows),
            self.preparation_.origin,
            material.labelled,
            self.max_leaf_features,
        )

    def _pruned_for_sums(self, splits: Splits, material: Material, lesson: LeafLesson) -> Splits:
        """Grow the tree further, and prune it to what linear leaves make the best of."""
        weights = material.labelled.weights
        grown = regrow(splits, material.codes, material.targets, weights, LARGER)
        return lesson.prune(grown, grown.leaves_of(material.codes), self.max_leaves)

    @property
    def splits(self) -> Splits:
        """The splits of the fitted tree."""
        return Splits(self.children_, self.feature_, self.threshold_, self.missing_left_)

    @property
    def n_leaf_features(self) -> IntArray:
        """How many features the sum of each leaf weighs, 0 of a constant one: ``(n_leaves,)``."""
        if self.linear_leaves_ is None or self.preparation_ is None:
            return np.zeros(len(self.leaf_outputs_), dtype=np.int64)
        return self.linear_leaves_.n_features(self.preparation_.origin)

    def predict_score(self, X: Any) -> Scores:
        """Score rows ``(n_samples, n_readable)`` as ``(n_samples, n_scores)``."""
        rows = self._checked_rows(X)
        linear, preparation = self.linear_leaves_, self.preparation_
        if linear is None or preparation is None:
            return self.leaf_outputs_[self.leaves_of(rows)]
        return linear.answer(self.leaves_of(rows), preparation(rows))

    def leaves_of(self, X: ReadableRows) -> IntArray:
        """Give the number of each row's leaf, from 0: ``(n_samples,)``."""
        return self.splits.leaves_of(X)

    def with_size(self, size: int) -> Self:
        """Give an unfitted copy of at most so many leaves."""
        return self._sized(max_leaves=size)

    def complexity(self) -> dict[str, float]:
        """Give leaves, depth, features per split, and of linear leaves the features of each."""
        figures = {
            "leaves": float(len(self.leaf_outputs_)),
            "depth": float(self.splits.depth),
            "features_per_split": float(len(self.leaf_outputs_) > 1),
        }
        if self.n_leaf_features.any():
            figures["features_per_leaf"] = float(self.n_leaf_features.mean())
        return figures

    def rules(self) -> list[str]:
        """Say each question and each leaf in words, in raw units."""
        from explain_distill.students.decision_tree_words import decision_tree_rules

        return decision_tree_rules(self)

    def write(self, folder: Path) -> Json:
        """Write the arrays as safetensors."""
        from safetensors.numpy import save_file

        names = ("children_", "feature_", "threshold_", "missing_left_", "leaf_outputs_")
        arrays = {
            name: np.ascontiguousarray(getattr(self, name)) for name in (*names, "missing_seen_")
        }
        if self.linear_leaves_ is not None and self.preparation_ is not None:
            arrays |= self.linear_leaves_.to_arrays() | self.preparation_.to_arrays()
        save_file(arrays, folder / "model.safetensors")
        return {}

    def read(self, folder: Path, config: Json) -> None:
        """Read what `write` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(folder / "model.safetensors")
        outputs = arrays["leaf_outputs_"]
        if outputs.ndim != 2 or not len(outputs):
            raise ValueError("leaf_outputs_ must have a row for each leaf")
        n_splits = len(outputs) - 1
        whole = {"children_": (n_splits, 2), "feature_": (n_splits,)}
        taken = take_checked(arrays, whole, np.int64)
        seen = arrays["missing_seen_"]
        flags = {"missing_left_": (n_splits,), "missing_seen_": (seen.size,)}
        taken |= take_checked(arrays, flags, np.bool_)
        real = {"threshold_": (n_splits,), "leaf_outputs_": outputs.shape}
        taken |= take_checked(arrays, real)
        for name, array in taken.items():
            setattr(self, name, array)
        self.n_features_in_ = len(seen)
        self.splits.check(self.n_features_in_)
        self.linear_leaves_ = self.preparation_ = None
        if self.leaves == "linear":
            self.preparation_ = Preparation.from_arrays(arrays)
            if len(self.preparation_.fill) != self.n_features_in_:
                raise ValueError("the preparation must have a place for each feature")
            if not np.array_equal(self.preparation_.indicated, np.flatnonzero(seen)):
                raise ValueError("the preparation must indicate what missing_seen_ says")
            self.linear_leaves_ = LinearLeaves.from_arrays(
                arrays, outputs.shape, self.preparation_.origin, self.max_leaf_features
            )
        elif any(name.startswith(PREFIX) for name in arrays):
            raise ValueError("a tree of constant leaves must hold no linear ones")


def _fidelity(splits: Splits, material: Material) -> float:
    """Give the score R² of the leaves' mean labels."""
    labelled = material.labelled
    means = material.sums(splits).answers().means[splits.leaves_of(material.codes)]
    if not labelled.classify:
        return score_r2(labelled.labels, means)
    return score_r2(score_of_probabilities(labelled.labels), score_of_probabilities(means))


def _targets(labels: FloatArray) -> FloatArray:
    """Give the columns of labels that tell all: of two classes' probabilities one."""
    return labels[:, 1:] if labels.shape[1] == 2 else labels
