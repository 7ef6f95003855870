"""The one torch loop, which teachers and students share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from explain_distill._compiled import Floats, compiled
from explain_distill._threads import flushing, torch_threads
from explain_distill._types import FloatArray

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Recipe:
    """How a network descends: AdamW under a one-cycle learning rate.

    Parameters
    ----------
    n_steps : int
        The length of the schedule, in steps.
    learning_rate : float
        Its peak, reached after `warm_up` of the steps and annealed to zero at the end.
    weight_decay : float, default=0.0
    warm_up : float, default=0.1
    threads : int, default=1
        Of torch, while it descends.

    References
    ----------
    Loshchilov & Hutter (2019), Decoupled weight decay regularization.
    Smith & Topin (2018), Super-convergence.
    """

    n_steps: int
    learning_rate: float
    weight_decay: float = 0.0
    warm_up: float = 0.1
    threads: int = 1


def ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Give the same batches, the next one being made in another thread meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, batches, None)
        while (batch := following.result()) is not None:
            following = pool.submit(next, batches, None)
            yield batch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's random numbers from `seed`, and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def one_cycle(recipe: Recipe) -> tuple[FloatArray, FloatArray]:
    """Give each step's learning rate and momentum, of which one falls while the other rises.

    The rate rises along a half cosine from a 25th of its peak, and falls to a 10 000th of where it
    began; the momentum goes from 0.95 to 0.85 and back (Smith & Topin 2018, as torch's `OneCycleLR`
    has it).

    Returns
    -------
    tuple of ndarray of shape (n_steps,)
    """
    n_steps = max(recipe.n_steps, 2)
    top = min(1.0, max(recipe.warm_up, 2 / n_steps)) * n_steps - 1
    step = np.arange(recipe.n_steps)
    rising = (1 - np.cos(np.pi * np.minimum(step / top, 1))) / 2
    left = (1 + np.cos(np.pi * np.clip((step - top) / max(n_steps - 1 - top, 1), 0, 1))) / 2
    first, peak = recipe.learning_rate / 25, recipe.learning_rate
    rates = np.where(step <= top, first + (peak - first) * rising, peak * left)
    rates += np.where(step <= top, 0.0, first / 1e4 * (1 - left))
    return rates, 0.95 - 0.1 * np.where(step <= top, rising, left)


class _ByAutograd:
    """AdamW of torch, for gradients that torch finds."""

    def __init__(self, module: nn.Module, recipe: Recipe) -> None:
        self.optimizer = torch.optim.AdamW(
            module.parameters(), weight_decay=recipe.weight_decay, fused=True
        )

    def step(self, loss: Tensor | float, rate: float, momentum: float) -> None:
        assert isinstance(loss, Tensor)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        for group in self.optimizer.param_groups:
            group["lr"], group["betas"] = rate, (momentum, _BETA2)
        self.optimizer.step()


class _ByHand:
    """AdamW for gradients that are set already, in place; torch's costs a small tree far more."""

    def __init__(self, module: nn.Module, recipe: Recipe) -> None:
        learned = [(p.detach(), p.grad) for p in module.parameters() if p.grad is not None]
        self.arrays = [
            (value.view(-1).numpy(), slope.view(-1).numpy(), *np.zeros((2, value.numel()), "f"))
            for value, slope in learned
        ]
        self.decay, self.taken = recipe.weight_decay, 0

    def step(self, loss: Tensor | float, rate: float, momentum: float) -> None:
        self.taken += 1
        size = rate / (1 - momentum**self.taken)
        widening = (1 - _BETA2**self.taken) ** -0.5
        for arrays in self.arrays:
            adam(size, rate * self.decay, momentum, widening, *arrays)


_BETA2 = 0.999


@compiled
def adam(
    size: float,
    decay: float,
    momentum: float,
    widening: float,
    values: Floats,
    slopes: Floats,
    mean: Floats,
    square: Floats,
) -> None:
    """Take a step of AdamW (Loshchilov & Hutter 2019) in place; all arrays have one shape."""
    own, own_square = np.float32(1 - momentum), np.float32(1 - _BETA2)
    kept, step = np.float32(1 - decay), np.float32(size)
    wider, least = np.float32(widening), np.float32(1e-8)
    for i in range(len(values)):
        slope = slopes[i]
        mean[i] += own * (slope - mean[i])
        square[i] += own_square * (slope * slope - square[i])
        values[i] = kept * values[i] - step * mean[i] / (np.sqrt(square[i]) * wider + least)


def descend(
    module: nn.Module,
    batches: Iterator[Batch],
    loss: Callable[[Batch], Tensor | float],
    recipe: Recipe,
    on_step: Callable[[int, float], bool | None] | None = None,
) -> None:
    """Take a step of gradient descent on each batch.

    Parameters
    ----------
    module : nn.Module
        Whose parameters move.
    batches : iterator
        Consumed one by one; training ends with the recipe's steps or with the batches.
    loss : callable
        Gives the mean loss of a batch as a scalar tensor; or as a number, which says that the
        parameters' gradients are set already, always in the same memory.
    recipe : Recipe
    on_step : callable, optional
        Called with the step's number, from 1, and its loss; training ends where it returns True.
    """
    mover: _ByAutograd | _ByHand | None = None
    schedule = zip(*(values.tolist() for values in one_cycle(recipe)), strict=True)
    with torch_threads(recipe.threads):
        for step, ((rate, momentum), batch) in enumerate(zip(schedule, batches, strict=False), 1):
            with flushing() if recipe.threads == 1 else nullcontext():
                value = loss(batch)
                if mover is None:
                    mover = (_ByAutograd if isinstance(value, Tensor) else _ByHand)(module, recipe)
                mover.step(value, rate, momentum)
            reached = value.item() if isinstance(value, Tensor) else value
            if on_step is not None and on_step(step, reached):
                return
