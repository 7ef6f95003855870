"""The arrays of explain-distill by their meaning, with shapes.

Shapes are written in docstrings with these symbols: ``n_samples`` rows, ``n_columns`` raw columns,
``n_readable`` readable features, ``n_classes`` classes, ``n_scores`` = ``n_classes`` for
classification and 1 for regression.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
"""Real numbers of any shape."""

IntArray: TypeAlias = npt.NDArray[np.int64]
"""Whole numbers of any shape: indices, class codes."""

BoolArray: TypeAlias = npt.NDArray[np.bool_]
"""Truth values of any shape."""

Rows: TypeAlias = npt.NDArray[np.float64]
"""``(n_samples, n_columns)``: raw columns; a category as the code of its level, missing as NaN."""

ReadableRows: TypeAlias = npt.NDArray[np.float64]
"""``(n_samples, n_readable)``: readable features in raw units, missing numbers as NaN."""

Probabilities: TypeAlias = npt.NDArray[np.float64]
"""``(n_samples, n_classes)``: rows sum to 1."""

Scores: TypeAlias = npt.NDArray[np.float64]
"""``(n_samples, n_scores)``: centred log-probabilities, or the value ``(n_samples, 1)``."""

SoftLabels: TypeAlias = npt.NDArray[np.float64]
"""What a teacher says of rows: probabilities, or values of shape ``(n_samples,)``."""

TaskKind: TypeAlias = Literal["classification", "regression"]

Json: TypeAlias = dict[str, Any]
"""A JSON object."""
