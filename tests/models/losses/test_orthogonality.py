import numpy as np
import pytest
import torch

from models.losses.orthogonality import Orthogonality, difference
from models.types import Output


def _closed_form(a, b):
    a, b = (x - x.mean(0) for x in (a, b))
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return np.linalg.norm(a.T @ b) ** 2 / len(a) ** 2


def test_equals_the_squared_norm_of_the_cross_product():
    a, b = torch.randn(10, 6, dtype=torch.float64), torch.randn(10, 3, dtype=torch.float64) + 5.0
    expected = _closed_form(a.numpy(), b.numpy())
    np.testing.assert_allclose(difference(a, b).item(), expected, rtol=1e-9)
    loss = Orthogonality()(Output(logits={}, embedding=a, personality_feature=b), {})
    np.testing.assert_allclose(loss.item(), expected, rtol=1e-9)


def test_zero_for_independent_factors_one_for_the_same():
    a = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]])
    b = torch.tensor([[1.0], [-1.0], [1.0], [-1.0]])
    assert difference(a, b).item() == pytest.approx(0.0, abs=1e-6)
    assert difference(a, a).item() == pytest.approx(1.0)
    assert difference(100 * a + 7, a - 3).item() == pytest.approx(1.0)  # neither scale nor offset counts


def test_gradient_against_finite_differences():
    pair = [torch.randn(6, width, dtype=torch.float64, requires_grad=True) for width in (4, 3)]
    assert torch.autograd.gradcheck(difference, pair)


def test_a_batch_of_one_costs_nothing():
    a = torch.randn(1, 4, requires_grad=True)
    loss = difference(a, torch.randn(1, 4))
    loss.backward()
    assert loss == 0
    assert a.grad.isfinite().all()


def test_descending_makes_the_embedding_orthogonal():
    a, b = torch.randn(12, 4).requires_grad_(), torch.randn(12, 2)
    start = difference(a, b).item()
    for _ in range(100):
        (gradient,) = torch.autograd.grad(difference(a, b), a)
        a = (a - 3.0 * gradient).detach().requires_grad_()
    assert difference(a, b).item() < 0.1 * start


def test_it_needs_a_personality():
    with pytest.raises(ValueError, match="personality branch"):
        Orthogonality()(Output(logits={}, embedding=torch.randn(2, 2)), {})
