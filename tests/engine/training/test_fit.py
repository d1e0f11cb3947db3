from pathlib import Path

import pytest
import torch

from datamodules.splits.protocols import Split
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.build import build
from engine.inference.predictions import ClipPredictions, prediction_trainer
from engine.inference.rebuild import predict_part, rebuild
from engine.inspection.filmstrips import filmstrips
from engine.runs.provenance import read_manifest_json


def everything(manifest):
    return Split(name="all", train=(), val=(), test=tuple(manifest.table["recording_id"]))


def test_a_rebuilt_network_has_the_weights_of_its_file_and_downloads_nothing(series_run):
    checkpoint = load_checkpoint(series_run.best)
    task = rebuild(checkpoint)
    assert not task.training
    assert all(torch.equal(value, checkpoint.state_dict[name]) for name, value in task.state_dict().items())


def test_predictions_do_not_depend_on_how_people_are_packed(series_run):
    checkpoint = load_checkpoint(series_run.best)
    config = series_run.config
    manifest = build(config["data"]["manifest"], key="data.manifest")
    tables = []
    for size in (4, 64):
        packed = config | {
            "data": config["data"] | {"module": config["data"]["module"] | {"max_eval_clips": size}}
        }
        part = predict_part(
            prediction_trainer(packed), rebuild(checkpoint), packed, manifest, everything(manifest)
        )
        tables.append(part.table)
    assert torch.allclose(*(torch.tensor(table["score"].to_numpy()) for table in tables), atol=1e-4)
    assert tables[0]["recording_id"].tolist() == tables[1]["recording_id"].tolist()


def test_filmstrips_show_the_frames_the_network_saw(pixel_run):
    run = pixel_run
    checkpoint = load_checkpoint(run.best)
    manifest = build(checkpoint.config["data"]["manifest"], key="data.manifest")
    clips = predict_part(
        prediction_trainer(run.config), rebuild(checkpoint), run.config, manifest, everything(manifest)
    )
    strips = filmstrips(clips, manifest, run.config)
    assert len(strips) == run.config["evaluation"]["filmstrips"] == 3
    for strip in strips:
        assert strip.frames.shape == (8, 32, 32, 3)
        assert strip.frames.std() > 1
        assert abs(float(strip.weights.sum()) - 1) < 1e-4
    shown = (Path(run.folder) / "report.html").read_text()
    tested = clips.table[clips.table["recording_id"].isin(checkpoint.split["test"])]
    assert shown.count("data:image") > 3
    assert any(name in shown for name in tested["recording_id"])
    off = run.config | {"evaluation": run.config["evaluation"] | {"filmstrips": 0}}
    assert filmstrips(clips, manifest, off) == ()
    blind = ClipPredictions(table=clips.table, attention=())
    assert filmstrips(blind, manifest, run.config) == ()


def test_a_failed_run_says_so(small_run, tmp_path):
    with pytest.raises(ValueError, match="kernel"):
        small_run(tmp_path / "run", "model.network.depression.trunk.kernel=4")
    content = read_manifest_json(tmp_path / "run")
    assert content["status"].startswith("failed: ValueError")
