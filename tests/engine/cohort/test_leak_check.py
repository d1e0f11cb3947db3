"""A single fact that gives the label away stops a run before it trains, unless the run was told to go on."""

import json
import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datamodules.clips.dataset import SeriesClips
from datamodules.feature_leakage.channels import LeakageError
from datamodules.splits.protocols import Holdout
from engine.cohort.leak_check import audit_leaks
from engine.config.compose import ConfigError
from engine.runs.provenance import RunManifest
from studies.leaks.cohorts import drawn
from studies.leaks.plants import LEAKS, plant

OFFSET = "in an offset of all channels"
LENGTH = "in the length"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("leaks")


@pytest.fixture(scope="module")
def clean(folder):
    return drawn(folder, persons=48, visits=2, seconds=4.0, seed=0)


@pytest.fixture(scope="module")
def planted(clean, folder):
    return plant(clean, LEAKS[OFFSET], folder / "offset")


@pytest.fixture(scope="module")
def lengthy(clean, folder):
    return plant(clean, LEAKS[LENGTH], folder / "length")


@pytest.fixture
def asked(tmp_path):
    """Audit a manifest; returns the run's record and the written answer."""

    def run(manifest, accepted=(), split=None):
        split = split or Holdout().splits(manifest)[0]
        source = SeriesClips().prepared(manifest.recordings())
        record = RunManifest(folder=tmp_path, config={"paths": {"output": str(tmp_path)}})
        try:
            audit_leaks(manifest, split, source, accepted=accepted, record=record)
        finally:
            written = tmp_path / "leak_audit.json"
            run.answer = json.loads(written.read_text()) if written.is_file() else None
        return record.content

    return run


def test_a_clean_cohort_passes(clean, asked):
    content = asked(clean)
    assert content["leaks_on_purpose"] == []
    assert asked.answer["facts"] > 100
    assert {one["verdict"] for one in asked.answer["found"]} == {""}


def test_a_leak_in_the_input_stops_with_the_fact_and_the_remedy(planted, asked):
    with pytest.raises(LeakageError, match=r"(?s)mean of \w+ AUC 1\.00 \[0\.9.*accept_leaks=\['"):
        asked(planted)
    assert asked.answer["found"][0]["verdict"] == "stops"  # written down all the same


def test_a_leak_that_is_accepted_is_recorded(planted, asked, caplog):
    content = asked(planted, accepted=["* of *", "offset of all*"])
    assert "mean of gaze_x" in content["leaks_on_purpose"]
    assert asked.answer["accepted"] == content["leaks_on_purpose"]
    assert "LEAKS ON PURPOSE" in caplog.text
    with pytest.raises(LeakageError, match="mean of"):
        asked(planted, accepted=["first row of *"])


def test_a_length_that_goes_with_the_label_is_told_and_stops_nothing(lengthy, asked, caplog):
    asked(lengthy)
    assert {one["fact"] for one in asked.answer["found"] if one["verdict"] == "tells"} >= {"length in rows"}
    assert "goes with the label: length in" in caplog.text


def test_neither_labels_nor_files_of_the_tested_are_read(planted, clean, asked, monkeypatch):
    split = Holdout().splits(clean)[0]
    expected = asked(clean, split=split)["leak_audit"]
    tested = clean.table["recording_id"].isin(set(split.test))
    table = clean.table.assign(
        binary=np.where(tested, 1 - clean.table["binary"], clean.table["binary"]),
        series_path=np.where(tested, "gone.npz", clean.table["series_path"]),
    )
    assert asked(replace(clean, table=table), split=split)["leak_audit"] == expected


def test_a_pattern_that_matches_nothing_is_refused(clean, asked):
    with pytest.raises(ConfigError, match=r"'mean of au99'.*did you mean 'mean of au"):
        asked(clean, accepted=["mean of au99"])


def test_scores_without_a_binary_rule_are_cut_at_their_median(planted, asked):
    table = planted.table.assign(binary=np.nan, score=10 * planted.table["binary"])
    with pytest.raises(LeakageError):
        asked(replace(planted, table=table))
    assert asked.answer["label"].startswith("score above its median")


def test_without_labels_nothing_is_asked(clean, asked, caplog):
    with caplog.at_level(logging.WARNING):
        asked(clean.without_labels())
    assert "cannot tell" in asked.answer["reason"]
    assert "no audit of what single facts say" in caplog.text


@pytest.mark.slow
def test_training_stops_or_says_on_every_page_that_it_was_told_to_go_on(planted, tmp_path, compose_run):
    from engine.evaluate import evaluate
    from engine.train import train
    from tests.conftest import SMALL

    planted.write(tmp_path / "planted.csv")
    start = [
        "experiment=mpdrm_series",
        "model.network.depression.trunk.blocks=1",
        *SMALL,
        "trainer.max_epochs=1",
        "data=manifest",
        "data/clips=series",
        f"data.path={tmp_path / 'planted.csv'}",
        "data.channels=17",
    ]
    with pytest.raises(LeakageError, match="single facts of the input give the label away"):
        train(compose_run(*start), folder=tmp_path / "stopped")
    assert not list((tmp_path / "stopped").glob("checkpoints/*"))
    told = "accept_leaks=['* of *']"
    run = tmp_path / "told"
    train(compose_run(*start, told, output=run), folder=run)
    page, record = (run / "report.html").read_text(), json.loads((run / "manifest.json").read_text())
    assert "LEAKS ON PURPOSE: mpdrm_series" in page
    assert "What single facts say of the label" in page
    assert "mean of gaze_x" in record["leaks_on_purpose"]
    evaluation = {"ckpt_path": str(run / "checkpoints/best.ckpt"), "manifest": None, "accept_leaks": []}
    evaluation |= {"paths": {"data": str(tmp_path)}}
    evaluate(evaluation, folder=tmp_path / "own")
    assert "LEAKS ON PURPOSE" in (tmp_path / "own/report.html").read_text()
    table = pd.read_csv(tmp_path / "planted.csv", dtype=str, keep_default_na=False)
    table = table.assign(recording_id="new_" + table["recording_id"], subject_id="new_" + table["subject_id"])
    other = tmp_path / "other.csv"
    table.to_csv(other, index=False)
    other_evaluation = evaluation | {"manifest": str(other)}
    with pytest.raises(LeakageError, match="single facts of the input give the label away"):
        evaluate(
            other_evaluation, folder=tmp_path / "refused"
        )  # what its training accepted counts there alone
    evaluate(other_evaluation | {"accept_leaks": ["* of *"]}, folder=tmp_path / "other")
    record = json.loads((tmp_path / "other/manifest.json").read_text())
    assert record["config"]["accept_leaks"] == record["leaks_of_training"] == ["* of *"]
    assert "mean of gaze_x" in record["leaks_on_purpose"]
