"""A trial of a sweep reads no test part; tested later, it is the run that it would have been."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from datamodules.feature_leakage.channels import LeakageError
from engine.checkpoints.checkpoint import load_checkpoint
from engine.train import train
from engine.training import measure

THREE = "data.module.eval_clips.clips=3"  # as the run that it is compared with


@pytest.fixture(scope="module")
def trial(small_run, tmp_path_factory):
    """A finished run whose test part was not read."""
    return small_run(tmp_path_factory.mktemp("trial") / "run", THREE, "evaluation.test=false")


@pytest.fixture
def again(trial, tmp_path, monkeypatch):
    """The trial as it stood before its end, in a folder of its own: `again(test)` ends it once more."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trial.folder, tmp_path / "run")
    record = json.loads((tmp_path / "run/manifest.json").read_text())
    (tmp_path / "run/manifest.json").write_text(json.dumps(record | {"status": "running"}))

    def end(*, test):
        from engine.config.differences import moved

        config = moved(trial.config, tmp_path / "run")
        train(config | {"evaluation": config["evaluation"] | {"test": test}}, folder=tmp_path / "run")
        return tmp_path / "run"

    return end


def test_a_trial_predicts_validation_alone_and_looks_at_no_test_part(trial):
    split = load_checkpoint(trial.best).split
    table = pd.read_csv(trial.folder / "predictions.csv", dtype={"recording_id": str})
    assert sorted(table["recording_id"]) == sorted(split["val"])
    assert trial.record["test_looks"] == 0
    assert trial.record["looks"] == {}
    assert trial.objective == trial.record["chosen"]["value"]
    assert not (trial.folder / "metrics.json").exists()
    assert not (trial.folder / "report.html").exists()


def test_a_trial_that_is_tested_is_the_run_that_nobody_held_back(again, series_run):
    folder = again(test=True)
    assert (folder / "metrics.json").read_bytes() == (series_run.folder / "metrics.json").read_bytes()
    assert (folder / "history.csv").read_bytes() == (series_run.folder / "history.csv").read_bytes()
    assert json.loads((folder / "manifest.json").read_text())["test_looks"] == 1
    kept, other = (load_checkpoint(run / "checkpoints/best.ckpt") for run in (folder, series_run.folder))
    assert kept.calibration == other.calibration
    assert all(torch.equal(value, other.state_dict[name]) for name, value in kept.state_dict.items())


def test_a_trial_that_predicts_its_test_part_is_refused(again, monkeypatch):
    def planted(*arguments, **named):
        measure.measure(*arguments, **named, unselected=None)

    monkeypatch.setattr(measure, "measure_validation", planted)
    with pytest.raises(LeakageError, match=r"evaluation\.test=false: this run may not read its test part"):
        again(test=False)


def test_a_trial_that_reads_test_labels_finds_none(again, monkeypatch):
    met = {}

    def planted(predict, manifest, split, **named):
        table = manifest.table.set_index("recording_id")
        met.update({part: table.loc[list(getattr(split, part)), "score"] for part in ("val", "test")})
        return predicted(predict, manifest, split, **named)

    predicted = measure.predicted_recordings
    monkeypatch.setattr(measure, "predicted_recordings", planted)
    again(test=False)
    assert np.isfinite(met["val"]).all()
    assert len(met["test"])
    assert met["test"].isna().all()
