"""The eight leaks of Kapoor & Narayanan (Patterns 4, 100804, 2023): each is planted, and each is caught."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression

from datamodules.clips.statistics import training_statistics
from datamodules.datamodule import ClipDataModule
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import read_manifest
from datamodules.series import read_series
from datamodules.splits.longitudinal import Longitudinal
from datamodules.splits.partition import Split
from datamodules.splits.protocols import Given
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.compose import ConfigError
from engine.inspection.audit import check_fitted
from engine.train import train
from engine.training.fit import fit_split
from evaluation.audit.sampling import sampling_audit
from tests.isolation import IsolationError, check_isolated


def test_l1_1_no_test_set(compose_own, own_table, tmp_path):
    table = own_table.assign(split=own_table["split"].replace("test", ""))
    with pytest.raises(ConfigError, match="tests nobody"):
        train(compose_own(table), folder=tmp_path / "run")


def test_l1_2_preprocessing_on_training_and_test_set(compose_own, own_table, tmp_path, monkeypatch):
    def of_everybody(self):
        self.setup()
        return training_statistics(self.manifest.recordings(), self._source)

    monkeypatch.setattr(ClipDataModule, "train_statistics", of_everybody)
    config = compose_own(own_table)
    manifest = read_manifest(tmp_path / "own.csv")
    fitted = fit_split(config, manifest, Given().splits(manifest)[0], folder=tmp_path / "run")
    with pytest.raises(LeakageError, match="series_mean: stored"):
        check_fitted(load_checkpoint(fitted.best), manifest)


def test_l1_3_feature_selection_on_training_and_test_set(own_table):
    series = [read_series(Path(path), channels=None).values for path in own_table["series_path"]]
    features = np.stack([np.concatenate([rows.mean(0), rows.std(0)]) for rows in series])
    target = (pd.to_numeric(own_table["score"]) >= 14).to_numpy(dtype=float)
    train_rows, test_rows = (np.flatnonzero(own_table["split"] == part) for part in ("train", "test"))

    def selects(rows_of):
        def procedure(x, y, train, test):
            rows = rows_of(train, test)
            kept = SelectKBest(f_classif, k=3).fit(x[rows], y[rows]).get_support()
            model = LogisticRegression().fit(x[train][:, kept], y[train])
            return lambda new: model.predict_proba(new[:, kept])[:, 1]

        return procedure

    parts = {"train": train_rows, "test": test_rows}
    check_isolated(selects(lambda train, test: train), features, target, **parts)
    with pytest.raises(IsolationError, match="test rows change what was learned"):
        check_isolated(selects(lambda train, test: np.concatenate([train, test])), features, target, **parts)


def test_l1_4_duplicates(compose_own, own_table, tmp_path):
    table = own_table.drop(columns="content_hash")
    trained, tested = (table.index[table["split"] == part][0] for part in ("train", "test"))
    copied = tmp_path / "copied.npz"
    copied.write_bytes(Path(table.loc[trained, "series_path"]).read_bytes())
    table.loc[tested, "series_path"] = str(copied)  # the video of it is left out: a set of series only
    with pytest.raises(LeakageError, match="same file content under two ids"):
        train(compose_own(table.assign(path="")), folder=tmp_path / "run")


def test_l2_illegitimate_features(compose_own, own_table, tmp_path):
    table = own_table.assign(path="").drop(columns="content_hash")
    for row in table.index:
        with np.load(table.loc[row, "series_path"]) as archive:
            content = dict(archive)
        total = np.full((len(content["values"]), 1), float(table.loc[row, "score"]), dtype=np.float32)
        content |= {
            "values": np.hstack([content["values"], total]),
            "channels": np.append(content["channels"], "bdi_total"),
        }
        table.loc[row, "series_path"] = str(tmp_path / f"{row}.npz")
        np.savez(tmp_path / f"{row}.npz", **content)
    with pytest.raises(LeakageError, match="bdi_total"):
        train(compose_own(table, "data.channels=18"), folder=tmp_path / "run")


def test_l3_1_temporal_leakage(compose_own, own_table, tmp_path, monkeypatch):
    right = Longitudinal.splits

    def backwards(self, manifest):
        split = right(self, manifest)[0]
        return [Split("backwards", train=split.test, val=split.val, test=split.train, subject_disjoint=False)]

    third = own_table[own_table["session_id"] == own_table["session_id"].max()]
    more = third.assign(recording_id=third["recording_id"] + "_later", session_id="V9", content_hash="")
    monkeypatch.setattr(Longitudinal, "splits", backwards)
    config = compose_own(pd.concat([own_table, more]), "protocol=longitudinal")
    with pytest.raises(LeakageError, match="training on the future of a person"):
        train(config, folder=tmp_path / "run")


def test_l3_2_non_independence(compose_own, own_table, tmp_path):
    one = own_table.index[own_table["split"] == "train"][0]
    own_table.loc[one, "split"] = "test"
    with pytest.raises(LeakageError, match=f"subject in two parts: {own_table.loc[one, 'subject_id']}"):
        train(compose_own(own_table), folder=tmp_path / "run")


def test_l3_3_sampling_bias(compose_own, own_table, tmp_path):
    rng = np.random.default_rng(0)
    persons = pd.DataFrame(
        {"subject_id": [f"p{number}" for number in range(60)], "score": rng.normal(15, 5, 60)}
    )
    persons["recording_id"], persons["sex"] = persons["subject_id"], rng.choice(["female", "male"], 60)
    fair = {entry["column"]: entry["differs"] for entry in sampling_audit(persons[:40], persons[40:])}
    assert fair == {"score": False, "sex": False}
    severe = persons[40:].assign(score=persons["score"] + 8, sex="female")
    biased = {entry["column"]: entry["differs"] for entry in sampling_audit(persons[:40], severe)}
    assert biased == {"score": True, "sex": True}
