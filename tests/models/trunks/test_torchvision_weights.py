"""Weights in torchvision networks: all but the classifier, with what torchvision says of them."""

import pytest
import torch
from torchvision.models import get_model
from torchvision.models.video import MC3_18_Weights, S3D_Weights

from models.trunks.video import VideoTrunk
from models.weights import locate as places
from models.weights.record import WeightsError
from models.zoo.attention.li_fpn import LIFPNTrunk


@pytest.fixture
def mc3(tmp_path):
    torch.manual_seed(2)
    network = get_model("mc3_18", weights=None)
    torch.save(network.state_dict(), tmp_path / "mc3.pth")
    return network


def test_a_video_network_takes_all_but_the_classifier(mc3, tmp_path):
    trunk = VideoTrunk(backbone="mc3_18", weights=str(tmp_path / "mc3.pth"))
    theirs = mc3.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in trunk.backbone.state_dict().items())
    assert trunk.pretrained.left_out == ("fc.weight", "fc.bias")
    assert trunk.pretrained.taken == len(theirs) - 2
    seen = MC3_18_Weights.DEFAULT.transforms()
    assert (trunk.expects.mean, trunk.expects.std) == (tuple(seen.mean), tuple(seen.std))
    assert VideoTrunk(backbone="mc3_18").expects.mean is None


def test_pretrained_is_the_address_of_torchvision_with_the_digest_in_its_name(mc3, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def fetch(url, path, progress):
        torch.save(mc3.state_dict(), path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    with pytest.raises(
        WeightsError, match=r"mc3_18-a90a0ba3\.pth: its SHA-256 .* should begin with a90a0ba3"
    ):
        VideoTrunk(backbone="mc3_18", weights="pretrained")
    monkeypatch.setattr("models.weights.locate.checked_digest", lambda path, expected: "0" * 64)
    assert VideoTrunk(backbone="mc3_18", weights="pretrained").pretrained.url == MC3_18_Weights.DEFAULT.url
    assert places.checked_digest(None, None) == "0" * 64


def test_networks_say_how_many_frames_their_weights_have_seen(tmp_path):
    torch.save(get_model("s3d", weights=None).state_dict(), tmp_path / "s3d.pth")
    assert VideoTrunk(backbone="s3d").expects.frames == 1
    trunk = VideoTrunk(backbone="s3d", weights=str(tmp_path / "s3d.pth"))
    assert trunk.expects.frames == S3D_Weights.DEFAULT.meta["min_temporal_size"] == 14


def test_weights_of_another_video_network_are_refused(mc3, tmp_path):
    with pytest.raises(WeightsError, match=r"mc3\.pth for backbone=r3d_18: .*of another shape \(layer2"):
        VideoTrunk(backbone="r3d_18", weights=str(tmp_path / "mc3.pth"))


def test_li_fpn_takes_those_of_its_resnet(tmp_path):
    network = get_model("resnet18", weights=None)
    torch.save(network.state_dict(), tmp_path / "r.pth")
    trunk = LIFPNTrunk(weights=str(tmp_path / "r.pth"))
    assert torch.equal(trunk.backbone.stages[3][1].conv2.weight, network.layer4[1].conv2.weight)
    assert trunk.pretrained.taken == len(network.state_dict()) - 2
    assert trunk.expects.mean == (0.485, 0.456, 0.406)
