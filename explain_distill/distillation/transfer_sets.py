"""Where a student learns: the rows that its teacher labels."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from explain_distill._arrays import is_count
from explain_distill._types import FloatArray, Rows
from explain_distill.data.dataset import Dataset
from explain_distill.exceptions import DataError

BLOCK = 1 << 22  # cells drawn at a time, so that memory stays flat
MANY_MOLECULES = 20_000
MANY_ROWS = 200_000  # that a student gets which does not train in steps


class TransferSet(Protocol):
    """Draws raw rows out of training rows; labels are the teacher's business.

    One that has to know more than the matrix, such as which columns are categories or which rows
    are near each other, also has ``for_data(data) -> TransferSet``. `distill` calls it once and
    draws from what it gives.

    All have `NAME` and `n_rows`, most the one as a class constant and the other as a field. Cells
    of a category are codes of its levels, whole numbers from 0, so draws keep them whole.
    """

    @property
    def NAME(self) -> str:  # noqa: N802 - a class constant of most, made of its parts by a mixture
        """The name on the command line."""

    @property
    def n_rows(self) -> int | None:
        """How many rows a student gets that does not train in steps; None: the training rows."""

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` rows out of training rows ``(n_train, n_columns)``."""


@dataclass(frozen=True)
class TrainingRows:
    """The training rows themselves, in random order."""

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

    n_rows: int = MANY_ROWS
    NAME: ClassVar[str] = "coalitions"

    def __post_init__(self) -> None:
        check_rows("Coalitions", self.n_rows)

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


@dataclass(frozen=True)
class FragmentCoalitions:
    """Molecules that are made of some kinds of fragments of a training molecule.

    As for `Coalitions` a rate is drawn for each, by which kinds of fragments are kept. What is not
    kept is taken off, the bonds being closed by hydrogen, or, of half of the molecules, replaced by
    fragments of those kinds of another training molecule. See `data.fragments`.

    Parameters
    ----------
    n_rows : int, default=200_000
        How many rows a student gets that does not train in steps.
    """

    n_rows: int = MANY_ROWS
    NAME: ClassVar[str] = "coalitions"

    def __post_init__(self) -> None:
        check_rows("FragmentCoalitions", self.n_rows)

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` coalitions of the molecules ``(n_train, n_kinds)``."""
        rows = X[rng.integers(len(X), size=n)]
        others = X[rng.integers(len(X), size=n)]
        others[rng.random(n) < 0.5] = 0.0
        leaves = rng.random(rows.shape) >= rng.random((n, 1))
        return np.where(leaves, others, rows)


class Mixture:
    """Several transfer sets, each giving its share of the rows.

    Parameters
    ----------
    *parts : TransferSet
    shares : sequence of float, optional
        One a part, positive; equal where left out. They need not sum to 1.

    Examples
    --------
    >>> import explain_distill as xd
    >>> xd.Mixture(xd.Coalitions(), xd.Munge(), shares=(3, 1))
    Mixture(Coalitions(n_rows=200000), Munge(n_rows=200000, swap=0.5, local_variance=1.0), \
shares=(0.75, 0.25))
    """

    def __init__(self, *parts: TransferSet, shares: Sequence[float] | None = None) -> None:
        given = np.ones(len(parts)) if shares is None else _numbers(shares)
        if not parts or not all(map(is_transfer_set, parts)):
            raise DataError(
                "A mixture must be of transfer sets, one or more; however, got "
                f"{parts or 'none'}. Make each by a call, such as xd.Munge()."
            )
        if given.shape != (len(parts),) or not (np.isfinite(given) & (given > 0)).all():
            raise DataError(
                f"A mixture of {len(parts)} parts must have as many positive shares; however, got "
                f"{shares!r}. Leave shares out for equal ones."
            )
        self.parts = parts
        self.shares = tuple((given / given.sum()).tolist())

    @property
    def NAME(self) -> str:  # noqa: N802 - what is one name for other transfer sets
        """The names of the parts: ``"coalitions+munge"``."""
        return "+".join(part.NAME for part in self.parts)

    @property
    def n_rows(self) -> int | None:
        """As many rows as the part has that has most; None where all are the training rows."""
        return max((part.n_rows for part in self.parts if part.n_rows is not None), default=None)

    def for_data(self, data: Dataset) -> Mixture:
        """Let each part look at the data."""
        return Mixture(*(for_data(part, data) for part in self.parts), shares=self.shares)

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` rows, each part's number at random by its share, in random order."""
        counts = rng.multinomial(n, self.shares)
        drawn = [
            part.draw(X, count, rng)
            for part, count in zip(self.parts, counts.tolist(), strict=True)
            if count
        ]
        return rng.permutation(np.concatenate(drawn)) if drawn else X[:0]

    def __repr__(self) -> str:
        parts = ", ".join(map(repr, self.parts))
        return f"Mixture({parts}, shares={self.shares})"


class Pool:
    """Rows of another transfer set, drawn once and then drawn from, where rows are dear.

    A molecule takes some milliseconds to make, to describe and to label; what is known of those of
    the pool is looked up. The pool depends on the training rows alone, and so is the same for all
    students of a run, and another one where rows are resampled.

    Parameters
    ----------
    transfer : TransferSet
    n_rows : int, default=20_000
        How many rows are drawn, at most.
    """

    def __init__(self, transfer: TransferSet, n_rows: int = MANY_MOLECULES) -> None:
        check_rows("Pool", n_rows)
        self.transfer, self.most = transfer, n_rows
        self._drawn: Rows | None = None
        self._of: Rows | None = None

    @property
    def NAME(self) -> str:  # noqa: N802 - as that of the transfer set that it holds
        """The name of the other."""
        return self.transfer.NAME

    @property
    def n_rows(self) -> int | None:
        """How many rows a student gets that does not train in steps; None: the training rows."""
        return None if self.transfer.n_rows is None else min(self.transfer.n_rows, self.most)

    def draw(self, X: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw `n` rows of the pool, each as often as another, give or take one."""
        if self.transfer.n_rows is None:
            return self.transfer.draw(X, n, rng)
        if self._drawn is None or self._of is not X:
            own = np.random.default_rng(zlib.crc32(np.ascontiguousarray(X).tobytes()))
            n_rows = min(self.transfer.n_rows, self.most)
            self._drawn, self._of = self.transfer.draw(X, n_rows, own), X
        return TrainingRows().draw(self._drawn, n, rng)


def is_transfer_set(value: object) -> bool:
    """Say whether a value draws rows as a `TransferSet` does, and says its name and size."""
    n_rows = getattr(value, "n_rows", 0)
    sized = n_rows is None or is_count(n_rows)
    named = isinstance(getattr(value, "NAME", None), str)
    return (
        not isinstance(value, type) and callable(getattr(value, "draw", None)) and sized and named
    )


def _numbers(shares: Sequence[float]) -> FloatArray:
    try:
        return np.asarray(shares, dtype=np.float64)
    except (TypeError, ValueError):  # no numbers are refused as wrong ones are
        return np.empty(0)


def for_data(transfer: TransferSet, data: Dataset) -> TransferSet:
    """Let a transfer set look at the data from which it will draw, if it wants to."""
    return transfer.for_data(data) if hasattr(transfer, "for_data") else transfer


def check_rows(name: str, n_rows: int) -> None:
    """Refuse a transfer set without rows.

    Raises
    ------
    DataError
    """
    if not is_count(n_rows):
        raise DataError(
            f"{name} must be a whole number of rows, 1 or more; however, got {n_rows!r}. "
            "Some 100 000 suit boosted trees."
        )
