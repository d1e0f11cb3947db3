"""`train.py` and what it stands on, end to end on small cohorts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from engine.checkpoints.checkpoint import KEY, CheckpointError, load_checkpoint
from engine.checkpoints.recorded_config import recorded
from engine.config.source_code import ROOT
from engine.inference.clip_predictions import rebuild
from engine.train import train
from engine.training import crossval
from engine.training.fit import train_split
from tests.commands import command


def read(path):
    ids = dict.fromkeys(("recording_id", "subject_id", "session_id", "split"), str)
    return pd.read_csv(path, dtype=ids)


def weights(path):
    return torch.load(path, weights_only=True)["state_dict"]


def test_a_run_leaves_all_its_files(series_run):
    files = {
        path.relative_to(series_run.folder).as_posix()
        for path in series_run.folder.rglob("*")
        if path.is_file()
    }
    assert files >= {
        "metrics.json",
        "predictions.csv",
        "manifest.json",
        "report.html",
        "history.csv",
        "checkpoints/best.ckpt",
        "checkpoints/last.ckpt",
    }


def test_metrics_have_the_published_shape(series_run):
    metrics = json.loads((series_run.folder / "metrics.json").read_text())
    assert set(metrics) >= {"test", "val", "reference"}
    for part in ("test", "val"):
        for name in ("auc", "mae"):
            assert set(metrics[part][name]) >= {"value", "low", "high"}
    assert set(metrics["reference"]) >= {"constant", "identity", "nuisance", "oracle"}
    assert metrics["reference"]["identity"] is None
    assert metrics["reference"]["constant"]["mae"]["value"] > 0
    assert metrics["reference"]["oracle"]["raw"]["auc"]["value"] > 0.5
    assert metrics["threshold"]["split"] == "val"


def test_predictions_cover_validation_and_test_once(series_run):
    table = read(series_run.folder / "predictions.csv")
    split = load_checkpoint(series_run.best).split
    first = ["recording_id", "subject_id", "session_id", "split", "target", "prediction", "low", "high"]
    assert list(table.columns[:8]) == first
    for part in ("val", "test"):
        assert sorted(table.loc[table["split"] == part, "recording_id"]) == sorted(split[part])
    test = table[table["split"] == "test"]
    assert (test["low"] <= test["prediction"]).all()
    assert (test["prediction"] <= test["high"]).all()
    assert table["prediction"].nunique() > 1


def test_the_objective_is_the_validation_metric_of_the_chosen_epoch(series_run):
    history = pd.read_csv(series_run.folder / "history.csv")
    assert len(history) == 2
    assert series_run.objective == pytest.approx(history["val/auc"].max(), abs=1e-6)


def test_the_run_manifest_names_data_seed_and_looks(series_run):
    content = series_run.record
    assert content["status"] == "finished"
    assert content["seed"] == 0
    assert content["recordings"] == 20
    assert len(content["data_digest"]) == 64
    assert content["test_looks"] == 1
    assert content["subject_disjoint"] is True


def test_a_checkpoint_loads_as_plain_weights_with_its_config(series_run):
    content = torch.load(series_run.best, weights_only=True)
    assert "hyper_parameters" not in content
    loaded = load_checkpoint(series_run.best)
    source = content[KEY]["config"]["data"]["module"]["source"]
    assert len(source["channels"]) == len(loaded.statistics["series_mean"])
    source["channels"] = None  # named in the checkpoint, whatever the config left open
    expected = recorded(series_run.config)
    # whether the test part was read is of the command, not of the weights
    expected["evaluation"] = {name: one for name, one in expected["evaluation"].items() if name != "test"}
    assert content[KEY]["config"] == expected
    series = {"series_mean", "series_std", "series_person_level", "series_person_gain"}
    labels = {"score_mean", "score_std", "prevalence"}
    assert set(loaded.statistics) == series | labels | {"traits_mean", "traits_std"}
    assert len(loaded.calibration["binary_prediction"]) == len(loaded.split["val"])
    mean = next(value for name, value in loaded.state_dict.items() if name.endswith("standardize.mean"))
    assert torch.equal(mean, torch.tensor(loaded.statistics["series_mean"]))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(small_fit, series_run, tmp_path):
    again = small_fit(tmp_path / "again")
    other = small_fit(tmp_path / "other", "seed=1")
    first, same, others = (
        weights(folder / "checkpoints/last.ckpt") for folder in (series_run.folder, again, other)
    )
    assert all(torch.equal(first[name], value) for name, value in same.items())
    assert not all(torch.equal(first[name], value) for name, value in others.items())


@pytest.mark.parametrize("base", ["series", pytest.param("pixels", marks=pytest.mark.slow)])
def test_four_epochs_equal_two_and_two_more_to_the_last_bit(base, small_fit, tmp_path):
    dropout = ["model.network.rarm.dropout=0.5", "model.scheduler.T_max=4"]
    whole = small_fit(tmp_path / "whole", "trainer.max_epochs=4", *dropout, base=base)
    half = small_fit(tmp_path / "half", "trainer.max_epochs=2", *dropout, base=base)
    last = half / "checkpoints" / "last.ckpt"
    rest = small_fit(tmp_path / "rest", "trainer.max_epochs=4", f"ckpt_path={last}", *dropout, base=base)
    expected, resumed = (
        torch.load(folder / "checkpoints/last.ckpt", weights_only=True) for folder in (whole, rest)
    )
    assert expected["state_dict"].keys() == resumed["state_dict"].keys()
    assert all(
        torch.equal(value, resumed["state_dict"][name]) for name, value in expected["state_dict"].items()
    )
    assert not all(torch.equal(value, weights(last)[name]) for name, value in expected["state_dict"].items())
    moments = [run["optimizer_states"][0]["state"] for run in (expected, resumed)]
    assert all(torch.equal(moments[0][i]["exp_avg"], moments[1][i]["exp_avg"]) for i in moments[0])
    curves = [pd.read_csv(folder / "history.csv") for folder in (whole, rest)]
    pd.testing.assert_frame_equal(curves[0], curves[1], check_exact=True)


def test_resuming_on_another_split_is_refused(small_fit, series_run, tmp_path):
    last = series_run.folder / "checkpoints" / "last.ckpt"
    with pytest.raises(CheckpointError, match="another manifest or split"):
        small_fit(tmp_path / "run", f"ckpt_path={last}", "protocol.seed=1")


def _stopped_in_fold_1(*arguments, folder, **named):
    if folder.name == "fold_1":
        raise KeyboardInterrupt
    return train_split(*arguments, folder=folder, **named)


@pytest.mark.slow
def test_folds_are_pooled_out_of_fold_and_finished_ones_are_kept(small_run, tmp_path, monkeypatch):
    overrides = ["protocol=kfold", "protocol.folds=2", "protocol.val=0.3", "trainer.max_epochs=1"]
    monkeypatch.setattr(crossval, "train_split", _stopped_in_fold_1)
    with pytest.raises(KeyboardInterrupt):
        small_run(tmp_path / "run", *overrides)
    monkeypatch.undo()
    first = tmp_path / "run" / "fold_0" / "checkpoints" / "last.ckpt"
    made = first.stat().st_mtime_ns
    run = small_run(tmp_path / "run", *overrides)
    assert first.stat().st_mtime_ns == made
    pooled = read(run.folder / "predictions.csv")
    assert set(pooled["split"]) == {"test"}
    assert sorted(pooled["recording_id"]) == sorted({f"P{p:04d}_V{v}" for p in range(10) for v in (1, 2)})
    persons = []
    for fold in ("fold_0", "fold_1"):
        own = read(run.folder / fold / "predictions.csv").query("split == 'test'").set_index("recording_id")
        shared = pooled.set_index("recording_id").loc[own.index]
        assert np.array_equal(own["prediction"], shared["prediction"])
        persons.append(set(own["subject_id"]))
    assert not persons[0] & persons[1]
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["test"]["counts"]["recordings"] == 20
    assert metrics["reference"]["constant"]["mae"]["value"] > 0
    assert len(metrics["folds"]["mae"]["values"]) == 2
    assert (run.folder / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("overrides", "why"),
    [
        (["callbacks=none"], "no callback selects"),
        (["+trainer.check_val_every_n_epoch=5"], "val/auc chose no checkpoint in 1 epochs"),
        (["+callbacks.best.every_n_epochs=5"], "val/auc chose no checkpoint in 1 epochs"),
    ],
)
def test_weights_that_validation_did_not_choose_say_so(overrides, why, small_run, tmp_path):
    run = small_run(tmp_path / "run", "trainer.max_epochs=1", *overrides)
    assert run.objective is None
    assert why in run.record["unselected"]
    assert "Not chosen by validation" in (run.folder / "report.html").read_text()


def test_without_callbacks_the_last_weights_are_evaluated(small_fit, tmp_path):
    run = small_fit(tmp_path / "run", "callbacks=none", "callbacks/ema=none", "trainer.max_epochs=1")
    best, last = (weights(run / "checkpoints" / name) for name in ("best.ckpt", "last.ckpt"))
    assert all(torch.equal(best[name], last[name]) for name in best)


def test_a_planted_leak_stops_the_run(compose_own, own_table, tmp_path):
    table = own_table
    table.loc[0, "split"] = "test" if table.loc[1, "split"] == "train" else "train"  # one visit changes sides
    with pytest.raises(ValueError, match="P0000"):
        train(compose_own(table), folder=tmp_path / "run")
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["exit_status"] == 1
    assert not (tmp_path / "run" / "checkpoints").exists()


@pytest.mark.parametrize("part", [pytest.param("train", marks=pytest.mark.slow), "test"])
def test_an_unreadable_recording_is_reported_in_training_and_stops_the_test(
    part, compose_own, own_table, tmp_path
):
    table = own_table
    row = table.index[table["split"] == part][0]
    broken = tmp_path / "broken.npz"
    broken.write_bytes(Path(table.loc[row, "series_path"]).read_bytes()[:200])
    table.loc[row, ["series_path", "content_hash"]] = [str(broken), ""]
    config, run = compose_own(table), tmp_path / "run"
    if part == "test":
        with pytest.raises(ValueError, match=r"broken\.npz"):
            train(config, folder=run)
        return
    train(config, folder=run)
    skipped = json.loads((run / "manifest.json").read_text())["skipped"]
    assert list(skipped) == [table.loc[row, "recording_id"]]
    assert "broken.npz" in skipped[table.loc[row, "recording_id"]]
    assert "broken.npz" in (run / "report.html").read_text()


def test_pixels_train_end_to_end(pixel_run):
    assert len(read(pixel_run.folder / "predictions.csv")) > 0
    assert "data:image" in (pixel_run.folder / "report.html").read_text()


@pytest.mark.slow
def test_bands_train_end_to_end(small_run, tmp_path):
    run = small_run(tmp_path / "run", "model/heads=bands", "selection.monitor=val/quadratic_kappa")
    assert "quadratic_kappa" in json.loads((run.folder / "metrics.json").read_text())["test"]


def test_a_run_logs_what_its_model_promises(series_run):
    task = rebuild(load_checkpoint(series_run.best))
    columns = pd.read_csv(series_run.folder / "history.csv").columns
    assert {name for name in columns if name.startswith("val/")} == task.logged_names("val")


@pytest.mark.command
def test_the_command_trains(series_overrides, cohorts, tmp_path):
    done = command("train.py", *series_overrides, f"paths.data={cohorts}", f"hydra.run.dir={tmp_path}/run")
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "run" / "report.html").is_file()
    assert len(list((tmp_path / "run" / ".hydra").glob("*/config.yaml"))) == 1


@pytest.mark.command
def test_a_sweep_of_hydra_runs_every_job(series_overrides, cohorts, tmp_path):
    shared = [
        *series_overrides,
        f"paths.data={cohorts}",
        "trainer.max_epochs=1",
        f"hydra.sweep.dir={tmp_path}/multirun",
    ]
    done = command("train.py", "-m", "seed=0,1", *shared)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {path.parent.name for path in tmp_path.glob("multirun/*/metrics.json")} == {"0", "1"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["-m", "seed=0,1", "selection.mode=min"], "would keep the worst"),
        (["-m", "seed=0,1", "trainer=ddp"], "every rank would start the sweep"),
    ],
)
@pytest.mark.command
def test_a_sweep_that_cannot_mean_well_is_refused(series_overrides, overrides, message, tmp_path):
    done = command("train.py", *overrides, *series_overrides, f"hydra.sweep.dir={tmp_path}")
    assert done.returncode != 0
    assert message in done.stderr


def launched(*words):
    """A command in a process of its own, which Lightning starts again for the other rank."""
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip


@pytest.mark.slow
def test_two_processes_predict_each_recording_once_and_agree_with_one(series_overrides, cohorts, tmp_path):
    overrides = [o for o in series_overrides if not o.startswith("data.module.subjects")]
    done = launched(
        "train.py", *overrides, "trainer=ddp", "trainer.accelerator=cpu", "trainer.precision=32-true",
        "trainer.deterministic=true", "data.module.subjects=2", "data.module.max_eval_clips=8",
        f"paths.data={cohorts}", f"hydra.run.dir={tmp_path}/run",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    table = read(tmp_path / "run" / "predictions.csv")
    assert not table["recording_id"].duplicated().any()
    split = load_checkpoint(tmp_path / "run/checkpoints/best.ckpt").split
    assert sorted(table["recording_id"]) == sorted([*split["val"], *split["test"]])
    done = command(
        "eval.py", f"ckpt_path={tmp_path}/run/checkpoints/best.ckpt", f"hydra.run.dir={tmp_path}/eval"
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "eval/metrics.json").read_bytes() == (tmp_path / "run/metrics.json").read_bytes()
    assert (tmp_path / "eval/predictions.csv").read_bytes() == (tmp_path / "run/predictions.csv").read_bytes()
