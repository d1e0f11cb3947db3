"""One contract for all trunks: `trunk(x, mask) -> (B,T',D)`, whatever they eat."""

import pytest
import torch
from torch import nn

import models.trunks
from models.mpdrm.mmp import MMPMaps, MMPSeries
from models.mpdrm.part_relation import PartReadout
from models.trunks.clip_motion import ClipMotion
from models.trunks.encoded import EncodedTrunk
from models.trunks.frames import FramesTrunk
from models.trunks.pixels import PixelTrunk
from models.trunks.readout import SpatialReadout, TokenReadout
from models.trunks.series import SeriesTrunk
from models.trunks.video import MapsTrunk, VideoTrunk
from models.trunks.vit_video import VideoTransformer, VitVideoTrunk
from tests.models.trunk_contract import (
    batch,
    check_another_size_and_length,
    check_bfloat16_autocast_and_state_dict,
    check_padding_changes_no_token,
    check_rows_do_not_see_each_other,
    check_shapes_gradients_and_masked_values,
    public_classes,
)

# name -> (trunk, shape of one step, frames T)
CASES = {
    "series": (lambda: SeriesTrunk(channels=5, dim=16, mmp=MMPSeries), (5,), 12),
    "series_without_mmp": (lambda: SeriesTrunk(channels=5, dim=16), (5,), 12),
    "series_with_relations": (
        lambda: SeriesTrunk(channels=5, dim=16, relation_lags=(0, 1, 3), mmp=MMPSeries),
        (5,),
        12,
    ),
    "pixels": (lambda: PixelTrunk(dim=16, mmp=MMPMaps), (3, 32, 32), 5),
    "pixels_without_mmp": (lambda: PixelTrunk(dim=16), (3, 32, 32), 5),
    "pixels_by_parts": (
        lambda: PixelTrunk(dim=16, mmp=MMPMaps, readout=PartReadout, read_stages=(-2, -1)),
        (3, 32, 32),
        5,
    ),
    "timm_resnet": (lambda: FramesTrunk(backbone="resnet10t", dim=16, mmp=MMPMaps), (3, 32, 32), 3),
    "timm_convnext": (
        lambda: FramesTrunk(backbone="convnext_atto", dim=16, readout=PartReadout),
        (3, 32, 32),
        3,
    ),
    "timm_swin": (
        lambda: FramesTrunk(
            backbone="swin_tiny_patch4_window7_224", dim=16, size=56, stages=(0, 1), mmp=MMPMaps
        ),
        (3, 56, 56),
        2,
    ),
    "mc3_18": (lambda: VideoTrunk(backbone="mc3_18", dim=16, mmp=MMPMaps), (3, 16, 16), 4),
    "r3d_18": (lambda: VideoTrunk(backbone="r3d_18"), (3, 16, 16), 8),
    "r2plus1d_18": (lambda: VideoTrunk(backbone="r2plus1d_18"), (3, 16, 16), 8),
    "s3d": (lambda: VideoTrunk(backbone="s3d"), (3, 32, 32), 8),
    "swin3d_t": (lambda: VideoTrunk(backbone="swin3d_t"), (3, 32, 32), 4),
    "mvit_v2_s": (lambda: VideoTrunk(backbone="mvit_v2_s"), (3, 32, 32), 4),
}
CASES["encoded"] = (lambda: EncodedTrunk(channels=5, dim=16, mmp=MMPSeries), (5,), 12)
CASES["vit_video"] = (lambda: VitVideoTrunk(preset="small", depth=1, dim=16, mmp=MMPMaps), (3, 32, 32), 4)
ONE_TOKEN_A_STEP = [name for name in CASES if name.startswith(("encoded", "series", "pixels", "timm_resnet"))]
LIGHT = [*ONE_TOKEN_A_STEP, "mc3_18", "vit_video"]
HEAVY = ("timm_swin", "r2plus1d_18", "swin3d_t", "mvit_v2_s")
_cache: dict[str, nn.Module] = {}


def _case(name):
    build, shape, frames = CASES[name]
    if name not in _cache:
        torch.manual_seed(0)
        _cache[name] = build()
    return _cache[name], *batch(shape, frames)


def test_every_public_class_has_a_case():
    parts = {ClipMotion, MapsTrunk, SpatialReadout, TokenReadout, VideoTransformer}  # of trunks
    assert public_classes(models.trunks) - parts == {type(_case(name)[0]) for name in LIGHT}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in CASES]
)
def test_shapes_gradients_and_masked_values(name):
    check_shapes_gradients_and_masked_values(*_case(name))


@pytest.mark.parametrize("name", LIGHT)
def test_another_size_and_length(name):
    check_another_size_and_length(*_case(name))


@pytest.mark.parametrize("name", LIGHT)
def test_rows_do_not_see_each_other(name):
    check_rows_do_not_see_each_other(*_case(name))


@pytest.mark.parametrize("name", ONE_TOKEN_A_STEP)
def test_padding_a_clip_changes_none_of_its_tokens(name):
    check_padding_changes_no_token(*_case(name))


@pytest.mark.parametrize("name", LIGHT)
def test_bfloat16_autocast_and_state_dict(name):
    trunk, x, mask = _case(name)
    check_bfloat16_autocast_and_state_dict(trunk, CASES[name][0], x, mask)


@pytest.mark.parametrize("backbone", ["r3d_18", "r2plus1d_18", "mc3_18", "s3d", "swin3d_t", "mvit_v2_s"])
def test_video_backbones_at_full_size_on_meta(backbone):
    with torch.device("meta"):
        trunk = VideoTrunk(backbone=backbone, dim=128)
        tokens = trunk(torch.empty(2, 16, 3, 112, 112), torch.ones(2, 16, dtype=torch.bool))
    assert tokens.shape[::2] == (2, 128)


def test_series_tokens_keep_the_level_of_a_channel():
    """A constant level must be linearly readable from the pooled tokens: nothing may normalize over time."""
    trunk = SeriesTrunk(channels=1, dim=16, mmp=MMPSeries).eval()
    level = torch.linspace(-2, 2, 40)
    with torch.no_grad():
        noise = 0.1 * torch.randn(40, 20, 1)
        tokens = trunk(level[:, None, None] + noise, torch.ones(40, 20, dtype=torch.bool)).mean(1)
    design = torch.cat((tokens, torch.ones(40, 1)), 1)[:, -9:]
    fit = design @ torch.linalg.lstsq(design, level[:, None]).solution
    assert torch.corrcoef(torch.stack((fit.squeeze(1), level)))[0, 1] > 0.99


@pytest.mark.slow
def test_pixel_trunk_reads_where_a_mouth_corner_is():
    """Faces that differ only in the height of one small blob: the token must tell the height in pixels."""
    torch.manual_seed(1)
    trunk = PixelTrunk(dim=16, mmp=MMPMaps)
    read = nn.Linear(16, 1)
    height = torch.rand(96) * 6 + 20
    rows = torch.arange(32.0)
    blob = torch.exp(-0.5 * ((rows[:, None] - 0.0) - height[:, None, None]) ** 2 / 2)  # (96,32,1)
    blob = blob * torch.exp(-0.5 * (rows - 10.0) ** 2 / 4)
    frames = blob[:, None, None].expand(-1, 1, 3, -1, -1).contiguous()
    mask = torch.ones(96, 1, dtype=torch.bool)
    target = (height - 23) / 1.7
    optimizer = torch.optim.Adam([*trunk.parameters(), *read.parameters()], lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        loss = (read(trunk(frames[:64], mask[:64])[:, 0]).squeeze(-1) - target[:64]).square().mean()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        error = (read(trunk(frames[64:], mask[64:])[:, 0]).squeeze(-1) - target[64:]).abs().mean() * 1.7
    assert error < 0.5  # pixels; the blobs range over 6


def test_pixel_trunk_feels_the_size_of_a_frame_difference():
    trunk = PixelTrunk(dim=16).eval()
    x = torch.randn(1, 1, 3, 32, 32)
    mask = torch.ones(1, 1, dtype=torch.bool)
    with torch.no_grad():
        small, large = trunk(0.1 * x, mask), trunk(x, mask)
    assert (small - large).norm() > 0.1 * large.norm()
