"""What turns a network's outputs into scores, and a target into what the network learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from explain_distill._arrays import take_number
from explain_distill._types import FloatArray, Json
from explain_distill.data.dataset import Task

Outputs = TypeVar("Outputs", Tensor, FloatArray)


@dataclass(frozen=True)
class Calibration:
    """A temperature for logits; centre and spread of the target for values.

    Parameters
    ----------
    task : Task
    temperature : float, default=1.0
    centre, scale : float, default=0.0 and 1.0
        In units of the target.
    """

    task: Task
    temperature: float = 1.0
    centre: float = 0.0
    scale: float = 1.0

    @classmethod
    def of(cls, task: Task, y: np.ndarray) -> Calibration:
        """Take centre and spread from the rows that a network learns; leave logits as they are."""
        if task.kind == "classification":
            return cls(task)
        return cls(task, centre=float(y.mean()), scale=float(y.std()) or 1.0)

    def targets(self, y: np.ndarray) -> Tensor:
        """Give class codes ``(n,)``, or values in units of their spread ``(n, 1)``."""
        if self.task.kind == "classification":
            return torch.as_tensor(y)
        return torch.as_tensor((y - self.centre) / self.scale, dtype=torch.float32).reshape(-1, 1)

    def score(self, outputs: Outputs) -> Outputs:
        """Turn outputs ``(..., n_scores)`` into scores: centred log-probabilities, or values."""
        if self.task.kind == "regression":
            return outputs * self.scale + self.centre
        scores = outputs - outputs.mean(-1)[..., None]
        scores /= self.temperature  # in place, since there may be many
        return scores

    def to_json(self) -> Json:
        """Give the numbers as they stand in config.json."""
        return {
            "temperature": self.temperature,
            "value_centre": self.centre,
            "value_scale": self.scale,
        }

    @classmethod
    def from_json(cls, task: Task, config: Json) -> Calibration:
        """Read what `to_json` wrote; ValueError, KeyError or TypeError where it was altered."""
        return cls(
            task,
            take_number(config, "temperature", positive=True),
            take_number(config, "value_centre"),
            take_number(config, "value_scale", positive=True),
        )
