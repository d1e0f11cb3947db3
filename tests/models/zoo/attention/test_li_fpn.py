import math

import pytest
import torch
from torch import nn

from models.mpdrm.mmp import MMPMaps
from models.zoo.attention.li_fpn import Imitation, LIFPNTrunk, decision_weights


@pytest.fixture(scope="module")
def trunk():
    torch.manual_seed(0)
    return LIFPNTrunk(dim=8).eval()


def test_an_imitation_worked_out_by_hand():
    # one channel, two real frames of 2 x 2 and a third that is not; a kernel that doubles its center
    lim = Imitation(channels=1)
    nn.init.zeros_(lim.conv.weight)
    nn.init.constant_(lim.conv.bias, -1.0)
    with torch.no_grad():
        lim.conv.weight[0, 0, 1, 1] = 2.0
    x = torch.tensor([[[1.0, 0.0], [2.0, -1.0]], [[0.0, 1.0], [-1.0, 3.0]], [[9.0, 9.0], [9.0, 9.0]]])
    out = lim(x[None, :, None], torch.tensor([[True, True, False]]))
    gate = [[1 / (1 + math.exp(-(2 * s - 1))) for s in row] for row in [[1.0, 1.0], [1.0, 2.0]]]
    expected = x[:2] * torch.tensor(gate)
    assert torch.allclose(out[0, :2, 0], expected)


def test_decision_weights_worked_out_by_hand():
    # p of class 1: .5, .8, .2 -> |p_1 - p_0| = 0, .6, .6
    logits = torch.tensor([[[0.0, 0.0], [0.0, math.log(4.0)], [math.log(4.0), 0.0], [5.0, 0.0]]])
    weights = decision_weights(logits, torch.tensor([[True, True, True, False]]))
    total = 1 + 2 * math.exp(0.6)
    expected = [1 / total, math.exp(0.6) / total, math.exp(0.6) / total, 0.0]
    assert weights[0].tolist() == pytest.approx(expected)


def test_three_classes_are_summed():
    # p = (.2, .3, .5): |.3 - .2| + |.5 - .2| = .4; p = (1, 1, 1)/3: 0
    logits = torch.log(torch.tensor([[[0.2, 0.3, 0.5], [1.0, 1.0, 1.0]]]))
    weights = decision_weights(logits, torch.ones(1, 2, dtype=torch.bool))
    assert weights[0, 0].item() == pytest.approx(math.exp(0.4) / (1 + math.exp(0.4)))


def test_a_row_without_frames_weighs_nothing_and_has_finite_gradients():
    logits = torch.randn(2, 3, 2, requires_grad=True)
    mask = torch.tensor([[True, True, False], [False, False, False]])
    weights = decision_weights(logits, mask)
    weights.square().sum().backward()
    assert weights.sum(1).tolist() == pytest.approx([1.0, 0.0])
    assert logits.grad.isfinite().all()


def test_padding_a_clip_changes_nothing_and_an_empty_one_is_zero(trunk):
    x = torch.randn(2, 5, 3, 32, 32)
    mask = torch.tensor([[True, True, True, False, False], [False] * 5])
    with torch.no_grad():
        padded, alone = trunk(x, mask), trunk(x[:1, :3], mask[:1, :3])
    assert padded.shape == (2, 1, 8)
    assert torch.allclose(padded[:1], alone, atol=1e-5)
    assert padded[1].abs().sum() == 0


def test_the_order_of_frames_is_not_read(trunk):
    # decisions are shared by the frames (our choice), so nothing in it knows which came first
    x, mask = torch.randn(1, 4, 3, 32, 32), torch.ones(1, 4, dtype=torch.bool)
    with torch.no_grad():
        assert torch.allclose(trunk(x, mask), trunk(x.flip(1), mask), atol=1e-5)


def test_the_size_counted_by_hand(trunk):
    widths, neighbors = (64, 128, 256, 512), ((64, 128), (128, 256), (256, 512))
    resnet = 11_689_512 - 512 * 1000 - 1000  # torchvision's resnet18 without its classifier
    imitations = sum(c * c * 9 + c for c in widths)
    neck = sum(a * b * 9 + b for a, b in neighbors)
    pyramid = sum(a * b + b for a, b in neighbors)
    decisions = 2 * (512 + 1) + sum(2 * (c + 1) for c in widths)
    project = 512 * 8 + 8
    found = sum(p.numel() for p in trunk.parameters())
    assert found == resnet + imitations + neck + pyramid + decisions + project


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"backbone": "resnet50"}, "resnet18 or resnet34"),
        ({"classes": 1}, "classes=1"),
        ({"mmp": MMPMaps}, "model/mmp=none"),
    ],
)
def test_what_cannot_be_built_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        LIFPNTrunk(**changed)
