import math

import pytest
import torch
from torch import nn

from models.zoo.attention.pra_net import PartAndRelation, PRANetTrunk


def test_two_parts_worked_out_by_hand():
    # one channel: alpha = sigmoid(f), g their weighted mean, beta = sigmoid(f - g)
    relation = PartAndRelation(width=1)
    with torch.no_grad():
        relation.attend.weight[:] = 1.0
        relation.relate.weight[:] = torch.tensor([1.0, -1.0])
    for layer in (relation.attend, relation.relate):
        nn.init.zeros_(layer.bias)
    f = (0.0, 2.0)
    alpha = [1 / (1 + math.exp(-x)) for x in f]
    whole = sum(a * x for a, x in zip(alpha, f, strict=True)) / sum(alpha)
    both = [a / (1 + math.exp(whole - x)) for a, x in zip(alpha, f, strict=True)]
    part = sum(w * x for w, x in zip(both, f, strict=True)) / sum(both)
    found = relation(torch.tensor([[[0.0], [2.0]]]))
    assert found[0].tolist() == pytest.approx([part, whole])


def test_equal_parts_are_their_own_mean():
    relation = PartAndRelation(width=5)
    f = torch.randn(2, 1, 5)
    assert torch.allclose(relation(f.expand(-1, 4, -1)), torch.cat((f, f), -1).squeeze(1), atol=1e-6)


def test_the_order_of_the_parts_is_not_read():
    relation, f = PartAndRelation(width=5), torch.randn(2, 4, 5)
    assert torch.allclose(relation(f), relation(f.flip(1)), atol=1e-6)


def test_the_size_counted_by_hand():
    with torch.device("meta"):
        trunk = PRANetTrunk()
        tokens = trunk(torch.empty(2, 3, 3, 112, 112), torch.ones(2, 3, dtype=torch.bool))
    resnet = 11_689_512 - 512 * 1000 - 1000  # torchvision's resnet18 without its classifier
    assert sum(p.numel() for p in trunk.parameters()) == resnet + (512 + 1) + (2 * 512 + 1)
    assert tokens.shape == (2, 3, 1024)


def test_a_frame_is_read_by_itself():
    trunk = PRANetTrunk(dim=8).eval()
    x, mask = torch.randn(1, 2, 3, 32, 32), torch.ones(1, 2, dtype=torch.bool)
    with torch.no_grad():
        assert torch.allclose(trunk(x, mask), trunk(x.flip(1), mask).flip(1), atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "said"), [({"grid": 0}, "grid=0"), ({"backbone": "vgg16"}, "resnet18, resnet34")]
)
def test_what_cannot_be_built_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        PRANetTrunk(**changed)
