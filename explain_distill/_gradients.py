"""A model with gradients, in the form that gradient attributions need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from explain_distill._types import FloatArray


@dataclass(frozen=True, eq=False)
class GradientModel:
    """The score as a differentiable function of prepared rows.

    Parameters
    ----------
    score : callable
        Takes a float64 tensor ``(n_samples, n_prepared)`` and gives ``(n_samples, n_scores)``.
    prepare : callable
        Turns a model's own input rows into prepared rows ``(n_samples, n_prepared)``.
    origin : ndarray of shape (n_prepared,)
        The readable feature of each prepared column.
    """

    score: Callable[[Tensor], Tensor]
    prepare: Callable[[np.ndarray], FloatArray]
    origin: np.ndarray
