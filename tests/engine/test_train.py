import json

import pandas as pd
import pytest

from datamodules.manifests.manifest import read_manifest
from datamodules.splits.partition import Split
from engine.config.compose import ConfigError
from engine.evaluate import evaluate
from engine.train import train
from engine.training.checks import check_scale
from engine.training.cross_val_results import pool


@pytest.fixture
def table(tmp_path):
    """A manifest of six persons without files: enough for everything that comes before reading."""
    parts = ["train", "train", "val", "val", "test", "test"]
    rows = [
        {
            "recording_id": f"r{i}",
            "subject_id": f"p{i}",
            "session_id": "1",
            "path": "",
            "series_path": f"{i}.npz",
            "scale": "PHQ-8",
            "score": 3 * i,
            "split": part,
        }
        for i, part in enumerate(parts)
    ]
    for row in rows:
        (tmp_path / row["series_path"]).touch()
    return pd.DataFrame(rows)


def written(table, tmp_path):
    table.to_csv(tmp_path / "own.csv", index=False)
    return tmp_path / "own.csv"


def overrides(path):
    return [
        "experiment=mpdrm_series",
        "data=manifest",
        "data/clips=series",
        f"data.path={path}",
        "data.channels=3",
        "protocol=given",
    ]


def test_labels_on_another_scale_are_refused_with_the_override_that_fits(table, tmp_path, compose_run):
    config = compose_run(*overrides(written(table, tmp_path)))
    with pytest.raises(ConfigError, match="data/scale=phq_8"):
        train(config, folder=tmp_path / "run")
    content = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert content["status"].startswith("failed: ConfigError")


def test_labels_on_the_scale_of_the_heads_pass(table, tmp_path, compose_run):
    config = compose_run(*overrides(written(table, tmp_path)), "data/scale=phq_8")
    check_scale(read_manifest(tmp_path / "own.csv", probe=False), config)
    assert config["model"]["network"]["heads"]["score"]["high"] == 24


def test_two_questionnaires_in_one_table_are_refused(table, tmp_path, compose_run):
    mixed = table.assign(scale=["PHQ-8", "PHQ-9", *["PHQ-8"] * 4])
    path = written(mixed, tmp_path)
    config = compose_run(*overrides(path), "data/scale=phq_8")
    with pytest.raises(
        ConfigError, match=r"some labels are on PHQ-9, the heads expect PHQ-8.*'binary' still"
    ):
        check_scale(read_manifest(path, probe=False), config)
    cleared = mixed.assign(binary=(mixed["score"] >= 10).astype(int))
    cleared.loc[1, ["scale", "score"]] = ["", None]
    manifest = read_manifest(written(cleared, tmp_path), probe=False)
    check_scale(manifest, config)
    assert manifest.recordings(["r1"])[0].binary == 0


def test_too_few_resamples_are_refused_before_anything_is_read(compose_run, series_run, tmp_path):
    with pytest.raises(ValueError, match="n_boot=999"):
        train(compose_run("evaluation.n_boot=999", "paths.data=" + str(tmp_path / "d")), folder=tmp_path)
    again = {"manifest": None, "num_workers": None, "trainer": None, "evaluation": {"n_boot": 999}}
    with pytest.raises(ValueError, match="n_boot=999"):
        evaluate(again | {"ckpt_path": str(series_run.best)}, folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_split_that_tests_nobody_is_refused(table, tmp_path, compose_run):
    path = written(table.assign(split=table["split"].replace("test", "")), tmp_path)
    config = compose_run(*overrides(path), "data/scale=phq_8", "+data.manifest.probe=false")
    with pytest.raises(ConfigError, match="tests nobody"):
        train(config, folder=tmp_path / "run")


def test_folds_that_do_not_test_everybody_once_are_not_pooled(table, tmp_path, compose_run):
    manifest = read_manifest(written(table, tmp_path), probe=False)
    folds = [
        Split(name="a", train=(), val=(), test=("r0", "r1")),
        Split(name="b", train=(), val=(), test=("r2",)),
    ]
    tables = [
        pd.DataFrame({"recording_id": ["r0", "r1"], "split": "test"}),
        pd.DataFrame({"recording_id": ["r1"], "split": "test"}),
    ]
    with pytest.raises(ValueError, match="each recording once"):
        pool(manifest, folds, tables)
