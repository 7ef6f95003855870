"""Gradient-boosted trees on the teacher's scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import clone

from explain_distill._arrays import take_checked
from explain_distill._random import integer_seed
from explain_distill._types import FloatArray, Json, ReadableRows, Scores, TaskKind
from explain_distill.students.base import OnStep, Student, is_hard
from explain_distill.students.booster_form import booster_of, trees_of
from explain_distill.students.margins import margins_of_labels, n_outputs, scores_of_margins
from explain_distill.students.tree_arrays import TreeArrays

if TYPE_CHECKING:
    import xgboost

FEW_ROWS = 4  # up to which our own walk down the trees is faster than a call of xgboost
LEFT_OVER = 0.05  # the share of a score that a chosen number of rounds may leave unlearned
NAMED_FEATURES = 5  # how many features the words name


class BoostedTrees(Student):
    """Boosted regression trees (xgboost) that learn the teacher's scores, class by class.

    xgboost's own softmax objective takes no soft labels, and its logistic one matches
    probabilities, which says little of confident rows. So the trees learn the scores by squared
    error: the log-odds for two classes, the centred log-probabilities for more, the value for
    regression. Hard labels have no finite score and are learned by cross-entropy, in the same
    trees.

    Parameters
    ----------
    n_trees : int, default=800
        Rounds of boosting; more than two classes grow one tree a class in each.
    depth : int, default=4
    learning_rate : float, default=0.1
    task : {"classification", "regression"}, default="classification"
    temperature : float, default=1.0
        At which the soft labels were softened; scores are multiplied by it.
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

    booster_: xgboost.Booster

    def __init__(
        self,
        *,
        n_trees: int = 800,
        depth: int = 4,
        learning_rate: float = 0.1,
        task: TaskKind = "classification",
        temperature: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.n_trees = n_trees
        self.depth = depth
        self.learning_rate = learning_rate
        self.task = task
        self.temperature = temperature
        self.random_state = random_state

    def _fit_labels(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> None:
        import xgboost

        hard = is_hard(labels) if self.task == "classification" else np.zeros(len(labels), bool)
        margins = np.zeros((len(labels), n_outputs(labels.shape[1])))
        margins[~hard] = margins_of_labels(labels[~hard], self.task, self.temperature)
        if hard.all():
            self.output_centre_, scale = np.zeros(margins.shape[1]), 1.0
        else:
            self.output_centre_ = np.average(margins[~hard], axis=0, weights=weights[~hard])
            scale = max(float(margins[~hard].std()), 1e-12)
        target = (margins - self.output_centre_) / scale
        rows = xgboost.QuantileDMatrix(X, target, weight=weights)
        objective = None if not hard.any() else _MixedObjective(target, labels, hard, scale, self)
        booster = xgboost.train(
            self._parameters(margins.shape[1]),
            rows,
            self.n_trees,
            obj=objective,
            callbacks=[_report_to(on_step, rows, target, self.n_trees)] if on_step else None,
        )
        self._take_trees(trees_of(booster, margins.shape[1]).on_a_grid(), scale)

    def _parameters(self, n_targets: int) -> Json:
        return {
            "objective": "reg:squarederror",
            "num_target": n_targets,
            "tree_method": "hist",
            "max_depth": self.depth,
            "learning_rate": self.learning_rate,
            "base_score": 0.0,
            "disable_default_eval_metric": True,
            "seed": integer_seed(self._rng()),
        }

    def predict_score(self, X: Any) -> Scores:
        """Score rows ``(n_samples, n_readable)`` as ``(n_samples, n_scores)``."""
        margins = np.asarray(self.booster_of(self._checked_rows(X)), dtype=np.float64)
        return scores_of_margins(margins * self.output_scale_ + self.output_centre_, self.task)

    def booster_of(self, X: ReadableRows) -> FloatArray:
        """Ask the booster for its outputs ``(n_samples, n_outputs)``, which are exact sums."""
        if len(X) <= FEW_ROWS:
            return np.stack([self.tree_arrays_.outputs_of_row(row) for row in X])
        outputs = self.booster_.inplace_predict(X).astype(np.float64)
        return np.asarray(outputs).reshape(len(X), len(self.output_centre_))

    def _take_trees(self, trees: TreeArrays, scale: float) -> None:
        self.tree_arrays_, self.output_scale_ = trees, scale
        self.booster_ = booster_of(trees, self.n_features_in_)

    def with_size(self, size: int) -> Self:
        """Give an unfitted copy of so many rounds, each of which learns more where they are few."""
        rate = max(self.learning_rate, 1 - LEFT_OVER ** (1 / size))
        return clone(self).set_params(n_trees=size, learning_rate=rate)

    def complexity(self) -> dict[str, float]:
        """Give leaves and depth of all trees together."""
        leaves = float(self.tree_arrays_.is_leaf.sum())
        return {"leaves": leaves, "depth": float(self.depth), "features_per_split": 1.0}

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
        if len(trees) != self.n_trees * outputs:
            raise ValueError(f"it holds {len(trees)} trees, not {self.n_trees} for each output")
        self._take_trees(trees, float(config["output_scale"]))


class _MixedObjective:
    """Squared error for rows with soft labels, cross-entropy for those with hard ones.

    Both act on outputs in units of `scale`; squared error is in units of the scores' variance.
    """

    def __init__(
        self,
        target: FloatArray,
        labels: FloatArray,
        hard: np.ndarray,
        scale: float,
        student: BoostedTrees,
    ) -> None:
        self.target, self.labels, self.hard = target, labels[hard], hard
        self.scale, self.student = scale, student

    def __call__(self, outputs: FloatArray, rows: xgboost.DMatrix) -> tuple[FloatArray, FloatArray]:
        outputs = np.asarray(outputs, dtype=np.float64).reshape(self.target.shape)
        gradient, hessian = outputs - self.target, np.ones_like(outputs)
        margins = outputs[self.hard] * self.scale + self.student.output_centre_
        scores = scores_of_margins(margins, self.student.task)
        probabilities = softmax(scores, axis=1)
        slope, curve = probabilities - self.labels, probabilities * (1 - probabilities)
        if self.target.shape[1] == 1:
            slope, curve = slope[:, [1]], curve[:, [1]]
        gradient[self.hard] = slope * self.scale
        hessian[self.hard] = np.maximum(curve * self.scale**2, 1e-6)
        weights = rows.get_weight().reshape(-1, 1)
        return gradient * weights, hessian * weights


def _report_to(
    on_step: OnStep, rows: xgboost.QuantileDMatrix, target: FloatArray, n_steps: int
) -> Any:
    """Build the callback that tells `on_step` loss and fidelity, at most fifty times."""
    import xgboost

    class Report(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            if (epoch + 1) % max(1, n_steps // 50) == 0 or epoch + 1 == n_steps:
                outputs = np.asarray(model.predict(rows)).reshape(target.shape)
                loss = float(np.square(outputs - target).mean())
                on_step(epoch + 1, n_steps, loss, 1 - loss)
            return False

    return Report()
