"""The forward pass of an ensemble of perceptrons over many rows, at the speed of its products."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from explain_distill._preparation import FURTHEST, Preparation
from explain_distill._types import FloatArray, ReadableRows
from explain_distill.teachers import batched_mlp
from explain_distill.teachers.batched_mlp import BatchedMLP

LARGEST = 1e38  # that float32 holds, about
CHUNK = 2048  # rows at a time, so that the units of two layers stay near the processor


class ForwardPass:
    """Maps readable rows to what the members say of them, chunk by chunk.

    Beside the matrix products nothing may cost much: rows become float32 as soon as they are
    centred, all else happens in place, and the memory of a chunk is used again for the next, since
    fresh memory costs more than the products that fill it.

    Parameters
    ----------
    network : BatchedMLP
        As it is now; what it learns later is not heeded.
    preparation : Preparation
    """

    def __init__(self, network: BatchedMLP, preparation: Preparation) -> None:
        self.weights = [weight.detach() for weight in network.weights]
        self.biases = [bias.detach() for bias in network.biases]
        self.curvature = 1 / batched_mlp.CLIP**2
        self.indicated = torch.from_numpy(preparation.indicated)
        self.centre = torch.from_numpy(preparation.centre)
        self.unit = torch.from_numpy(1 / preparation.scale).float()
        filled = (preparation.fill - preparation.centre) / preparation.scale
        self.fill = torch.from_numpy(filled).float()

    @torch.inference_mode()
    def mean(self, readable: ReadableRows) -> FloatArray:
        """Give the members' mean output: ``(n, n_outputs)`` of rows ``(n, n_readable)``."""
        mean = torch.empty(len(readable), self.weights[-1].shape[2])
        for part, outputs in self._chunks(readable):
            torch.mean(outputs, dim=0, out=mean[part])
        return np.asarray(mean.double().numpy())

    @torch.inference_mode()
    def each(self, readable: ReadableRows) -> FloatArray:
        """Give each member's output: ``(members, n, n_outputs)`` of rows ``(n, n_readable)``."""
        members, _, n_outputs = self.weights[-1].shape
        each = torch.empty(members, len(readable), n_outputs)
        for part, outputs in self._chunks(readable):
            each[:, part] = outputs
        return np.asarray(each.double().numpy())

    def _chunks(self, readable: ReadableRows) -> Iterator[tuple[slice, Tensor]]:
        rows = torch.from_numpy(np.ascontiguousarray(readable))
        space = self._space(min(CHUNK, len(rows)))
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            if len(chunk) < len(space[0]):
                space = self._space(len(chunk))
            yield slice(start, start + CHUNK), self._outputs(chunk, space)

    def _space(self, n: int) -> list[Tensor]:
        """Give memory for `n` rows: prepared twice, then the units of each layer."""
        n_prepared = self.weights[0].shape[1]
        layers = [torch.empty(len(w), n, w.shape[2]) for w in self.weights]
        return [torch.empty(n, n_prepared), torch.empty(n, n_prepared), *layers]

    def _outputs(self, rows: Tensor, space: list[Tensor]) -> Tensor:
        prepared, scratch, *layers = space
        self._prepare(rows, prepared)
        torch.addcmul(torch.ones(()), prepared, prepared, value=self.curvature, out=scratch)
        prepared.mul_(scratch.rsqrt_())
        units = prepared.expand(len(layers[0]), *prepared.shape)
        for weight, bias, out in zip(self.weights, self.biases, layers, strict=True):
            torch.baddbmm(bias, units, weight, out=out)
            if out is not layers[-1]:
                functional.silu(out, inplace=True)
            units = out
        return units

    def _prepare(self, rows: Tensor, prepared: Tensor) -> None:
        """Do what `Preparation` does, in float32 but for the centring."""
        scaled = prepared[:, : len(self.unit)]
        apart = (rows - self.centre).clamp_(-LARGEST, LARGEST)
        torch.mul(apart.float(), self.unit, out=scaled).clamp_(-FURTHEST, FURTHEST)
        if len(self.indicated) or bool(scaled.sum().isnan()):
            missing = rows.isnan()
            scaled.copy_(torch.where(missing, self.fill, scaled))
            prepared[:, len(self.unit) :] = missing[:, self.indicated]
