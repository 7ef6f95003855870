"""Expected gradients of networks, by Captum's integrated gradients from each background row."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from explain_distill._gradients import GradientModel
from explain_distill._threads import torch_threads
from explain_distill._types import FloatArray

FIRST_STEPS, MOST_STEPS = 16, 1024
TOLERANCE = 1e-5  # of a path's sum, relative to the largest change of the score
CALL_ROWS = 1 << 14


def expected_gradients(
    model: GradientModel, rows: np.ndarray, background: np.ndarray
) -> FloatArray:
    """Average integrated gradients of the score over background rows.

    The steps of each path, from a background row to a row, double until its shares add up to the
    change of the score along it.

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
    ends = torch.from_numpy(np.ascontiguousarray(model.prepare(rows)))
    starts = torch.from_numpy(np.ascontiguousarray(model.prepare(background)))
    n, m = len(ends), len(starts)
    with torch.no_grad():
        change = (model.score(ends)[:, None] - model.score(starts)[None]).flatten(0, 1)
    ends, starts = ends.repeat_interleave(m, dim=0), starts.repeat(n, 1)
    n_scores = change.shape[1]
    with torch_threads(1):
        shares = [
            _integrated(model, ends, starts, score, change[:, score])
            # The score of the first of two classes mirrors that of the second.
            for score in (range(n_scores) if n_scores != 2 else (1,))
        ]
    if n_scores == 2:
        shares = [-shares[0], shares[0]]
    return np.asarray(torch.stack(shares, dim=2).reshape(n, m, -1, n_scores).mean(dim=1).numpy())


def _integrated(
    model: GradientModel, ends: Tensor, starts: Tensor, score: int, change: Tensor
) -> Tensor:
    """Integrate along each path: ``(n_paths, n_prepared)``."""
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(model.score)
    shares = torch.zeros_like(ends)
    open_paths = torch.arange(len(ends))
    tolerance = TOLERANCE * max(1.0, change.abs().max().item())
    steps = FIRST_STEPS
    while len(open_paths):
        shares[open_paths] = method.attribute(
            ends[open_paths],
            starts[open_paths],
            target=score,
            n_steps=steps,
            internal_batch_size=CALL_ROWS,
        ).detach()
        gap = (shares[open_paths].sum(dim=1) - change[open_paths]).abs()
        if steps >= MOST_STEPS:
            break
        open_paths = open_paths[gap > tolerance]
        steps *= 2
    return shares
