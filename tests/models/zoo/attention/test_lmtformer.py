import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from models.zoo.attention.lmtformer import LMTformerTrunk

ALL = torch.ones(1, 4, dtype=torch.bool)


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(0)
    return LMTformerTrunk(width=8, heads=2, blocks=1).eval()


def test_the_size_and_the_cost_that_were_reported():
    # 0.95 M parameters, 1.1 G multiplications for 24 frames of 128 x 128; the head adds 1,089 of them
    with torch.device("meta"):
        trunk = LMTformerTrunk().eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            tokens = trunk(torch.empty(1, 24, 3, 128, 128), torch.ones(1, 24, dtype=torch.bool))
    head = (32 * 32 + 32) + (32 + 1)
    assert sum(p.numel() for p in trunk.parameters()) + head == 952_849
    assert round(952_849 / 1e6, 2) == 0.95
    assert counter.get_total_flops() / 2e9 == pytest.approx(1.1, rel=0.03)
    assert tokens.shape == (1, 12, 32)


def test_the_size_counted_by_hand():
    stem = (3 * 8 * 25 + 8) + (8 * 16 * 27 + 16) + (16 * 32 * 27 + 32) + 2 * (8 + 16 + 32)
    sizes = 32 * 32 * (27 + 8 + 1)  # of three convolutions: of q, k, v, and of the aggregation
    block = 2 * sizes + 2 * 2 * 32 + (32 * 32 + 32) + 2 * 2 * 32 + (27 + 8 + 1)
    patches = 32 * 32 * 2 * 4 * 4 + 32
    assert sum(p.numel() for p in LMTformerTrunk().parameters()) == stem + patches + 12 * block


def test_an_odd_clip_ends_with_its_last_frame_twice(small):
    x = torch.randn(1, 3, 3, 32, 32)
    with torch.no_grad():
        odd, even = small(x, ALL[:, :3]), small(torch.cat((x, x[:, -1:]), 1), ALL)
    assert torch.equal(odd, even)


def test_what_is_left_of_a_patch_is_not_read(small):
    x = torch.randn(1, 4, 3, 32, 60)
    other = x.clone()
    other[..., 48:] += 1.0  # farther from pixel 31 than the stem looks
    with torch.no_grad():
        assert torch.equal(small(x, ALL), small(other, ALL))


def test_patches_far_apart_see_each_other(small):
    x = torch.randn(1, 4, 3, 32, 96)
    other = x.clone()
    other[..., 64:] += torch.randn(32)
    with torch.no_grad():
        maps = [small.blocks(small.patches(small.stem(frames.transpose(1, 2)))) for frames in (x, other)]
    assert not torch.equal(maps[0][..., 0], maps[1][..., 0])


@pytest.mark.parametrize(("changed", "said"), [({"width": 6}, "width=6"), ({"heads": 3}, "heads=3")])
def test_what_cannot_be_built_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        LMTformerTrunk(**changed)


def test_frames_smaller_than_a_patch_are_refused(small):
    with pytest.raises(ValueError, match=r"\(24, 32\) pixels.*32"):
        small(torch.randn(1, 4, 3, 24, 32), ALL)
