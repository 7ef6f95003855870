"""The forward pass of an ensemble of perceptrons over many rows, at the speed of its products."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from explain_distill._compiled import Floats, compiled
from explain_distill._preparation import FURTHEST, Preparation
from explain_distill._types import FloatArray, IntArray, ReadableRows
from explain_distill.teachers import batched_mlp
from explain_distill.teachers.batched_mlp import BatchedMLP
from explain_distill.teachers.calibration import Calibration

Layer: TypeAlias = tuple[Tensor, Floats]
"""Weights ``(n_units, n_inputs)`` and biases ``(n_units,)``."""
Units: TypeAlias = tuple[Tensor, Floats]
"""The same memory ``(n_units, n)`` as a tensor and as an array."""

CACHED = 98_304  # units of a layer that are computed at a time
LARGEST = 1e38  # that float32 holds, about
FAR = np.float32(FURTHEST)
NONE, ONE, TWO, QUARTER = (np.float32(number) for number in (0, 1, 2, 0.25))


class ForwardPass:
    """Maps readable rows to the members' scores of them.

    Beside the matrix products nothing may cost much. So many rows are computed at a time, member by
    member, that the units of two layers stay near the processor; a row becomes float32 as soon as
    it is centred; what lies between two products is one compiled loop, in place; memory is used
    again. Units are rows and samples are columns, since the last product, of few scores, is fast
    then; and what calibrates the outputs is part of its weights.

    Parameters
    ----------
    network : BatchedMLP
        As it is now; what it learns later is not heeded.
    preparation : Preparation
    calibration : Calibration
    """

    def __init__(
        self, network: BatchedMLP, preparation: Preparation, calibration: Calibration
    ) -> None:
        *hidden, last = (weight.detach().transpose(1, 2) for weight in network.weights)
        *biases, last_bias = (bias.detach().transpose(1, 2) for bias in network.biases)
        self.members = [
            [
                (weight[place].contiguous(), bias[place, :, 0].numpy())
                for weight, bias in zip(hidden, biases, strict=True)
            ]
            for place in range(len(last))
        ]
        self.activate = {"smelu": _smelu, "silu": _silu}[network.activation]
        # Scores are affine in the outputs, and these in the units of the last hidden layer.
        self.constant = _calibrated(calibration, last_bias).numpy()
        origin = _calibrated(calibration, torch.zeros_like(last_bias))
        self.last = list((_calibrated(calibration, last) - origin).float().contiguous())
        self.curvature = np.float32(1 / batched_mlp.CLIP**2)
        self.centre = preparation.centre
        self.unit = (1 / preparation.scale).astype(np.float32)
        filled = (preparation.fill - preparation.centre) / preparation.scale
        self.fill = filled.astype(np.float32)
        self.indicated = preparation.indicated
        self.widths = [weight.shape[1] for weight in hidden]
        self.at_a_time = max(64, CACHED // max(self.widths))

    @torch.inference_mode()
    def mean(self, readable: ReadableRows) -> FloatArray:
        """Give the members' mean score: ``(n, n_scores)`` of rows ``(n, n_readable)``."""
        mean = np.empty((self.constant.shape[1], len(readable)))
        share = 1 / len(self.members)
        for part, columns, space in self._chunks(readable):
            total = torch.zeros(len(mean), columns.shape[1])
            for layers, last in zip(self.members, self.last, strict=True):
                total.addmm_(last, self._units(layers, columns, space), alpha=share)
            mean[:, part] = total.numpy()
        mean += self.constant.mean(axis=0)
        return mean.T

    @torch.inference_mode()
    def each(self, readable: ReadableRows) -> FloatArray:
        """Give each member's score: ``(members, n, n_scores)`` of rows ``(n, n_readable)``."""
        members, n_scores, _ = self.constant.shape
        each = np.empty((members, n_scores, len(readable)))
        for part, columns, space in self._chunks(readable):
            for scores, layers, last in zip(each, self.members, self.last, strict=True):
                scores[:, part] = (last @ self._units(layers, columns, space)).numpy()
        each += self.constant
        return each.transpose(0, 2, 1)

    def _chunks(self, readable: ReadableRows) -> Iterator[tuple[slice, Tensor, list[Units]]]:
        """Give parts of the rows, prepared ``(n_prepared, n)``, with memory for their units."""
        rows = np.ascontiguousarray(readable)
        told = self.centre, self.unit, self.fill, self.indicated, self.curvature
        prepared = torch.empty(0, len(self.unit) + len(self.indicated))
        space: list[Units] = []
        for start in range(0, len(rows), self.at_a_time):
            chunk = rows[start : start + self.at_a_time]
            n = len(chunk)
            if n != len(prepared):
                prepared = torch.empty(n, prepared.shape[1])
                layers = [torch.empty(width, n) for width in self.widths]
                space = [(units, units.numpy()) for units in layers]
            _prepare(chunk, *told, prepared.numpy())
            yield slice(start, start + n), prepared.t(), space

    def _units(self, layers: list[Layer], columns: Tensor, space: list[Units]) -> Tensor:
        """Give the units of a member's last hidden layer: ``(width, n)``."""
        units = columns
        for (weight, bias), out in zip(layers, space, strict=True):
            units = torch.mm(weight, units, out=out[0])
            self.activate(out, bias)
        return units


def _calibrated(calibration: Calibration, outputs: Tensor) -> Tensor:
    """Turn outputs ``(members, n_scores, ...)`` into scores, in double precision."""
    return calibration.score(outputs.double().transpose(1, 2)).transpose(1, 2)


def _smelu(units: Units, bias: Floats) -> None:
    _bend(units[1], bias)


def _silu(units: Units, bias: Floats) -> None:
    functional.silu(units[0].add_(torch.from_numpy(bias)[:, None]), inplace=True)


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
            above = max(units[unit, row] + shift, NONE)
            bent = min(above, TWO)
            units[unit, row] = QUARTER * bent * bent + (above - bent)
