"""Expected gradients of networks, by Captum's integrated gradients from each background row."""

from __future__ import annotations

import numpy as np
import torch

from explain_distill._gradients import GradientModel
from explain_distill._types import FloatArray

FIRST_STEPS, MOST_STEPS = 32, 512
TOLERANCE = 1e-5  # of the shares' sum, relative to the largest score


def expected_gradients(model: GradientModel, rows: np.ndarray, background: np.ndarray) -> FloatArray:
    """Average integrated gradients of the score over background rows.

    The number of steps doubles until the shares add up to the score.

    Parameters
    ----------
    model : GradientModel
    rows : ndarray of shape (n_samples, n_inputs)
    background : ndarray of shape (n_background, n_inputs)

    Returns
    -------
    ndarray of shape (n_samples, n_prepared, n_scores)
        They add up to the score less the mean score of the background.

    References
    ----------
    Sundararajan, Taly & Yan (2017), Axiomatic attribution for deep networks.
    Erion et al. (2021), Improving performance of deep learning models with axiomatic attribution
    priors and expected gradients.
    """
    prepared = torch.from_numpy(np.ascontiguousarray(model.prepare(rows)))
    from_rows = torch.from_numpy(np.ascontiguousarray(model.prepare(background)))
    with torch.no_grad():
        change = model.score(prepared) - model.score(from_rows).mean(dim=0)
    steps = FIRST_STEPS
    while True:
        shares = _mean_integrated_gradients(model, prepared, from_rows, change.shape[1], steps)
        gap = (shares.sum(dim=1) - change).abs().max().item()
        if gap <= TOLERANCE * max(1.0, change.abs().max().item()) or steps >= MOST_STEPS:
            return np.asarray(shares.numpy())
        steps *= 2


def _mean_integrated_gradients(
    model: GradientModel,
    prepared: torch.Tensor,
    background: torch.Tensor,
    n_scores: int,
    steps: int,
) -> torch.Tensor:
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(model.score)
    n, m = len(prepared), len(background)
    inputs = prepared.repeat_interleave(m, dim=0)
    baselines = background.repeat(n, 1)
    shares = [
        method.attribute(
            inputs, baselines, target=score, n_steps=steps, internal_batch_size=1 << 14
        )
        .reshape(n, m, -1)
        .mean(dim=1)
        for score in range(n_scores)
    ]
    return torch.stack(shares, dim=2).detach()
