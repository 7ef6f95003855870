"""What a unit of a perceptron makes of the sum that comes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

import torch
from torch import Tensor
from torch.nn import functional

Activation = Literal["smelu", "silu"]


class _SmeLU(torch.autograd.Function):
    """Takes fewer steps, ahead and back, than automatic differentiation would."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        bent = (x + 1).clamp(0, 2)
        return torch.addcmul((x - 1).relu(), bent, bent, value=0.25)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return gradient * ((x + 1) * 0.5).clamp(0, 1)


def smelu(x: Tensor) -> Tensor:
    """Give 0 below -1, x above 1, and between them (x + 1)² / 4.

    The pieces join with one slope, so that attributions along a path converge and add up, and they
    take sums, products and comparisons only: a forward pass costs little beside its products. At 0
    slope and curvature are those of SiLU.

    Parameters
    ----------
    x : Tensor
        Of any shape.

    Returns
    -------
    Tensor
        Of the same shape.

    References
    ----------
    Shamir, Lin & Coviello (2020), Smooth activations and reproducibility in deep networks
    (SmeLU, here with a half-width of 1).
    Shamir & Lin (2022), Real world large scale recommendation systems reproducibility and smooth
    activations.
    """
    return cast(Tensor, _SmeLU.apply(x))  # type: ignore[no-untyped-call]


ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "smelu": smelu,
    "silu": functional.silu,
}
