"""Coalitions whose background rows resemble the row where they have to."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from explain_distill._ranges import Range
from explain_distill._types import BoolArray, IntArray, Rows
from explain_distill.data.dataset import Dataset
from explain_distill.distillation.near_rows import Coordinates, held_discrete
from explain_distill.distillation.transfer_sets import MANY_ROWS, check_rows
from explain_distill.exceptions import DataError

BLOCK = 1 << 21  # distances computed at a time, so that memory stays flat


@dataclass(frozen=True)
class ConditionalCoalitions:
    """Coalitions that stay closer to the data: the background row is near x in what x keeps.

    Rates and kept columns S are drawn as for `Coalitions`. The background row b is drawn from
    other training rows with weight ``exp(-D² / (2 bandwidth²))``, where D² is the mean squared
    distance of b from x over the columns in S alone: a kernel estimate of the distribution of the
    other columns given those, on which conditional Shapley values rest.

    What is bounded no longer holds here: the attribution-gap bound, and the agreement of
    interventional Shapley values that coalitions are drawn for, are about independent background
    rows. A student that learned here knows little of rows off the manifold.

    Departures from the paper: columns are standardised one by one where it uses the covariance,
    and at most `candidates` random rows are weighed at a time.

    Parameters
    ----------
    n_rows : int, default=200_000
        How many rows a student gets that does not train in steps.
    bandwidth : float, default=0.1
        In standard deviations of a column; the paper's fixed choice. A large one gives
        `Coalitions`.
    candidates : int, default=256
        Training rows that are weighed for each coalition.

    References
    ----------
    Aas, Jullum & Løland (2021), Explaining individual predictions when features are dependent,
    section 3.3 (the empirical conditional distribution).
    """

    n_rows: int = MANY_ROWS
    bandwidth: float = 0.1
    candidates: int = 256
    coordinates: Coordinates | None = field(default=None, repr=False, compare=False)
    NAME: ClassVar[str] = "conditional-coalitions"

    def __post_init__(self) -> None:
        check_rows("ConditionalCoalitions", self.n_rows)
        if self.bandwidth not in Range(0, without_low=True):
            raise DataError(
                f"bandwidth must be above 0; however, got {self.bandwidth!r}. "
                "0.1 standard deviations is the usual choice."
            )
        if self.candidates not in Range(2, whole=True):
            raise DataError(
                "candidates must be a whole number of at least 2; however, got "
                f"{self.candidates!r}. One of them may be the row itself, which is left out."
            )

    def for_data(self, data: Dataset) -> ConditionalCoalitions:
        """Place the training rows once, knowing which columns are categories."""
        return replace(self, coordinates=Coordinates.of(data.X, held_discrete(data.schema)))

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` coalitions of the rows ``(n_train, n_columns)``.

        Every column is taken for a number unless `for_data` told otherwise.
        """
        known = self.coordinates or Coordinates.of(X, np.zeros(X.shape[1], dtype=bool))
        block = max(1, BLOCK // min(self.candidates, len(X)))
        parts = [
            self._draw_block(X, known, min(block, n - start), rng) for start in range(0, n, block)
        ]
        return np.concatenate(parts) if parts else X[:0]

    def _draw_block(self, X: Rows, known: Coordinates, n: int, rng: np.random.Generator) -> Rows:
        chosen = rng.integers(len(X), size=n)
        rows = X[chosen]
        rate = rng.random((n, 1), dtype=np.float32)
        kept = rng.random(rows.shape, dtype=np.float32) < rate
        n_weighed = min(self.candidates, len(X))
        weighed = rng.choice(len(X), size=n_weighed, replace=False)
        background = weighed[self._drawn(known, chosen, kept, weighed, rng)]
        np.copyto(rows, X[background], where=~kept)
        return rows

    def _drawn(
        self,
        known: Coordinates,
        chosen: IntArray,
        kept: BoolArray,
        weighed: IntArray,
        rng: np.random.Generator,
    ) -> IntArray:
        """Draw one of the weighed rows for each chosen row by the kernel's weight: ``(n,)``."""
        distances = _squared_distances(known, chosen, kept, weighed)
        itself = known.same[chosen][:, None] == known.same[weighed]
        itself &= ~itself.all(axis=1, keepdims=True)
        distances[itself] = np.inf
        distances -= distances.min(axis=1, keepdims=True)
        cumulative = np.exp(distances / (-2 * self.bandwidth**2)).cumsum(axis=1)
        threshold = rng.random(len(chosen)) * cumulative[:, -1]
        return np.asarray((cumulative < threshold[:, None]).sum(axis=1))


def _squared_distances(
    known: Coordinates, chosen: IntArray, kept: BoolArray, weighed: IntArray
) -> np.ndarray:
    """Mean squared distance over the kept columns: ``(n_chosen, n_weighed)``, 0 where none is.

    ``Σ_c k_c (a_c - b_c)²`` is taken apart, so that two matrix products give it.
    """
    mask = kept[:, known.column].astype(np.float32)
    a, b = known.points[chosen] * mask, known.points[weighed]
    sums = np.square(a).sum(axis=1, keepdims=True) - 2 * a @ b.T + mask @ np.square(b).T
    return np.asarray(np.maximum(sums, 0) / np.maximum(kept.sum(axis=1, keepdims=True), 1))
