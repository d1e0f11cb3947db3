"""Tokens that keep space: in time-major order, under the mask of their step, in every trunk of maps."""

from functools import partial

import pytest
import timm
import torch
from torch.nn import functional

from models.heads import ScoreHead
from models.inputs import Appearance
from models.masking import token_mask
from models.mpdrm.attentive_pool import AttentivePool
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.network import MPDRM
from models.mpdrm.part_relation import PartReadout
from models.trunks.frames import FramesTrunk
from models.trunks.pixels import PixelTrunk
from models.trunks.readout import SpatialReadout, TokenReadout
from models.trunks.video import VideoTrunk

GRID = partial(TokenReadout, grid=2)
TRUNKS = {
    "pixels": (lambda: PixelTrunk(dim=8, readout=GRID), 4),
    "timm": (lambda: FramesTrunk(backbone="resnet10t", dim=8, readout=GRID), 4),
    "mc3_18": (lambda: VideoTrunk(backbone="mc3_18", dim=8, readout=GRID), 4),
    "r3d_18": (lambda: VideoTrunk(backbone="r3d_18", readout=GRID), 1),
}


def test_cells_are_read_row_by_row_and_each_has_a_place_of_its_own():
    readout = TokenReadout(channels=3, dim=5, grid=2)
    torch.nn.init.normal_(readout.place)
    maps = torch.randn(2, 3, 4, 6)
    quarters = [maps[..., :2, :3], maps[..., :2, 3:], maps[..., 2:, :3], maps[..., 2:, 3:]]
    expected = [readout.linear(q.mean((-2, -1))) + readout.place[i] for i, q in enumerate(quarters)]
    assert torch.allclose(readout(maps), torch.stack(expected, 1), atol=1e-6)
    with pytest.raises(ValueError, match="grid=0"):
        TokenReadout(channels=3, dim=5, grid=0)


def test_without_a_width_the_cells_are_those_of_the_maps_and_nothing_is_learned():
    readout, maps = TokenReadout(channels=3, dim=None, grid=2), torch.randn(2, 3, 4, 6)
    assert list(readout.parameters()) == []
    quarters = [maps[..., :2, :3], maps[..., :2, 3:], maps[..., 2:, :3], maps[..., 2:, 3:]]
    assert torch.allclose(readout(maps), torch.stack([q.mean((-2, -1)) for q in quarters], 1), atol=1e-6)
    for needs_a_width in (SpatialReadout, PartReadout):
        with pytest.raises(ValueError, match="model/readout=tokens"):
            needs_a_width(channels=3, dim=None)


def test_without_a_width_the_stages_of_a_timm_encoder_stand_side_by_side():
    trunk = FramesTrunk(backbone="resnet10t", dim=None, readout=GRID).eval()
    encoder = timm.create_model("resnet10t", features_only=True, out_indices=(-2, -1)).eval()
    encoder.load_state_dict(trunk.backbone.state_dict())
    x = torch.randn(1, 2, 3, 64, 64)
    with torch.no_grad():
        found = trunk(x, torch.ones(1, 2, dtype=torch.bool))
        middle, last = (functional.adaptive_avg_pool2d(maps, 2) for maps in encoder(x[0]))
    assert trunk.dim == 256 + 512 == found.shape[-1]
    expected = torch.cat((middle, last), 1).flatten(2).transpose(1, 2).reshape(1, 8, -1)
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_pixel_trunk_without_a_width_keeps_the_channels_of_what_it_reads():
    trunk = PixelTrunk(dim=None, widths=[4, 8, 12], mmp_stages=[], read_stages=[-2, -1], readout=GRID)
    tokens = trunk(torch.randn(1, 2, 3, 32, 32), torch.ones(1, 2, dtype=torch.bool))
    assert tokens.shape == (1, 8, trunk.dim) == (1, 8, 20)


@pytest.mark.parametrize("name", TRUNKS)
def test_tokens_of_a_step_stand_in_a_row_and_those_of_unreal_steps_are_zero(name):
    torch.manual_seed(0)
    make, steps = TRUNKS[name]
    trunk = make().eval()
    mask = torch.ones(2, 4, dtype=torch.bool)
    mask[1, 1:] = False
    with torch.no_grad():
        tokens = trunk(torch.randn(2, 4, 3, 32, 32), mask)
    assert trunk.cells == 4
    assert tokens.shape == (2, steps * 4, trunk.dim)
    real = token_mask(mask, steps * 4, cells=4)
    assert real.reshape(2, steps, 4).any(2).equal(token_mask(mask, steps))
    assert tokens[~real].abs().sum() == 0
    assert (tokens[real].abs().sum(-1) > 0).all()


def test_a_frame_changes_its_own_tokens_alone():
    torch.manual_seed(0)
    trunk = TRUNKS["timm"][0]().eval()
    x, mask = torch.randn(1, 3, 3, 32, 32), torch.ones(1, 3, dtype=torch.bool)
    other = x.clone()
    other[:, 1] += 1.0
    with torch.no_grad():
        moved = (trunk(x, mask) != trunk(other, mask)).any(-1).reshape(3, 4)
    assert moved.tolist() == [[False] * 4, [True] * 4, [False] * 4]


def test_a_network_pools_them_and_reports_the_attention_of_steps():
    torch.manual_seed(0)
    trunk = TRUNKS["mc3_18"][0]()
    network = MPDRM(
        depression=MDFN(trunk=trunk, input=Appearance()),
        personality=MPFN(trunk=None, input=None, dim=8, projection=4),
        context=None,
        rarm=AttentivePool(dim=8, heads=2),
        heads={"score": ScoreHead(dim=8, low=0, high=63)},
    ).eval()
    mask = torch.ones(2, 4, dtype=torch.bool)
    mask[0, 2:] = False
    with torch.no_grad():
        output = network({"frames": torch.randn(2, 4, 3, 16, 16), "mask": mask})
    assert output.attention.shape == (2, 4)
    assert torch.allclose(output.attention.sum(1), torch.ones(2))
    assert output.attention[0, 2:].abs().sum() == 0
    assert output.embedding.shape == output.personality_feature.shape == (2, 8)
