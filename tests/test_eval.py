"""`eval.py`: the same numbers again, other manifests, and checkpoints that are refused."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from datamodules.manifests.manifest import read_manifest
from datamodules.series import UnreadableSeries
from engine.checkpoints.checkpoint import KEY, CheckpointError, load_checkpoint, seal
from engine.config.compose import ConfigError
from engine.config.source_code import ROOT
from engine.config.targets import ForbiddenTarget
from engine.evaluate import _material, evaluate
from engine.predict import predict
from engine.runs.provenance import read_manifest_json
from evaluation.baselines.reference_lines import NUISANCE

ARGUMENTS = {"manifest": None, "num_workers": None, "trainer": None, "evaluation": None}


@pytest.fixture(autouse=True)
def _where_the_own_recordings_are(cohorts):
    ARGUMENTS["paths"] = {"data": str(cohorts)}


def test_evaluating_again_gives_the_same_numbers_to_the_last_digit(series_run, tmp_path, caplog):
    caplog.set_level("INFO")
    looks = read_manifest_json(series_run.folder)["test_looks"]
    evaluate(ARGUMENTS | {"ckpt_path": str(series_run.best)}, folder=tmp_path)
    for name in ("metrics.json", "predictions.csv"):
        assert (tmp_path / name).read_bytes() == (series_run.folder / name).read_bytes()
    assert (tmp_path / "report.html").is_file()
    last = caplog.messages[-1]
    assert last.startswith("evaluation is finished")
    assert f"report      {tmp_path / 'report.html'}" in re.sub(r" {6,}", "      ", last)
    assert f"python -m evaluation.comparison {tmp_path} FOLDER" in last
    assert read_manifest_json(series_run.folder)["test_looks"] == looks + 1
    assert read_manifest_json(tmp_path)["test_looks"] == looks + 1


@pytest.mark.command
def test_another_process_gives_the_same_numbers_to_the_last_digit(series_run, cohorts, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, ROOT / "eval.py", f"ckpt_path={series_run.best}"),
            *(f"paths.data={cohorts}", f"hydra.run.dir={tmp_path}"),
        ],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("metrics.json", "predictions.csv"):
        assert (tmp_path / name).read_bytes() == (series_run.folder / name).read_bytes()


def other_manifest(cohorts, folder, *, rename=None):
    """The small cohort as somebody else's table, with absolute paths."""
    source = next(cohorts.glob("synthetic/*/manifest.csv"))
    table = pd.read_csv(source, dtype=str, keep_default_na=False)
    for column in ("path", "series_path", "landmark_path"):
        table[column] = [str(source.parent / name) if name else "" for name in table[column]]
    if rename:
        table["recording_id"] = rename + table["recording_id"]
        table["subject_id"] = rename + table["subject_id"]
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "other.csv", index=False)
    return folder / "other.csv"


@pytest.mark.slow
def test_another_manifest_is_tested_as_a_whole(series_run, cohorts, tmp_path):
    path = other_manifest(cohorts, tmp_path, rename="x")
    found = evaluate(
        ARGUMENTS | {"ckpt_path": str(series_run.best), "manifest": str(path)}, folder=tmp_path / "eval"
    )
    assert len(found.test) == 20
    assert found.val is None
    own = json.loads((series_run.folder / "metrics.json").read_text())
    assert found.threshold.value == own["threshold"]["value"]
    assert found.metrics["reference"]["constant"] is None
    assert "training recordings" in found.metrics["reference"]["reasons"]["constant"]
    predictions = pd.read_csv(series_run.folder / "predictions.csv").set_index("recording_id")[
        "score_prediction"
    ]
    again = found.test.assign(name=found.test["recording_id"].str[1:]).set_index("name")["score_prediction"]
    assert again.loc[predictions.index].to_numpy() == pytest.approx(predictions.to_numpy(), rel=1e-5)
    looks = read_manifest_json(series_run.folder)["looks"]
    key = f"{read_manifest(path).digest()}:all"
    record = read_manifest_json(tmp_path / "eval")
    assert record["test_looks"] == looks[key] >= 1
    tested = pd.read_csv(series_run.folder / "predictions.csv")["split"].eq("test").sum()
    assert record["seen_in_training"]["files"] == len(found.test) - tested  # the same files under other ids
    assert "This is no test:" in (tmp_path / "eval/report.html").read_text()


def test_a_manifest_without_labels_is_for_predict(series_run, cohorts, tmp_path):
    path = other_manifest(cohorts, tmp_path)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.drop(columns=["scale", "score", "binary"], errors="ignore").to_csv(path, index=False)
    arguments = ARGUMENTS | {"ckpt_path": str(series_run.best), "manifest": str(path)}
    with pytest.raises(ConfigError, match=r"predict\.py ckpt_path=.*best\.ckpt input=.*other\.csv"):
        evaluate(arguments, folder=tmp_path / "eval")
    checkpoint = load_checkpoint(series_run.best)
    own = replace(checkpoint, config=checkpoint.config | {"trust": ["my_faces"]})
    with pytest.raises(ConfigError, match=r"best\.ckpt trust=\[my_faces\] input=.*other\.csv"):
        _material(own, str(path), data=cohorts)


def with_series(path, folder, *, keep):
    """The manifest with copies of its series whose channels are picked and ordered by `keep`."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    for row, name in enumerate(table["series_path"]):
        with np.load(name) as archive:
            order = keep([str(channel) for channel in archive["channels"]])
            arrays = dict(archive) | {
                "values": archive["values"][:, order],
                "channels": archive["channels"][order],
            }
        table.loc[row, "series_path"] = str(folder / f"{row}.npz")
        np.savez(folder / f"{row}.npz", **arrays)
    table.drop(columns="content_hash", errors="ignore").to_csv(path, index=False)  # these are other files
    return path


@pytest.mark.slow
def test_the_order_of_the_channels_in_the_files_does_not_matter(series_run, cohorts, tmp_path):
    path = other_manifest(cohorts, tmp_path, rename="x")
    arguments = ARGUMENTS | {"ckpt_path": str(series_run.best), "manifest": str(path), "input": str(path)}
    expected = predict(arguments, folder=tmp_path / "one")
    with_series(path, tmp_path, keep=lambda channels: list(range(len(channels)))[::-1])
    found = predict(arguments, folder=tmp_path / "other")
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    table = evaluate(arguments, folder=tmp_path / "evaluated").test
    again = expected.set_index("recording_id")["score_prediction"]
    assert again.loc[table["recording_id"]].tolist() == table["score_prediction"].tolist()


def test_a_manifest_that_lacks_a_channel_is_refused_by_its_name(series_run, cohorts, tmp_path):
    path = other_manifest(cohorts, tmp_path, rename="x")
    names = load_checkpoint(series_run.best).config["data"]["module"]["source"]["channels"]
    with_series(path, tmp_path, keep=lambda channels: [i for i, c in enumerate(channels) if c != names[2]])
    arguments = ARGUMENTS | {"ckpt_path": str(series_run.best), "manifest": str(path), "input": str(path)}
    for command in (evaluate, predict):
        with pytest.raises(UnreadableSeries, match=rf"0\.npz: no channel '{names[2]}'"):
            command(arguments, folder=tmp_path / "out")


@pytest.mark.slow
def test_recordings_the_network_was_trained_on_are_pointed_out(series_run, cohorts, tmp_path):
    path = other_manifest(cohorts, tmp_path)
    evaluate(ARGUMENTS | {"ckpt_path": str(series_run.best), "manifest": str(path)}, folder=tmp_path / "eval")
    notes = read_manifest_json(tmp_path / "eval")["notes"]
    assert "trained or selected on" in notes[0]
    assert "trained or selected on" in (tmp_path / "eval" / "report.html").read_text()


def test_settings_that_do_not_exist_are_refused(series_run, tmp_path):
    config = ARGUMENTS | {"ckpt_path": str(series_run.best), "evaluation": {"nboot": 5}}
    with pytest.raises(ConfigError, match="nboot"):
        evaluate(config, folder=tmp_path)


@pytest.fixture
def altered(series_run, tmp_path):
    """Copy the checkpoint, change it, and seal it again if asked to."""

    def alter(change, *, reseal):
        content = torch.load(series_run.best, weights_only=True)
        change(content)
        if reseal:
            record = {name: value for name, value in content[KEY].items() if name != "digest"}
            content[KEY] = seal(content["state_dict"], record)
        path = tmp_path / "altered.ckpt"
        torch.save(content, path)
        return ARGUMENTS | {"ckpt_path": str(path)}

    return alter


def test_a_changed_weight_is_refused(altered, tmp_path):
    def change(content):
        next(iter(content["state_dict"].values())).view(-1)[0] += 1

    with pytest.raises(CheckpointError, match="digest"):
        evaluate(altered(change, reseal=False), folder=tmp_path / "eval")


def test_a_changed_config_is_refused(altered, tmp_path):
    def change(content):
        content[KEY]["config"]["data"]["manifest"]["seed"] = 5

    with pytest.raises(CheckpointError, match="digest"):
        evaluate(altered(change, reseal=False), folder=tmp_path / "eval")


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "subprocess.run",
        "models.task.torch.load",
        "datamodules.manifests.manifest.Path",
        "canary.Bird",
    ],
)
@pytest.mark.parametrize("place", ["model", "data", "protocol", "trainer"])
def test_a_foreign_target_is_refused_before_anything_is_imported(
    target, place, altered, tmp_path, monkeypatch
):
    (tmp_path / "canary.py").write_text("class Bird:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)

    def change(content):
        content[KEY]["config"][place] = {
            "_target_": target,
            "command": "true",
            "inner": {"_target_": "canary.Bird"},
        }

    with pytest.raises(ForbiddenTarget, match=f"{place}._target_"):
        evaluate(altered(change, reseal=True), folder=tmp_path / "eval")
    assert "canary" not in sys.modules
    assert not (tmp_path / "eval").exists()


@pytest.mark.slow
def test_an_evaluation_setting_can_differ_from_training(series_run, tmp_path):
    config = ARGUMENTS | {
        "ckpt_path": str(series_run.best),
        "evaluation": {"aggregate": "median", "n_boot": None},
    }
    found = evaluate(config, folder=tmp_path)
    trained = pd.read_csv(series_run.folder / "predictions.csv").query("split == 'test'")
    again = pd.read_csv(tmp_path / "predictions.csv").query("split == 'test'")
    assert len(found.test) == len(trained)
    assert not (again["prediction"].to_numpy() == trained["prediction"].to_numpy()).all()


@pytest.mark.slow
def test_an_audit_probes_slices_and_covers_the_own_split(series_run, tmp_path, caplog):
    caplog.set_level("INFO")
    evaluate(ARGUMENTS | {"ckpt_path": str(series_run.best), "audit": True}, folder=tmp_path)
    assert "audit 1 of 7: identity" in caplog.messages
    assert str(tmp_path / "audit.html") in caplog.messages[-1]
    assert "audit=true" not in caplog.messages[-1]
    assert (tmp_path / "metrics.json").read_bytes() == (series_run.folder / "metrics.json").read_bytes()
    found = json.loads((tmp_path / "audit.json").read_text())
    tested = pd.read_csv(tmp_path / "predictions.csv").query("split == 'test'")
    assert set(found["identity"]["accuracy"]) == {"plain", "relieved", "embedding", "personality"}
    assert found["identity"]["recordings"] == len(tested)
    assert found["identity"]["chance"] == pytest.approx(1 / tested["subject_id"].nunique())
    assert set(found["depression"]["personality"]) == {"auc", "pearson", "mae"}
    inside = tested["target"].between(tested["low"], tested["high"])
    assert found["coverage"]["reached"]["value"] == pytest.approx(inside.mean())
    assert {"sex", "age", "task", "site", "corpus", "discrepancy"} == set(found["slices"])
    assert set(found["nuisance"]["columns"]) | set(found["nuisance"]["reasons"]) == set(NUISANCE)
    assert found["labels"]["mae"]["value"] == pytest.approx(
        (tested["target"] - tested["prediction"]).abs().mean()
    )
    page = (tmp_path / "audit.html").read_text()
    assert "depression features before RARM" in page
    assert "http" not in re.sub(r"data:[^\"]*", "", page)  # self-contained
    assert page.count("<h2>") == len(found) + 1


@pytest.mark.slow
def test_an_audit_of_another_manifest_gives_reasons(series_run, cohorts, tmp_path):
    path = other_manifest(cohorts, tmp_path, rename="x")
    arguments = ARGUMENTS | {"ckpt_path": str(series_run.best), "manifest": str(path), "audit": True}
    evaluate(arguments, folder=tmp_path / "eval")
    found = json.loads((tmp_path / "eval" / "audit.json").read_text())
    assert "not part of this manifest" in found["depression"]["reason"]
    assert found["identity"]["persons"] == 10
    assert "not part of this manifest" in (tmp_path / "eval" / "audit.html").read_text()


@pytest.mark.slow
def test_an_audit_of_videos_measures_their_pictures(pixel_run, tmp_path):
    evaluate(ARGUMENTS | {"ckpt_path": str(pixel_run.best), "audit": True}, folder=tmp_path)
    found = json.loads((tmp_path / "audit.json").read_text())["nuisance"]
    measured = set(found["columns"]) | {n for n, why in found["reasons"].items() if "not in" not in why}
    assert {"border", "blur", "brightness"} <= measured
    assert "yaw" in found["reasons"]
