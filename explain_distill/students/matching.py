"""How far a student's scores are from its teacher's, and the slope of that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from explain_distill._compiled import Floats, compiled

SMALLEST = np.float32(1e-37)  # of a mixed probability: float32 holds it in full precision
_ZERO = np.float32(0)


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
) -> tuple[float, float, Tensor]:
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
    matched, loss : float
        The first term alone, and the sum of both.
    slope : Tensor of shape (n_scores, n)
        Of the loss along the outputs.
    """
    told = outputs.log_softmax(dim=0).contiguous()
    return _matched(told, told.exp(), labels, logs, matching, divergence, False)


def matched_mixture(
    mixed: Tensor, labels: Tensor, logs: Tensor, matching: float, divergence: float
) -> tuple[float, float, Tensor]:
    """Do what `matched_scores` does for the logarithms of probabilities ``(n_scores, n)``.

    Those must be above 0 and sum to 1. The slope is that along the probabilities; where one is not
    above `SMALLEST`, it is 0.
    """
    return _matched(mixed.log(), mixed, labels, logs, matching, divergence, True)


def cross_entropy(
    mixed: Tensor, labels: Tensor, logs: Tensor, unit: float, are_logs: bool
) -> tuple[float, float, Tensor]:
    """Give the mean cross-entropy of mixed probabilities to the labels.

    Parameters
    ----------
    mixed : Tensor of shape (n_scores, n)
        Probabilities above 0, or, if they `are_logs`, mixed log-probabilities.
    labels, logs : Tensor of shape (n_scores, n)
        The teacher's softened probabilities, by the rows' weights, and their logarithms.
    unit : float
        By which differences of scores are multiplied.
    are_logs : bool

    Returns
    -------
    matched, loss : float
        The mean squared distance of centred scores, which is not learned, and the cross-entropy.
    slope : Tensor of shape (n_scores, n)
        Of the loss along what was mixed; 0 where a probability is not above `SMALLEST`.
    """
    told, slope = mixed if are_logs else mixed.log(), torch.empty_like(mixed)
    matched, loss = _cross_entropy(unit, are_logs, *_arrays(told, mixed, labels, logs, slope))
    return matched, loss, slope


def _arrays(*tensors: Tensor) -> Any:
    return tuple(tensor.numpy() for tensor in tensors)


@compiled
def _cross_entropy(
    unit: float,
    are_logs: bool,
    told: Floats,
    mixed: Floats,
    labels: Floats,
    logs: Floats,
    slope: Floats,
) -> tuple[float, float]:
    """Set the slope, and give the squared distance and the cross-entropy."""
    n_scores, n = told.shape
    centre = np.zeros(n, np.float32)
    entropy, squares = np.float32(0), np.float32(0)
    each, of_row = np.float32(1 / n_scores), np.float32(-1 / n)
    for score in range(n_scores):
        for row in range(n):
            centre[row] += told[score, row] - logs[score, row]
            entropy -= labels[score, row] * told[score, row]
            along = labels[score, row] * of_row
            if not are_logs:
                share = mixed[score, row]
                along = along / share if share > SMALLEST else _ZERO
            slope[score, row] = along
    for score in range(n_scores):
        for row in range(n):
            beyond = told[score, row] - logs[score, row] - centre[row] * each
            squares += beyond * beyond
    return squares * unit**2 / (n * n_scores), entropy / n


def _matched(
    told: Tensor,
    shares: Tensor,
    labels: Tensor,
    logs: Tensor,
    matching: float,
    divergence: float,
    along_shares: bool,
) -> tuple[float, float, Tensor]:
    slope = torch.empty_like(shares)
    matched, loss = _match(
        matching, divergence, along_shares, *_arrays(told, shares, labels, logs, slope)
    )
    return matched, loss, slope


@compiled
def _match(
    matching: float,
    divergence: float,
    along_shares: bool,
    told: Floats,
    shares: Floats,
    labels: Floats,
    logs: Floats,
    slope: Floats,
) -> tuple[float, float]:
    """Set the slope, and give the squared distance by its weight and the whole loss."""
    n_scores, n = told.shape
    centre = np.zeros(n, np.float32)
    apart, squares = np.float32(0), np.float32(0)
    for score in range(n_scores):
        for row in range(n):
            beyond = told[score, row] - logs[score, row]
            centre[row] += beyond
            apart += labels[score, row] * beyond
    of_distance = np.float32(2 * matching / (n * n_scores))
    of_divergence, each = np.float32(divergence / n), np.float32(1 / n_scores)
    for score in range(n_scores):
        for row in range(n):
            beyond = told[score, row] - logs[score, row] - centre[row] * each
            squares += beyond * beyond
            excess = shares[score, row] - labels[score, row]
            along = of_distance * beyond + of_divergence * excess
            if along_shares:
                share = shares[score, row]
                along = along / share if share > SMALLEST else _ZERO
            slope[score, row] = along
    matched = matching * squares / (n * n_scores)
    return matched, matched - divergence * apart / n


class _MatchedScores(torch.autograd.Function):
    """The loss of `matched_scores`, whose slope is found along with it."""

    @staticmethod
    def forward(
        ctx: Any, outputs: Tensor, labels: Tensor, logs: Tensor, matching: float, divergence: float
    ) -> tuple[Tensor, Tensor]:
        *found, ctx.slope = matched_scores(outputs, labels, logs, matching, divergence)
        matched, loss = outputs.new_tensor(found)
        ctx.mark_non_differentiable(matched)
        return matched, loss

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.slope * slopes[1], None, None, None, None


differentiable_match = cast(Callable[..., tuple[Tensor, Tensor]], _MatchedScores.apply)
"""Takes what `matched_scores` takes; gives its first two answers, the loss with its gradient."""
