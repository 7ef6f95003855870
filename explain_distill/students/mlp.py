"""A small multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor, nn
from torch.nn import functional

from explain_distill._arrays import take_checked
from explain_distill._gradients import GradientModel
from explain_distill._preparation import Preparation
from explain_distill._ranges import Range
from explain_distill._types import FloatArray, Json, Scores, TaskKind
from explain_distill.exceptions import DataError
from explain_distill.students.base import OnStep, first_batches
from explain_distill.students.stepwise import Lesson, StepwiseStudent

WIDTHS = Range(1, 65_536, whole=True)


class MLP(StepwiseStudent):
    """A perceptron with a few small hidden layers of SiLU units: fast and faithful, not readable.

    Parameters
    ----------
    hidden : tuple of int, default=(96, 96)
        The widths of the hidden layers.
    n_steps : int, default=6000
    batch_size : int, default=512
    learning_rate : float, default=3e-3
    task : {"classification", "regression"}, default="classification"
    temperature : float, default=1.0
        At which the soft labels were softened; scores are multiplied by it.
    random_state : int, RandomState or None, default=None

    Attributes
    ----------
    weights_ : list of ndarray of shape (n_inputs, n_outputs)
    biases_ : list of ndarray of shape (n_outputs,)
    classes_ : ndarray of shape (n_classes,)

    References
    ----------
    Romero et al. (2015), FitNets: hints for thin deep nets (batches with hints: the middle layer
    learns them through a linear regressor, which is then thrown away).
    """

    NAME: ClassVar[str] = "mlp"
    SIZE_UNIT: ClassVar[str] = "units a hidden layer"
    TAKES_HINTS: ClassVar[bool] = True
    _n_hints = 0

    def __init__(
        self,
        *,
        hidden: tuple[int, ...] = (96, 96),
        n_steps: int = 6000,
        batch_size: int = 512,
        learning_rate: float = 3e-3,
        task: TaskKind = "classification",
        temperature: float = 1.0,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.task = task
        self.temperature = temperature
        self.random_state = random_state

    def check_parameters(self) -> None:
        """Refuse layers without units, too."""
        super().check_parameters()
        if not isinstance(self.hidden, Sequence) or any(n not in WIDTHS for n in self.hidden):
            raise DataError(
                f"hidden must hold the widths of layers, each {WIDTHS}; however, got "
                f"{self.hidden!r}. Take (96, 96), say."
            )

    def predict_score(self, X: Any) -> Scores:
        """Score rows ``(n_samples, n_readable)`` as ``(n_samples, n_scores)``."""
        rows = self._checked_rows(X)
        hidden = self.preparation_(rows)
        for weight, bias in zip(self.weights_[:-1], self.biases_[:-1], strict=True):
            hidden = hidden @ weight + bias
            hidden = hidden * expit(hidden)
        return self._finished_score(hidden @ self.weights_[-1] + self.biases_[-1])

    def with_size(self, size: int) -> Self:
        """Give an unfitted copy with as many hidden layers, each of so many units."""
        return self._sized(hidden=(size,) * len(self.hidden))

    def complexity(self) -> dict[str, float]:
        """Give the number of parameters."""
        return {"parameters": float(sum(a.size for a in (*self.weights_, *self.biases_)))}

    def rules(self) -> list[str]:
        """Say what it is; a perceptron cannot be said in sentences."""
        layers = ", ".join(str(width) for width in self.hidden)
        return [
            f"A neural network with hidden layers of {layers} units. It has no rules to read; "
            "its attributions say what it looks at."
        ]

    def gradient_model(self) -> GradientModel:
        """Give the score as a differentiable function of prepared rows."""
        layers = [
            (torch.from_numpy(w), torch.from_numpy(b))
            for w, b in zip(self.weights_, self.biases_, strict=True)
        ]

        def score(prepared: Tensor) -> Tensor:
            hidden = prepared
            for weight, bias in layers[:-1]:
                hidden = functional.silu(hidden @ weight + bias)
            outputs = hidden @ layers[-1][0] + layers[-1][1]
            if self.task == "regression":
                return outputs + torch.from_numpy(self.output_centre_)
            return (outputs - outputs.mean(dim=1, keepdim=True)) * self.temperature

        return GradientModel(score, self.preparation_, self.preparation_.origin)

    def fit_stream(self, batches: Iterable[tuple[Any, ...]], on_step: OnStep | None = None) -> MLP:
        """Learn from batches as any `StepwiseStudent`; those with hints are learned as such."""
        first, following = first_batches(batches, 1)
        hints = first[0].hints if first else None
        self._n_hints = 0 if hints is None else hints.shape[1]
        try:
            super().fit_stream(chain(first, following), on_step)
        finally:
            del self._n_hints
        return self

    def _network(self, n_inputs: int, n_scores: int, scale: FloatArray) -> nn.Module:
        return _Perceptron([n_inputs, *self.hidden, n_scores], scale, self._n_hints)

    def _lesson_loss(
        self, network: nn.Module, lesson: Lesson
    ) -> tuple[Tensor | float, Tensor | float]:
        if lesson.hints is None:
            return super()._lesson_loss(network, lesson)
        assert isinstance(network, _Perceptron)
        distance = (network.guessed_hints(lesson.rows) - lesson.hints).square().mean()
        return distance, distance

    def _take_parameters(self, network: nn.Module) -> None:
        assert isinstance(network, _Perceptron)
        layers = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
        self.weights_ = [layer.weight.detach().double().numpy().T.copy() for layer in layers]
        self.biases_ = [layer.bias.detach().double().numpy().copy() for layer in layers]
        scale = network.scale.double().numpy()
        self.weights_[-1] *= scale
        self.biases_[-1] *= scale

    def write(self, folder: Path) -> Json:
        """Write the arrays as safetensors."""
        from safetensors.numpy import save_file

        arrays: dict[str, np.ndarray] = {f"weight.{i}": w for i, w in enumerate(self.weights_)}
        arrays |= {f"bias.{i}": b for i, b in enumerate(self.biases_)}
        arrays |= {"output_centre_": self.output_centre_, "output_scale_": self.output_scale_}
        save_file(arrays | self.preparation_.to_arrays(), folder / "model.safetensors")
        return {}

    def read(self, folder: Path, config: Json) -> None:
        """Read what `write` wrote."""
        from safetensors.numpy import load_file

        arrays = load_file(folder / "model.safetensors")
        self.hidden = tuple(self.hidden)
        self.preparation_ = Preparation.from_arrays(arrays)
        n_scores = len(arrays["output_centre_"])
        sizes = [self.preparation_.n_prepared, *self.hidden, n_scores]
        shapes: dict[str, tuple[int, ...]] = {"output_centre_": (n_scores,)}
        shapes["output_scale_"] = (n_scores,)
        for layer, (inputs, outputs) in enumerate(pairwise(sizes)):
            shapes |= {f"weight.{layer}": (inputs, outputs), f"bias.{layer}": (outputs,)}
        checked = take_checked(arrays, shapes)
        self.output_centre_, self.output_scale_ = (
            checked["output_centre_"],
            checked["output_scale_"],
        )
        self.weights_ = [checked[f"weight.{layer}"] for layer in range(len(sizes) - 1)]
        self.biases_ = [checked[f"bias.{layer}"] for layer in range(len(sizes) - 1)]
        self.n_features_in_ = len(self.preparation_.fill)


class _Perceptron(nn.Module):
    """The layers, whose outputs come in units of `scale`."""

    def __init__(self, sizes: list[int], scale: FloatArray, n_hints: int = 0) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.SiLU()]
        self.layers = nn.Sequential(*layers[:-1])
        self.guided = (len(sizes) - 1) // 2  # hidden layers up to the one that hints guide
        self.regressor = nn.Linear(sizes[self.guided], n_hints) if n_hints else None
        self.scale: Tensor
        self.register_buffer("scale", torch.from_numpy(scale).float())

    def forward(self, prepared: Tensor) -> Tensor:
        """Map ``(n, n_inputs)`` to softened scores ``(n, n_scores)``."""
        return torch.as_tensor(self.layers(prepared) * self.scale)

    def guessed_hints(self, prepared: Tensor) -> Tensor:
        """Guess the teacher's inner layer ``(n, n_hints)`` from the middle hidden layer."""
        assert self.regressor is not None
        return torch.as_tensor(self.regressor(self.layers[: 2 * self.guided](prepared)))
