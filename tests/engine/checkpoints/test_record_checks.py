"""Records that no run writes are refused as such, whatever stands in them."""

import pytest
import torch
from safetensors.torch import save_file

from engine.checkpoints.checkpoint import CheckpointError, load_checkpoint
from engine.config.targets import ForbiddenTarget
from engine.inference.trained_network import load_network

NAN, INF = float("nan"), float("inf")
CACHE = {"fingerprint": "a" * 64, "settings": {"size": 224}, "provenance": {}}


def nested(levels):
    return {"a": nested(levels - 1)} if levels else {}


BAD = {
    "statistics as text": lambda r: r.update(statistics="text"),
    "a statistic as text": lambda r: r["statistics"].update(series_mean="1.0"),
    "a statistic that is no number": lambda r: r["statistics"].update(series_mean=[NAN, 1.0]),
    "a statistic of another length": lambda r: r["statistics"].update(series_mean=[1.0]),
    "statistics of other channels": lambda r: r["statistics"].update(series_mean=[1.0], series_std=[1.0]),
    "a statistic without a value": lambda r: r["statistics"].update(prevalence=None),
    "calibration as text": lambda r: r.update(calibration="text"),
    "calibration as a list": lambda r: r.update(calibration=[1.0]),
    "a column as text": lambda r: r.update(calibration={"score_prediction": "12"}),
    "a column of text": lambda r: r.update(calibration={"score_prediction": ["1"]}),
    "a prediction that is no number": lambda r: r.update(calibration={"score_prediction": [NAN]}),
    "a target without end": lambda r: r.update(calibration={"score_target": [INF]}),
    "a third class": lambda r: r.update(calibration={"binary_target": [0.0, NAN, 2.0]}),
    "half a class": lambda r: r.update(calibration={"binary_target": [0.5]}),
    "no probability": lambda r: r.update(calibration={"binary_prediction": [1.5]}),
    "columns of two lengths": lambda r: r.update(
        calibration={"score_prediction": [1.0], "score_target": [1.0, 2.0]}
    ),
    "another column": lambda r: r.update(calibration={"subject_id": [1.0]}),
    "a config that is a list": lambda r: r.update(config=[]),
    "a config that is text": lambda r: r.update(config="x"),
    "no config": lambda r: r.update(config=None),
    "no model": lambda r: r["config"].pop("model"),
    "a model of another kind": lambda r: r["config"].update(model=3),
    "a model that names nothing": lambda r: r["config"].update(model={}),
    "no data": lambda r: r["config"].pop("data"),
    "no source": lambda r: r["config"]["data"]["module"].pop("source"),
    "no scale": lambda r: r["config"]["data"].pop("scale"),
    "a scale upside down": lambda r: r["config"]["data"]["scale"].update(low=70),
    "a scale as text": lambda r: r["config"]["data"]["scale"].update(low="0"),
    "no seed": lambda r: r["config"].pop("seed"),
    "a seed below zero": lambda r: r["config"].update(seed=-1),
    "no evaluation": lambda r: r["config"].pop("evaluation"),
    "another rule": lambda r: r["config"]["evaluation"].update(aggregate="sum"),
    "resamples without end": lambda r: r["config"]["evaluation"].update(n_boot=10**12),
    "a batch without end": lambda r: (
        r["config"]["data"]["module"].update(max_eval_clips=10_000)
        or r["config"]["data"]["module"]["eval_clips"].update(length=100_000)
    ),
    "started from a number": lambda r: r["config"].update(init_from=3),
    "started from a list": lambda r: r["config"].update(init_from=["x.ckpt"]),
    "leaks as a number": lambda r: r["config"].update(accept_leaks=3),
    "leaks as text": lambda r: r["config"].update(accept_leaks="mean of au12"),
    "leaks of numbers": lambda r: r["config"].update(accept_leaks=[3]),
    "a setting that is no number": lambda r: r["config"].update(notes={"a": [NAN]}),
    "a setting without end": lambda r: r["config"]["model"]["optimizer"].update(lr=INF),
    "split as text": lambda r: r.update(split="text"),
    "a split without test": lambda r: r["split"].pop("test"),
    "a split of numbers": lambda r: r["split"].update(test=[1]),
    "a split with a stranger": lambda r: r["split"].update(other=["r1"]),
    "a split whose name is a list": lambda r: r["split"].update(name=["x"]),
    "a digest that is none": lambda r: r.update(data_digest=5),
    "a preprocessing that is text": lambda r: r.update(preprocessing="x"),
    "a preprocessing without settings": lambda r: r.update(preprocessing={"fingerprint": "a" * 64}),
    "a preprocessing with a stranger": lambda r: r.update(preprocessing=CACHE | {"output": "/etc"}),
    "a fingerprint that is a path": lambda r: r.update(preprocessing=CACHE | {"fingerprint": "../x"}),
    "settings without end": lambda r: r.update(preprocessing=CACHE | {"settings": {"a": "x" * 10**6}}),
    "settings that nest": lambda r: r.update(preprocessing=CACHE | {"settings": nested(30)}),
    "settings that are no number": lambda r: r.update(preprocessing=CACHE | {"settings": {"a": NAN}}),
    "a further field": lambda r: r.update(more=1),
    "a missing field": lambda r: r.pop("statistics"),
    "a number without end": lambda r: r["config"].update(seed=10**5000),
    "a key that is no text": lambda r: r["config"].update({3: 1}),
}


@pytest.mark.parametrize("change", BAD.values(), ids=BAD)
def test_a_record_that_no_run_writes_is_refused(change, tiny_checkpoint, monkeypatch):
    monkeypatch.setattr(
        "engine.checkpoints.checkpoint.digest", lambda *parts: "x"
    )  # a stranger's digest may fit
    path = tiny_checkpoint(change)
    with pytest.raises(CheckpointError, match=r"tiny\.ckpt: .*(copy the file again|Copy it)"):
        load_checkpoint(path)


def test_a_record_from_before_there_was_preprocessing_is_read(tiny_checkpoint):
    assert load_checkpoint(tiny_checkpoint(lambda r: r.pop("preprocessing"))).preprocessing is None
    kept = load_checkpoint(tiny_checkpoint(lambda r: r.update(preprocessing=CACHE))).preprocessing
    assert kept.plain() == CACHE


def test_the_record_of_a_run_is_read(tiny_checkpoint):
    assert load_checkpoint(tiny_checkpoint()).config["model"]["optimizer"]["target"] == "torch.optim.NAdam"


def _laughs(record):
    node = ["ha"]
    for _ in range(50):
        node = [node, node]
    record["config"]["notes"] = node


def _deep(record):
    node = "x"
    for _ in range(300):
        node = [node]
    record["config"]["notes"] = node


def _round(record):
    record["config"]["notes"] = node = []
    node.append(node)


@pytest.mark.parametrize("change", [_laughs, _deep, _round])
def test_a_record_that_repeats_itself_is_refused(change, tiny_checkpoint, monkeypatch):
    monkeypatch.setattr("engine.checkpoints.checkpoint.digest", lambda *parts: "x")
    path = tiny_checkpoint(change)
    with pytest.raises(CheckpointError, match="repeats itself"):
        load_checkpoint(path)


PLAIN = {
    "positional": ("trunk", {"_args_": [1]}),
    "convert": ("trunk", {"_convert_": "all"}),
    "recursive": ("trunk", {"_recursive_": False}),
    "partial": ("trunk", {"_partial_": True}),
    "unknown": ("trunk", {"dirpath": "/tmp/x"}),
    "kind": ("trunk", {"dim": "8"}),
    "missing": ("input", {"_target_": "models.heads.BinaryHead"}),
    "number": ("trunk", {"dim": 10**19}),
    "not a number": ("trunk", {"dropout": float("nan")}),
    "path": ("trunk", {"_target_": "models.zoo.attention.li_fpn.LIFPNTrunk", "backbone": "../x"}),
    **{
        f"weights from {weights}": (
            "trunk",
            {"_target_": f"models.trunks.{trunk}", key: backbone, "weights": weights},
        )
        for trunk, key, backbone in (
            ("frames.FramesTrunk", "backbone", "resnet18"),
            ("video.VideoTrunk", "backbone", "mc3_18"),
            ("vit_video.VitVideoTrunk", "preset", "small"),
        )
        for weights in ("pretrained", "hf-hub:timm/resnet18.a1_in1k", "w.safetensors", "/etc/w.pth", True)
    },
    "hub": ("trunk", {"_target_": "models.trunks.frames.FramesTrunk", "backbone": "hf-hub:a/b"}),
    "detection": ("trunk", {"_target_": "os.system"}),
    "another part": ("trunk", {"_target_": "datamodules.manifests.manifest.read_manifest"}),
    "interpolation": ("trunk", {"dim": "${oc.env:HOME}"}),
}


@pytest.mark.parametrize(("part", "given"), PLAIN.values(), ids=PLAIN)
def test_only_plain_arguments_by_name_are_taken(part, given, tiny_checkpoint):
    path = tiny_checkpoint(
        lambda record: record["config"]["model"]["network"]["depression"][part].update(given)
    )
    with pytest.raises(ForbiddenTarget, match=rf"^model\.network\.depression\.{part}") as caught:
        load_checkpoint(path)
    assert any("tiny.ckpt" in note for note in caught.value.__notes__)


@pytest.mark.parametrize("weights", ["hf-hub:timm/resnet18.a1_in1k", "{folder}/w.safetensors"])
def test_weights_that_a_stranger_names_are_not_opened_though_they_are_there(
    weights, tiny_checkpoint, tmp_path, monkeypatch
):
    opened = []
    monkeypatch.setattr("models.trunks.timm_weights.locate", lambda *given, **_: opened.append(given))
    monkeypatch.setattr("models.weights.locate.hf_hub_download", lambda *given: opened.append(given))
    save_file({"a": torch.ones(1)}, tmp_path / "w.safetensors")
    trunk = {"_target_": "models.trunks.frames.FramesTrunk", "backbone": "resnet18"}
    trunk["weights"] = weights.format(folder=tmp_path)
    path = tiny_checkpoint(
        lambda record: record["config"]["model"]["network"]["depression"].update(trunk=trunk)
    )
    for open_it in (load_checkpoint, load_network):
        with pytest.raises(ForbiddenTarget, match="a checkpoint holds its weights, nothing is opened"):
            open_it(path)
    assert opened == []


WEIGHTS = {
    **{"source": "file", "name": "w.pth", "url": None, "sha256": "0" * 64, "license": None, "taken": 3},
    **{"left_out": ["fc.bias"], "resized": []},
}


def test_the_weights_that_a_run_began_with_are_kept_as_plain_text(tiny_checkpoint):
    path = tiny_checkpoint(lambda record: record.update(pretrained={"depression.trunk": WEIGHTS}))
    assert load_checkpoint(path).pretrained == {"depression.trunk": WEIGHTS}


@pytest.mark.parametrize(
    "found",
    [
        [],
        {"trunk": "w.pth"},
        {"trunk": {"name": "w.pth"}},
        {"trunk": WEIGHTS | {"taken": "3"}},
        {"trunk": WEIGHTS | {"left_out": [1]}},
        {"trunk": WEIGHTS | {"path": "/home/me"}},
    ],
)
def test_what_no_training_writes_of_its_weights_is_refused(found, tiny_checkpoint):
    path = tiny_checkpoint(lambda record: record.update(pretrained=found))
    with pytest.raises(CheckpointError, match="weights"):
        load_checkpoint(path)
