import pytest
import torch
from torch.nn import functional as F

from models.losses.reversal import PersonalityAdversary, SubjectAdversary, reverse_gradient
from models.types import Output

SUBJECT = torch.tensor([0, 1, 2, 1, -1])


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


def test_subject_adversary_is_cross_entropy_over_known_subjects():
    v, _, output = _outputs()
    adversary = SubjectAdversary(dim=6, subjects=3, strength=2.0)
    plain = v.detach().clone().requires_grad_()
    expected = F.cross_entropy(adversary.classifier(plain)[:4], SUBJECT[:4])
    forward = torch.autograd.grad(expected, [plain, *adversary.parameters()])
    loss = adversary(output, {"subject": SUBJECT})
    loss.backward()
    assert torch.allclose(loss, expected)
    assert torch.allclose(v.grad, -2.0 * forward[0], atol=1e-7)
    for parameter, gradient in zip(adversary.parameters(), forward[1:], strict=True):
        assert torch.allclose(parameter.grad, gradient, atol=1e-7)  # the adversary itself still descends


def test_nobody_known_costs_nothing():
    v, _, output = _outputs()
    loss = SubjectAdversary(dim=6, subjects=3)(output, {"subject": torch.full((5,), -1)})
    loss.backward()
    assert loss == 0
    assert not v.grad.any()


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
    with pytest.raises(ValueError, match="subject code 2 for subjects=2"):
        SubjectAdversary(dim=6, subjects=2)(output, {"subject": SUBJECT})
    with pytest.raises(ValueError, match="personality branch"):
        PersonalityAdversary(dim=6, projection=3)(output._replace(personality=None), {})
