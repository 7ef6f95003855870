"""The soft decision tree of Frosst & Hinton (2017)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, Self, get_args

import numpy as np
import torch
from scipy.special import expit, log_softmax
from sklearn.base import clone
from torch import Tensor, nn

from explain_distill._arrays import in_blocks, take_checked
from explain_distill._gradients import GradientModel
from explain_distill._preparation import Preparation
from explain_distill._types import FloatArray, Json, ReadableRows, Scores, TaskKind
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.students.stepwise import Lesson, StepwiseStudent
from explain_distill.students.tree_network import Answer, TreeNetwork, path_probabilities
from explain_distill.students.tree_shape import checked, complete, followed, reached

MAX_DEPTH = 12
SMALLEST = 1e-300  # of a mixed probability
BLOCK_ROWS = 1024  # rows scored at a time, so that what they need stays in the cache
ANSWERS: dict[TaskKind, Answer] = {"classification": "probabilities", "regression": "scores"}
Inference = Literal["mixture", "path"]


class SoftTree(StepwiseStudent):
    """A tree whose inner nodes send a row both ways, by a sigmoid of a weighted sum of features.

    Node i sends a row to the right with probability ``sigmoid(βᵢ (wᵢ·x + bᵢ))``, where βᵢ is its
    learned inverse temperature; the probability of a leaf is the product along its path, computed
    in logarithms. Each leaf holds a distribution over the classes, or a value. The answer is the
    mixture of the leaves by their path probabilities, or the most probable leaf alone.

    Parameters
    ----------
    depth : int, default=4
        Questions on each path; the tree has ``2 ** depth`` leaves.
    penalty : float, default=1e-3
        Weight of the penalty that pushes each node to send half of its rows each way.
    penalty_decay : float, default=0.5
        The penalty of a node at depth d counts ``penalty_decay ** d``.
    inference : {"mixture", "path"}, default="mixture"
        "path" answers with the leaf of the most probable path.
    n_steps : int, default=6000
    batch_size : int, default=512
    learning_rate : float, default=0.03
    task : {"classification", "regression"}, default="classification"
    temperature : float, default=1.0
        At which the soft labels were softened; scores are multiplied by it.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    gate_weights_ : ndarray of shape (n_prepared, n_leaves - 1)
    gate_biases_, inverse_temperatures_ : ndarray of shape (n_leaves - 1,)
    leaf_outputs_ : ndarray of shape (n_leaves, n_scores)
        Log-probabilities, or values relative to their mean.
    classes_ : ndarray of shape (n_classes,)

    References
    ----------
    Frosst & Hinton (2017), Distilling a neural network into a soft decision tree,
    arXiv:1711.09784. Departure: classes are learned by matched scores (see `StepwiseStudent`),
    which follows a teacher's confidence further out than their cross-entropy to the leaves.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> SoftTree(depth=2, n_steps=300, random_state=0).fit(X, y).score(X, y) > 0.9
    True
    """

    NAME: ClassVar[str] = "soft-tree"
    SIZE_UNIT: ClassVar[str] = "leaves"

    def __init__(
        self,
        *,
        depth: int = 4,
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
        rows = self._checked_rows(X)
        return self._finished_score(in_blocks(self._outputs, rows, BLOCK_ROWS))

    def _outputs(self, X: ReadableRows) -> FloatArray:
        """Answer rows with softened scores ``(n_samples, n_scores)``, up to a row's constant."""
        logits = self.gates(X).T
        if self.inference == "path":
            leaf = followed(self.children_, logits)
            return self.leaf_outputs_[leaf]
        reach = reached(self.children_, expit(logits), expit(-logits))[len(logits) :]
        if self.task == "regression":
            return reach.T @ self.leaf_outputs_
        mixed = reach.T @ np.exp(self.leaf_outputs_)
        return np.log(np.maximum(mixed, SMALLEST))

    def path_probabilities(self, X: ReadableRows) -> FloatArray:
        """Give each leaf's probability: ``(n_samples, n_leaves)``."""
        logits = self.gates(X).T
        return reached(self.children_, expit(logits), expit(-logits))[len(logits) :].T

    def most_probable_leaf(self, X: ReadableRows) -> np.ndarray:
        """Give the leaf at which a row comes by the more probable side of each gate: ``(n,)``."""
        return followed(self.children_, self.gates(X).T)

    def gates(self, X: ReadableRows) -> FloatArray:
        """Give each node's logit of going right: ``(n_samples, n_leaves - 1)``."""
        prepared = self.preparation_(X)
        return (prepared @ self.gate_weights_ + self.gate_biases_) * self.inverse_temperatures_

    def with_size(self, size: int) -> Self:
        """Give an unfitted copy of so many leaves, a power of two."""
        depth = size.bit_length() - 1
        if size != 2**depth or not 1 <= depth <= MAX_DEPTH:
            raise DataError(
                f"The size of a soft tree must be a power of two from 2 to {2**MAX_DEPTH}, its "
                f"leaves; however, got {size}. Take 8 or 16, say."
            )
        return clone(self).set_params(depth=depth)

    def complexity(self) -> dict[str, float]:
        """Give leaves, depth, parameters and features per split, "is missing" being one."""
        leaves = len(self.leaf_outputs_)
        return {
            "leaves": float(leaves),
            "depth": float(self.depth),
            "parameters": float(
                self.gate_weights_.size + 2 * (leaves - 1) + self.leaf_outputs_.size
            ),
            "features_per_split": float(len(self.gate_weights_)),
        }

    def rules(self) -> list[str]:
        """Say each question and each leaf in words, in raw units."""
        from explain_distill.students.rules import soft_tree_rules

        return soft_tree_rules(self)

    def gradient_model(self) -> GradientModel | None:
        """Give the score of the mixture as a differentiable function of prepared rows."""
        if self.inference == "path":
            return None
        weights, biases, inverse_temperatures, leaves = (
            torch.from_numpy(array)
            for array in (
                self.gate_weights_,
                self.gate_biases_,
                self.inverse_temperatures_,
                self.leaf_outputs_,
            )
        )

        def score(prepared: Tensor) -> Tensor:
            paths = path_probabilities(
                self.children_, (prepared @ weights + biases) * inverse_temperatures
            )
            if self.task == "regression":
                return paths @ leaves + torch.from_numpy(self.output_centre_)
            outputs = (paths @ leaves.exp()).clamp_min(SMALLEST).log()
            return (outputs - outputs.mean(dim=1, keepdim=True)) * self.temperature

        return GradientModel(score, self.preparation_, self.preparation_.origin)

    def _network(self, n_inputs: int, n_scores: int, scale: FloatArray) -> nn.Module:
        if self.depth not in range(1, MAX_DEPTH + 1) or isinstance(self.depth, float):
            raise DataError(
                f"depth must be a whole number from 1 to {MAX_DEPTH}; however, got {self.depth!r}. "
                "A tree of depth d has 2**d leaves."
            )
        if self.inference not in get_args(Inference):
            raise UnknownNameError.of("inference", self.inference, get_args(Inference))
        network = TreeNetwork(n_inputs, n_scores, self.depth, ANSWERS[self.task], scale)
        network.penalty, network.penalty_decay = self.penalty, self.penalty_decay
        return network

    def _lesson_loss(self, network: nn.Module, lesson: Lesson) -> tuple[Tensor, Tensor]:
        assert isinstance(network, TreeNetwork)
        unexplained = torch.zeros(())

        def judge(outputs: Tensor) -> tuple[Tensor, Tensor]:
            nonlocal unexplained
            unexplained, loss, slope = self._matched_by_hand(outputs, lesson)
            return loss, slope

        loss = network.set_gradients(lesson.rows, judge)
        return unexplained, loss

    def _take_parameters(self, network: nn.Module) -> None:
        assert isinstance(network, TreeNetwork)
        self.children_ = complete(self.depth)
        self.gate_weights_ = _array(network.weights.T)
        self.gate_biases_ = _array(network.biases[:, 0])
        self.inverse_temperatures_ = np.exp(_array(network.log_inverse_temperatures[:, 0]))
        outputs = _array(network.outputs().T)
        if self.task == "classification":
            outputs = log_softmax(outputs, axis=1)
        self.leaf_outputs_ = outputs

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
        for name, array in take_checked(arrays, shapes).items():
            setattr(self, name, array)
        self.n_features_in_ = len(self.preparation_.fill)


def _array(tensor: Tensor) -> FloatArray:
    return np.asarray(tensor.detach().double().numpy())
