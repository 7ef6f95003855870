"""The soft decision tree of Frosst & Hinton (2017)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import torch
from scipy.special import log_softmax
from sklearn.base import clone
from torch import Tensor, nn

from explain_distill._arrays import in_blocks, take_checked
from explain_distill._gradients import GradientModel
from explain_distill._preparation import Preparation
from explain_distill._random import integer_seed
from explain_distill._ranges import Range, check_ranges
from explain_distill._types import FloatArray, Json, ReadableRows, Scores, TaskKind
from explain_distill.exceptions import DataError
from explain_distill.students.base import is_hard
from explain_distill.students.greedy_start import greedy_gates
from explain_distill.students.matching import cross_entropy
from explain_distill.students.sparse_gates import SparseGates
from explain_distill.students.stepwise import KL_WEIGHT, Lesson, StepwiseStudent
from explain_distill.students.tree_network import Answer, TreeNetwork
from explain_distill.students.tree_parts import BLOCK_ROWS, TreeParts
from explain_distill.students.tree_shape import checked, complete, levels

MAX_DEPTH = 12
MEMORY = "Its 2**depth questions take 3 MB at 12 for 100 features, 860 GB at 30; 4 can be read."
SHARPENED_BETWEEN = (0.3, 0.8)  # shares of the training
MANY_CLASSES = 16  # leaves of the usual tree: of more classes, it has not one leaf for each
RECENT_BATCHES = 64  # on which a tree is pruned and refined
ANSWERS: dict[TaskKind, Answer] = {"classification": "probabilities", "regression": "scores"}
Inference = Literal["mixture", "path", "hard"]
Leaves = Literal["auto", "constant", "linear"]
Loss = Literal["scores", "entropy", "leaf-entropy"]
Start = Literal["random", "greedy"]


class SoftTree(StepwiseStudent):
    """A tree whose inner nodes send a row both ways, by a sigmoid of a weighted sum of features.

    Node i sends a row to the right with probability ``sigmoid(βᵢ (wᵢ·x + bᵢ))``, where βᵢ is its
    learned inverse temperature; the probability of a leaf is the product along its path. Each
    leaf holds a distribution over the classes, or a value. The answer is the mixture of the leaves
    by their path probabilities, or the most probable leaf alone.

    Parameters
    ----------
    depth : int, default=4
        Questions on each path, from 1 to 12; the tree has ``2 ** depth`` leaves.
    max_features : int, optional
        The most readable features that a question weighs; all, if left out.
    leaves : {"auto", "constant", "linear"}, default="auto"
        A constant leaf holds a distribution or a value. A linear leaf adds a linear model of the
        row to its scores; then scores are mixed, not probabilities. "auto" makes leaves linear for
        more than 16 classes: of the twelve tables of `benchmarks/`, ten classes are told apart by
        16 constant leaves, and 26 are not. Where `max_features`, a `loss` other than "scores", or
        `refinements` are given, it makes them constant.
    loss : {"scores", "entropy", "leaf-entropy"}, default="scores"
        "scores" follows the teacher's confidence furthest. "entropy", the cross-entropy of the
        mixture to the label, spends the tree on which class it is, and "leaf-entropy" is that of
        Frosst & Hinton: the cross-entropy of each leaf, weighted by its path probability. Both for
        classification with constant leaves; they learn labels one by one, so that no matching of
        gradients or attributions goes with them, and true labels among them at temperature 1 only.
    start : {"random", "greedy"}, default="random"
        "greedy" starts from the questions of a tree of single features grown on the first rows.
    sharpening : float, default=1.0
        The factor by which the logits of all gates grow, step by step, over the middle of the
        training, so that the most probable path alone answers nearly as well as the mixture.
    refinements : int, default=0
        Rounds of alternating optimisation of the hardened tree, for ``inference="hard"``.
    pruning : float, default=0.0
        Branches are taken out which no row of the last batches takes with a greater probability.
    penalty : float, default=1e-3
        Weight of the penalty that pushes each node to send half of its rows each way.
    penalty_decay : float, default=0.5
        The penalty of a node at depth d counts ``penalty_decay ** d``.
    inference : {"mixture", "path", "hard"}, default="mixture"
        "path" answers with the leaf of the most probable path alone; "hard" with the leaf to which
        the more probable side of each question leads, as a person would follow them.
    n_steps : int, default=6000
    batch_size : int, default=512
    learning_rate : float, default=0.03
    task : {"classification", "regression"}, default="classification"
    temperature : float, default=1.0
        At which the soft labels were softened; scores are multiplied by it.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    children_ : ndarray of shape (n_leaves - 1, 2)
        See `tree_shape`.
    gate_weights_ : ndarray of shape (n_prepared, n_leaves - 1)
    gate_biases_, inverse_temperatures_ : ndarray of shape (n_leaves - 1,)
    leaf_outputs_ : ndarray of shape (n_leaves, n_scores)
        Log-probabilities, or values relative to their mean.
    leaf_weights_ : ndarray of shape (n_leaves, n_prepared, n_scores) or None
    classes_ : ndarray of shape (n_classes,)

    References
    ----------
    Frosst & Hinton (2017), Distilling a neural network into a soft decision tree,
    arXiv:1711.09784. Departure: by default, classes are learned by matched scores (see
    `StepwiseStudent`), which follow a teacher's confidence further out than the leaves' entropy.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> SoftTree(depth=2, n_steps=300, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    NAME: ClassVar[str] = "soft-tree"
    SIZE_UNIT: ClassVar[str] = "leaves"
    RANGES: ClassVar[dict[str, Range]] = StepwiseStudent.RANGES | {
        "depth": Range(1, MAX_DEPTH, whole=True, remedy=MEMORY),
        "sharpening": Range(1),
        "refinements": Range(0, whole=True),
        "pruning": Range(0, 1, without_high=True),
        "penalty": Range(0),
        "penalty_decay": Range(0),
    }
    CHOICES: ClassVar[dict[str, tuple[str, ...]]] = StepwiseStudent.CHOICES | {
        "inference": get_args(Inference),
        "leaves": get_args(Leaves),
        "loss": get_args(Loss),
        "start": get_args(Start),
    }

    def __init__(
        self,
        *,
        depth: int = 4,
        max_features: int | None = None,
        leaves: Leaves = "auto",
        loss: Loss = "scores",
        start: Start = "random",
        sharpening: float = 1.0,
        refinements: int = 0,
        pruning: float = 0.0,
        penalty: float = 1e-3,
        penalty_decay: float = 0.5,
        inference: Inference = "mixture",
        n_steps: int = 6000,
        batch_size: int = 512,
        learning_rate: float = 0.03,
        task: TaskKind = "classification",
        temperature: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.depth = depth
        self.max_features = max_features
        self.leaves = leaves
        self.loss = loss
        self.start = start
        self.sharpening = sharpening
        self.refinements = refinements
        self.pruning = pruning
        self.penalty = penalty
        self.penalty_decay = penalty_decay
        self.inference = inference
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.task = task
        self.temperature = temperature
        self.random_state = random_state

    def predict_score(self, X: Any) -> Scores:
        """Score rows ``(n_samples, n_readable)`` as ``(n_samples, n_scores)``."""
        return self._finished_score(self._in_blocks(self._outputs, X))

    def _outputs(self, prepared: FloatArray) -> FloatArray:
        """Answer prepared rows with softened scores ``(n, n_scores)``, up to a row's constant."""
        parts = self._parts()
        if self.inference == "mixture":
            return parts.answer_of_mixture(prepared)
        return parts.answer_of(self._answering(parts, prepared), prepared)

    def path_probabilities(self, X: ReadableRows) -> FloatArray:
        """Give each leaf's probability: ``(n_samples, n_leaves)``."""
        return self._in_blocks(lambda prepared: self._parts().paths(prepared).T, X)

    def answering_leaf(self, X: ReadableRows) -> np.ndarray:
        """Give the leaf that answers for a row, or holds most of it where all answer: ``(n,)``."""
        return self._in_blocks(lambda prepared: self._answering(self._parts(), prepared), X)

    def _answering(self, parts: TreeParts, prepared: FloatArray) -> np.ndarray:
        if self.inference == "hard":
            return parts.followed_leaf(prepared)
        return parts.likeliest_leaf(prepared)

    def gates(self, X: ReadableRows) -> FloatArray:
        """Give each node's logit of going right: ``(n_samples, n_leaves - 1)``."""
        return self._in_blocks(self._parts().logits, X)

    def _in_blocks(self, function: Callable[[FloatArray], np.ndarray], X: Any) -> np.ndarray:
        """Apply a function of prepared rows to checked rows, block by block."""
        rows = self._checked_rows(X)
        return in_blocks(lambda block: function(self.preparation_(block)), rows, BLOCK_ROWS)

    def _parts(self) -> TreeParts:
        return TreeParts(
            self.children_,
            self.gate_weights_,
            self.gate_biases_,
            self.inverse_temperatures_,
            self.leaf_outputs_,
            self.leaf_weights_,
            self.task == "classification",
        )

    def _take_parts(self, parts: TreeParts) -> None:
        self.children_, self.leaf_weights_ = parts.children, parts.slopes
        self.gate_weights_, self.gate_biases_ = parts.weights, parts.biases
        self.inverse_temperatures_ = parts.inverse_temperatures
        self.leaf_outputs_ = parts.outputs

    def with_size(self, size: int) -> Self:
        """Give an unfitted copy of so many leaves, a power of two."""
        depth = int(size).bit_length() - 1
        if size != 2**depth or not 1 <= depth <= MAX_DEPTH:
            raise DataError(
                f"The size of a soft tree must be a power of two from 2 to {2**MAX_DEPTH}, its "
                f"leaves; however, got {size}. Take 8 or 16, say."
            )
        return clone(self).set_params(depth=depth)

    def complexity(self) -> dict[str, float]:
        """Give leaves, depth, parameters, and the most features that a question weighs."""
        gates, weighed = len(self.children_), self.gate_weights_ != 0
        origin = self.preparation_.origin  # a feature and that it is missing are one
        each = [len(set(origin[used])) for used in weighed.T]
        slopes = 0 if self.leaf_weights_ is None else self.leaf_weights_.size
        figures = {
            "leaves": float(gates + 1),
            "depth": float(len(levels(self.children_))),
            "parameters": float(weighed.sum() + 2 * gates + self.leaf_outputs_.size + slopes),
            "features_per_split": float(max(each, default=0)),
        }
        if self.leaf_weights_ is not None:
            used = (self.leaf_weights_ != 0).any(axis=2)
            figures["features_per_leaf"] = float(used.sum(axis=1).mean())
        return figures

    def rules(self) -> list[str]:
        """Say each question and each leaf in words, in raw units."""
        from explain_distill.students.rules import soft_tree_rules

        return soft_tree_rules(self)

    def gradient_model(self) -> GradientModel | None:
        """Give the score of the mixture as a differentiable function of prepared rows."""
        if self.inference != "mixture":
            return None
        parts = self._parts()

        def score(prepared: Tensor) -> Tensor:
            outputs = parts.differentiable_mixture(prepared)
            if self.task == "regression":
                return outputs + torch.from_numpy(self.output_centre_)
            return (outputs - outputs.mean(dim=1, keepdim=True)) * self.temperature

        return GradientModel(score, self.preparation_, self.preparation_.origin)

    def check_parameters(self) -> None:
        """Refuse parameters that do not go together, too."""
        super().check_parameters()
        if self.loss != "scores" and (self.task == "regression" or self.leaves == "linear"):
            raise DataError(
                f"loss={self.loss!r} must be of classes and constant leaves; however, got "
                f"task={self.task!r} and leaves={self.leaves!r}. Leave loss out."
            )
        if self.refinements and (self.inference != "hard" or self.leaves == "linear"):
            raise DataError(
                "refinements must be of a tree with inference='hard' and constant leaves; however, "
                f"got inference={self.inference!r} and leaves={self.leaves!r}. Leave them out."
            )

    def _has_linear_leaves(self, n_scores: int) -> bool:
        if self.leaves != "auto":
            return self.leaves == "linear"
        plain = self.max_features is None and self.loss == "scores" and not self.refinements
        return plain and n_scores > MANY_CLASSES

    def _take_statistics(self, rows: ReadableRows, labels: FloatArray) -> None:
        super()._take_statistics(rows, labels)
        if self.max_features is not None:
            check_max_features(self.max_features, rows.shape[1])
        self._greedy: tuple[FloatArray, FloatArray] | None = None
        if self.start == "greedy":
            grown_on = (
                labels if self.task == "regression" or is_hard(labels).any() else np.log(labels)
            )
            self._greedy = greedy_gates(
                self.preparation_(rows), grown_on, self.depth, integer_seed(self._rng())
            )

    def _divergence_weight(self, n_scores: int) -> float:
        """Grow with the classes where leaves are constant.

        The more classes there are, the less the few scores that decide the answer count in the mean
        over all, and a tree of few leaves cannot match them all.
        """
        return KL_WEIGHT if self._has_linear_leaves(n_scores) else KL_WEIGHT * n_scores / 2

    def _network(self, n_inputs: int, n_scores: int, scale: FloatArray) -> nn.Module:
        linear = self._has_linear_leaves(n_scores)
        network = TreeNetwork(n_inputs, n_scores, self.depth, ANSWERS[self.task], scale, linear)
        network.penalty, network.penalty_decay = self.penalty, self.penalty_decay
        if self._greedy is not None:
            network.start_at(*self._greedy)
        del self._greedy
        # What a constant column says was not learned, so it may take no other feature's place.
        network.weights.data[:, : len(self.preparation_.scale)][
            :, torch.from_numpy(np.isinf(self.preparation_.scale))
        ] = 0.0
        self._sparse: SparseGates | None = None
        if self.max_features is not None:
            origin = torch.from_numpy(self.preparation_.origin)
            self._sparse = SparseGates(self.max_features, origin, self.n_steps)
        return network

    def _before_step(self, network: nn.Module, step: int) -> None:
        assert isinstance(network, TreeNetwork)
        if self.sharpening != 1:
            network.sharpness = self._sharpness(step)
        if self._sparse is not None:
            self._sparse.before_step(network.weights, step)

    def _sharpness(self, step: int) -> float:
        """Grow from 1 to `sharpening` by a constant factor over the middle of the training."""
        first, last = SHARPENED_BETWEEN
        share = (step / self.n_steps - first) / (last - first)
        return float(self.sharpening ** min(max(share, 0.0), 1.0))

    def _lesson_loss(
        self, network: nn.Module, lesson: Lesson
    ) -> tuple[Tensor | float, Tensor | float]:
        assert isinstance(network, TreeNetwork)
        by_entropy = self.loss != "scores" and self.task == "classification"
        each_leaf = by_entropy and self.loss == "leaf-entropy"
        if network.slopes is not None:
            distance, beside = self._matched(network(lesson.rows).T, lesson)
            return distance, beside + self.penalty * network.imbalance
        unexplained = 0.0

        def judge(mixed: Tensor) -> tuple[float, Tensor]:
            nonlocal unexplained
            if by_entropy:
                unexplained, loss, slope = self._entropy(mixed, lesson, each_leaf)
            else:
                unexplained, loss, slope = self._matched_by_hand(mixed, lesson)
            return loss, slope

        loss = network.set_gradients(lesson.both_ways, judge, each_leaf)
        return unexplained, loss

    def _entropy(
        self, mixed: Tensor, lesson: Lesson, each_leaf: bool
    ) -> tuple[float, float, Tensor]:
        """Judge what was mixed ``(n_scores, n)``: probabilities, or the leaves' logarithms."""
        if lesson.pairs is not None or (lesson.hard is not None and self.temperature != 1):
            raise DataError(
                f"loss={self.loss!r} must learn labels one by one, and hard ones at temperature 1; "
                "however, it got pairs of rows, or hard labels beside softened ones. Take "
                "loss='scores'."
            )
        labels = lesson.labels if lesson.weights is None else lesson.labels * lesson.weights
        return cross_entropy(mixed, labels, lesson.logs, self._unit, each_leaf)

    def _take_parameters(self, network: nn.Module) -> None:
        assert isinstance(network, TreeNetwork)
        if self._sparse is not None:
            self._sparse.finish(network.weights)
        del self._sparse
        outputs, slopes = _array(network.outputs().T), network.leaf_slopes()
        classify = self.task == "classification"
        parts = TreeParts(
            complete(self.depth),
            _array(network.weights.T),
            _array(network.biases[:, 0]),
            _array(network.log_inverse_temperatures[:, 0].exp() * network.sharpness),
            log_softmax(outputs, axis=1) if classify else outputs,
            None if slopes is None else _array(slopes),
            classify,
        )
        self._take_parts(parts)

    @property
    def _remembers(self) -> int:
        return RECENT_BATCHES if self.pruning or self.refinements else 0

    def _finish(self, lessons: Sequence[Lesson]) -> None:
        """Prune the tree, and refine it where it is to be followed question by question."""
        if not self.pruning and not self.refinements:
            return
        rows = torch.cat([lesson.rows for lesson in lessons]).double().numpy()
        parts = self._parts()
        if self.pruning:
            parts = parts.pruned(rows, self.pruning)
        if self.refinements and self.inference == "hard" and parts.slopes is None:
            labels = torch.cat([lesson.labels.T for lesson in lessons]).double().numpy()
            weights = np.concatenate([_weights_of(lesson) for lesson in lessons])
            parts = parts.refined(rows, labels, weights, self.refinements)
        self._take_parts(parts)

    def write(self, folder: Path) -> Json:
        """Write the arrays as safetensors."""
        from safetensors.numpy import save_file

        names = (
            "children_",
            "gate_weights_",
            "gate_biases_",
            "inverse_temperatures_",
            "leaf_outputs_",
        )
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in names}
        if self.leaf_weights_ is not None:
            arrays["leaf_weights_"] = self.leaf_weights_
        arrays |= {"output_centre_": self.output_centre_, "output_scale_": self.output_scale_}
        save_file(arrays | self.preparation_.to_arrays(), folder / "model.safetensors")
        return {}

    def read(self, folder: Path, config: Json) -> None:
        """Read what `write` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(folder / "model.safetensors")
        self.preparation_ = Preparation.from_arrays(arrays)
        children = arrays["children_"]
        self.children_ = checked(children)
        leaves, n_scores = len(children) + 1, len(arrays["output_centre_"])
        shapes = {
            "gate_weights_": (self.preparation_.n_prepared, leaves - 1),
            "gate_biases_": (leaves - 1,),
            "inverse_temperatures_": (leaves - 1,),
            "leaf_outputs_": (leaves, n_scores),
            "output_centre_": (n_scores,),
            "output_scale_": (n_scores,),
        }
        linear = self._has_linear_leaves(n_scores)
        if not linear and "leaf_weights_" in arrays:
            raise ValueError("a tree of constant leaves must hold no leaf_weights_")
        if linear:
            shapes["leaf_weights_"] = (leaves, self.preparation_.n_prepared, n_scores)
        self.leaf_weights_ = None
        for name, array in take_checked(arrays, shapes).items():
            setattr(self, name, array)
        self.n_features_in_ = len(self.preparation_.fill)


def _weights_of(lesson: Lesson) -> FloatArray:
    if lesson.weights is None:
        return np.ones(len(lesson.rows))
    return np.asarray(lesson.weights.double().numpy())


def check_max_features(most: int, n_features: int) -> None:
    """Refuse a number of features a question that is out of range.

    Raises
    ------
    DataError
    """
    remedy = f"There are {n_features} readable features; leave it out to weigh all."
    known = Range(1, n_features, whole=True, remedy=remedy)
    check_ranges({"max_features": most}, {"max_features": known})


def _array(tensor: Tensor) -> FloatArray:
    return np.ascontiguousarray(tensor.detach().double().numpy())
