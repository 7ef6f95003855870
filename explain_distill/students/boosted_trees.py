"""Gradient-boosted trees on the teacher's scores."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from explain_distill._arrays import take_checked, take_number
from explain_distill._random import integer_seed
from explain_distill._ranges import Range
from explain_distill._types import FloatArray, Json, ReadableRows, Scores, TaskKind
from explain_distill.students.base import OnStep, Student
from explain_distill.students.booster_form import booster_of, trees_of
from explain_distill.students.boosting import Target, boosted
from explain_distill.students.constraints import FeatureName, interaction_groups, monotone_signs
from explain_distill.students.margins import scores_of_margins
from explain_distill.students.tree_arrays import TreeArrays

if TYPE_CHECKING:
    import xgboost

FEW_ROWS = 4  # up to which our own walk down the trees is faster than a call of xgboost
LEFT_OVER = 0.05  # the share of a score that a chosen number of rounds may leave unlearned
FEWEST_ROWS, MOST_HELD_OUT = 200, 10_000  # below the one, none is held out
FEW_STEPS = 64  # of float32, over which a feature varies
LARGEST_FLOAT32 = 1e38  # about, and its neighbours can be told, too
MOST_QUESTIONS = 16  # on a path of a tree
NAMED_FEATURES = 5  # how many features the words name


def _within_float32(X: ReadableRows) -> ReadableRows:
    """Bring values that float32 cannot hold to the largest that it can."""
    return np.clip(X, -LARGEST_FLOAT32, LARGEST_FLOAT32)


def _coarse(column: FloatArray) -> bool:
    """Whether a column's values span few steps of float32."""
    known = column[~np.isnan(column)]
    step = np.spacing(np.abs(known).max(initial=0.0).astype(np.float32))
    return bool(0 < np.ptp(known) < FEW_STEPS * step) if len(known) else False


class BoostedTrees(Student):
    """Boosted regression trees (xgboost) that learn the teacher's scores, class by class.

    xgboost's own softmax objective takes no soft labels, and its logistic one matches
    probabilities, which says little of confident rows. So the trees learn the scores by squared
    error: the log-odds for two classes, the centred log-probabilities for more, the value for
    regression. Hard labels have no finite score and are learned by cross-entropy, in the same
    trees.

    Parameters
    ----------
    n_trees : int, default=300
        The most rounds of boosting; more than two classes grow one tree a class in each.
    depth : int, default=4
    learning_rate : float, default=0.3
    task : {"classification", "regression"}, default="classification"
    temperature : float, default=1.0
        At which the soft labels were softened; scores are multiplied by it.
    validation_share : float, default=0.1
        The share of the transfer rows, 10 000 at most, that are held out to stop boosting where
        the trees follow the teacher no better; 0 boosts `n_trees` rounds, and so do fewer than 200
        rows.
    monotone : mapping of str or int to {-1, 1}, or its pairs, optional
        Features, by name or number, in which the score must not fall (1) or not rise (-1): the
        value, or the score of the second of two classes.
    interactions : sequence of sequences of str or int, optional
        Groups of features that may be asked for on one path of a tree; others stand alone. A
        category's name stands for all its levels.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    booster_ : xgboost.Booster
        Its margins are relative to `output_centre_`; its leaves are multiples of a power of two,
        so that float32 sums of them are exact.
    tree_arrays_ : TreeArrays
        The booster's trees as arrays.
    output_centre_ : ndarray of shape (n_outputs,)
        Mean margin of the transfer rows; one output for two classes and for regression.
    classes_ : ndarray of shape (n_classes,)

    References
    ----------
    Chen & Guestrin (2016), XGBoost: a scalable tree boosting system.
    Ba & Caruana (2014), Do deep nets really need to be deep? (matching scores).
    """

    NAME: ClassVar[str] = "boosted-trees"
    SIZE_UNIT: ClassVar[str] = "rounds"
    RANGES: ClassVar[dict[str, Range]] = Student.RANGES | {
        "n_trees": Range(1, whole=True),
        "depth": Range(1, MOST_QUESTIONS, whole=True),
        "learning_rate": Range(0, 1, without_low=True),
        "validation_share": Range(0, 0.5, remedy="0 boosts to the last round."),
    }

    booster_: xgboost.Booster

    def __init__(
        self,
        *,
        n_trees: int = 300,
        depth: int = 4,
        learning_rate: float = 0.3,
        task: TaskKind = "classification",
        temperature: float = 1.0,
        validation_share: float = 0.1,
        monotone: Mapping[FeatureName, int] | None = None,
        interactions: Sequence[Sequence[FeatureName]] | None = None,
        random_state: Any = None,
    ) -> None:
        self.n_trees = n_trees
        self.depth = depth
        self.learning_rate = learning_rate
        self.task = task
        self.temperature = temperature
        self.validation_share = validation_share
        self.monotone = monotone
        self.interactions = interactions
        self.random_state = random_state

    def _fit_labels(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> None:
        X = _within_float32(X)
        self._warn_of_coarse_columns(X)
        target = Target.of(labels, weights, self.task, self.temperature)
        rng = self._rng()
        parameters = self._parameters(target.margins.shape[1], rng)
        held_out = rng.permutation(len(X))[: self._n_held_out(len(X))]
        booster = boosted(X, target, held_out, parameters, self.n_trees, on_step)
        self.output_centre_ = target.centre
        trees = trees_of(booster, target.margins.shape[1]).on_a_grid()
        self._take_trees(trees, target.scale)

    def _warn_of_coarse_columns(self, X: ReadableRows) -> None:
        """Warn of columns whose values lie closer to each other than xgboost's float32 can tell."""
        names = [f.name for f, c in zip(self.readable_features(), X.T, strict=True) if _coarse(c)]
        if names:
            warnings.warn(
                "Boosted trees see features in float32, which here takes different values of "
                f"{', '.join(names[:NAMED_FEATURES])} for one. Subtract a constant from them.",
                UserWarning,
                stacklevel=2,
            )

    def _n_held_out(self, n_rows: int) -> int:
        if n_rows < FEWEST_ROWS:
            return 0
        return min(int(self.validation_share * n_rows), MOST_HELD_OUT)

    def _parameters(self, n_targets: int, rng: np.random.Generator) -> Json:
        parameters = {
            "objective": "reg:squarederror",
            "num_target": n_targets,
            "tree_method": "hist",
            "max_depth": self.depth,
            "learning_rate": self.learning_rate,
            "base_score": 0.0,
            "disable_default_eval_metric": True,
            "seed": integer_seed(rng),
        }
        features = self.readable_features()
        if self.monotone:
            signs = monotone_signs(self.monotone, features, n_targets)
            parameters["monotone_constraints"] = tuple(signs)
        if self.interactions is not None:
            parameters["interaction_constraints"] = str(
                interaction_groups(self.interactions, features)
            )
        return parameters

    def predict_score(self, X: Any) -> Scores:
        """Score rows ``(n_samples, n_readable)`` as ``(n_samples, n_scores)``."""
        margins = np.asarray(self.booster_of(self._checked_rows(X)), dtype=np.float64)
        return scores_of_margins(margins * self.output_scale_ + self.output_centre_, self.task)

    def booster_of(self, X: ReadableRows) -> FloatArray:
        """Ask the booster for its outputs ``(n_samples, n_outputs)``, which are exact sums."""
        if len(X) <= FEW_ROWS:
            with np.errstate(over="ignore"):  # infinity goes the way of the largest number
                return np.stack([self.tree_arrays_.outputs_of_row(row) for row in X])
        outputs = self.booster_.inplace_predict(_within_float32(X)).astype(np.float64)
        return np.asarray(outputs).reshape(len(X), len(self.output_centre_))

    def _take_trees(self, trees: TreeArrays, scale: float) -> None:
        self.tree_arrays_, self.output_scale_ = trees, scale
        self.booster_ = booster_of(trees, self.n_features_in_)

    def with_size(self, size: int) -> Self:
        """Give an unfitted copy of so many rounds, each of which learns more where they are few."""
        rate = max(self.learning_rate, 1 - LEFT_OVER ** (1 / max(size, 1)))
        return self._sized(n_trees=size, learning_rate=rate)

    def complexity(self) -> dict[str, float]:
        """Give leaves and depth of all trees together."""
        leaves = float(self.tree_arrays_.is_leaf.sum())
        depth = float(self.tree_arrays_.depth)
        return {"leaves": leaves, "depth": depth, "features_per_split": 1.0}

    def rules(self) -> list[str]:
        """Say how many trees there are, and which features they ask for most."""
        trees = self.tree_arrays_
        gains = np.bincount(trees.features, trees.gains, minlength=self.n_features_in_)
        names = [feature.name for feature in self.readable_features()]
        by_gain = [i for i in np.argsort(-gains, kind="stable") if gains[i] > 0]
        top = ", ".join(names[i] for i in by_gain[:NAMED_FEATURES])
        return [
            f"{self.booster_.num_boosted_rounds()} rounds of boosted trees, each at most "
            f"{self.depth} questions deep: too many to read one by one.",
            f"They gain most from: {top}." if top else "They ask for no feature.",
        ]

    def write(self, folder: Path) -> Json:
        """Write the trees as safetensors: a file of xgboost's own is read without checks."""
        from safetensors.numpy import save_file

        arrays = self.tree_arrays_.to_arrays() | {"output_centre_": self.output_centre_}
        save_file(arrays, folder / "model.safetensors")
        return {"n_features": self.n_features_in_, "output_scale": self.output_scale_}

    def read(self, folder: Path, config: Json) -> None:
        """Read what `write` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(folder / "model.safetensors")
        outputs = np.size(arrays["output_centre_"])
        centre = take_checked(arrays, {"output_centre_": (outputs,)})
        if not outputs:
            raise ValueError("output_centre_ is empty")
        self.output_centre_ = centre["output_centre_"]
        self.n_features_in_ = int(config["n_features"])
        trees = TreeArrays.from_arrays(arrays, self.n_features_in_, outputs)
        rounds, rest = divmod(len(trees), outputs)
        if rest or not 1 <= rounds <= self.n_trees:
            raise ValueError(f"it holds {len(trees)} trees, not 1 to {self.n_trees} an output")
        self._take_trees(trees, take_number(config, "output_scale", positive=True))
