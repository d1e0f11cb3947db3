"""Columns `features_<set>` of a manifest: paths like others, in records, digests, moves and checks."""

import logging
import pickle

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError, read_manifest
from datamodules.split_leakage.file_content import contents


@pytest.fixture
def written(tmp_path):
    """The manifest of four recordings with a set `gaze`, three of which have a set `embed` too."""
    rng = np.random.default_rng(0)
    (tmp_path / "sets").mkdir()
    rows = []
    for number in range(4):
        gaze, embed = f"sets/g{number}.npz", f"sets/e{number}.npy" if number else ""
        stamps = np.arange(10) * 500
        np.savez(
            tmp_path / gaze,
            features=rng.normal(size=(10, 2)), timestamps_ms=stamps, valid_mask=np.ones(10, bool),
        )  # fmt: skip
        if embed:
            np.save(tmp_path / embed, rng.normal(size=(1, 8)))
        ids = {"recording_id": f"r{number}", "subject_id": f"p{number}", "session_id": "1", "path": ""}
        rows.append(
            ids | {"features_gaze": gaze, "features_embed": embed, "scale": "BDI-II", "score": number}
        )
    pd.DataFrame(rows).to_csv(tmp_path / "m.csv", index=False)
    return tmp_path / "m.csv"


def test_records_hold_the_sets_that_they_have(written, caplog):
    manifest = read_manifest(written)
    found = list(manifest.recordings())
    assert found[0].features == {"gaze": written.parent / "sets/g0.npz"}
    assert found[3].features == {
        "gaze": written.parent / "sets/g3.npz",
        "embed": written.parent / "sets/e3.npy",
    }
    for one in (pickle.loads(pickle.dumps(found[3])), manifest.recordings()[3]):
        assert repr(one) == repr(found[3])  # NaN is not itself
    assert not [line for line in caplog.messages if "nothing reads" in line]
    assert list(manifest.without_labels().recordings())[3].features == found[3].features
    assert len(manifest.files()) == 7


def test_facts_of_the_file_are_read_but_not_its_rate(written):
    table = read_manifest(written).table
    assert table["n_frames"].tolist() == [10] * 4
    assert table["duration_s"].tolist() == [5.0] * 4
    assert table["fps"].isna().all()
    assert set(table["content_hash"].str.len()) == {64}


def test_a_manifest_written_elsewhere_names_the_same_files(written, tmp_path):
    manifest = read_manifest(written)
    manifest.write(tmp_path / "elsewhere" / "m.csv")
    moved = read_manifest(tmp_path / "elsewhere" / "m.csv")
    assert [one.features for one in moved.recordings()] == [one.features for one in manifest.recordings()]
    assert manifest.digest() != moved.digest()  # the paths are others, as of every file


def test_a_set_that_is_not_there_or_has_no_name_is_a_fault_of_the_table(written):
    table = pd.read_csv(written, keep_default_na=False)
    table.assign(features_gaze="gone.npz").to_csv(written, index=False)
    with pytest.raises(ManifestError, match=r"'features_gaze' names no file in row 1 \(r0\) = 'gone.npz'"):
        read_manifest(written)
    table.rename(columns={"features_gaze": "features_"}).to_csv(written, index=False)
    with pytest.raises(ManifestError, match="column 'features_': a feature set needs a name"):
        read_manifest(written)
    table.assign(features_gaze="", features_embed="").to_csv(written, index=False)
    with pytest.raises(ManifestError, match="neither 'path'"):
        read_manifest(written)


def test_a_set_that_two_recordings_share_is_seen_by_its_bytes(written, caplog):
    table = pd.read_csv(written, keep_default_na=False)
    (written.parent / "copy.npy").write_bytes((written.parent / "sets/e1.npy").read_bytes())
    table.loc[2, "features_embed"] = "copy.npy"
    table.to_csv(written, index=False)
    with caplog.at_level(logging.WARNING):
        found = contents(read_manifest(written))
    digests = {name: {one.sha256 for one in own} for name, own in found.items()}
    assert len(digests["r1"] & digests["r2"]) == 1
    assert {one.kind for one in found["r1"]} == {"features", "tokens"}


def test_frames_that_are_stated_are_not_held_against_the_rows_of_a_set(written, caplog):
    table = pd.read_csv(written, keep_default_na=False).assign(n_frames=250)
    table.to_csv(written, index=False)
    assert read_manifest(written).table["n_frames"].tolist() == [250] * 4
    assert not [line for line in caplog.messages if "is not that of the files" in line]


def test_a_table_of_sets_alone_is_told_to_have_an_empty_path(written):
    pd.read_csv(written, keep_default_na=False).drop(columns="path").to_csv(written, index=False)
    with pytest.raises(
        ManifestError, match=r"'path' is missing: .*empty where 'series_path' or a features_ col"
    ):
        read_manifest(written)
