"""A small convolutional network for grey images in flat rows."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.exceptions import NotFittedError
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from explain_distill._arrays import in_blocks, is_count, take_checked, take_number
from explain_distill._gradients import GradientModel
from explain_distill._random import generator, integer_seed
from explain_distill._ranges import Range, check_ranges
from explain_distill._training import Recipe, descend, seeded
from explain_distill._types import FloatArray, Json, Rows, Scores
from explain_distill.data.dataset import Dataset, Task, split_indices
from explain_distill.data.features import Schema
from explain_distill.data.images import check_shape, moved
from explain_distill.exceptions import DataError
from explain_distill.teachers.base import Teacher
from explain_distill.teachers.neural import fitted_temperature

CHUNK = 1024  # images a forward pass
AVERAGED_SHARE = 0.05  # of the steps, over which the weights are averaged, exponentially
KERNEL = 3  # pixels
FEWEST = 2  # images in a batch, whose normalisation one alone does not define


class ImageTeacher(Teacher):
    """A convolutional network, its weights averaged and its logits calibrated by a temperature.

    Each block is a convolution of 3 by 3 pixels, normalised over the batch, and a rectifier;
    between blocks the largest of 2 by 2 pixels is kept; a linear layer of all that is left gives
    the logits. While it trains, each image is moved by up to `shift` pixels, another way in each
    epoch. What is kept is the exponential average of the weights over the last steps, with the
    normalisation folded into the convolutions.

    Parameters
    ----------
    shape : tuple of int, default=(28, 28)
        Height and width of the images; a row holds their pixels row by row from the top left.
    widths : tuple of int, default=(16, 32, 64)
        The channels of each block; each but the first halves the image's sides, which must leave a
        pixel.
    n_epochs : int, default=10
    batch_size : int, default=256
        At least 2; an image that would be a batch of its own is left out of that epoch.
    learning_rate : float, default=5e-3
    weight_decay : float, default=0.05
    shift : int, default=2
        In pixels; 0 leaves the images where they are.
    validation_share : float, default=0.05
        The share of the training rows that stays out of the gradient, for the temperature.
    seed : int, default=0

    References
    ----------
    LeCun, Bottou, Bengio & Haffner (1998), Gradient-based learning applied to document recognition.
    Ioffe & Szegedy (2015), Batch normalization.
    Polyak & Juditsky (1992), Acceleration of stochastic approximation by averaging.
    Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks.

    Examples
    --------
    >>> import explain_distill as xd
    >>> images = ...  # a Dataset of 784 pixels a row
    >>> teacher = xd.ImageTeacher(shape=(28, 28)).fit(images)  # doctest: +SKIP
    """

    def __init__(
        self,
        *,
        shape: tuple[int, int] = (28, 28),
        widths: tuple[int, ...] = (16, 32, 64),
        n_epochs: int = 10,
        batch_size: int = 256,
        learning_rate: float = 5e-3,
        weight_decay: float = 0.05,
        shift: int = 2,
        validation_share: float = 0.05,
        seed: int = 0,
    ) -> None:
        self.shape = shape
        self.widths = widths
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.shift = shift
        self.validation_share = validation_share
        self.seed = seed

    def fit(
        self, data: Dataset, on_epoch: Callable[[int, float], None] | None = None
    ) -> ImageTeacher:
        """Train the network.

        Parameters
        ----------
        data : Dataset
            Each column a pixel; the task a classification.
        on_epoch : callable, optional
            Called with the epoch's number and its mean training loss.

        Returns
        -------
        ImageTeacher
            Itself.

        Raises
        ------
        DataError
            Where the columns are no pixels of `shape`, the task is no classification, or `widths`
            or `batch_size` are out of range.
        """
        started = time.perf_counter()
        _check_images(data, self.shape)
        check_widths(self.widths, self.shape)
        check_ranges(vars(self), {"batch_size": Range(FEWEST, whole=True)})
        self.task, self.schema = data.task, data.schema
        rng = generator(self.seed, "teacher")
        held_out = split_indices(data, self.validation_share, rng)
        inner = np.setdiff1d(np.arange(len(data)), held_out)
        self.centre, self.scale = float(data.X[inner].mean()), float(data.X[inner].std()) or 1.0
        images = data.X[inner].astype(np.float32).reshape(-1, *self.shape)
        self._keep(self._trained(images, data.y[inner], rng, on_epoch))
        self.temperature = 1.0
        self.temperature = fitted_temperature(
            self.predict_score(data.X[held_out]), data.y[held_out]
        )
        self.fit_seconds = time.perf_counter() - started
        return self

    def predict_score(self, X: Rows) -> Scores:
        """Score rows ``(n_samples, height * width)`` as ``(n_samples, n_classes)``."""
        return in_blocks(self._score_chunk, np.asarray(X), CHUNK)

    def _score_chunk(self, X: np.ndarray) -> Scores:
        with torch.inference_mode():
            return self._score(self._fitted(), self._pixels(X)).double().numpy()

    def _score(self, network: nn.Module, pixels: Tensor) -> Tensor:
        logits = network(pixels.reshape(-1, 1, *self.shape))
        return (logits - logits.mean(dim=1, keepdim=True)) / self.temperature

    def _pixels(self, images: np.ndarray) -> Tensor:
        """Standardise raw pixels, by one mean and one deviation for all."""
        return (torch.as_tensor(images, dtype=torch.float32) - self.centre) / self.scale

    def gradient_model(self) -> GradientModel:
        """Give the score in double precision as a differentiable function of pixels."""
        precise = copy.deepcopy(self._fitted()).double().requires_grad_(False)

        def prepare(X: Rows) -> FloatArray:
            return (np.asarray(X, dtype=np.float64) - self.centre) / self.scale

        return GradientModel(
            lambda pixels: self._score(precise, pixels), prepare, np.arange(len(self.schema))
        )

    def complexity(self) -> dict[str, float]:
        """Give the number of parameters."""
        return {"parameters": float(sum(p.numel() for p in self._fitted().parameters()))}

    def describe(self) -> str:
        """Say in one phrase what the teacher is."""
        return f"a convolutional network with {len(self.widths)} blocks of convolution"

    def _trained(
        self,
        images: np.ndarray,
        y: np.ndarray,
        rng: np.random.Generator,
        on_epoch: Callable[[int, float], None] | None,
    ) -> nn.Sequential:
        """Train on images ``(n, height, width)``; give the averaged network."""
        epoch_steps = len(_starts(len(images), self.batch_size))
        seed = integer_seed(rng)
        with seeded(seed):
            network = convolutional(self.shape, self.widths, self.task.n_scores, normalise=True)
        kept = 1 - 1 / max(AVERAGED_SHARE * self.n_epochs * epoch_steps, 1)
        averaging = get_ema_multi_avg_fn(kept)  # type: ignore[no-untyped-call]
        average = AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)
        losses: list[float] = []

        def loss(batch: tuple[np.ndarray, np.ndarray]) -> Tensor:
            moved, truth = batch
            return functional.cross_entropy(
                network(self._pixels(moved)[:, None]), torch.from_numpy(truth)
            )

        def on_step(step: int, value: float) -> None:
            average.update_parameters(network)
            losses.append(value)
            if on_epoch is not None and step % epoch_steps == 0:
                on_epoch(step // epoch_steps, float(np.mean(losses[-epoch_steps:])))

        recipe = Recipe(
            self.n_epochs * epoch_steps,
            self.learning_rate,
            self.weight_decay,
            warm_up=0.2,
            threads=torch.get_num_threads(),
        )
        batches = _moved_batches(images, y, self.shift, self.batch_size, rng)
        descend(network, batches, loss, recipe, on_step)
        trained = average.module.eval()
        assert isinstance(trained, nn.Sequential)
        return trained

    def _fitted(self) -> nn.Sequential:
        if not hasattr(self, "_network"):
            raise NotFittedError(
                "An ImageTeacher must be fitted before it is asked; however, this one is not. Call "
                "fit with a Dataset of images."
            )
        return self._network

    def _keep(self, trained: nn.Sequential) -> None:
        self._network = channels_innermost(folded(trained).requires_grad_(False))

    @property
    def can_be_saved(self) -> bool:
        """True: its arrays say everything."""
        return True

    def write(self, folder: Path) -> Json:
        """Write the arrays as safetensors and return the configuration."""
        from safetensors.numpy import save_file

        weights = {
            k: np.ascontiguousarray(v.numpy()) for k, v in self._fitted().state_dict().items()
        }
        save_file(weights, folder / "model.safetensors")
        return {
            "kind": "image",
            "task": self.task.to_json(),
            "columns": self.schema.to_json(),
            "centre": self.centre,
            "scale": self.scale,
            "temperature": self.temperature,
            "parameters": {
                "shape": list(self.shape),
                "widths": list(self.widths),
                "shift": self.shift,
                "seed": self.seed,
            },
        }

    @classmethod
    def read(cls, folder: Path, config: Json) -> ImageTeacher:
        """Read what `write` wrote; a tampered array or number raises ValueError."""
        from safetensors.numpy import load_file

        parameters: Json = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in config["parameters"].items()
        }
        teacher = cls(**parameters)
        teacher.task = Task.from_json(config["task"])
        teacher.schema = Schema.from_json(config["columns"])
        check_shape(teacher.shape, len(teacher.schema))
        check_widths(teacher.widths, teacher.shape)
        teacher.centre = take_number(config, "centre")
        teacher.scale = take_number(config, "scale", positive=True)
        teacher.temperature = take_number(config, "temperature", positive=True)
        found = load_file(folder / "model.safetensors")
        if max(teacher.widths) > sum(array.size for array in found.values()):
            raise ValueError(f"its arrays are too small for widths of {teacher.widths}")
        with torch.device("meta"):  # shapes without memory: the arrays are to show that they fit
            network = convolutional(teacher.shape, teacher.widths, teacher.task.n_scores)
        shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        arrays = take_checked(found, shapes, np.float32)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        network.load_state_dict(tensors, assign=True)
        teacher._keep(network)
        return teacher


def convolutional(
    shape: tuple[int, int], widths: tuple[int, ...], n_scores: int, normalise: bool = False
) -> nn.Sequential:
    """Build the network of images ``(n, 1, height, width)``; it gives logits ``(n, n_scores)``."""
    layers: list[nn.Module] = []
    for before, after in pairwise((1, *widths)):
        if layers:
            layers.append(nn.MaxPool2d(2))
        layers.append(nn.Conv2d(before, after, KERNEL, padding="same", bias=not normalise))
        if normalise:
            layers.append(nn.BatchNorm2d(after))
        layers.append(nn.ReLU())
    halvings = len(widths) - 1
    n_left = widths[-1] * (shape[0] >> halvings) * (shape[1] >> halvings)
    network = nn.Sequential(*layers, nn.Flatten(), nn.Linear(n_left, n_scores))
    return channels_innermost(network)


def channels_innermost(network: nn.Sequential) -> nn.Sequential:
    """Lay the tensors of a network so that a processor convolves some two times as fast."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def folded(trained: nn.Sequential) -> nn.Sequential:
    """Fold each normalisation of a trained network into the convolution before it."""
    layers: list[Any] = []
    for layer in trained:
        if isinstance(layer, nn.BatchNorm2d):
            layers[-1] = fuse_conv_bn_eval(layers[-1], layer)
        else:
            layers.append(layer)
    return nn.Sequential(*layers)


def check_widths(widths: tuple[int, ...], shape: tuple[int, int]) -> None:
    """Refuse blocks that are none, or more than the image's sides can be halved for.

    Raises
    ------
    DataError
    """
    most = min(shape).bit_length()
    blocks = widths if isinstance(widths, (tuple, list)) else ()
    if not 1 <= len(blocks) <= most or not all(map(is_count, blocks)):
        raise DataError(
            f"widths must hold the channels of 1 to {most} blocks for images of {shape}, each a "
            f"whole number above 0; however, got {widths!r}. Leave it out for the default."
        )


def _check_images(data: Dataset, shape: tuple[int, int]) -> None:
    check_shape(shape, data.X.shape[1])
    if data.task.kind != "classification":
        raise DataError(
            f"An ImageTeacher's target must be classes; however, {data.task.target!r} is a number. "
            "Use a NeuralTeacher."
        )
    if not np.isfinite(data.X).all():
        row = int(np.argmin(np.isfinite(data.X).all(axis=1)))
        raise DataError(
            f"Every pixel must be known; however, row {row} misses one. Remove that row."
        )


def _moved_batches(
    images: np.ndarray, y: np.ndarray, shift: int, size: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Give batches of moved images and their classes without end, in a new order each epoch."""
    while True:
        order = rng.permutation(len(y))
        for start in _starts(len(y), size):
            chosen = order[start : start + size]
            yield moved(images[chosen], shift, rng), y[chosen]


def _starts(n_images: int, size: int) -> range:
    """Give where each batch of an epoch begins; an image alone makes none."""
    return range(0, n_images - FEWEST + 1, size)
