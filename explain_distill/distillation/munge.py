"""MUNGE: rows near the training rows, as the first paper on compressing a model drew them."""

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


@dataclass(frozen=True)
class Munge:
    """Training rows some of whose columns are taken, with noise, from the nearest other row.

    For a random training row e and its nearest neighbour e', each column is exchanged with
    probability `swap`: a category takes the level of e', a number is drawn from a normal
    distribution around the value of e' whose standard deviation is ``|e - e'| / local_variance``.
    The rows stay close to the data's manifold, where `Coalitions` leave it.

    Departure from the paper: there e and e' are changed together, and a row that is the neighbour
    of several is changed several times. Here every row starts from the data, so that rows are
    independent and none drifts.

    Parameters
    ----------
    n_rows : int, default=200_000
        How many rows a student gets that does not train in steps.
    swap : float, default=0.5
        The probability of a column's exchange, above 0 and at most 1.
    local_variance : float, default=1.0
        The larger, the closer a number is to the neighbour's.

    References
    ----------
    Buciluǎ, Caruana & Niculescu-Mizil (2006), Model compression, algorithm 1.
    """

    n_rows: int = MANY_ROWS
    swap: float = 0.5
    local_variance: float = 1.0
    pairs: _Pairs | None = field(default=None, repr=False, compare=False)
    NAME: ClassVar[str] = "munge"

    def __post_init__(self) -> None:
        check_rows("Munge", self.n_rows)
        if self.swap not in Range(0, 1, without_low=True):
            raise DataError(
                f"swap must be above 0 and at most 1; however, got {self.swap!r}. "
                "0.5 exchanges half of the columns."
            )
        if self.local_variance not in Range(0, without_low=True):
            raise DataError(
                f"local_variance must be above 0; however, got {self.local_variance!r}. "
                "The larger it is, the less noise numbers get."
            )

    def for_data(self, data: Dataset) -> Munge:
        """Find each training row's neighbour once, knowing which columns are categories."""
        return replace(self, pairs=_Pairs.of(data.X, held_discrete(data.schema)))

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` rows near the rows ``(n_train, n_columns)``.

        Every column is taken for a number unless `for_data` told otherwise.
        """
        pairs = self.pairs or _Pairs.of(X, np.zeros(X.shape[1], dtype=bool))
        chosen = rng.integers(len(X), size=n)
        rows, near = X[chosen], X[pairs.nearest[chosen]]
        deviation = np.abs(rows - near) / self.local_variance
        noise = np.where(np.isnan(deviation) | pairs.discrete, 0.0, deviation)
        noise *= rng.standard_normal(rows.shape, dtype=np.float32)
        exchanged = rng.random(rows.shape, dtype=np.float32) < self.swap
        np.copyto(rows, near + noise, where=exchanged)
        return rows


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Each row's neighbour ``(n_train,)``, and which columns hold levels ``(n_columns,)``."""

    nearest: IntArray
    discrete: BoolArray

    @classmethod
    def of(cls, X: Rows, discrete: BoolArray) -> _Pairs:
        return cls(Coordinates.of(X, discrete).nearest(), discrete)
