"""Students that learn by gradient descent on a stream of batches."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import chain
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explain_distill._preparation import Preparation
from explain_distill._random import integer_seed
from explain_distill._ranges import Range
from explain_distill._training import Recipe, descend, seeded
from explain_distill._types import FloatArray, ReadableRows, Scores
from explain_distill.exceptions import DataError
from explain_distill.students.base import (
    Batch,
    OnStep,
    Student,
    first_batches,
    is_hard,
    soft_scores,
)
from explain_distill.students.batch_checks import checked_batch
from explain_distill.students.both_ways import BothWays
from explain_distill.students.matching import (
    SMALLEST,
    difference_of_errors,
    differentiable_match,
    matched_mixture,
)

STATISTICS_BATCHES = 16  # batches from which a stream's means and scales are taken
EPOCHS_A_SHUFFLE = 4  # of which each takes the same batches, in an order of its own
KL_WEIGHT = 0.1  # of the Kullback-Leibler term beside the matched scores
ROUNDING = 1e-12  # of the mean square, below which scores do not vary
SMOOTHING = 0.98  # of the fidelity shown while training


@dataclass(frozen=True, eq=False)
class Lesson:
    """A batch as a network takes it; what is said of a row lies in a column.

    Parameters
    ----------
    rows : Tensor of shape (n, n_prepared)
        Prepared rows, in float32.
    labels : Tensor of shape (n_scores, n)
        Probabilities, or values relative to the student's centre.
    logs : Tensor of shape (n_scores, n)
        The logarithms of soft labels; 0 for hard ones. The values for regression.
    hard : Tensor of shape (n,), or None
        Which labels are hard; None where none is.
    weights, pairs, hints : Tensor, optional
        As a `Batch` has them.
    """

    rows: Tensor
    labels: Tensor
    logs: Tensor
    hard: Tensor | None
    weights: Tensor | None = None
    pairs: Tensor | None = None
    hints: Tensor | None = None

    @cached_property
    def both_ways(self) -> BothWays:
        """The rows, and the same as columns."""
        return BothWays(self.rows)

    @property
    def plain(self) -> bool:
        """Whether all labels are soft and count alike, each by itself."""
        return self.hard is None and self.weights is None and self.pairs is None

    def take(self, chosen: Tensor, into: Tensor | None = None) -> Lesson:
        """Take the chosen rows, into memory of their own or into `into`, of as many rows."""
        labels = self.labels.index_select(1, chosen)
        return Lesson(
            torch.index_select(self.rows, 0, chosen, out=into),
            labels,
            labels if self.logs is self.labels else self.logs.index_select(1, chosen),
            None if self.hard is None else self.hard[chosen],
        )


class StepwiseStudent(Student):
    """Base of the students that learn from a stream of batches.

    The loss of a soft label is the squared distance of the scores, in units of their mean square,
    values of a regression less their mean (Ba & Caruana 2014, the limit of high temperatures in
    Hinton et al. 2015), plus
    ``T² KL(teacher ‖ student)`` by a small weight. A hard label, one that holds an exact 0, has no
    finite score and is learned by cross-entropy.

    A subclass gives a network of prepared rows, and takes its parameters as arrays.
    """

    RANGES: ClassVar[dict[str, Range]] = Student.RANGES | {
        "n_steps": Range(1, whole=True),
        "batch_size": Range(1, whole=True),
        "learning_rate": Range(0, without_low=True),
    }
    TAKES_HINTS: ClassVar[bool] = False
    """Whether the student can learn from an inner layer of its teacher."""

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

    def _lesson_loss(
        self, network: nn.Module, lesson: Lesson
    ) -> tuple[Tensor | float, Tensor | float]:
        """Give the scores' distance in units of their mean square, and the loss to descend.

        A loss that is no tensor says that the parameters' gradients are set already.
        """
        return self._matched(network(lesson.rows).T, lesson)

    def _before_step(self, network: nn.Module, step: int) -> None:
        """Do what a schedule asks for before a step, counted from 0."""

    @classmethod
    @cache
    def get_ready(cls) -> None:
        """Compile the loops of a step, by taking one."""
        labels = np.array([[0.4, 0.6], [0.6, 0.4]])
        cls(n_steps=1, random_state=0).fit(np.array([[0.0], [1.0]]), labels)

    @property
    def _remembers(self) -> int:
        """How many of the last batches `_finish` asks for."""
        return 0

    def _finish(self, lessons: Sequence[Lesson]) -> None:
        """Do what is done after training, on the last batches that were learned."""

    def fit_stream(
        self, batches: Iterable[tuple[Any, ...]], on_step: OnStep | None = None
    ) -> StepwiseStudent:
        """Learn from batches, one step a batch, until `n_steps` or the batches are done.

        Means and scales are taken from the first batches, which are then learned like the rest.

        Parameters
        ----------
        batches : iterable of (rows, soft labels) or of Batch
            Rows ``(n, n_readable)`` in raw units; labels ``(n, n_classes)`` whose rows sum to 1, or
            values ``(n,)``. May be without end.
        on_step : callable, optional
            Called with step, number of steps, loss and fidelity (score R²) so far.

        Returns
        -------
        StepwiseStudent
            Itself.
        """
        with self._learning():
            sound = self._checked(batches)
            first, following = first_batches(sound, STATISTICS_BATCHES)
            if not first:
                raise DataError(
                    "A student needs at least one batch to learn from; however, got none."
                )
            rows = np.concatenate([batch.rows for batch in first])
            labels = np.concatenate([self._as_columns(batch.labels) for batch in first])
            self.n_features_in_ = rows.shape[1]
            if self.task == "classification":
                self.classes_ = np.arange(labels.shape[1])
            self._take_statistics(rows, labels)
            lessons = (self._lesson(batch) for batch in chain(first, following))
            self._learn(lessons, labels.shape[1], on_step)
        return self

    def _checked(self, batches: Iterable[tuple[Any, ...]]) -> Iterator[Batch]:
        first: Batch | None = None
        for each in batches:
            batch = Batch(*each)
            first = batch if first is None else first
            yield checked_batch(batch, first, self.task)

    def _fit_labels(
        self, X: ReadableRows, labels: FloatArray, weights: FloatArray, on_step: OnStep | None
    ) -> None:
        self._take_statistics(X, labels)
        lesson = self._lesson(Batch(X, labels))
        # Fresh memory costs more than to fill it; but batches that are remembered must stay.
        room = None if self._remembers else torch.empty_like(lesson.rows)
        batches = _batches(lesson, weights, self.batch_size, self._rng(), room)
        self._learn(batches, labels.shape[1], on_step)

    def _take_statistics(self, rows: ReadableRows, labels: FloatArray) -> None:
        names = [feature.name for feature in self.readable_features()]
        self.preparation_ = Preparation.fit(rows, names)
        self._scale_outputs(labels)
        self._unit = 1 / float(self.output_scale_.mean())
        self._divergence = self._divergence_weight(labels.shape[1]) * self.temperature**2
        self._told = self._mean_square_of_variance(labels)

    def _divergence_weight(self, n_scores: int) -> float:
        """Give the weight of the Kullback-Leibler term at temperature 1."""
        return KL_WEIGHT

    def _lesson(self, batch: Batch) -> Lesson:
        rows, labels = self._prepared(batch.rows), self._as_columns(batch.labels)
        further = [None if a is None else torch.as_tensor(a).float() for a in batch[2:]]
        if self.task == "regression":
            values = torch.as_tensor((labels - self.output_centre_).T, dtype=torch.float32)
            return Lesson(rows, values, values, None, *further)
        hard = is_hard(labels)
        logs = np.log(np.where(hard[:, None], 1.0, labels)) if hard.any() else np.log(labels)
        return Lesson(
            rows,
            torch.as_tensor(labels.T, dtype=torch.float32).contiguous(),
            torch.as_tensor(logs.T, dtype=torch.float32).contiguous(),
            torch.from_numpy(hard) if hard.any() else None,
            *further,
        )

    def _prepared(self, X: ReadableRows) -> Tensor:
        return torch.as_tensor(self.preparation_(X), dtype=torch.float32)

    def score_so_far(self, X: ReadableRows) -> Scores | None:
        """Score rows as the student stands within `fit_stream`: softened, as it learns them.

        None before the first step and after the last.
        """
        network: nn.Module | None = getattr(self, "_in_training", None)
        if network is None:
            return None
        with torch.no_grad():
            outputs = network(self._prepared(X)).double().numpy()
        if self.task == "regression":
            return np.asarray(outputs + self.output_centre_)
        return np.asarray(outputs - outputs.mean(axis=1, keepdims=True))

    def _learn(self, lessons: Iterator[Lesson], n_scores: int, on_step: OnStep | None) -> None:
        seed = integer_seed(self._rng())
        with seeded(seed):
            network = self._network(self.preparation_.n_prepared, n_scores, self.output_scale_)
        progress = _Progress(self.n_steps, on_step)
        recent: deque[Lesson] = deque(maxlen=self._remembers)

        def loss(lesson: Lesson) -> Tensor | float:
            recent.append(lesson)
            self._before_step(network, progress.step)
            unexplained, loss = self._lesson_loss(network, lesson)
            progress.note(unexplained * self._told)
            return loss

        recipe = Recipe(self.n_steps, self.learning_rate)
        self._in_training = network
        try:
            with seeded(seed):
                descend(network, lessons, loss, recipe, progress.on_step)
        finally:
            del self._in_training
        if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
            raise DataError(
                f"A student must end with finite weights; however, this {type(self).__name__} "
                f"diverged. Take a learning_rate below {self.learning_rate:g}."
            )
        self._take_parameters(network)
        self._finish(recent)

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

    def _mean_square_of_variance(self, labels: FloatArray) -> float:
        """Give by how much the scores' mean square is larger than their variance, class by class.

        What the student tells while it learns is in units of the variance.
        """
        if self.task == "regression" or is_hard(labels).all():
            return 1.0
        scores = soft_scores(labels[~is_hard(labels)])
        variance, square = float(scores.var(axis=0).mean()), float(np.square(scores).mean())
        return square / variance if variance > ROUNDING * square else 1.0

    def _matched(self, outputs: Tensor, lesson: Lesson) -> tuple[Tensor, Tensor]:
        """Match scores ``(n_scores, n)``: their distance by their mean square, and a loss."""
        if not lesson.plain:
            return self._matched_row_by_row(outputs, lesson)
        if self.task == "regression":
            distance = ((outputs - lesson.logs) * self._unit).square().mean()
            return distance, distance
        weights = (self._unit**2, self._divergence)
        return differentiable_match(outputs, lesson.labels, lesson.logs, *weights)

    def _matched_row_by_row(self, outputs: Tensor, lesson: Lesson) -> tuple[Tensor, Tensor]:
        """Match scores as `_matched` does, with hard labels, weights and pairs."""
        errors = (outputs - lesson.logs) * self._unit
        if self.task == "classification":
            errors = errors - errors.mean(dim=0)
        squares = errors.square().mean(dim=0)
        rest = torch.zeros_like(squares)
        if self.task == "classification":
            told = functional.log_softmax(outputs, dim=0)
            divergence = (lesson.labels * (lesson.logs - told)).sum(dim=0)
            rest = self._divergence * divergence
        if lesson.hard is not None:
            sharp = functional.log_softmax(outputs * self.temperature, dim=0)
            squares = squares.masked_fill(lesson.hard, 0.0)
            rest = torch.where(lesson.hard, -(lesson.labels * sharp).sum(dim=0), rest)
        if lesson.weights is not None:
            squares, rest = lesson.weights * squares, lesson.weights * rest
        unexplained = squares.mean()
        loss = unexplained + rest.mean()
        if lesson.pairs is not None:
            loss = loss + difference_of_errors(errors, lesson.pairs)
        return unexplained, loss

    def _matched_by_hand(self, mixed: Tensor, lesson: Lesson) -> tuple[float, float, Tensor]:
        """Do what `_matched` does, and give the loss's slope along what was mixed.

        That is probabilities ``(n_scores, n)``, of which the outputs are the logarithms, or values.
        """
        if not lesson.plain:
            with torch.enable_grad():
                mixed = mixed.detach().requires_grad_()
                outputs = mixed if self.task == "regression" else mixed.log()
                unexplained, loss = self._matched_row_by_row(outputs, lesson)
            (slope,) = torch.autograd.grad(loss, mixed)
            if self.task == "classification":
                slope.masked_fill_(mixed <= float(SMALLEST), 0.0)
            return unexplained.item(), loss.item(), slope
        if self.task == "regression":
            errors = (mixed - lesson.logs) * self._unit
            distance = errors.square().mean().item()
            return distance, distance, errors.mul_(2 * self._unit / errors.numel())
        weights = (self._unit**2, self._divergence)
        return matched_mixture(mixed, lesson.labels, lesson.logs, *weights)

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
        self.n_steps, self.caller, self.step = n_steps, on_step, 0
        self.unexplained, self.weight = 0.0, 0.0
        self.last: Tensor | float = 0.0

    def note(self, unexplained: Tensor | float) -> None:
        self.last = unexplained.detach() if isinstance(unexplained, Tensor) else unexplained

    def on_step(self, step: int, loss: float) -> None:
        self.step = step
        if self.caller is None:
            return
        self.unexplained = SMOOTHING * self.unexplained + (1 - SMOOTHING) * float(self.last)
        self.weight = SMOOTHING * self.weight + (1 - SMOOTHING)
        self.caller(step, self.n_steps, loss, 1 - self.unexplained / self.weight)


def _batches(
    lesson: Lesson,
    weights: FloatArray,
    size: int,
    rng: np.random.Generator,
    room: Tensor | None,
) -> Iterator[Lesson]:
    """Take batches of a lesson without end.

    Rows of equal weight come once an epoch; otherwise each comes as often as its weight says. Rows
    are put together anew every few epochs only, since that costs a small network as much as to
    learn from them; into `room` of as many rows, where there is one.
    """
    n = len(lesson.rows)
    share = weights / weights.sum()
    while np.ptp(weights) > 0:
        yield lesson.take(torch.from_numpy(rng.choice(n, size=size, p=share)))
    starts = range(0, n, size)
    rooms = [None if room is None else room[start : start + size] for start in starts]
    while True:
        orders = torch.split(torch.from_numpy(rng.permutation(n)), size)
        batches = list(map(lesson.take, orders, rooms))
        for _ in range(EPOCHS_A_SHUFFLE):
            yield from (batches[i] for i in rng.permutation(len(batches)))
