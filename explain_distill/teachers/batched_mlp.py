"""Several perceptrons of one shape, computed and trained together."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from itertools import islice, pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explain_distill.teachers.activations import ACTIVATIONS, Activation

CLIP = 3.0  # standard deviations towards which inputs are squashed


class BatchedMLP(nn.Module):
    """Several perceptrons of one shape, computed together by batched matrix products.

    Inputs are squashed smoothly towards ±3 standard deviations, so that a row with an extreme value
    gets no extreme score (Holzmüller, Grinsztajn & Steinwart 2024, Better by default).

    Parameters
    ----------
    members : int
    sizes : list of int
        The widths from input to output.
    dropout : float, default=0
    activation : {"smelu", "silu"}, default="smelu"
    """

    def __init__(
        self,
        members: int,
        sizes: list[int],
        dropout: float = 0.0,
        activation: Activation = "smelu",
    ) -> None:
        super().__init__()
        pairs = list(pairwise(sizes))
        self.weights = nn.ParameterList(
            nn.Parameter(torch.empty(members, a, b).uniform_(-1, 1) / a**0.5) for a, b in pairs
        )
        self.biases = nn.ParameterList(nn.Parameter(torch.zeros(members, 1, b)) for _, b in pairs)
        self.dropout = dropout
        self.activation = activation

    def forward(self, x: Tensor, n_layers: int | None = None) -> Tensor:
        """Map ``(members, n, n_inputs)`` or ``(n, n_inputs)`` to ``(members, n, n_outputs)``.

        With `n_layers`, stop at the units of that hidden layer, counted from 1.
        """
        if x.ndim == 2:
            x = x.expand(len(self.weights[0]), *x.shape)
        x = x / torch.sqrt(1 + (x / CLIP).square())
        activate = ACTIVATIONS[self.activation]
        last = len(self.weights) - 1
        layers = zip(self.weights, self.biases, strict=True)
        for layer, (weight, bias) in enumerate(islice(layers, n_layers)):
            x = torch.baddbmm(bias, x, weight)
            if layer < last:
                x = functional.dropout(activate(x), self.dropout, self.training)
        return x

    def member(self, place: int) -> BatchedMLP:
        """Give one of the perceptrons alone, with parameters of its own."""
        alone = copy.deepcopy(self)
        for parameters in (alone.weights, alone.biases):
            for layer, parameter in enumerate(parameters):
                parameters[layer] = nn.Parameter(parameter.detach()[[place]])
        return alone


class BestMembers:
    """Keeps each member's parameters from the epoch in which its validation loss was lowest."""

    def __init__(self, network: nn.Module, patience: int) -> None:
        self.network, self.patience, self.waited = network, patience, 0
        self.best = torch.full((len(next(network.parameters())),), torch.inf)
        self.kept = [p.detach().clone() for p in network.parameters()]

    def judge(self, losses: Tensor) -> bool:
        """Keep the members that improved; True where patience has run out."""
        improved = losses < self.best
        self.best = torch.where(improved, losses, self.best)
        for kept, parameter in zip(self.kept, self.network.parameters(), strict=True):
            kept[improved] = parameter.detach()[improved]
        self.waited = 0 if bool(improved.any()) else self.waited + 1
        return self.waited >= self.patience

    def restore(self) -> None:
        """Give every member its best parameters back."""
        with torch.no_grad():
            for kept, parameter in zip(self.kept, self.network.parameters(), strict=True):
                parameter.copy_(kept)


def epochs(n: int, members: int, batch_size: int, rng: np.random.Generator) -> Iterator[Tensor]:
    """Give row indices ``(members, batch)`` without end, each member in an order of its own."""
    while True:
        order = rng.permuted(np.tile(np.arange(n), (members, 1)), axis=1)
        for start in range(0, n, batch_size):
            yield torch.from_numpy(order[:, start : start + batch_size])
