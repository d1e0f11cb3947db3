import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import read_manifest
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import load_checkpoint
from engine.checkpoints.seen_data import BadMemory, memory, met
from engine.config.build import build
from engine.training.transfer import start_from

pytestmark = pytest.mark.xdist_group("series_run")


@pytest.fixture(scope="module")
def remembered(series_run):
    return load_checkpoint(series_run.best)


@pytest.fixture
def elsewhere(own_table, tmp_path):
    """The shared cohort listed again under other recording ids: `elsewhere(**columns)`."""

    def listed(**columns):
        table = own_table.assign(recording_id="new_" + own_table["recording_id"], **columns)
        table.to_csv(tmp_path / "again.csv", index=False)
        return read_manifest(tmp_path / "again.csv"), table

    return listed


def test_files_are_known_again_under_other_ids(remembered, elsewhere):
    manifest, table = elsewhere(subject_id=lambda t: "other" + t["subject_id"])
    found = met(remembered.seen, manifest, table["recording_id"].tolist())
    assert set(found.files) == set(table.loc[table["split"] != "test", "recording_id"])
    assert (found.persons, found.alike) == ((), ())


def test_persons_are_known_again_with_other_files_and_spellings(remembered, own_table, tmp_path):
    trained = own_table.loc[own_table["split"] == "train", "subject_id"].iloc[0]
    values = np.random.default_rng(0).normal(size=(50, 3))
    np.savez(tmp_path / "later.npz", values=values, channels=["a", "b", "c"], fps=10.0)
    rows = {"recording_id": ["x", "y"], "subject_id": [trained, "stranger"], "session_id": "V7"}
    pd.DataFrame(rows | {"path": "", "series_path": "later.npz"}).to_csv(tmp_path / "m.csv", index=False)
    manifest = read_manifest(tmp_path / "m.csv")
    seen = memory(manifest, Split("s", train=("x",), val=(), test=()))
    assert met(seen, manifest, ["x", "y"], ("train",)).persons == ("x",)
    respelt = replace(manifest, table=manifest.table.assign(subject_id=["nobody", trained.lower()]))
    assert met(seen, respelt, ["x", "y"]).persons == ("y",)


def test_nothing_raw_is_remembered_and_other_data_have_another_salt(remembered, own_table, series_run):
    text = json.dumps(remembered.seen)
    for name in {*own_table["subject_id"], *own_table["content_hash"]}:
        assert name not in text
    manifest = build(series_run.config["data"]["manifest"], key="data.manifest")
    split = Split("s", train=tuple(remembered.split["train"]), val=tuple(remembered.split["val"]), test=())
    again = memory(manifest, split)
    assert again == remembered.seen  # the same bytes, so that a resumed run is the uninterrupted one
    other = memory(replace(manifest, table=manifest.table.assign(age=50.0), full_digest=None), split)
    assert other["salt"] != again["salt"]
    assert not set(other["train"]["persons"]) & set(again["train"]["persons"])
    assert len(other["train"]["persons"]) == len(again["train"]["persons"])


def test_init_from_refuses_files_of_its_training_whatever_they_are_called(series_run, remembered, elsewhere):
    manifest, table = elsewhere(subject_id=lambda t: "other" + t["subject_id"])
    task = build(remembered.config["model"], key="model")
    trained = tuple(table.loc[table["split"] == "train", "recording_id"])
    with pytest.raises(LeakageError, match=r"share files with what trained it, e.g. new_"):
        start_from(
            task,
            series_run.best,
            config=remembered.config,
            manifest=manifest,
            split=Split("turned", train=(), val=(), test=trained),
        )


def test_a_memory_that_no_run_wrote_is_refused(remembered, elsewhere):
    manifest, _ = elsewhere()
    for wrong in ({}, {"salt": "x"}, remembered.seen | {"train": []}):
        with pytest.raises(BadMemory, match="cannot be read"):
            met(wrong, manifest, ())
