"""Students that learn by gradient descent on a stream of batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explain_distill._preparation import Preparation
from explain_distill._random import integer_seed
from explain_distill._training import Recipe, descend, seeded
from explain_distill._types import FloatArray, ReadableRows, Scores
from explain_distill.exceptions import DataError
from explain_distill.students.base import (
    Batch,
    OnStep,
    Student,
    checked_distribution,
    first_batches,
    is_hard,
    shuffled_batches,
    soft_scores,
)

STATISTICS_BATCHES = 16  # batches from which a stream's means and scales are taken
KL_WEIGHT = 0.1  # share of the Kullback-Leibler term beside the matched scores
SMOOTHING = 0.98  # of the fidelity shown while training


class StepwiseStudent(Student):
    """Base of the students that learn from a stream of batches.

    The loss of a soft label is the squared distance of the scores, in units of the teacher's score
    variance (Ba & Caruana 2014, the limit of high temperatures in Hinton et al. 2015), plus
    `KL_WEIGHT` times ``T² KL(teacher ‖ student)``. A hard label, one that holds an exact 0, has no
    finite score and is learned by cross-entropy.

    A subclass gives a network of prepared rows, and takes its parameters as arrays.
    """

    n_steps: int
    batch_size: int
    learning_rate: float

    preparation_: Preparation

    def _network(self, n_inputs: int, n_scores: int, scale: FloatArray) -> nn.Module:
        """Build the network of float32 prepared rows; it gives softened scores."""
        raise TypeError(f"{type(self).__name__} has no network.")

    def _take_parameters(self, network: nn.Module) -> None:
        """Keep what the network learned as float64 arrays."""
        raise TypeError(f"{type(self).__name__} has no network.")

    def _penalty(self, network: nn.Module) -> Tensor | float:
        """Say what is added to the loss of the batch that the network saw last."""
        return 0.0

    def fit_stream(
        self, batches: Iterable[Batch], on_step: OnStep | None = None
    ) -> StepwiseStudent:
        """Learn from batches, one step a batch, `n_steps` in all.

        Means and scales are taken from the first batches, which are then learned like the rest.

        Parameters
        ----------
        batches : iterable of (rows, soft labels)
            Rows ``(n, n_readable)`` in raw units; labels ``(n, n_classes)`` whose rows sum to 1, or
            values ``(n,)``. May be without end.
        on_step : callable, optional
            Called with step, number of steps, loss and fidelity (score R²) so far.

        Returns
        -------
        StepwiseStudent
            Itself.
        """
        first, following = first_batches(batches, STATISTICS_BATCHES)
        if not first:
            raise DataError("A student needs at least one batch to learn from; however, got none.")
        rows = np.concatenate([X for X, _ in first])
        labels = np.concatenate([self._as_columns(y) for _, y in first])
        self.n_features_in_ = rows.shape[1]
        if self.task == "classification":
            checked_distribution(labels)
            self.classes_ = np.arange(labels.shape[1])
        self._learn(rows, labels, chain(first, following), on_step)
        return self

    def _fit_labels(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> None:
        rng = self._rng()
        if np.ptp(weights) > 0:
            batches = _weighted_batches(X, labels, weights, self.batch_size, rng)
        else:
            batches = shuffled_batches(X, labels, self.batch_size, rng)
        self._learn(X, labels, batches, on_step)

    def _learn(
        self,
        rows: ReadableRows,
        labels: FloatArray,
        batches: Iterator[Batch],
        on_step: OnStep | None,
    ) -> None:
        """Descend; `rows` and `labels` are those that statistics are taken from."""
        for name in ("n_steps", "batch_size"):
            if getattr(self, name) < 1:
                raise DataError(
                    f"{name} must be at least 1; however, got {getattr(self, name)!r}. "
                    "Leave it out for the default."
                )
        self.preparation_ = Preparation.fit(rows)
        self._scale_outputs(labels)
        seed = integer_seed(self._rng())
        with seeded(seed):
            network = self._network(
                self.preparation_.n_prepared, labels.shape[1], self.output_scale_
            )
        progress = _Progress(self.n_steps, on_step)

        def loss(batch: Batch) -> Tensor:
            X, y = batch
            z = torch.as_tensor(self.preparation_(X), dtype=torch.float32)
            fit, rest = self._losses(network(z), self._as_columns(y))
            progress.note(fit)
            return fit + rest + self._penalty(network)

        recipe = Recipe(self.n_steps, self.learning_rate)
        with seeded(seed):
            descend(network, batches, loss, recipe, progress.on_step)
        self._take_parameters(network)

    def _scale_outputs(self, labels: FloatArray) -> None:
        """Set the centre and scale of the outputs, so that one learning rate suits all teachers."""
        if self.task == "regression":
            self.output_centre_ = labels.mean(axis=0)
            self.output_scale_ = np.maximum(labels.std(axis=0), 1e-12)
            return
        soft = ~is_hard(labels)
        self.output_centre_ = np.zeros(labels.shape[1])
        spread = soft_scores(labels[soft]).std() if soft.sum() > 1 else 1.0
        self.output_scale_ = np.full(labels.shape[1], max(float(spread), 1e-6))

    def _losses(self, outputs: Tensor, labels: FloatArray) -> tuple[Tensor, Tensor]:
        """Distance of the scores in units of their variance, and the rest of the loss."""
        scale = float(self.output_scale_.mean())
        if self.task == "regression":
            target = torch.as_tensor(labels - self.output_centre_, dtype=torch.float32)
            return ((outputs - target) / scale).square().mean(), outputs.new_zeros(())
        hard = is_hard(labels)
        logs = functional.log_softmax(outputs, dim=1)
        nothing = outputs.new_zeros(())
        matched = rest = nothing
        if not hard.all():
            target = torch.as_tensor(soft_scores(labels[~hard]), dtype=torch.float32)
            soft = logs[torch.from_numpy(~hard)]
            centred = soft - soft.mean(dim=1, keepdim=True)
            matched = ((centred - target) / scale).square().sum() / centred.shape[1]
            divergence = functional.kl_div(
                soft, functional.log_softmax(target, dim=1), log_target=True, reduction="sum"
            )
            rest = rest + KL_WEIGHT * self.temperature**2 * divergence
        if hard.any():
            target = torch.as_tensor(labels[hard], dtype=torch.float32)
            sharp = outputs[torch.from_numpy(hard)] * self.temperature
            rest = rest - (target * functional.log_softmax(sharp, dim=1)).sum()
        return matched / len(labels), rest / len(labels)

    def _as_columns(self, labels: Any) -> FloatArray:
        labels = np.asarray(labels, dtype=np.float64)
        return labels.reshape(-1, 1) if labels.ndim == 1 else labels

    def _finished_score(self, outputs: FloatArray) -> Scores:
        """Undo centring and temperature: softened outputs to the score."""
        if self.task == "regression":
            return outputs + self.output_centre_
        return (outputs - outputs.mean(axis=1, keepdims=True)) * self.temperature


class _Progress:
    """Follows the fidelity on batches that the student has not yet learned from."""

    def __init__(self, n_steps: int, on_step: OnStep | None) -> None:
        self.n_steps, self.caller = n_steps, on_step
        self.unexplained, self.weight, self.last = 0.0, 0.0, 0.0

    def note(self, unexplained: Tensor) -> None:
        self.last = float(unexplained.detach())

    def on_step(self, step: int, loss: float) -> None:
        self.unexplained = SMOOTHING * self.unexplained + (1 - SMOOTHING) * self.last
        self.weight = SMOOTHING * self.weight + (1 - SMOOTHING)
        if self.caller is not None:
            self.caller(step, self.n_steps, loss, 1 - self.unexplained / self.weight)


def _weighted_batches(
    X: ReadableRows, labels: FloatArray, weights: FloatArray, size: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Give batches in which a row comes as often as its weight says."""
    while True:
        chosen = rng.choice(len(X), size=size, p=weights / weights.sum())
        yield X[chosen], labels[chosen]
