"""The video transformer against timm's layers, and in the sizes that are published."""

from functools import partial

import pytest
import timm
import torch
from timm.models.vision_transformer import Block
from torch.nn import functional as F

from models.mpdrm.mmp import MMPMaps
from models.positions import factorized, joint
from models.trunks.vit_video import PRESETS, VideoTransformer, VitVideoTrunk

ALL = torch.ones(1, 4, dtype=torch.bool)
FAMILIES = ("plain", "videomae", "marlin", "vjepa2", "vjepa2_1")


@pytest.mark.parametrize(("family", "table"), [("plain", factorized), ("videomae", joint)])
def test_it_is_tubelets_positions_and_the_layers_of_timm(family, table):
    torch.manual_seed(0)
    network = VideoTransformer(width=48, depth=2, heads=3, family=family).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    x = torch.randn(2, 3, 4, 32, 48)
    tubes = x.unfold(2, 2, 2).unfold(3, 16, 16).unfold(4, 16, 16)  # (B,3,T',H',W',2,16,16)
    weight = network.patch_embed.weight.flatten(1)
    tokens = (
        tubes.permute(0, 2, 3, 4, 1, 5, 6, 7).flatten(4).flatten(1, 3) @ weight.T + network.patch_embed.bias
    )
    tokens = tokens + table((2, 2, 3), 48)
    for layer in network.blocks:
        block = Block(dim=48, num_heads=3, qkv_bias=True, norm_layer=partial(torch.nn.LayerNorm, eps=1e-6))
        block.load_state_dict(layer.state_dict())
        tokens = block.eval()(tokens)
    expected = F.layer_norm(tokens, (48,), network.norm.weight, network.norm.bias, 1e-6)
    with torch.no_grad():
        maps = network(x)
    assert maps.shape == (2, 48, 2, 2, 3)
    assert torch.allclose(maps.flatten(2).transpose(1, 2), expected, atol=1e-4)


@pytest.mark.parametrize(("preset", "millions"), [("small", 22), ("base", 86), ("large", 304)])
def test_presets_have_the_published_sizes(preset, millions):
    with torch.device("meta"):
        network = VideoTransformer(**PRESETS[preset]._asdict(), family="videomae")
        image = timm.create_model(f"vit_{preset}_patch16_224")
    layers = sum(p.numel() for p in [*network.blocks.parameters(), *network.norm.parameters()])
    assert layers == sum(p.numel() for p in [*image.blocks.parameters(), *image.norm.parameters()])
    assert round(sum(p.numel() for p in network.parameters()) / 1e6) == millions


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_knows_the_order_of_frames_and_where_things_are(family):
    torch.manual_seed(0)
    trunk = VitVideoTrunk(preset="small", depth=2, family=family).eval()
    for name, parameter in trunk.backbone.named_parameters():
        if "qkv" in name:
            torch.nn.init.normal_(parameter, std=0.1)
    x = torch.randn(1, 4, 3, 32, 32)
    backwards = x.unflatten(1, (2, 2)).flip(1).flatten(1, 2)  # tubelets change places
    mirrored = x.unflatten(-1, (2, 16)).flip(-2).flatten(-2)  # so do patches
    with torch.no_grad():
        first, other, moved = (trunk(one, ALL) for one in (x, backwards, mirrored))
    assert (first - other.flip(1)).abs().max() > 1e-3
    assert (first - moved).abs().max() > 1e-3


def test_an_odd_number_of_frames_and_sides_that_do_not_fit():
    trunk = VitVideoTrunk(preset="small", depth=1, dim=8).eval()
    x = torch.randn(1, 5, 3, 16, 32)
    five = torch.ones(1, 5, dtype=torch.bool)
    with torch.no_grad():
        tokens = trunk(x, five)
        doubled = trunk(torch.cat((x, x[:, -1:]), 1), torch.ones(1, 6, dtype=torch.bool))
    assert tokens.shape == (1, 3, 8)
    assert torch.equal(tokens, doubled)
    with pytest.raises(ValueError, match="pictures of 16 x 40: both sides must be multiples of 16"):
        trunk(torch.randn(1, 4, 3, 16, 40), ALL)


def test_mmp_and_blocks_and_what_it_must_be_shown():
    trunk = VitVideoTrunk(preset="small", depth=2, dim=8, mmp=MMPMaps)
    assert trunk(torch.randn(1, 4, 3, 32, 32), ALL).shape == (1, 2, 8)
    assert len(trunk.blocks()) == 1 + 2
    assert (trunk.expects.multiple, trunk.expects.mean, trunk.expects.frames) == (16, None, 1)


@pytest.mark.parametrize("given", [{"preset": "huge"}, {"family": "videomaev2"}])
def test_what_is_not_known_is_refused(given):
    with pytest.raises(ValueError, match="presets are small, base, large; families are"):
        VitVideoTrunk(**given)


def test_recomputed_activations_give_the_same_gradients_from_less_memory():
    frames = torch.randn(1, 3, 4, 32, 32)
    kept, gradients = [], []
    for recompute in (False, True):
        torch.manual_seed(0)
        network = VideoTransformer(width=48, depth=4, heads=3, family="plain", recompute=recompute).train()
        saved = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda one, saved=saved: saved.append(one.numel()) or one, lambda one: one
        ):
            network(frames).square().mean().backward()
        kept.append(sum(saved))
        gradients.append([one.grad for one in network.parameters()])
    for plain, again in zip(*gradients, strict=True):
        assert torch.allclose(plain, again, atol=1e-7)
    assert kept[1] < kept[0] / 2
