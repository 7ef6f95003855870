"""Where a student learns: the rows that its teacher labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from explain_distill._types import Rows
from explain_distill.exceptions import DataError

BLOCK = 1 << 22  # cells drawn at a time, so that memory stays flat


class TransferSet(Protocol):
    """Draws raw rows out of training rows; labels are the teacher's business.

    Attributes
    ----------
    NAME : str
        The name on the command line.
    n_rows : int or None
        How many rows a student gets that does not train in steps; None for the training rows.
    """

    NAME: ClassVar[str]

    @property
    def n_rows(self) -> int | None:
        """How many rows a student gets that does not train in steps."""

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` rows out of training rows ``(n_train, n_columns)``."""


@dataclass(frozen=True)
class TrainingRows:
    """The training rows themselves, in a new order for each epoch."""

    NAME: ClassVar[str] = "training-rows"

    @property
    def n_rows(self) -> None:
        """None: a student that does not train in steps gets each training row once."""

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` of the rows, each as often as another, give or take one."""
        epochs = -(-n // len(X))
        order = np.concatenate([rng.permutation(len(X)) for _ in range(epochs)])
        return X[order[:n]]


@dataclass(frozen=True)
class Coalitions:
    """Rows whose columns come partly from one training row and partly from another.

    For each row a rate p ~ U(0, 1) is drawn; each column keeps the value of a random training row
    x with probability p, and takes that of a random background row b otherwise. These are the rows
    on which interventional Shapley values evaluate a model, under the sampling distribution of
    their multilinear form. The columns are raw ones, so the levels of a category move together.

    Parameters
    ----------
    n_rows : int, default=200_000
        How many rows a student gets that does not train in steps. One that does gets fresh
        coalitions in each step.

    References
    ----------
    Owen (1972), Multilinear extensions of games.
    Lundberg & Lee (2017), A unified approach to interpreting model predictions.
    """

    n_rows: int = 200_000
    NAME: ClassVar[str] = "coalitions"

    def __post_init__(self) -> None:
        if self.n_rows < 1:
            raise DataError(
                f"Coalitions must be at least 1 row; however, got {self.n_rows}. "
                "Some 100 000 suit boosted trees."
            )

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` coalitions of the rows ``(n_train, n_columns)``."""
        rows = X[rng.integers(len(X), size=n)]
        block = max(1, BLOCK // X.shape[1])
        for start in range(0, n, block):
            part = rows[start : start + block]
            background = X[rng.integers(len(X), size=len(part))]
            rate = rng.random((len(part), 1), dtype=np.float32)
            leaves = rng.random(part.shape, dtype=np.float32) >= rate
            np.copyto(part, background, where=leaves)
        return rows


TRANSFER_SETS: dict[str, type[TransferSet]] = {
    transfer.NAME: transfer for transfer in (Coalitions, TrainingRows)
}
