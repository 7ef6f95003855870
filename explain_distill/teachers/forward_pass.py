"""The forward pass of an ensemble of perceptrons over many rows, at the speed of its products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from explain_distill._compiled import Floats, compiled
from explain_distill._preparation import FURTHEST, SMALLEST_SPREAD, Preparation
from explain_distill._types import FloatArray, IntArray, ReadableRows
from explain_distill.exceptions import DataError
from explain_distill.teachers import batched_mlp
from explain_distill.teachers.batched_mlp import BatchedMLP

Layer: TypeAlias = tuple[Tensor, Floats]
"""Weights ``(n_units, n_inputs)`` and biases ``(n_units,)``."""
Units: TypeAlias = tuple[Tensor, Floats]
"""The same memory ``(n_units, n)`` as a tensor and as an array, for each view costs."""

CACHED = 98_304  # units of a layer that are computed at a time
LARGEST = 1e38  # that float32 holds, about
FAR = np.float32(FURTHEST)
ZERO, ONE, TWO, QUARTER = (np.float32(number) for number in (0, 1, 2, 0.25))


class ForwardPass:
    """Maps readable rows to what the members say of them.

    Beside the matrix products nothing may cost much. So many rows are computed at a time, member by
    member, that the units of two layers stay near the processor; a row becomes float32 as soon as
    it is centred; what lies between two products is one compiled loop, in place; and memory and its
    views are used again, since between two products any call is slow: its code has left the
    processor's caches. Units are rows and samples are columns, since the last product, of few
    outputs, is fast then.

    Parameters
    ----------
    network : BatchedMLP
        As it is now; what it learns later is not heeded.
    preparation : Preparation
    """

    def __init__(self, network: BatchedMLP, preparation: Preparation) -> None:
        *hidden, last = (weight.detach().transpose(1, 2) for weight in network.weights)
        *biases, last_bias = (bias.detach().squeeze(1).clone() for bias in network.biases)
        self.last_bias = last_bias[:, :, None]
        self.mean_bias = last_bias.mean(dim=0).double().numpy()
        self.hidden: list[list[Layer]] = [
            [
                (weight[place].clone(memory_format=torch.contiguous_format), bias[place].numpy())
                for weight, bias in zip(hidden, biases, strict=True)
            ]
            for place in range(len(last))
        ]
        self.last = list(last.clone(memory_format=torch.contiguous_format))
        self.shares = [weight / len(last) for weight in self.last]
        self.bends = network.activation == "smelu"
        self.width, self.n_outputs = hidden[0].shape[1], last.shape[1]
        self.centre = preparation.centre
        scale = np.maximum(preparation.scale, SMALLEST_SPREAD)
        self.unit = (1 / scale).astype(np.float32)
        with np.errstate(over="ignore"):
            filled = (preparation.fill - preparation.centre) / scale
        self.fill = np.clip(filled, -FURTHEST, FURTHEST).astype(np.float32)
        self.indicated = preparation.indicated
        self.curvature = np.float32(1 / batched_mlp.CLIP**2)
        self.at_a_time = max(64, CACHED // self.width)

    @torch.inference_mode()
    def mean(self, readable: ReadableRows) -> FloatArray:
        """Give the members' mean output: ``(n, n_outputs)`` of rows ``(n, n_readable)``."""
        mean = np.empty((self.n_outputs, len(readable)))
        for part, memory in self._chunks(readable):
            total, array = memory.outputs
            for place, (hidden, weight) in enumerate(zip(self.hidden, self.shares, strict=True)):
                units = self._units(hidden, memory)
                torch.addmm(total, weight, units, beta=1 if place else 0, out=total)
            _add(array, self.mean_bias, mean[:, part])
        return mean.T

    @torch.inference_mode()
    def each(self, readable: ReadableRows) -> FloatArray:
        """Give each member's output: ``(members, n, n_outputs)`` of rows ``(n, n_readable)``."""
        each = np.empty((len(self.last), self.n_outputs, len(readable)))
        for part, memory in self._chunks(readable):
            last = zip(self.last, self.last_bias, strict=True)
            for outputs, hidden, (weight, bias) in zip(each, self.hidden, last, strict=True):
                units = self._units(hidden, memory)
                outputs[:, part] = torch.addmm(bias, weight, units).numpy()
        return each.transpose(0, 2, 1)

    def _chunks(self, readable: ReadableRows) -> Iterator[tuple[slice, Memory]]:
        """Give parts of the rows, and memory in which they are prepared.

        Raises
        ------
        DataError
            Where rows have not the features that the network learned of.
        """
        rows = np.ascontiguousarray(readable, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.centre):
            raise DataError(
                f"The teacher's rows must be a matrix of {len(self.centre)} features; however, "
                f"got an array of shape {rows.shape}. Give it the columns it was fitted on."
            )
        told = self.centre, self.unit, self.fill, self.indicated, self.curvature
        memory: Memory | None = None
        for start in range(0, len(rows), self.at_a_time):
            part = slice(start, min(start + self.at_a_time, len(rows)))
            n = part.stop - start
            if memory is None or n != memory.n:
                sizes = len(self.unit) + len(self.indicated), self.width, self.n_outputs
                memory = Memory(n, *sizes, depth=len(self.hidden[0]))
            _prepare(rows[part], *told, memory.prepared)
            yield part, memory

    def _units(self, hidden: list[Layer], memory: Memory) -> Tensor:
        """Give the units of a member's last hidden layer: ``(width, n)``."""
        units = memory.columns
        for (weight, bias), (out, array) in zip(hidden, memory.layers, strict=True):
            units = torch.mm(weight, units, out=out)
            if self.bends:
                _bend(array, bias)
            else:
                array += bias[:, None]
                functional.silu(out, inplace=True)
        return units


class Memory:
    """Room for `n` prepared rows, for layers of units, two in turns, and for outputs."""

    def __init__(self, n: int, n_prepared: int, width: int, n_outputs: int, depth: int) -> None:
        self.n = n
        rows = torch.empty(n, n_prepared)
        self.prepared, self.columns = rows.numpy(), rows.t()
        made = (torch.empty(size, n) for size in (width, width, n_outputs))
        *two, self.outputs = ((units, units.numpy()) for units in made)
        self.layers: list[Units] = [two[place % 2] for place in range(depth)]


@compiled
def _add(outputs: Floats, bias: FloatArray, out: FloatArray) -> None:
    """Put ``(n_outputs, n)`` and biases ``(n_outputs,)`` together, in double precision."""
    for output in range(len(outputs)):
        for row in range(outputs.shape[1]):
            out[output, row] = outputs[output, row] + bias[output]


@compiled
def _prepare(
    rows: ReadableRows,
    centre: FloatArray,
    unit: Floats,
    fill: Floats,
    indicated: IntArray,
    curvature: np.float32,
    out: Floats,
) -> None:
    """Do what `Preparation` does, in float32 but for the centring, and squash as the network."""
    n, n_readable = rows.shape
    for row in range(n):
        for feature in range(n_readable):
            apart = rows[row, feature] - centre[feature]
            x = np.float32(min(max(apart, -LARGEST), LARGEST)) * unit[feature]
            x = min(max(x, -FAR), FAR)
            x = x if apart == apart else fill[feature]
            out[row, feature] = x / np.sqrt(ONE + curvature * x * x)
        for place in range(len(indicated)):
            missing = np.float32(np.isnan(rows[row, indicated[place]]))
            out[row, n_readable + place] = missing / np.sqrt(ONE + curvature * missing)


@compiled
def _bend(units: Floats, bias: Floats) -> None:
    """Add the bias ``(width,)`` to ``(width, n)`` and apply `activations.smelu`, in place."""
    for unit in range(len(units)):
        shift = bias[unit] + ONE
        for row in range(units.shape[1]):
            above = max(units[unit, row] + shift, ZERO)
            bent = min(above, TWO)
            units[unit, row] = QUARTER * bent * bent + (above - bent)
