"""What validation taught is used as long as recordings are made of clips as they were then."""

import dataclasses
import json
import shutil

import pandas as pd
import pytest

from engine.checkpoints.checkpoint import add_calibration, load_checkpoint, with_weights
from engine.evaluate import evaluate
from engine.inference.person_changes import plain
from engine.inference.recorded_run import taught, unlike
from evaluation.change.change_rule import ChangeRule
from evaluation.change.change_scores import Learned

RULE = ChangeRule(
    visits=(1,), noise=(9.0,), df=(40.0,), slope=0.8, slope_variance=0.01, known=False,
    intercept=1.0, level=0.0, persons=40, middle=20.0, steepness=0.0,
)  # fmt: skip


@pytest.fixture
def checkpoint(tiny_checkpoint):
    path = tiny_checkpoint()
    add_calibration(path, {"score_target": [3.0]}, change=plain(Learned(RULE)))
    return load_checkpoint(path)


def test_under_another_rule_for_clips_nothing_that_was_learned_is_applied(checkpoint, caplog):
    own = checkpoint.config["evaluation"]
    assert taught(checkpoint, {"evaluation": own}) == (checkpoint, ())
    assert taught(checkpoint, {"evaluation": own | {"n_boot": 7}}) == (checkpoint, ())
    other, (remark,) = taught(checkpoint, {"evaluation": own | {"aggregate": "median"}})
    assert (other.calibration, other.change) == ({}, {})
    assert other.state_dict is checkpoint.state_dict
    assert "evaluation.aggregate=median, and by mean in training" in remark
    assert remark in caplog.text


def test_of_other_weights_no_rule_for_changes_is_taken(checkpoint):
    averaged = dataclasses.replace(checkpoint, trained=dict(checkpoint.state_dict), weights="ema")
    assert with_weights(averaged, "ema").change == checkpoint.change != {}
    assert with_weights(averaged, "raw").change == {}


def test_changes_of_new_persons_are_not_told_by_a_rule_for_other_recordings(
    series_run, own_table, tmp_path, monkeypatch
):
    named = {name: "x" + own_table[name] for name in ("recording_id", "subject_id")}
    own_table.assign(**named).to_csv(tmp_path / "other.csv", index=False)
    found = load_checkpoint(series_run.best)
    found = dataclasses.replace(found, change=plain(Learned(RULE)))
    monkeypatch.setattr("engine.inference.recorded_run.load_checkpoint", lambda _: found)
    given = {
        "ckpt_path": str(series_run.best), "manifest": str(tmp_path / "other.csv"), "num_workers": None,
        "trainer": None, "accept_leaks": ["*"],
    }  # fmt: skip
    same = evaluate(given, folder=tmp_path / "same")
    assert len(same.changes) == 10
    assert same.threshold.value is not None
    other = evaluate(given | {"evaluation": {"aggregate": "median"}}, folder=tmp_path / "other")
    assert other.changes.empty
    assert "holds no rule" in other.metrics["change"]["reason"]
    assert other.threshold.value is None
    assert "low" not in other.test or other.test["low"].isna().all()
    assert "Recordings are combined by evaluation.aggregate=median" in (
        (tmp_path / "other" / "report.html").read_text()
    )
    told = [pd.read_csv(tmp_path / name / "predictions.csv")["prediction"] for name in ("same", "other")]
    assert not told[0].equals(told[1])


def test_a_file_in_the_folder_of_another_network_is_known(series_run):
    own = load_checkpoint(series_run.folder / "checkpoints/best.ckpt")
    record = json.loads((series_run.folder / "manifest.json").read_text())
    assert unlike(own, record) == ""
    assert unlike(own, record | {"data_digest": "other"}) == "of other data"
    assert unlike(own, record | {"config": record["config"] | {"seed": 7}}) == "seed: 0 there, 7 here"
    assert unlike(own, {}) == ""


@pytest.mark.slow
def test_a_look_is_counted_by_the_run_of_the_network_alone(series_run, small_run, cohorts, tmp_path, caplog):
    other = small_run(tmp_path / "other", "seed=1", "trainer.max_epochs=1").folder
    copied = other / "checkpoints/copied.ckpt"
    shutil.copy(series_run.folder / "checkpoints/best.ckpt", copied)
    before = json.loads((other / "manifest.json").read_text())["test_looks"]
    given = {"ckpt_path": str(copied), "manifest": None, "num_workers": None, "trainer": None}
    evaluate(given | {"paths": {"data": str(cohorts), "output": str(tmp_path / "e")}}, folder=tmp_path / "e")
    assert "lies in the folder of another run (seed: 0 there, 1 here), so" in caplog.text
    assert json.loads((other / "manifest.json").read_text())["test_looks"] == before
    assert json.loads((tmp_path / "e/manifest.json").read_text())["test_looks"] is None
