"""How far a student's scores are from its teacher's, and the slope of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor


def difference_of_errors(errors: Tensor, pairs: Tensor) -> Tensor:
    """Give the mean square by which the errors of paired rows differ, each pair by its weight.

    Parameters
    ----------
    errors : Tensor of shape (n_scores, n)
        Student less teacher, in standard deviations of the teacher's score.
    pairs : Tensor of shape (n_pairs,)
        Of rows 0 and 1, 2 and 3, …
    """
    first, second = errors[:, : 2 * len(pairs) : 2], errors[:, 1 : 2 * len(pairs) : 2]
    return (pairs * (first - second).square().mean(dim=0)).mean()


def matched_scores(
    outputs: Tensor, labels: Tensor, logs: Tensor, matching: float, divergence: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Match softened scores, and a little of the probabilities.

    Parameters
    ----------
    outputs : Tensor of shape (n_scores, n)
        The student's softened scores, up to a row's constant.
    labels, logs : Tensor of shape (n_scores, n)
        The teacher's softened probabilities, and their logarithms.
    matching, divergence : float
        The weights of the mean squared distance of centred scores, and of the mean
        Kullback-Leibler divergence of the student from the teacher.

    Returns
    -------
    matched, loss : Tensor of shape ()
        The first term alone, and the sum of both.
    slope : Tensor of shape (n_scores, n)
        Of the loss along the outputs.
    """
    n_scores, n = outputs.shape
    told = outputs.log_softmax(dim=0)
    beyond = told - logs
    apart = torch.dot(labels.flatten(), beyond.flatten())  # -n times the divergence
    slope = told.exp_().sub_(labels).mul_(divergence / n)
    beyond.sub_(beyond.mean(dim=0))
    slope.add_(beyond, alpha=2 * matching / (n * n_scores))
    beyond = beyond.flatten()
    matched = torch.dot(beyond, beyond).mul_(matching / (n * n_scores))
    return matched, torch.sub(matched, apart, alpha=divergence / n), slope


class _MatchedScores(torch.autograd.Function):
    """The loss of `matched_scores`, whose slope is found along with it."""

    @staticmethod
    def forward(
        ctx: Any, outputs: Tensor, labels: Tensor, logs: Tensor, matching: float, divergence: float
    ) -> tuple[Tensor, Tensor]:
        matched, loss, ctx.slope = matched_scores(outputs, labels, logs, matching, divergence)
        ctx.mark_non_differentiable(matched)
        return matched, loss

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.slope * slopes[1], None, None, None, None


differentiable_match = cast(Callable[..., tuple[Tensor, Tensor]], _MatchedScores.apply)
"""Takes what `matched_scores` takes; gives its first two answers, the loss with its gradient."""
