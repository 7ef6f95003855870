"""A table with what is known of it: its columns, its task, and which rows belong together."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from explain_distill._random import generator
from explain_distill._types import FloatArray, IntArray, Json, ReadableRows, Rows, TaskKind
from explain_distill.data.features import Environment, Schema
from explain_distill.data.readable_features import ReadableFeatures
from explain_distill.data.splits import check_share, draw_groups, draw_rows, latest_rows
from explain_distill.exceptions import DataError


@dataclass(frozen=True)
class Task:
    """What is predicted.

    Parameters
    ----------
    kind : {"classification", "regression"}
    target : str
        The name of the target's column.
    class_names : tuple of str, default=()
        Classification: the classes in the order of their codes.
    unit : str, optional
        Regression: the target's unit.
    """

    kind: TaskKind
    target: str
    class_names: tuple[str, ...] = ()
    unit: str | None = None

    @property
    def n_scores(self) -> int:
        """The number of scores of a row: the number of classes, or 1 for regression."""
        return len(self.class_names) if self.kind == "classification" else 1

    def to_json(self) -> Json:
        """Describe the task as a JSON object."""
        return {
            "kind": self.kind,
            "target": self.target,
            "class_names": list(self.class_names),
            "unit": self.unit,
        }

    @classmethod
    def from_json(cls, json: Json) -> Task:
        """Read what `to_json` wrote."""
        return cls(json["kind"], json["target"], tuple(json["class_names"]), json["unit"])


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of a table with their truth, in the neutral form that every part of the package takes.

    Parameters
    ----------
    name : str
    X : ndarray of shape (n_samples, n_columns)
        Raw columns: numbers in raw units, a category as the code of its level, missing as NaN.
    y : ndarray of shape (n_samples,)
        Class codes (int64) or values (float64).
    schema : Schema
    task : Task
    groups : ndarray of shape (n_samples,), optional
        Rows that share a group (a patient) never stand on both sides of a split.
    background : ndarray of shape (n_background, n_columns), optional
        The training rows that explanations of these rows are told against; `split` sets it.
    notes : tuple of str, default=()
        What was found, dropped or set aside while reading, in plain words.
    times : ndarray of shape (n_samples,), optional
        When each row was known, as a number: `split` then tests on the latest rows.
    """

    name: str
    X: Rows = field(repr=False)
    y: np.ndarray = field(repr=False)
    schema: Schema = field(repr=False)
    task: Task
    groups: np.ndarray | None = field(default=None, repr=False)
    background: Rows | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    times: FloatArray | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.X)

    def __getstate__(self) -> dict[str, Any]:
        # The rows hold molecules by numbers, which another process has to know by their SMILES.
        if self.schema.molecules is None:
            return dict(self.__dict__)
        from explain_distill.data.molecules import smiles_of

        rows = [self.X] if self.background is None else [self.X, self.background]
        held = np.unique(np.concatenate([np.unique(each) for each in rows]))
        return self.__dict__ | {"_smiles": [smiles_of(number) for number in held.tolist()]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        from explain_distill.data.molecules import number_of

        told = dict(state)
        for smiles in told.pop("_smiles", ()):
            number_of(smiles)
        self.__dict__.update(told)

    @cached_property
    def readable_features(self) -> ReadableFeatures:
        """How the raw columns become readable features."""
        return ReadableFeatures(self.schema)

    def readable(self) -> ReadableRows:
        """Give the rows as readable features: ``(n_samples, n_readable)``."""
        return self.readable_features.transform(self.X)

    def frame(self) -> pd.DataFrame:
        """Give the rows as a table as a person would read it, without the target."""
        return self.schema.decode(self.X)

    @cached_property
    def sha256(self) -> str:
        """A fingerprint of the columns, the values and the truth."""
        digest = hashlib.sha256(repr((self.schema, self.task)).encode())
        digest.update(np.ascontiguousarray(self.X).tobytes())
        digest.update(np.ascontiguousarray(self.y).tobytes())
        return digest.hexdigest()

    def counting(self, environments: tuple[Environment, ...]) -> Dataset:
        """Let students of molecules count these environments of atoms, and no others.

        Behind the other readable features; see `environments_of`, which chooses them.
        """
        return replace(self, schema=replace(self.schema, environments=environments))

    def take(self, rows: np.ndarray) -> Dataset:
        """Give the data set of some rows, by index or by a mask of truth values."""
        groups = None if self.groups is None else self.groups[rows]
        times = None if self.times is None else self.times[rows]
        return replace(self, X=self.X[rows], y=self.y[rows], groups=groups, times=times)

    def split(self, seed: int = 0, test_size: float = 0.25) -> tuple[Dataset, Dataset]:
        """Part the rows into training and test rows.

        Every class stands on both sides, in the same proportion as nearly as may be; where there
        are groups, no group stands on both sides; where there are times, the latest rows are
        tested on, whatever the seed. The test rows remember the training rows as
        their `background`.

        Parameters
        ----------
        seed : int, default=0
        test_size : float, default=0.25
            The share of the rows to test on, between 0 and 1.

        Returns
        -------
        train, test : Dataset

        Raises
        ------
        DataError
            Where the rows are too few, the share is out of range, or a class cannot stand on both
            sides.
        """
        check_rows_suffice(self)
        test = (
            split_indices(self, test_size, generator(seed, "split"))
            if self.times is None
            else self._latest(test_size)
        )
        part = np.zeros(len(self), dtype=bool)
        part[test] = True
        train = self.take(~part)
        return train, replace(self.take(part), background=train.X)

    def _latest(self, share: float) -> IntArray:
        assert self.times is not None
        check_share(share)
        strata, names = _strata(self)
        return latest_rows(strata, self.times, names, share)

    @property
    def baseline(self) -> Rows:
        """What explanations of these rows are told against: ``(n_baseline, n_columns)``.

        The background rows; of molecules one row of zeros, so that fragments are taken off and
        bonds closed by hydrogen.
        """
        assert self.background is not None
        return self.background if self.schema.molecules is None else np.zeros((1, self.X.shape[1]))


def split_indices(data: Dataset, share: float, rng: np.random.Generator) -> IntArray:
    """Choose the rows of the smaller part of a split.

    Every class stands on both sides, in the same proportion as nearly as may be, and a class with
    three rows or groups leaves two of them in the larger part, which can so be split once more.

    Parameters
    ----------
    data : Dataset
    share : float
        The share of the rows to choose, between 0 and 1.
    rng : Generator

    Returns
    -------
    ndarray of shape (n_chosen,)
        Indices of rows, ascending.

    Raises
    ------
    DataError
        Where a class cannot stand on both sides.
    """
    check_share(share)
    strata, names = _strata(data)
    if data.groups is None:
        return draw_rows(strata, names, share, rng)
    return draw_groups(strata, data.groups, names, share, rng)


def _strata(data: Dataset) -> tuple[IntArray, list[str]]:
    """Give the stratum of each row, its class, and what an error calls it."""
    if data.task.kind == "classification":
        return data.y, [f"Class {name!r} of {data.task.target!r}" for name in data.task.class_names]
    return np.zeros(len(data), dtype=np.int64), ["The table"]


MIN_ROWS = 20


def check_rows_suffice(data: Dataset) -> None:
    """Refuse a table with too few rows, a constant target, or a class with one row.

    Raises
    ------
    DataError
    """
    if len(data) < MIN_ROWS:
        raise DataError(
            f"The data must have at least {MIN_ROWS} rows to train and test on; however, "
            f"{data.name!r} has {len(data)}. Give more rows."
        )
    if data.task.kind == "regression":
        if np.ptp(data.y) == 0:
            raise DataError(
                f"The target must vary; however, {data.task.target!r} is {data.y[0]:g} in every "
                "row. Name another column with --target."
            )
        return
    counts = np.bincount(data.y, minlength=data.task.n_scores)
    if data.task.n_scores < 2:
        raise DataError(
            f"The target must have at least two classes; however, {data.task.target!r} is "
            f"{data.task.class_names[0]!r} in every row. Name another column with --target."
        )
    if counts.min() < 4:
        rare = data.task.class_names[int(counts.argmin())]
        raise DataError(
            f"Each class of the target must have at least 4 rows (for training, validation and "
            f"test); however, {rare!r} of {data.task.target!r} has {counts.min()}. "
            "Merge that class with another or remove its rows."
        )


def check_dataset(data: object) -> None:
    """Refuse what is no table, such as a matrix.

    Raises
    ------
    DataError
    """
    if not isinstance(data, Dataset):
        raise DataError(
            f"data must be a Dataset; however, got {type(data).__name__}. Take xd.read_table or "
            "xd.load_dataset."
        )
