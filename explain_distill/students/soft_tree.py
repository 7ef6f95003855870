"""The soft decision tree of Frosst & Hinton (2017)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import torch
from scipy.special import log_expit, log_softmax, logsumexp
from torch import Tensor, nn
from torch.nn import functional

from explain_distill._arrays import take_checked
from explain_distill._gradients import GradientModel
from explain_distill._preparation import Preparation
from explain_distill._training import seeded
from explain_distill._types import FloatArray, Json, Scores, TaskKind
from explain_distill.exceptions import DataError, UnknownNameError
from explain_distill.students.stepwise import StepwiseStudent

MAX_DEPTH = 12
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
        log_paths = self.log_path_probabilities(self._checked_rows(X))
        if self.inference == "path":
            return self._finished_score(self.leaf_outputs_[log_paths.argmax(axis=1)])
        if self.task == "regression":
            return self._finished_score(np.exp(log_paths) @ self.leaf_outputs_)
        outputs = [logsumexp(log_paths + leaf, axis=1) for leaf in self.leaf_outputs_.T]
        return self._finished_score(np.stack(outputs, axis=1))

    def log_path_probabilities(self, X: FloatArray) -> FloatArray:
        """Give the logarithm of each leaf's probability: ``(n_samples, n_leaves)``."""
        gates = self.gates(X)
        to_right, to_left = routes(self.depth)
        return np.asarray(log_expit(gates) @ to_right + log_expit(-gates) @ to_left)

    def gates(self, X: FloatArray) -> FloatArray:
        """Give each node's logit of going right: ``(n_samples, n_leaves - 1)``."""
        prepared = self.preparation_(X)
        return (prepared @ self.gate_weights_ + self.gate_biases_) * self.inverse_temperatures_

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
        module = _TreeModule.of(self)

        def score(prepared: Tensor) -> Tensor:
            outputs = module(prepared)
            if self.task == "regression":
                return outputs + torch.from_numpy(self.output_centre_)
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
        return _TreeModule(n_inputs, n_scores, self.depth, self.task == "classification", scale)

    def _penalty(self, network: nn.Module) -> Tensor | float:
        assert isinstance(network, _TreeModule)
        return self.penalty * network.imbalance(self.penalty_decay) if self.penalty else 0.0

    def _take_parameters(self, network: nn.Module) -> None:
        assert isinstance(network, _TreeModule)
        self.gate_weights_ = _array(network.weights)
        self.gate_biases_ = _array(network.biases)
        self.inverse_temperatures_ = np.exp(_array(network.log_inverse_temperatures))
        outputs = _array(network.leaves * network.scale)
        if self.task == "classification":
            outputs = log_softmax(outputs, axis=1)
        self.leaf_outputs_ = outputs

    def write(self, folder: Path) -> Json:
        """Write the arrays as safetensors."""
        from safetensors.numpy import save_file

        names = ("gate_weights_", "gate_biases_", "inverse_temperatures_", "leaf_outputs_")
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in names}
        arrays |= {"output_centre_": self.output_centre_, "output_scale_": self.output_scale_}
        save_file(arrays | self.preparation_.to_arrays(), folder / "model.safetensors")
        return {}

    def read(self, folder: Path, config: Json) -> None:
        """Read what `write` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(folder / "model.safetensors")
        self.preparation_ = Preparation.from_arrays(arrays)
        leaves, n_scores = 2**self.depth, len(arrays["output_centre_"])
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


class _TreeModule(nn.Module):
    """The tree as a torch module of prepared rows, for training and for gradients.

    Nodes are numbered level by level from the root, 0; leaves from left to right.
    """

    def __init__(
        self, n_inputs: int, n_scores: int, depth: int, classify: bool, scale: FloatArray
    ) -> None:
        super().__init__()
        nodes = 2**depth - 1
        self.classify = classify
        self.weights = nn.Parameter(torch.randn(n_inputs, nodes) / n_inputs**0.5)
        self.biases = nn.Parameter(torch.zeros(nodes))
        self.log_inverse_temperatures = nn.Parameter(torch.zeros(nodes))
        self.leaves = nn.Parameter(0.1 * torch.randn(nodes + 1, n_scores))
        to_right, to_left = routes(depth)
        self.to_right: Tensor
        self.to_left: Tensor
        self.scale: Tensor
        self.level: Tensor
        self.register_buffer("to_right", torch.from_numpy(to_right).float())
        self.register_buffer("to_left", torch.from_numpy(to_left).float())
        self.register_buffer("scale", torch.from_numpy(scale).float())
        self.register_buffer("level", torch.floor(torch.log2(torch.arange(1.0, nodes + 1))))

    def forward(self, prepared: Tensor) -> Tensor:
        """Map ``(n, n_inputs)`` to softened scores ``(n, n_scores)``, up to a row's constant."""
        gates = (prepared @ self.weights + self.biases) * self.log_inverse_temperatures.exp()
        self.log_right, self.log_left = functional.logsigmoid(gates), functional.logsigmoid(-gates)
        self.log_paths = self.log_right @ self.to_right + self.log_left @ self.to_left
        leaves = self.leaves * self.scale
        if not self.classify:
            return self.log_paths.exp() @ leaves
        logs = functional.log_softmax(leaves, dim=1)
        return torch.logsumexp(self.log_paths[:, :, None] + logs[None], dim=1)

    def imbalance(self, decay: float) -> Tensor:
        """Frosst & Hinton's penalty of the last batch.

        ``-Σᵢ decayᵈ [½ log αᵢ + ½ log(1 - αᵢ)]`` with αᵢ the average of node i's probability of
        going right, weighted by the probability that a row reaches it.
        """
        paths = self.log_paths.exp()
        reach_right, reach_left = paths @ self.to_right.T, paths @ self.to_left.T
        right, left = reach_right.sum(dim=0) + 1e-6, reach_left.sum(dim=0) + 1e-6
        logs = right.log() + left.log() - 2 * (right + left).log()
        return -0.5 * (decay**self.level * logs).sum()

    @classmethod
    def of(cls, tree: SoftTree) -> _TreeModule:
        """Build the module of a fitted tree, in double precision."""
        leaves = tree.leaf_outputs_
        ones = np.ones(leaves.shape[1])
        with seeded(0):  # its random parameters are replaced at once
            module = cls(1, leaves.shape[1], tree.depth, tree.task == "classification", ones)
        module = module.double()
        with torch.no_grad():
            module.weights = nn.Parameter(torch.from_numpy(tree.gate_weights_))
            module.biases.copy_(torch.from_numpy(tree.gate_biases_))
            module.log_inverse_temperatures.copy_(
                torch.from_numpy(np.log(tree.inverse_temperatures_))
            )
            module.leaves.copy_(torch.from_numpy(leaves))
        return module.requires_grad_(False)


def routes(depth: int) -> tuple[FloatArray, FloatArray]:
    """Say on which side of each node each leaf lies.

    Returns
    -------
    to_right, to_left : ndarray of shape (n_leaves - 1, n_leaves)
        1 where the leaf is reached by going right (left) at the node, else 0.
    """
    n_leaves = 2**depth
    to_right, to_left = np.zeros((2, n_leaves - 1, n_leaves))
    for leaf in range(n_leaves):
        node = 0
        for level in reversed(range(depth)):
            right = (leaf >> level) & 1
            (to_right if right else to_left)[node, leaf] = 1
            node = 2 * node + 1 + right
    return to_right, to_left


def _array(tensor: Tensor) -> FloatArray:
    return np.asarray(tensor.detach().double().numpy())
