"""What weights expect is held against the clips before a cohort is made; a run accounts for its weights."""

import hashlib
import json
import logging

import pytest
import torch
from safetensors.torch import save_file
from torchvision.models import get_model

from engine.checkpoints.checkpoint import load_checkpoint
from engine.cohort.pretrained_weights import check_expectations
from engine.config.compose import ConfigError
from engine.inference.clip_predictions import form, rebuild
from engine.runs.provenance import read_manifest_json
from engine.train import train
from engine.training.checks import check_model
from engine.training.fit import _task
from models.trunks.frames import FramesTrunk
from models.weights.record import Expects, WeightsError
from tests.conftest import COHORT, SMALL

TRUNK = "model.network.depression.trunk"
SIZE = "data.module.source.video"
TINY = ["experiment=mpdrm_timm", f"{TRUNK}.backbone=resnet10t"]


@pytest.fixture(scope="module")
def resnet(tmp_path_factory):
    """A file of random weights of a small timm network, normalized in its own way."""
    import timm

    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(3)
    network = timm.create_model("resnet10t")
    save_file(network.state_dict(), folder / "tiny.safetensors")
    config = {"architecture": "resnet10t", "pretrained_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (folder / "config.json").write_text(json.dumps(config | {"license": "mit"}))
    return folder / "tiny.safetensors"


def mended(error):
    """The overrides that an error names."""
    return str(error).partition(". Set ")[2].partition(". Weights")[0].split()


def test_a_wrong_normalization_stops_with_the_override_that_mends_it(resnet, compose_run):
    base = [*TINY, f"{TRUNK}.weights={resnet}"]
    with pytest.raises(ConfigError, match=r"trained with a mean of \[0\.5, 0\.5, 0\.5\]") as stop:
        check_model(compose_run(*base))
    assert mended(stop.value) == [
        "data.module.normalize.mean=[0.5,0.5,0.5]",
        "data.module.normalize.std=[0.25,0.25,0.25]",
    ]
    with pytest.raises(ConfigError, match=r"a std of \[0\.25"):
        check_model(compose_run(*base, mended(stop.value)[0]))
    with pytest.raises(ConfigError, match="clips have none") as stop:
        check_model(compose_run(*base, "data.module.normalize=null"))
    assert mended(stop.value)[0].startswith("+data.module.normalize._target_=")
    check_model(compose_run(*base, *mended(stop.value)[1:]))


def test_random_weights_take_any_normalization(compose_run):
    check_model(compose_run(*TINY, "data.module.normalize.mean=[0.1,0.2,0.3]"))


def test_a_transformer_of_one_size_stops_at_another(compose_run):
    base = ["experiment=mpdrm_timm", f"{TRUNK}.backbone=vit_tiny_patch16_224"]
    with pytest.raises(ConfigError, match="takes 224 x 224 pixels, and clips have 64 x 64") as stop:
        check_model(compose_run(*base))
    assert mended(stop.value) == [f"{SIZE}.height=224", f"{SIZE}.width=224"]
    check_model(compose_run(*base, *mended(stop.value)))
    check_model(compose_run(*base, f"{TRUNK}.size=64"))


def test_too_few_frames_stop_with_the_length_that_is_needed(compose_run, tmp_path):
    torch.save(get_model("s3d", weights=None).state_dict(), tmp_path / "s3d.pth")
    colors = ["data.module.normalize.mean=[0.43216,0.394666,0.37645]"]
    colors += ["data.module.normalize.std=[0.22803,0.22145,0.216989]"]
    base = [
        "experiment=video_network",
        f"{TRUNK}.backbone=s3d",
        f"{TRUNK}.weights={tmp_path}/s3d.pth",
        *colors,
    ]
    with pytest.raises(ConfigError, match="trained on 14 frames or more, and clips have 8") as stop:
        check_model(compose_run(*base))
    assert mended(stop.value) == [f"data.module.{name}_clips.length=14" for name in ("train", "eval")]
    check_model(compose_run(*base, *mended(stop.value)))


def test_multiples_of_a_patch_are_asked_for(compose_run):
    class Patches(torch.nn.Module):
        expects = Expects(multiple=16)

    config = compose_run("experiment=mpdrm", f"{SIZE}.height=50", f"{SIZE}.width=64")
    with pytest.raises(ConfigError, match=r"multiples of 16 pixels, and clips have 50 x 64") as stop:
        check_expectations(Patches(), config)
    assert mended(stop.value) == [f"{SIZE}.height=48", f"{SIZE}.width=64"]


@pytest.mark.parametrize("weights", ["gone.pth", "resnet18", "model.py"])
def test_weights_that_are_not_there_stop_before_a_cohort_is_made(weights, compose_run, tmp_path):
    config = compose_run(*TINY, f"{TRUNK}.weights={weights}")
    with pytest.raises(WeightsError, match=f"weights='{weights}'"):
        train(config, folder=tmp_path / "run")
    assert not list(tmp_path.rglob("*.mp4"))


def test_a_wrong_normalization_stops_before_a_cohort_is_made(resnet, compose_run, tmp_path):
    config = compose_run(*TINY, f"{TRUNK}.weights={resnet}", f"paths.data={tmp_path / 'data'}")
    with pytest.raises(ConfigError, match=r"trained with a mean of \[0\.5, 0\.5, 0\.5\]"):
        train(config, folder=tmp_path / "run")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("place", [-1, -1000])
def test_a_flipped_byte_stops_before_a_cohort_is_made(place, resnet, compose_run, tmp_path):
    whole = resnet.read_bytes()
    digest = hashlib.sha256(whole).hexdigest()
    flipped = bytearray(whole)
    flipped[place] ^= 1
    (tmp_path / "tiny.safetensors").write_bytes(flipped)
    colors = [f"data.module.normalize.{name}=[{v},{v},{v}]" for name, v in (("mean", 0.5), ("std", 0.25))]
    base = [*TINY, f"paths.data={tmp_path / 'data'}", *colors, f"{TRUNK}.weights_sha256={digest}"]
    with pytest.raises(WeightsError, match=f"should begin with {digest}"):
        train(compose_run(*base, f"{TRUNK}.weights={tmp_path / 'tiny.safetensors'}"), folder=tmp_path / "run")
    assert not (tmp_path / "data").exists()
    check_model(compose_run(*base, f"{TRUNK}.weights={resnet}"))


def test_another_digest_stops(resnet, compose_run):
    config = compose_run(*TINY, f"{TRUNK}.weights={resnet}", f"{TRUNK}.weights_sha256='00000000'")
    with pytest.raises(WeightsError, match="should begin with 00000000"):
        check_model(config)


@pytest.mark.slow
def test_a_run_accounts_for_its_weights_and_its_checkpoint_needs_them_no_more(
    resnet, compose_run, cohorts, tmp_path, caplog, monkeypatch
):
    moved = tmp_path / "tiny.safetensors"
    moved.write_bytes(resnet.read_bytes())
    (tmp_path / "config.json").write_text((resnet.parent / "config.json").read_text())
    small = [
        f"paths.data={cohorts}",
        "data.cohort.size=32",
        f"{SIZE}.height=32",
        f"{SIZE}.width=32",
        *COHORT,
        *SMALL,
    ]
    colors = [f"data.module.normalize.{name}=[{v},{v},{v}]" for name, v in (("mean", 0.5), ("std", 0.25))]
    config = compose_run(*TINY, *small, *colors, f"{TRUNK}.weights={moved}", "epochs=1")
    folder = tmp_path / "run"
    with caplog.at_level(logging.INFO):
        train(config, folder=folder)
    told = [record.getMessage() for record in caplog.records if record.getMessage().startswith("weights: ")]
    assert len(told) == 1
    assert "tiny.safetensors (file; license mit), SHA-256 " in told[0]
    recorded = read_manifest_json(folder)["pretrained"]["network.depression.trunk"]
    checkpoint = load_checkpoint(folder / "checkpoints" / "best.ckpt")
    assert checkpoint.pretrained == {"network.depression.trunk": recorded}
    assert recorded == FramesTrunk(backbone="resnet10t", weights=str(moved)).pretrained.plain()
    assert checkpoint.config["model"]["network"]["depression"]["trunk"]["weights"] is None
    page = (folder / "report.html").read_text()
    assert "tiny.safetensors (file; license mit)" in page
    assert str(tmp_path) not in page
    moved.unlink()
    monkeypatch.setattr("models.trunks.timm_weights.locate", None)  # whoever looked for weights would fail
    task = rebuild(checkpoint)
    assert task.network.depression.trunk.pretrained is None


@pytest.mark.parametrize("weights", ["hf-hub:timm/resnet10t.c3_in1k", "pretrained", "{folder}/w.safetensors"])
def test_neither_the_form_of_a_network_nor_a_written_record_opens_weights(weights, compose_run, tmp_path):
    from engine.checkpoints.recorded_config import recorded

    config = compose_run(*TINY, f"{TRUNK}.weights={weights.format(folder=tmp_path)}")
    task = form(config["model"])  # without a network, and without the file
    assert task.network.depression.trunk.pretrained is None
    kept = recorded(config)["model"]["network"]["depression"]["trunk"]
    assert (kept["weights"], kept["weights_sha256"]) == (None, None)


PROBE = ["experiment=video_network", f"{TRUNK}.backbone=mc3_18"]
PROBE += ["model/readout=tokens", "model/rarm=attentive"]


@pytest.mark.parametrize("tuning", ["frozen", "last", "full"])
def test_a_probe_composes_and_its_checkpoint_can_be_read_again(tuning, compose_run, caplog):
    config = compose_run(*PROBE, f"model/tuning={tuning}", "model.layer_decay=0.75")
    check_model(config)  # which reads the record that its checkpoints will hold
    told = [record.getMessage() for record in caplog.records if "begins at random" in record.getMessage()]
    assert len(told) == (tuning != "full")
    task = form(config["model"])
    frozen = [p for p in task.network.depression.trunk.backbone.parameters() if not p.requires_grad]
    assert bool(frozen) == (tuning != "full")


def test_low_rank_changes_are_for_transformers(compose_run):
    with pytest.raises(ValueError, match="lora changes linear layers, and the blocks of this encoder"):
        check_model(compose_run(*PROBE, "model/tuning=lora"))
    timm = ["experiment=mpdrm_timm", f"{TRUNK}.backbone=vit_tiny_patch16_224", f"{TRUNK}.size=64"]
    check_model(compose_run(*timm, "model/tuning=lora"))


def test_a_run_that_goes_on_needs_the_file_no_more(compose_run, tmp_path):
    config = compose_run(*TINY, f"{TRUNK}.weights={tmp_path}/gone.pth")
    told = {"score_mean": 0.0, "score_std": 1.0, "prevalence": 0.5}
    with pytest.raises(WeightsError, match=r"there is no such file"):
        _task(config, None, None, told, resumes=False)
    task, _ = _task(config, None, None, told, resumes=True)
    assert task.network.depression.trunk.pretrained is None
    check_model(config | {"resume": "outputs/some/run"})
