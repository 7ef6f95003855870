"""The one torch loop, which teachers and students share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

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


@contextmanager
def torch_threads(n: int) -> Iterator[None]:
    """Keep torch to `n` threads.

    One suits small batches, whose products cost less than their hand-over: on two cores a small
    network trains about as fast on one thread as on two, and many times faster where another
    process keeps a core busy, since two threads wait for each other at every product. Convolutions
    gain by more.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


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


def descend(
    module: nn.Module,
    batches: Iterator[Batch],
    loss: Callable[[Batch], Tensor],
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
        Gives the mean loss of a batch as a scalar tensor. One without gradient says that the
        parameters' gradients are set already.
    recipe : Recipe
    on_step : callable, optional
        Called with the step's number, from 1, and its loss; training ends where it returns True.
    """
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        recipe.learning_rate,
        total_steps=max(recipe.n_steps, 2),
        pct_start=min(1.0, max(recipe.warm_up, 2 / max(recipe.n_steps, 2))),
    )
    with torch_threads(recipe.threads):
        for step, batch in zip(range(1, recipe.n_steps + 1), batches, strict=False):
            value = loss(batch)
            if value.requires_grad:
                optimizer.zero_grad()
                value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            if step < recipe.n_steps:
                schedule.step()
            if on_step is not None and on_step(step, value.item()):
                return
