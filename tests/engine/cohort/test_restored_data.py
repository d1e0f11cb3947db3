"""The recordings of a run are made and read below the user's folder, or named by the user."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from datamodules.manifests.manifest import read_manifest
from engine.checkpoints.checkpoint import KEY, CheckpointError, all_weights, load_checkpoint, seal
from engine.checkpoints.recorded_config import origin
from engine.cohort.restored_data import own_manifest
from engine.evaluate import _material

SYNTHETIC = {
    "_target_": "datamodules.synthetic.cohort.synthetic_manifest",
    **{"root": "/nowhere/synthetic", "n_subjects": 10, "n_visits": 2, "fps": 10, "duration_s": 2},
    **{"size": None, "confound": 1.0, "habit_visibility": 0.1, "seed": 0, "workers": 1},
}
SPLIT = {"name": "x", "train": ["a"] * 8, "val": [], "test": ["b"]}


def stored(node, *, digest=None, origin=""):
    """What is read of a checkpoint here."""
    return SimpleNamespace(
        path=Path("their.ckpt"),
        config={"data": {"manifest": node}},
        data_digest=digest,
        split=SPLIT,
        origin=origin,
        preprocessing=None,
    )


@pytest.fixture
def table(cohorts, series_run, tmp_path):
    """A copy of the small cohort's table in a folder of its own, and its digest."""
    source = next(cohorts.glob("synthetic/*/manifest.csv")).parent
    shutil.copytree(source / "series", tmp_path / "mine" / "series")
    shutil.copytree(source / "landmarks", tmp_path / "mine" / "landmarks")
    text = "\n".join(source.joinpath("manifest.csv").read_text().splitlines()[:4]) + "\n"
    (tmp_path / "mine" / "table.csv").write_text(text)
    path = tmp_path / "mine" / "table.csv"
    return path, read_manifest(path).digest()


def node_of(path):
    return {"_target_": "datamodules.manifests.manifest.read_manifest", "path": str(path)}


def test_a_synthetic_cohort_is_made_below_the_users_folder(cohorts, series_run):
    node = series_run.config["data"]["manifest"] | {"root": "/nowhere/synthetic"}
    digest = series_run.record["data_digest"]
    assert own_manifest(stored(node, digest=digest), data=cohorts).root.parent == cohorts / "synthetic"
    assert not Path("/nowhere").exists()


@pytest.mark.parametrize("given", [{"n_subjects": 90_000}, {"duration_s": 36_000, "fps": 1000}])
def test_a_cohort_of_any_size_is_not_made(given, tmp_path):
    with pytest.raises(CheckpointError, match=r"their\.ckpt: asks for a cohort"):
        own_manifest(stored(SYNTHETIC | given), data=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_table_below_the_folder_is_read(table, tmp_path):
    path, digest = table
    assert own_manifest(stored(node_of(path), digest=digest), data=tmp_path).digest() == digest


def test_a_table_elsewhere_is_named_with_what_to_add(table, tmp_path):
    path, digest = table
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "link.csv").symlink_to(path)
    (tmp_path / "data" / "folder").symlink_to(path.parent)
    for place in (path, "data/../mine/table.csv", "data/link.csv", "data/folder/table.csv"):
        with pytest.raises(CheckpointError, match=r"paths\.data=.*add manifest=.*or paths\.data="):
            own_manifest(stored(node_of(tmp_path / place), digest=digest), data=tmp_path / "data")
    deep = {
        "_target_": "datamodules.manifests.transforms.permuted.permuted",
        "seed": 0,
        "manifest": node_of(path),
    }
    with pytest.raises(CheckpointError, match="opens nothing elsewhere"):
        own_manifest(stored(deep), data=tmp_path / "data")


def test_recordings_that_changed_are_refused(table, tmp_path):
    path, _ = table
    with pytest.raises(CheckpointError, match="digest differs"):
        own_manifest(stored(node_of(path), digest="another"), data=tmp_path)


def test_the_runs_own_table_given_by_hand_is_its_own_split(table, tmp_path):
    path, digest = table
    found = _material(stored(node_of("/gone/table.csv"), digest=digest), str(path), data=tmp_path / "data")
    assert found.own
    assert found.split.test == ("b",)


@pytest.mark.parametrize(
    "change", [{"seed": 5}, {"n_subjects": 11}, {"confound": 0.0}, {"heterogeneity": 0.0}, {"size": 32}]
)
def test_a_changed_cohort_is_not_made(change, tmp_path):
    kept = origin(SYNTHETIC, "its digest")
    for node in (SYNTHETIC | change, {"_target_": "x", "manifest": SYNTHETIC | change}):
        with pytest.raises(
            CheckpointError, match=r"data\.manifest was changed after its run.*Nothing was made"
        ):
            own_manifest(stored(node, digest="its digest", origin=kept), data=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_cohort_that_moved_is_the_same(cohorts, series_run):
    checkpoint = load_checkpoint(series_run.best)
    asked = checkpoint.config["data"]["manifest"]
    assert checkpoint.origin == origin(asked, checkpoint.data_digest)
    moved = asked | {"root": "/nowhere/synthetic", "workers": 7}
    config = checkpoint.config | {"data": checkpoint.config["data"] | {"manifest": moved}}
    assert len(own_manifest(replace(checkpoint, config=config), data=cohorts).table) == 20


def test_a_checkpoint_of_before_is_read_and_its_cohort_held_against_the_digest(series_run, tmp_path):
    content = torch.load(series_run.best, weights_only=True)
    record = {name: value for name, value in content[KEY].items() if name not in ("origin", "digest")}
    torch.save(content | {KEY: seal(all_weights(content), record)}, tmp_path / "older.ckpt")
    assert load_checkpoint(tmp_path / "older.ckpt").origin == ""


@pytest.mark.parametrize("given", [{"habit_visibility": 7}, {"confound": "much"}])
def test_a_cohort_that_cannot_be_made_names_the_checkpoint(given, tmp_path):
    with pytest.raises(CheckpointError, match=r"their\.ckpt: its data\.manifest cannot be made"):
        own_manifest(stored(SYNTHETIC | given), data=tmp_path)
