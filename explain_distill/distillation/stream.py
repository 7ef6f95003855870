"""The stream of batches that a student learns from, step by step, and what techniques add to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from explain_distill._ranges import Range
from explain_distill._training import ahead
from explain_distill._types import FloatArray, ReadableRows, SoftLabels
from explain_distill.distillation.active_queries import ActiveQueries
from explain_distill.distillation.hints import Hints
from explain_distill.distillation.targets import Labeller
from explain_distill.distillation.techniques import PairedRows
from explain_distill.exceptions import DataError
from explain_distill.students.base import Batch

PAIR_WEIGHT = Range(0, 1e9, without_low=True)
BATCHES = 16  # the teacher labels so many batches at once


@dataclass(frozen=True, eq=False)
class Block:
    """Some batches together: the axes are batches, rows of a batch, and what a row has.

    Parameters
    ----------
    rows : ndarray of shape (n_batches, n, n_readable)
    labels : ndarray of shape (n_batches, n, n_classes) or (n_batches, n)
    weights : ndarray of shape (n_batches, n), optional
    hints : ndarray of shape (n_batches, n, n_hints), optional
    """

    rows: ReadableRows
    labels: SoftLabels
    weights: FloatArray | None = None
    hints: FloatArray | None = None

    def take(self, chosen: np.ndarray) -> Block:
        """Take rows by their number in the whole block, as many for each batch: ``(b, n)``."""
        arrays: list[Any] = [_at(_flat(array), chosen) for array in self._arrays()]
        return Block(*arrays)

    def join(self, other: Block) -> Block:
        """Put the rows of another block behind those of each batch."""
        both = zip(self._arrays(), other._arrays(), strict=True)
        arrays: list[Any] = [a if a is None else np.concatenate([a, b], axis=1) for a, b in both]
        return Block(*arrays)

    def batches(self, pairs: FloatArray | None) -> Iterator[tuple[Any, ...]]:
        """Give the batches one by one, as plain tuples where rows and labels are all there is."""
        if self.weights is None and self.hints is None and pairs is None:
            yield from zip(self.rows, self.labels, strict=True)
            return
        for batch in range(len(self.rows)):
            rows, labels, weights, hints = (_at(array, batch) for array in self._arrays())
            yield Batch(rows, labels, weights, pairs, hints)

    def _arrays(self) -> list[Any]:
        return [self.rows, self.labels, self.weights, self.hints]


class Stream:
    """Batches without end, out of what a labeller draws.

    Parameters
    ----------
    labeller : Labeller
    student : a student that trains in steps
        Asked for its score so far, where rows are asked again.
    """

    def __init__(self, labeller: Labeller, student: Any) -> None:
        self.labeller, self.student = labeller, student
        techniques = labeller.techniques
        self.rng = labeller.rng.spawn(1)[0]
        self.paired = [each for each in techniques if isinstance(each, PairedRows)]
        self.hints = next((each for each in techniques if isinstance(each, Hints)), None)
        self.queries = next((each for each in techniques if isinstance(each, ActiveQueries)), None)
        self.n_pairs = student.batch_size // (4 * max(1, len(self.paired)))
        if self.paired and not self.n_pairs:
            raise DataError(
                f"batch_size must be at least {4 * len(self.paired)}, for half of a batch comes in "
                f"pairs; however, got {student.batch_size}. Leave it out for the default."
            )
        self.n_single = student.batch_size - 2 * self.n_pairs * len(self.paired)
        self.n_again = max(1, round(self.queries.share * self.n_single)) if self.queries else 0
        if self.n_again >= self.n_single:
            raise DataError(
                "batch_size must leave room for rows beside those that are asked again; however, "
                f"got {student.batch_size}. Leave it out for the default."
            )
        blocks = student.n_steps / BATCHES
        self.n_hinted = max(1, round(self.hints.share * blocks)) if self.hints else 0
        if self.n_hinted >= blocks:
            raise DataError(
                "n_steps must leave some for what the teacher says; however, of "
                f"{student.n_steps}, {self.n_hinted * BATCHES} would learn hints, which come "
                f"{BATCHES} at a time. Take more steps, or a smaller share of hints."
            )

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Give the batches; the teacher labels the next ones while the student learns these."""
        pairs = self._weights_of_pairs()
        last: Block | None = None
        for number, block in enumerate(ahead(self._block(number) for number in count())):
            whole = block
            if last is not None and self._asks_again(number):
                whole = block.join(self._again(last))
            last = block
            yield from whole.batches(pairs)

    def _asks_again(self, number: int) -> bool:
        """Whether the student has learned the labels of the block before."""
        return self.n_again > 0 and number > self.n_hinted

    def _block(self, number: int) -> Block:
        """Draw and label the rows of a block, all but those that are asked again."""
        n_single = self.n_single - (self.n_again if self._asks_again(number) else 0)
        drawn = [self.labeller.pairs(each, BATCHES * self.n_pairs) for each in self.paired]
        drawn.append(self.labeller.singles(BATCHES * n_single))
        raw = np.concatenate([_by_batch(rows) for rows, _ in drawn], axis=1)
        flat = raw.reshape(-1, raw.shape[2])
        weights = self.labeller.weights(flat)
        hints = None
        if self.hints is not None and number < self.n_hinted:
            hints = _by_batch(self.hints.of(self.labeller.teacher, flat))
        return Block(
            _by_batch(self.labeller.data.readable_features.transform(flat)),
            np.concatenate([_by_batch(labels) for _, labels in drawn], axis=1),
            None if weights is None else _by_batch(weights),
            hints,
        )

    def _again(self, block: Block) -> Block:
        """Take the rows of a block on which the student is furthest from its teacher now."""
        assert self.queries is not None
        rows, labels = _flat(block.rows), _flat(block.labels)
        score = self.student.score_so_far(rows)
        hardest = self.queries.hardest(score, labels, BATCHES * self.n_again)
        return block.take(self.rng.permutation(hardest).reshape(BATCHES, -1))

    def _weights_of_pairs(self) -> FloatArray | None:
        if not self.paired:
            return None
        n_columns = self.labeller.data.X.shape[1]
        # The loss is a mean over all pairs, of which each technique has its part.
        weights = [len(self.paired) * _pair_weight(each, n_columns) for each in self.paired]
        return np.repeat(weights, self.n_pairs)


def _pair_weight(technique: PairedRows, n_columns: int) -> float:
    """Give what a pair counts.

    Raises
    ------
    DataError
        Where it would count against what is learned, or not at all.
    """
    weight = technique.pair_weight(n_columns)
    if weight not in PAIR_WEIGHT:
        raise DataError(
            f"What a pair counts must be {PAIR_WEIGHT}; however, {type(technique).__name__} says "
            f"{weight!r}. 1 counts as much as the scores themselves."
        )
    return weight


def _by_batch(array: np.ndarray) -> np.ndarray:
    """Part the rows of a block among its batches."""
    return array.reshape(BATCHES, -1, *array.shape[1:])


def _flat(array: Any) -> Any:
    return None if array is None else array.reshape(-1, *array.shape[2:])


def _at(array: Any, place: Any) -> Any:
    return None if array is None else array[place]
