"""The contract of all trunks for the networks of others on pixels."""

import importlib
import pkgutil

import pytest
import torch
from torch import nn

import models.zoo
from models.mpdrm.mmp import MMPMaps
from models.zoo.attention.li_fpn import Imitation, LIFPNTrunk
from models.zoo.attention.lmtformer import LMTformerTrunk
from models.zoo.attention.multi_scale_block import MultiScaleAttention, MultiScaleBlock
from models.zoo.attention.pra_net import PartAndRelation, PRANetTrunk
from models.zoo.convolutional.mdn import MDNTrunk
from models.zoo.convolutional.msn import MSNTrunk
from models.zoo.convolutional.sta_drn import SpatialTemporalAttention, STADRNTrunk
from models.zoo.graph.dep_mgnn import DepMGNNTrunk, FrameGraph, ScaleGraph
from tests.models.trunk_contract import (
    batch,
    check_another_size_and_length,
    check_bfloat16_autocast_and_state_dict,
    check_padding_changes_no_token,
    check_rows_do_not_see_each_other,
    check_shapes_gradients_and_masked_values,
    public_classes,
)

# name -> (trunk, pixels of a side, frames T)
CASES = {
    "msn": (lambda mmp=MMPMaps: MSNTrunk(dim=16, stem=8, widths=(16, 32), cells=(2, 2), mmp=mmp), 32, 4),
    "mdn": (
        lambda mmp=MMPMaps: MDNTrunk(dim=16, stem=8, widths=(8, 16, 16), cells=(1, 2, 2), mmp=mmp),
        32,
        6,
    ),
    "sta_drn": (
        lambda mmp=MMPMaps: STADRNTrunk(dim=16, stem=8, widths=(8, 8, 16), blocks=(1, 2, 1), mmp=mmp),
        32,
        5,
    ),
    "lmtformer": (lambda mmp=MMPMaps: LMTformerTrunk(dim=16, width=16, heads=2, blocks=2, mmp=mmp), 64, 5),
    "li_fpn": (lambda: LIFPNTrunk(dim=16), 32, 3),
    "pra_net": (lambda: PRANetTrunk(dim=16, mmp=MMPMaps), 64, 3),
    "dep_mgnn": (lambda: DepMGNNTrunk(dim=16, backbone="resnet18", width=16, groups=4), 64, 3),
}
PARTS = {
    *(Imitation, MultiScaleAttention, MultiScaleBlock, PartAndRelation),
    *(SpatialTemporalAttention, FrameGraph, ScaleGraph),
}
OF_SERIES = {"sequence"}  # of test_contract_series
_cache: dict[str, nn.Module] = {}


def _case(name):
    build, size, frames = CASES[name]
    if name not in _cache:
        torch.manual_seed(0)
        _cache[name] = build()
    return _cache[name], *batch((3, size, size), frames)


def test_every_public_class_of_every_package_has_a_case():
    packages = {module.name for module in pkgutil.iter_modules(models.zoo.__path__) if module.ispkg}
    found = set()
    for name in packages - OF_SERIES:
        found |= public_classes(importlib.import_module(f"models.zoo.{name}"))
    assert found - PARTS == {type(_case(name)[0]) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_shapes_gradients_and_masked_values(name):
    check_shapes_gradients_and_masked_values(*_case(name))


@pytest.mark.parametrize("name", CASES)
def test_another_size_and_length(name):
    check_another_size_and_length(*_case(name))


@pytest.mark.parametrize("name", CASES)
def test_rows_do_not_see_each_other(name):
    check_rows_do_not_see_each_other(*_case(name))


def test_padding_a_clip_changes_none_of_its_tokens():
    check_padding_changes_no_token(*_case("pra_net"))


@pytest.mark.parametrize("name", ["li_fpn", "dep_mgnn"])
def test_padding_a_clip_does_not_change_its_one_token(name):
    trunk, x, mask = _case(name)
    trunk.eval()
    with torch.no_grad():
        assert torch.allclose(trunk(x, mask)[1:], trunk(x[1:, :-1], mask[1:, :-1]), atol=1e-5)


@pytest.mark.parametrize("name", ["msn", "mdn", "sta_drn", "lmtformer"])
def test_a_padded_clip_is_one_whose_last_frame_stands_still(name):
    _, x, mask = _case(name)
    trunk = CASES[name][0](None).eval()  # MMP takes no motion from a frame that is not real
    mask[1, -2:] = False
    still = x.clone()
    still[1, -2:] = x[1, -3]
    with torch.no_grad():
        padded, held = trunk(x, mask)[1], trunk(still, torch.ones_like(mask))[1]
    real = padded.abs().sum(-1) > 0
    assert real[0]
    assert torch.allclose(padded[real], held[real], atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_a_clip_without_a_real_frame_has_tokens_of_zero(name):
    trunk, x, mask = _case(name)
    trunk.eval()
    mask[1] = False
    with torch.no_grad():
        tokens = trunk(x, mask)
    assert tokens[1].abs().sum() == 0
    assert tokens[0].isfinite().all()


@pytest.mark.parametrize("name", CASES)
def test_bfloat16_autocast_and_state_dict(name):
    trunk, x, mask = _case(name)
    check_bfloat16_autocast_and_state_dict(trunk, CASES[name][0], x, mask)
