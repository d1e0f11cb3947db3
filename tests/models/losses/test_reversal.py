import pytest
import torch
from torch.nn import functional as F

from models.losses.reversal import PersonalityAdversary, reverse_gradient
from models.types import Output


def _outputs():
    v = torch.randn(5, 6, requires_grad=True)
    z = F.normalize(torch.randn(5, 3), dim=-1).requires_grad_()
    return v, z, Output(logits={}, embedding=v, personality=z)


def test_values_pass_and_gradients_turn_round():
    x = torch.randn(4, requires_grad=True)
    weight = torch.randn(4)
    y = reverse_gradient(x, 0.5)
    assert torch.equal(y, x)
    (y * weight).sum().backward()
    assert torch.allclose(x.grad, -0.5 * weight)


def test_personality_adversary_is_a_cosine_distance_and_leaves_the_projection_alone():
    v, z, output = _outputs()
    adversary = PersonalityAdversary(dim=6, projection=3, strength=2.0)
    plain = v.detach().clone().requires_grad_()
    guess = F.normalize(adversary.predictor(plain), dim=-1)
    expected = 1 - (guess * z.detach()).sum(-1).mean()
    forward = torch.autograd.grad(expected, plain)[0]
    loss = adversary(output, {})
    loss.backward()
    assert torch.allclose(loss, expected)
    assert torch.allclose(v.grad, -2.0 * forward, atol=1e-7)
    assert z.grad is None


def test_what_is_missing_is_named():
    _, _, output = _outputs()
    with pytest.raises(ValueError, match="personality branch"):
        PersonalityAdversary(dim=6, projection=3)(output._replace(personality=None), {})
