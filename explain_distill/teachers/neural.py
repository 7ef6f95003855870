"""A deep ensemble of multi-layer perceptrons for tables, calibrated by temperature scaling."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol, get_args

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor
from torch.nn import functional

from explain_distill._arrays import in_blocks, is_count, take_checked
from explain_distill._gradients import GradientModel
from explain_distill._preparation import Preparation
from explain_distill._random import generator, integer_seed
from explain_distill._ranges import Range, check_choices, check_ranges
from explain_distill._threads import on_all_threads
from explain_distill._training import Recipe, descend, seeded
from explain_distill._types import FloatArray, Json, Rows, Scores
from explain_distill.data.dataset import Dataset, Task, check_dataset, split_indices
from explain_distill.data.features import Schema
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.teachers.activations import Activation
from explain_distill.teachers.base import Teacher, spread_of
from explain_distill.teachers.batched_mlp import BatchedMLP, BestMembers, epochs
from explain_distill.teachers.calibration import Calibration
from explain_distill.teachers.forward_pass import ForwardPass

CHUNK = 24_576  # rows of a block at most
CELLS = 8_388_608  # of a block at most, before they are prepared: 64 MB
RANGES = {
    **dict.fromkeys(("members", "depth"), Range(1, 1000, whole=True)),
    **dict.fromkeys(("width", "batch_size", "max_epochs", "patience"), Range(1, whole=True)),
    "dropout": Range(0, 1, without_high=True),
    "learning_rate": Range(0, without_low=True),
    "weight_decay": Range(0),
    "validation_share": Range(0, 0.5, without_low=True),
    "seed": Range(0, whole=True),
}

CHOICES = {"activation": get_args(Activation)}


class Features(Protocol):
    """What a network is told of rows."""

    def transform(self, X: Rows) -> FloatArray:
        """Turn raw rows ``(n_samples, n_columns)`` into ``(n_samples, n_features)``."""
        ...


class NeuralTeacher(Teacher):
    """A deep ensemble of perceptrons whose averaged logits are calibrated by one temperature.

    Each member stops early by its own loss on an inner validation split, which stays out of the
    gradient; the temperature is fitted on the same split. Classes are never weighted.

    Parameters
    ----------
    members : int, default=5
    width : int, default=128
    depth : int, default=2
        The number of hidden layers.
    activation : {"smelu", "silu"}, default="smelu"
        With SmeLU labels take two thirds of the time; SiLU is smoother, so that attributions by
        gradients take about half as many of them.
    dropout : float, default=0.1
    learning_rate : float, default=2e-3
    weight_decay : float, default=1e-2
    batch_size : int, default=128
    max_epochs : int, default=400
    patience : int, default=30
        Epochs without any member improving, after which training ends.
    validation_share : float, default=0.15
    device : str, default="cpu"
        Where training happens; predictions are made on the CPU.
    seed : int, default=0

    References
    ----------
    Lakshminarayanan, Pritzel & Blundell (2017), Simple and scalable predictive uncertainty
    estimation using deep ensembles.
    Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks.
    Platt (1999), Probabilistic outputs for support vector machines (doubt in the targets).
    """

    KIND = "neural"

    def __init__(
        self,
        *,
        members: int = 5,
        width: int = 128,
        depth: int = 2,
        activation: Activation = "smelu",
        dropout: float = 0.1,
        learning_rate: float = 2e-3,
        weight_decay: float = 1e-2,
        batch_size: int = 128,
        max_epochs: int = 400,
        patience: int = 30,
        validation_share: float = 0.15,
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        self.members = members
        self.width = width
        self.depth = depth
        self.activation = activation
        self.dropout = dropout
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.patience = patience
        self.validation_share = validation_share
        self.device = device
        self.seed = seed

    def fit(
        self, data: Dataset, on_epoch: Callable[[int, float], None] | None = None
    ) -> NeuralTeacher:
        """Train the ensemble.

        Parameters
        ----------
        data : Dataset
        on_epoch : callable, optional
            Called with the epoch's number and the mean validation loss of the members.

        Returns
        -------
        NeuralTeacher
            Itself.

        Raises
        ------
        DataError
            Where a parameter is out of range, or the data are no `Dataset`.
        """
        started = time.perf_counter()
        check_ranges(vars(self), RANGES)
        check_choices(vars(self), CHOICES)
        check_dataset(data)
        self._ahead: ForwardPass | None = None
        rng = generator(self.seed, "teacher")
        held_out = split_indices(data, self.validation_share, rng)
        inner = np.setdiff1d(np.arange(len(data)), held_out)
        self.task, self.schema = data.task, data.schema
        self._readable = self._features_of(data.schema)
        readable = self._readable.transform(data.X)
        names = getattr(self._readable, "names", None)
        self._preparation = Preparation.fit(readable[inner], names)
        self._calibration = Calibration.of(data.task, data.y[inner])
        targets = self._calibration.targets(data.y)
        rows = torch.as_tensor(self._preparation(readable), dtype=torch.float32)
        self._network = self._new_network(integer_seed(rng)).to(self.device)
        self._descend(
            rows[inner].to(self.device),
            targets[inner].to(self.device),
            (rows[held_out].to(self.device), targets[held_out].to(self.device)),
            rng,
            on_epoch,
        )
        self._keep(self._network.to("cpu"))
        if data.task.kind == "classification":
            logits = self._logits(rows[held_out])
            temperature = fitted_temperature(logits, targets[held_out].numpy())
            self._calibration = replace(self._calibration, temperature=temperature)
        self.fit_seconds = time.perf_counter() - started
        return self

    @staticmethod
    def _features_of(schema: Schema) -> Features:
        """Give what turns raw rows into what the network is told of them."""
        return ReadableFeatures(schema)

    def predict_score(self, X: Rows) -> Scores:
        """Score rows ``(n_samples, n_columns)`` as ``(n_samples, n_scores)``."""
        ahead = self._forward_pass()

        def scored(X: Rows) -> Scores:
            return self._calibration.score(ahead.mean(self._readable.transform(X)))

        return _on_all_threads(scored, X, ahead)

    def spread(self, X: Rows) -> FloatArray:
        """Give how far the members' scores are apart: their standard deviation ``(n_samples,)``."""
        ahead = self._forward_pass()

        def chunk(X: Rows) -> FloatArray:
            return spread_of(self._calibration.score(ahead.each(self._readable.transform(X))))

        return _on_all_threads(chunk, X, ahead)

    def single_members(self) -> tuple[NeuralTeacher, ...]:
        """Give each network alone, at the ensemble's temperature: their mean score is its score."""
        if self.members == 1:
            return ()
        return tuple(self._member(place) for place in range(self.members))

    def _member(self, place: int) -> NeuralTeacher:
        alone = copy.copy(self)
        alone.members = 1
        alone._keep(self._network.member(place))
        return alone

    def _keep(self, network: BatchedMLP) -> None:
        """Take a trained network, and a copy in double precision for gradients."""
        self._network = network.eval()
        self._precise = copy.deepcopy(network).double().requires_grad_(False)
        self._ahead = ForwardPass(network, self._preparation)

    def hidden(self, X: Rows) -> FloatArray:
        """Give the middle hidden layers of all members: ``(n_samples, members * width)``."""

        def chunk(X: Rows) -> FloatArray:
            with torch.inference_mode():
                units = self._network(self._inputs(X), (self.depth + 1) // 2)
                return units.transpose(0, 1).flatten(1).double().numpy()

        return in_blocks(chunk, np.asarray(X, dtype=np.float64), CHUNK)

    def _forward_pass(self) -> ForwardPass:
        """Give the pass that is kept, or, in training, that of the network as it is now."""
        return self._ahead or ForwardPass(self._network, self._preparation)

    def _inputs(self, X: Rows) -> Tensor:
        prepared = self._preparation(self._readable.transform(X))
        return torch.as_tensor(prepared, dtype=torch.float32)

    def _logits(self, rows: Tensor) -> FloatArray:
        with torch.inference_mode():
            return np.asarray(self._network(rows).mean(dim=0).double().numpy())

    def gradient_model(self) -> GradientModel:
        """Give the score in double precision as a differentiable function of prepared rows."""

        def score(rows: Tensor) -> Tensor:
            return self._calibration.score(self._precise(rows).mean(dim=0))

        def prepare(X: Rows) -> FloatArray:
            return self._preparation(self._readable.transform(X))

        return GradientModel(score, prepare, self._preparation.origin)

    def complexity(self) -> dict[str, float]:
        """Give the number of parameters."""
        return {"parameters": float(sum(p.numel() for p in self._network.parameters()))}

    def describe(self) -> str:
        """Say in one phrase what the teacher is."""
        return (
            f"a deep ensemble of {self.members} neural networks with {self.depth} hidden layers "
            f"of {self.width} units"
        )

    def _new_network(self, seed: int) -> BatchedMLP:
        hidden = [self.width] * self.depth
        sizes = [self._preparation.n_prepared, *hidden, self.task.n_scores]
        with seeded(seed):
            return BatchedMLP(self.members, sizes, self.dropout, self.activation)

    def _losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Mean loss of each member: ``(members,)``."""
        if self.task.kind == "regression":
            return (outputs - targets).square().mean(dim=(1, 2))
        each = functional.cross_entropy(
            outputs.flatten(0, 1),
            targets.expand(outputs.shape[:2]).flatten(),
            reduction="none",
        )
        return each.reshape(outputs.shape[:2]).mean(dim=1)

    def _descend(
        self,
        rows: Tensor,
        targets: Tensor,
        validation: tuple[Tensor, Tensor],
        rng: np.random.Generator,
        on_epoch: Callable[[int, float], None] | None,
    ) -> None:
        epoch_steps = -(-len(rows) // self.batch_size)
        keeper = BestMembers(self._network, self.patience)

        def on_step(step: int, _: float) -> bool:
            if step % epoch_steps:
                return False
            self._network.eval()
            with torch.no_grad():
                losses = self._losses(self._network(validation[0]), validation[1])
            self._network.train()
            if on_epoch is not None:
                on_epoch(step // epoch_steps, float(losses.mean()))
            return keeper.judge(losses.cpu())

        steps = self.max_epochs * epoch_steps
        recipe = Recipe(steps, self.learning_rate, self.weight_decay, warm_up=0.05)
        with seeded(integer_seed(rng)):
            descend(
                self._network,
                epochs(len(rows), self.members, self.batch_size, rng),
                lambda chosen: self._losses(self._network(rows[chosen]), targets[chosen]).sum(),
                recipe,
                on_step,
            )
        keeper.restore()

    @property
    def can_be_saved(self) -> bool:
        """True: its arrays say everything."""
        return True

    def write(self, folder: Path) -> Json:
        """Write the arrays as safetensors and return the configuration."""
        from safetensors.numpy import save_file

        weights = {k: v.numpy() for k, v in self._network.state_dict().items()}
        save_file(weights | self._preparation.to_arrays(), folder / "model.safetensors")
        return {
            "kind": self.KIND,
            "task": self.task.to_json(),
            "columns": self.schema.to_json(),
            **self._calibration.to_json(),
            "parameters": {
                name: getattr(self, name)
                for name in ("members", "width", "depth", "activation", "dropout", "seed")
            },
        }

    @classmethod
    def read(cls, folder: Path, config: Json) -> NeuralTeacher:
        """Read what `write` wrote; tampered files raise ValueError, KeyError or TypeError."""
        from safetensors.numpy import load_file

        arrays = load_file(folder / "model.safetensors")
        parameters = config["parameters"]
        counts = {name: parameters[name] for name in ("members", "width", "depth")}
        if not all(map(is_count, counts.values())) or counts["depth"] > len(arrays):
            raise ValueError(f"{counts} are not those of the network that is kept")
        # Networks that were kept before there was a choice have SiLU.
        teacher = cls(**{"activation": "silu", **parameters})
        check_choices(vars(teacher), CHOICES)
        teacher.task = Task.from_json(config["task"])
        teacher.schema = Schema.from_json(config["columns"])
        teacher._readable = cls._features_of(teacher.schema)
        teacher._preparation = Preparation.from_arrays(arrays)
        teacher._calibration = Calibration.from_json(teacher.task, config)
        with torch.device("meta"):  # shapes without memory
            network = teacher._new_network(0)
        shapes = {name: tuple(array.shape) for name, array in network.state_dict().items()}
        weights = take_checked(arrays, shapes, np.float32)
        state = {name: torch.from_numpy(array) for name, array in weights.items()}
        network.load_state_dict(state, assign=True)
        teacher._keep(network.to(teacher.device).requires_grad_(True))
        return teacher


def fitted_temperature(logits: FloatArray, y: np.ndarray) -> float:
    """Find the temperature that minimises the log-loss of held-out rows (Guo et al. 2017).

    A row's own class has the target ``(n + 1) / (n + 2)``, and the others share the rest, after
    Platt (1999): a few held-out rows without an error would ask for boundless confidence.

    Parameters
    ----------
    logits : ndarray of shape (n_samples, n_classes)
    y : ndarray of shape (n_samples,)
        Class codes.

    Returns
    -------
    float
    """
    n, n_classes = logits.shape
    doubt = 1 / (n + 2)
    targets = np.full((n, n_classes), doubt / (n_classes - 1))
    targets[np.arange(n), y] = 1 - doubt
    values, wanted = torch.as_tensor(logits), torch.as_tensor(targets)

    def log_loss(log_temperature: float) -> float:
        return functional.cross_entropy(values / np.exp(log_temperature), wanted).item()

    found = minimize_scalar(log_loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def _on_all_threads(
    function: Callable[[Rows], FloatArray], X: Rows, ahead: ForwardPass
) -> FloatArray:
    rows = np.asarray(X, dtype=np.float64)
    most = min(CHUNK, CELLS // len(ahead.centre))
    return on_all_threads(function, rows, ahead.at_a_time, most)
