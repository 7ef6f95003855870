"""Gates that weigh at most a few features, so that a person can read their question."""

from __future__ import annotations

import torch
from torch import Tensor

START, END = 0.1, 0.8  # shares of the training between which features are taken away
EVERY = 10  # steps between two looks at the weights


class SparseGates:
    """Takes the weakest features away from each gate while it learns, a few at a time.

    After a share t of the way between `START` and `END`, a gate keeps its
    ``k + (n - k) (1 - t)³`` strongest features of n, by the norm of their weights; the rest is held
    at 0 and the gate learns on with what it has. A feature is a readable one: its standardised
    value and whether it is missing count once.

    Parameters
    ----------
    most : int
        How many features k a gate keeps in the end.
    origin : ndarray of shape (n_inputs,)
        The readable feature of each input.
    n_steps : int
        Of the training.

    References
    ----------
    Zhu & Gupta (2018), To prune, or not to prune: exploring the efficacy of pruning for model
    compression (the schedule). Blumensath & Davies (2009), Iterative hard thresholding for
    compressed sensing (the projection in each step).
    """

    def __init__(self, most: int, origin: Tensor, n_steps: int) -> None:
        self.most, self.origin, self.n_steps = most, origin, n_steps
        self.n_features = int(origin.max()) + 1
        self.kept: Tensor | None = None

    @torch.no_grad()
    def before_step(self, weights: Tensor, step: int) -> None:
        """Hold the weights ``(n_gates, n_inputs)`` of the features that are gone at 0."""
        if step % EVERY == 0:
            self._look(weights, step / self.n_steps)
        self.project(weights)

    @torch.no_grad()
    def project(self, weights: Tensor) -> None:
        """Set the weights of the features that are gone to 0."""
        if self.kept is not None:
            weights.mul_(self.kept)

    @torch.no_grad()
    def finish(self, weights: Tensor) -> None:
        """Leave each gate the features that it may weigh, however early training ended."""
        self._look(weights, 1.0)
        self.project(weights)

    def _look(self, weights: Tensor, share: float) -> None:
        t = min(max((share - START) / (END - START), 0.0), 1.0)
        count = self.most + round((self.n_features - self.most) * (1 - t) ** 3)
        if count >= self.n_features:
            return
        strength = torch.zeros(len(weights), self.n_features)
        strength.index_add_(1, self.origin, weights.square())
        strongest = strength.topk(count, dim=1).indices
        kept = torch.zeros_like(strength).scatter_(1, strongest, 1.0)
        self.kept = kept[:, self.origin].contiguous()
