import numpy as np
import pytest
import torch
from torch.nn import functional

from explain_distill.teachers.activations import ACTIVATIONS, smelu


def test_smelu_joins_its_pieces_with_one_slope():
    x = torch.tensor([-2.0, -1.0, 0.0, 0.5, 1.0, 3.0], dtype=torch.float64, requires_grad=True)
    y = smelu(x)
    y.sum().backward()
    assert y.tolist() == pytest.approx([0, 0, 0.25, 0.5625, 1, 3])
    assert x.grad.tolist() == pytest.approx([0, 0, 0.5, 0.75, 1, 1])


def test_at_zero_smelu_has_the_slope_and_the_curvature_of_silu():
    zero = torch.zeros((), dtype=torch.float64)
    for activation in (smelu, functional.silu):
        assert torch.autograd.functional.jacobian(activation, zero).item() == 0.5
        assert torch.autograd.functional.hessian(activation, zero).item() == 0.5


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_derivatives_are_those_of_finite_differences(name):
    away = np.array([-2.3, -0.7, 0.0, 0.4, 0.9, 1.8])  # from where a curvature jumps
    x = torch.tensor(away, requires_grad=True)
    assert torch.autograd.gradcheck(ACTIVATIONS[name], x)
    assert torch.autograd.gradgradcheck(ACTIVATIONS[name], x)
    rows = torch.tensor(away).reshape(3, 2)
    mapped = torch.func.vmap(torch.func.jacrev(ACTIVATIONS[name]))(rows)
    assert mapped.shape == (3, 2, 2)
