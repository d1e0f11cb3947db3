import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError, read_manifest
from datamodules.series import UnreadableSeries, read_series
from datamodules.synthetic.extracted import extracted

SETTINGS = {"noise": 0.4, "drop": 0.1, "missing": ["gaze_x"], "seed": 3}


@pytest.fixture
def manifest(cohort):
    return read_manifest(cohort(persons=3, visits=2))


def test_series_are_new_and_all_else_stays(manifest):
    found = extracted(manifest=manifest, **SETTINGS)
    changed = ["series_path", "content_hash"]
    pd.testing.assert_frame_equal(found.table.drop(columns=changed), manifest.table.drop(columns=changed))
    assert found.root == manifest.root
    assert found.name == "cohort_extracted"
    assert "noise 0.4, 10% of frames lost in runs, without gaze_x (seed 3)" in found.notes[-1]
    for before, after in zip(manifest.recordings(), found.recordings(), strict=True):
        old, new = (read_series(entry.series_path, channels=None) for entry in (before, after))
        assert new.channels == ("au04", "au12")
        assert new.fps == old.fps
        np.testing.assert_allclose(new.seconds, old.seconds)
        assert (new.values != old.values[:, :2]).any()
        row = found.table.set_index("recording_id").loc[after.recording_id]
        assert row["content_hash"] == hashlib.sha256(after.series_path.read_bytes()).hexdigest()


def values_of(manifest):
    return {
        entry.recording_id: read_series(entry.series_path, channels=None).values.tobytes()
        for entry in manifest.recordings()
    }


def test_recordings_have_noise_of_their_own_whatever_else_is_in_the_table(manifest):
    same = replace(manifest, table=manifest.table.assign(series_path="p00_v0.npz"))
    found = values_of(extracted(manifest=same, **SETTINGS | {"drop": 0.0}))
    assert len(set(found.values())) == len(found) == 6
    fewer = replace(same, table=same.table.iloc[[4, 1]])
    alone = values_of(extracted(manifest=fewer, **SETTINGS | {"drop": 0.0}))
    assert alone == {name: found[name] for name in ("p02_v0", "p00_v1")}


def test_a_second_call_writes_nothing_and_a_lost_file_is_made_again(manifest):
    found = extracted(manifest=manifest, **SETTINGS)
    files = [entry.series_path for entry in found.recordings()]
    times = [file.stat().st_mtime_ns for file in files]
    content = files[2].read_bytes()
    files[2].unlink()
    again = extracted(manifest=manifest, **SETTINGS)
    assert again.digest() == found.digest()
    assert files[2].read_bytes() == content
    kept = [position for position in range(len(files)) if position != 2]
    assert [files[position].stat().st_mtime_ns for position in kept] == [times[position] for position in kept]
    assert len(list(files[0].parent.glob("*.npz"))) == len(files)


def test_a_file_that_is_no_longer_what_was_made_is_made_again(manifest):
    found = extracted(manifest=manifest, **SETTINGS)
    files = [entry.series_path for entry in found.recordings()]
    content = [file.read_bytes() for file in files]
    files[0].write_bytes(content[1])
    damaged = bytearray(content[2])
    damaged[len(damaged) // 2] ^= 1
    files[2].write_bytes(damaged)
    assert extracted(manifest=manifest, **SETTINGS).digest() == found.digest()
    assert [file.read_bytes() for file in files] == content


def test_another_content_is_another_file(manifest, write_series):
    before = extracted(manifest=manifest, **SETTINGS).recordings()
    write_series(manifest.root / "p00_v1.npz", np.full((60, 3), 2.0))
    after = extracted(manifest=manifest, **SETTINGS).recordings()
    moved = [
        old.recording_id for old, new in zip(before, after, strict=True) if old.series_path != new.series_path
    ]
    assert moved == ["p00_v1"]
    (manifest.root / "p00_v1.npz").unlink()
    with pytest.raises(UnreadableSeries, match=r"p00_v1.npz: no such series file"):
        extracted(manifest=manifest, **SETTINGS)


def test_every_setting_has_its_own_folder(manifest):
    changes = [{}, {"noise": 0.5}, {"drop": 0.2}, {"missing": []}, {"seed": 4}]
    found = [extracted(manifest=manifest, **SETTINGS | change) for change in changes]
    folders = {entry.recordings()[0].series_path.parent for entry in found}
    assert len(folders) == len(changes)
    assert {folder.parent for folder in folders} == {manifest.root}
    assert len({entry.digest() for entry in [*found, manifest]}) == len(changes) + 1


def test_a_recording_without_series_or_an_unknown_channel_is_refused(manifest, cohort):
    with pytest.raises(ValueError, match="missing names 'au99'"):
        extracted(manifest=manifest, **SETTINGS | {"missing": ["au99"]})
    table = manifest.table.assign(path=manifest.table["series_path"], series_path="")
    bare = type(manifest)(table=table, root=manifest.root, name="bare", truth=None)
    with pytest.raises(ManifestError, match="bare: recording 'p00_v0' has no series"):
        extracted(manifest=bare, **SETTINGS)
