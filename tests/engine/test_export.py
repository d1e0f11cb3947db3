"""`export.py` and `eval.py exported=`: all formats of three networks predict what the checkpoints predict."""

import json
import re
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra import compose, initialize_config_dir

from engine.config.compose import ConfigError, plain_config, root_keys
from engine.config.source_code import ROOT
from engine.evaluate import evaluate
from engine.export import export
from engine.exporting.bundle import ExportError, read_bundle
from engine.train import train
from tests.conftest import COHORT, PIXELS, SERIES, SMALL, composed

FORMATS = ("safetensors", "torch_export", "onnx")
TIMM = [
    "experiment=mpdrm_timm",
    "model.network.depression.trunk.backbone=resnet10t",
    *(word for word in PIXELS if "trunk" not in word and not word.startswith("experiment=")),
]

LONGER = [*SERIES, "data.module.train_clips.length=20", "data.module.eval_clips.length=20"]
"""ONNX has no differences over as many steps as a clip has, 8 in clips of 8: see docs/guide/export.md."""
ITEMS = [*LONGER, "data=synthetic_dass", "model/heads=items"]


def command(name, *words):
    with initialize_config_dir(str(ROOT / "conf"), version_base="1.3"):
        config = compose(name, list(words))
        if name == "eval" and config.exported is not None:
            config.ckpt_path = None
        return plain_config(config, keys=root_keys(name))


def trained(words, cohorts, folder):
    """A run of one epoch; its best checkpoint."""
    config = composed(*words, "trainer.max_epochs=1", f"paths.data={cohorts}", output=folder)
    train(config, folder=folder)
    return folder / "checkpoints" / "best.ckpt"


@pytest.fixture(scope="module")
def exported(cohorts, tmp_path_factory):
    """A trained network of each kind in all formats: folder of its run, and of its bundles."""
    made = {}

    def make(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            words = {"series": LONGER, "pixels": PIXELS, "timm": TIMM, "items": ITEMS}[kind]
            best = trained(words, cohorts, folder / "run")
            words = [f"ckpt_path={best}", f"paths.data={cohorts}", f"paths.output={folder / 'log'}"]
            export(command("export", *words), folder=folder / "log")
            made[kind] = folder / "run"
        return made[kind]

    return make


@pytest.fixture
def predictions(cohorts, tmp_path):
    """Predictions of an evaluation: `predictions("exported=...")`."""

    def run(*words):
        folder = tmp_path / "eval" / str(len(list(tmp_path.glob("eval/*"))))
        given = [f"paths.data={cohorts}", f"paths.output={folder}", "evaluation.n_boot=1000"]
        evaluate(command("eval", *words, *given), folder=folder)
        return pd.read_csv(folder / "predictions.csv"), json.loads((folder / "metrics.json").read_text())

    return run


@pytest.mark.slow  # trains, exports in three formats, evaluates four times
@pytest.mark.parametrize("kind", ["series", "pixels", "timm", "items"])
def test_every_format_predicts_what_the_checkpoint_predicts(kind, exported, predictions):
    pytest.importorskip("onnxruntime")
    run = exported(kind)
    wanted, metrics = predictions(f"ckpt_path={run / 'checkpoints' / 'best.ckpt'}")
    assert wanted["score_prediction"].nunique() > 2
    for form in FORMATS:
        bundle = run / "export" / f"best.{form}.zip"
        found, measured = predictions(f"exported={bundle}")
        assert found["recording_id"].tolist() == wanted["recording_id"].tolist()
        further = [name for name in wanted if name.startswith(("item_", "DASS-21-"))]
        assert len(further) == (2 * 21 + 4 * 3 if kind == "items" else 0)
        for name in ("score_prediction", "binary_prediction", *further):
            np.testing.assert_allclose(found[name], wanted[name], rtol=0, atol=1e-5)
        assert measured["threshold"]["value"] == pytest.approx(metrics["threshold"]["value"], abs=1e-5)
        _check_certificate(bundle, relative=kind == "items")


@pytest.mark.slow
def test_a_format_that_is_refused_keeps_no_other_from_being_written(exported, cohorts, tmp_path, monkeypatch):
    def refused(*given, **named):
        raise ExportError("no such operator")

    monkeypatch.setattr("engine.exporting.formats.onnx_to_bytes", refused)
    words = [f"ckpt_path={exported('pixels') / 'checkpoints/best.ckpt'}", f"paths.data={cohorts}"]
    words += [f"output={tmp_path / 'bundles'}", f"paths.output={tmp_path / 'log'}"]
    with pytest.raises(ExportError, match=r"no such operator. Written: .*safetensors\.zip.*torch_export"):
        export(command("export", *words), folder=tmp_path / "log")
    kept = json.loads((tmp_path / "log/manifest.json").read_text())["bundles"]
    assert [Path(one).name for one in kept] == ["best.safetensors.zip", "best.torch_export.zip"]


def _check_certificate(bundle, *, relative):
    """Differences as small as they must be; of a score that is a sum of answers, by its largest value."""
    certificate = json.loads(bundle.with_suffix(".json").read_text())
    assert certificate == json.loads(read_bundle(bundle)["certificate.json"])
    for one in certificate["parity"].values():
        for name in ("score", "binary"):
            allowed = 1e-5 * (max(1.0, one["largest_value"][name]) if relative else 1.0)
            assert one["largest_difference"][name] <= allowed
    assert certificate["parity"]["recordings"]["recordings"] > 0
    assert {"python", "torch"} <= set(certificate["versions"])
    card = json.loads(read_bundle(bundle)["card.json"])
    assert "not a diagnostic device" in card["limits"][0]
    assert [one["name"] for one in card["inputs"]][1:] == ["mask", "subject", "row"]


@pytest.mark.slow
def test_the_onnx_file_runs_without_this_package_as_its_page_shows(exported):
    pytest.importorskip("onnxruntime")
    text = (ROOT / "docs/guide/export.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    assert "engine" not in block
    shown: dict[str, Any] = {}
    exec(block.replace("best.onnx.zip", str(exported("series") / "export" / "best.onnx.zip")), shown)
    assert shown["known"].tolist() == [True, True, False]
    assert shown["score"].shape == (3,)
    assert shown["channels"] == len(shown["card"]["channels"]) > 0


@pytest.mark.slow
def test_no_path_of_the_machine_is_in_a_network(exported):
    for form, name in zip(FORMATS, ("network.safetensors", "network.pt2", "network.onnx"), strict=True):
        content = read_bundle(exported("series") / "export" / f"best.{form}.zip")[name]
        assert str(ROOT).encode() not in content, form


@pytest.mark.slow
def test_a_flipped_byte_of_a_real_bundle_stops_its_evaluation(exported, predictions, tmp_path):
    for form, name in zip(FORMATS, ("network.safetensors", "network.pt2", "network.onnx"), strict=True):
        bundle = Path(shutil.copy(exported("series") / "export" / f"best.{form}.zip", tmp_path))
        content = bytearray(bundle.read_bytes())
        with zipfile.ZipFile(bundle) as archive:
            content[archive.getinfo(name).header_offset + 500] ^= 1
        bundle.write_bytes(bytes(content))
        with pytest.raises(ExportError, match=f"{name} was altered"):
            predictions(f"exported={bundle}")


@pytest.mark.slow
def test_what_looks_inside_a_program_is_refused_before_the_work(exported, predictions):
    bundle = exported("series") / "export" / "best.onnx.zip"
    for word in ("audit=true", "attribution=true"):
        with pytest.raises(ConfigError, match=r"gives its answers alone.*ckpt_path="):
            predictions(f"exported={bundle}", word)
    with pytest.raises(ConfigError, match="the one set"):
        predictions(f"exported={bundle}", "weights=raw")


def test_a_wrong_format_is_answered_with_the_right_ones(tmp_path):
    with pytest.raises(ExportError, match="format=tflite: write safetensors, torch_export, onnx, or all"):
        export(command("export", "ckpt_path=x", "format=tflite", f"paths.output={tmp_path}"), folder=tmp_path)


@pytest.mark.slow
def test_a_network_of_packed_sequences_is_refused_with_a_way_out(cohorts, tmp_path):
    best = trained(["experiment=lstm", *COHORT, *SMALL], cohorts, tmp_path / "run")
    given = [f"ckpt_path={best}", f"paths.data={cohorts}", f"paths.output={tmp_path / 'log'}", "recordings=0"]
    with pytest.raises(ExportError, match="Export its weights alone, with format=safetensors"):
        export(command("export", *given, "format=torch_export"), folder=tmp_path / "log")
    (bundle,) = export(command("export", *given, "format=safetensors"), folder=tmp_path / "log2")
    assert bundle.is_file()
