import pytest
import torch

from models.zoo.convolutional.sta_drn import SpatialTemporalAttention, STADRNTrunk


def _small(**changed):
    return STADRNTrunk(**{"stem": 4, "widths": (4, 4), "blocks": (1, 1)} | changed)


def test_the_size_of_the_public_code_counted_by_hand():
    # two numbers of batch normalization per output channel; only the convolutions of attention have biases
    count, inputs = 3 * 64 * 7**3 + 2 * 64, 64
    for width in (16, 32, 64, 128):
        for block in range(4):
            grouped = width * width * 27 // 2 + width + 2 * width
            attention = 2 * (grouped + width * width // 2 + width)
            outer = inputs * width + 2 * width + 2 * width + width * 4 * width + 2 * 4 * width
            shortcut = inputs * 4 * width * 27 + 2 * 4 * width if block == 0 and width > 16 else 0
            count, inputs = count + attention + outer + shortcut, 4 * width
    with torch.device("meta"):
        trunk = STADRNTrunk()
        tokens = trunk(torch.empty(1, 64, 3, 224, 224), torch.ones(1, 64, dtype=torch.bool))
    assert sum(p.numel() for p in trunk.parameters()) == count == 7_822_272
    assert tokens.shape == (1, 8, 512)  # the last three stages halve time


@pytest.mark.parametrize("groups", [1, 2])
def test_the_attention_worked_out_step_by_step(groups):
    torch.manual_seed(0)
    module = SpatialTemporalAttention(width=4, groups=groups).eval()
    x = torch.randn(2, 4, 3, 5, 5)
    vectors, features = [], []
    for view, dims in ((module.in_time, (3, 4)), (module.in_space, (2,))):
        f = view.features(x)
        logits = view.attend(f.mean(dims, keepdim=True))
        first, second = (
            logits[:, :2],
            logits[:, 2:],
        )  # channel c of the first group stands against c of the other
        share = torch.sigmoid(first - second)  # the softmax of two
        vectors.append(torch.cat((share, 1 - share), 1) if groups == 2 else torch.sigmoid(logits))
        features.append(f)
    assert vectors[0].shape == (2, 4, 3, 1, 1)
    assert vectors[1].shape == (2, 4, 1, 5, 5)
    expected = vectors[0] * vectors[1] * (features[0] + features[1])
    assert torch.allclose(module(x), expected, atol=1e-6)


def test_the_groups_do_not_see_each_other_before_the_softmax():
    module = SpatialTemporalAttention(width=4, groups=2).eval()
    x = torch.randn(1, 4, 2, 5, 5, requires_grad=True)
    module.in_time.features(x)[:, :2].sum().backward()
    assert x.grad[:, 2:].abs().sum() == 0
    assert x.grad[:, :2].abs().sum() > 0


def test_time_is_halved_by_each_stage_but_the_first():
    trunk = _small()
    steps = {
        frames: trunk(torch.randn(2, frames, 3, 32, 32), torch.ones(2, frames, dtype=torch.bool)).shape[1]
        for frames in (1, 4, 7)
    }
    assert steps == {1: 1, 4: 2, 7: 4}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"blocks": (1,)}, "a number of blocks for each stage"),
        ({"widths": (), "blocks": ()}, r"widths=\[\]"),
        ({"groups": 3}, "shared by groups=3"),
        ({"groups": 0}, "shared by groups=0"),
    ],
)
def test_what_cannot_be_built_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        _small(**changed)
