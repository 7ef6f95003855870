"""One table and seed of fidelity_at_size.py: the rows, the teacher, and how a tree is judged."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import explain_distill as xd
from explain_distill.teachers.activations import Activation

MOST_TRAINING_ROWS, MOST_TEST_ROWS = 6000, 2000
LIMIT = 0.25  # of the standard deviation of the teacher's values


class Remembering(xd.Teacher):
    """A teacher that labels the same rows once.

    Soft trees of every size learn from the same draws where their seed is the same, and labelling
    costs more than learning.

    Parameters
    ----------
    teacher : Teacher
    """

    def __init__(self, teacher: xd.Teacher) -> None:
        self.teacher, self.task = teacher, teacher.task
        self.known: dict[bytes, np.ndarray] = {}

    def predict_score(self, X: np.ndarray) -> np.ndarray:
        """Score rows ``(n_samples, n_columns)``, to the precision of the network's float32."""
        key = hashlib.blake2b(np.ascontiguousarray(X)).digest()
        if key not in self.known:
            self.known[key] = self.teacher.predict_score(X).astype(np.float32)
        return self.known[key].astype(np.float64)


@dataclass(frozen=True)
class Problem:
    """One table and seed: the rows, the teacher, and what it says of them.

    Parameters
    ----------
    table : str
    seed : int
    train, test : Dataset
    teacher : NeuralTeacher
    """

    table: str
    seed: int
    train: xd.Dataset
    test: xd.Dataset
    teacher: xd.NeuralTeacher

    @classmethod
    def make(cls, table: str, seed: int, cache: Path, activation: Activation = "smelu") -> Problem:
        """Split the table; train the teacher, or take it from the cache."""
        rng = np.random.default_rng(seed)
        train, test = xd.load_dataset(table).split(seed=seed)
        train = drawn(train, MOST_TRAINING_ROWS, rng)
        teacher = teacher_of(train, seed, activation, cache / f"{table}-{seed}-{activation}")
        return cls(table, seed, train, drawn(test, MOST_TEST_ROWS, rng), teacher)

    @cached_property
    def remembering(self) -> Remembering:
        """The teacher, which labels the same rows once."""
        return Remembering(self.teacher)

    @property
    def classify(self) -> bool:
        """Whether the teacher is a classifier."""
        return self.train.task.kind == "classification"

    def labels(self) -> np.ndarray:
        """Give probabilities ``(n_train, n_classes)`` or values ``(n_train,)``."""
        predict = self.teacher.predict_proba if self.classify else self.teacher.predict
        return np.asarray(predict(self.train.X))

    def judge(self, answers: np.ndarray) -> dict[str, Any]:
        """Compare a tree's classes or values of the test rows ``(n_test,)`` with the teacher's."""
        said = self.teacher.predict(self.test.X)
        if self.classify:
            return counted(answers != said)
        error = np.abs(answers - said)
        unexplained = float(np.square(error).sum() / np.square(said - said.mean()).sum())
        return counted(error > LIMIT * self.labels().std()) | {"unexplained": round(unexplained, 6)}

    def about(self) -> dict[str, Any]:
        """Say how many rows there are, and how well the teacher performs."""
        groups = self.test.groups
        right, said = self.test.y, self.teacher.predict(self.test.X)
        fit = 1 - np.square(right - said).sum() / np.square(right - right.mean()).sum()
        return {
            "table": self.table,
            "seed": self.seed,
            "n_train": len(self.train),
            "n_test": len(self.test),
            "teacher": round(float((right == said).mean() if self.classify else fit), 4),
            "groups": None if groups is None else groups.tolist(),
        }


def drawn(data: xd.Dataset, most: int, rng: np.random.Generator) -> xd.Dataset:
    """Draw at most so many rows, without replacement and in their order."""
    if len(data) <= most:
        return data
    return data.take(np.sort(rng.choice(len(data), size=most, replace=False)))


def teacher_of(
    train: xd.Dataset, seed: int, activation: Activation, folder: Path
) -> xd.NeuralTeacher:
    """Train a teacher and keep it, or read the one that was kept."""
    config = folder / "config.json"
    if config.exists():
        return xd.NeuralTeacher.read(folder, json.loads(config.read_text()))
    teacher = xd.NeuralTeacher(activation=activation, seed=seed).fit(train)
    folder.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps(teacher.write(folder)))
    return teacher


def counted(missed: np.ndarray) -> dict[str, Any]:
    """Give the share of rows that disagree, and which they are, as base64 of packed bits."""
    return {
        "disagreement": round(float(missed.mean()), 6),
        "rows": base64.b64encode(np.packbits(missed).tobytes()).decode(),
    }
