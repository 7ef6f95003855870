"""What a unit of a perceptron makes of the sum that comes to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


class _SmeLU(torch.autograd.Function):
    """The pass back needs what the pass ahead had at hand, so that neither takes many steps."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        bent = (x + 1).clamp_(0, 2)
        ctx.save_for_backward(bent)
        return (x - 1).relu_().addcmul_(bent, bent, value=0.25)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (bent,) = ctx.saved_tensors
        return (bent * gradient).mul_(0.5)


def smelu(x: Tensor) -> Tensor:
    """Give 0 below -1, x above 1, and between them (x + 1)² / 4, which joins both smoothly.

    Its gradient is continuous, so that attributions along a path converge fast and add up, and it
    takes sums, products and comparisons only: a forward pass costs little beside its products. At
    0 its slope and curvature are those of SiLU.

    References
    ----------
    Shamir & Lin (2022), Real world large scale recommendation systems reproducibility and smooth
    activations (SmeLU, with a half-width of 1).
    """
    return cast(Tensor, _SmeLU.apply(x))  # type: ignore[no-untyped-call]


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"smelu": smelu, "silu": functional.silu}
