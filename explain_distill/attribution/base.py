"""What an attribution is told of, and the form in which it is carried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from explain_distill._types import FloatArray, Rows, Scores

if TYPE_CHECKING:
    import shap

ScoreFunction: TypeAlias = Callable[[Rows], Scores]
"""Raw rows ``(n, n_columns)`` to scores ``(n, n_scores)``."""


@dataclass(frozen=True, eq=False)
class Attributions:
    """Each raw column's share in the scores of some rows.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_columns, n_scores)
        In units of the score.
    base : ndarray of shape (n_samples, n_scores)
        The score from which the shares add up: that of the background.
    method : str
        How they were computed, in words.
    """

    values: FloatArray
    base: FloatArray
    method: str

    def residual(self, scores: Scores) -> float:
        """Give the largest distance between a score and base plus shares."""
        return float(np.abs(self.base + self.values.sum(axis=1) - scores).max())

    def explanation(self, rows: Rows, names: list[str], score: int) -> shap.Explanation:
        """Carry the shares in one of the scores as a `shap.Explanation`, for shap's plots.

        Parameters
        ----------
        rows : ndarray of shape (n_samples, n_columns)
            The raw rows that the shares tell of.
        names : list of str
            The raw columns' names.
        score : int
            Which of the scores: the class's code, or 0 for regression.
        """
        import shap

        return shap.Explanation(
            values=self.values[:, :, score],
            base_values=self.base[:, score],
            data=rows,
            feature_names=names,
        )


def exact_for(background: Rows, how: str = "Shapley values") -> str:
    """Say in words that attributions are exact, and for how many background rows."""
    return f"{how}, exact for {len(background)} background rows"
