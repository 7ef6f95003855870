"""A network that passes messages along the bonds of molecules, and what it is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from explain_distill._types import BoolArray, FloatArray

Told: TypeAlias = tuple[Any, Tensor | None]
"""The graph of a molecule, and its descriptors ``(n_beside,)`` where networks are told them."""


class Network(nn.Module):
    """Chemprop's message passing over bonds, the mean over atoms, and a hidden layer.

    Weights are chemprop's. Sums over neighbours are taken by `index_add`, whose gradient is a
    plain look-up: a step of training takes some six tenths of the time.
    """

    def __init__(
        self, width: int, steps: int, dropout: float, n_outputs: int, n_beside: int = 0
    ) -> None:
        super().__init__()
        from chemprop.nn import BondMessagePassing

        self.passing = BondMessagePassing(d_h=width, depth=steps, dropout=dropout)
        self.outputs = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(width + n_beside, width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(width, n_outputs),
        )

    def forward(self, batch: Any, beside: Tensor | None = None) -> Tensor:
        """Give the outputs of a batch of graphs, told ``(n, n_beside)`` besides.

        Returns
        -------
        Tensor of shape (n, n_outputs)
        """
        passing, n_atoms = self.passing, len(batch.V)
        begin, end = batch.edge_index
        first = passing.W_i(torch.cat([batch.V.index_select(0, begin), batch.E], dim=1))
        bonds = passing.tau(first)
        for _ in range(1, passing.depth):
            into = _summed(bonds, end, n_atoms).index_select(0, begin)
            bonds = passing.update(into - bonds.index_select(0, batch.rev_edge_index), first)
        atoms = passing.finalize(_summed(bonds, end, n_atoms), batch.V, None)
        counts = torch.bincount(batch.batch)
        mean = _summed(atoms, batch.batch, len(counts)) / counts[:, None]
        whole = mean if beside is None else torch.cat([mean, beside], dim=1)
        told: Tensor = self.outputs(whole)
        return told


def _summed(values: Tensor, owner: Tensor, n: int) -> Tensor:
    """Add up the rows of each owner: ``(n, width)``."""
    return values.new_zeros(n, values.shape[1]).index_add(0, owner, values)


def blanked(graph: Any, stays: BoolArray) -> Any:
    """Give a graph without the features of atoms that do not stay ``(n_atoms,)``.

    A bond keeps its own where both of its atoms stay.
    """
    ends = stays[graph.edge_index]
    return graph._replace(V=graph.V * stays[:, None], E=graph.E * (ends[0] & ends[1])[:, None])


def graphs_of(numbers: Sequence[float]) -> list[Any]:
    """Give the graph of each numbered molecule, with chemprop's features of atoms and bonds."""
    from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer

    from explain_distill.data.molecules import molecule_of

    featurize = SimpleMoleculeMolGraphFeaturizer()
    return [featurize(molecule_of(number)) for number in numbers]


def described(numbers: Sequence[float]) -> FloatArray:
    """Give the readable features of numbered molecules: ``(n, n_readable)``."""
    from explain_distill.data.chemical_features import features_of

    return features_of(np.array(numbers))


def batched(told: Sequence[Told]) -> tuple[Any, Tensor | None]:
    """Join graphs into one of several parts, and their descriptors to ``(n, n_beside)``."""
    from chemprop.data import BatchMolGraph

    rows = [beside for _, beside in told if beside is not None]
    return BatchMolGraph([graph for graph, _ in told]), torch.stack(rows) if rows else None
