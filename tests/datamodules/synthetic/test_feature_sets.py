"""Made-up feature sets: rates, masks and noise as stated, the same at every call, and no series left."""

import os
from dataclasses import replace

import numpy as np
import pytest

from datamodules.clips.feature_sets.source import FeatureSetClips
from datamodules.manifests.manifest import ManifestError, manifest_from_table, read_manifest
from datamodules.series import read_feature_set
from datamodules.synthetic.feature_sets import RATES, feature_sets

SETTINGS = {"noise": 0.5, "drop": 0.2, "lacking": 0.3, "width": 16, "seed": 1}


@pytest.fixture
def manifest(cohort):
    return read_manifest(cohort(persons=10, visits=3, frames=500))


def test_sets_have_their_rates_and_widths_and_some_recordings_lack_one(manifest):
    found = feature_sets(manifest=manifest, **SETTINGS)
    recordings = list(found.recordings())
    lacking = [one.recording_id for one in recordings if "embedding" not in one.features]
    assert 3 <= len(lacking) <= 16  # of 30 at .3
    lost = []
    for recording in recordings:
        assert recording.series_path is None
        for name, path in recording.features.items():
            series = read_feature_set(path)
            assert series.fps == pytest.approx(RATES[name], rel=0.01)
            assert series.values.shape[1] == {"action_units": 2, "head_gaze": 1, "embedding": 16}[name]
            lost.append((~series.valid).mean())
    assert np.mean(lost) == pytest.approx(0.2, abs=0.05)
    assert "30% of the recordings without an embedding" in found.notes[-1]
    source = FeatureSetClips(missing="mask").prepared(recordings)
    assert sum(source.widths.values()) == 19


def test_without_noise_a_set_is_the_series_and_the_embedding_a_projection_of_it(manifest):
    found = feature_sets(manifest=manifest, **SETTINGS | {"noise": 0.0, "drop": 0.0, "lacking": 0.0})
    stacks = {name: [] for name in RATES}
    for recording in found.recordings():
        for name, path in recording.features.items():
            stacks[name].append(read_feature_set(path).values)
    embedding = np.concatenate(stacks["embedding"])
    assert np.linalg.matrix_rank(embedding, tol=1e-3) == 3  # as many as the series has channels
    with np.load(manifest.recordings()[0].series_path) as stored:
        np.testing.assert_allclose(stacks["action_units"][0][0], stored["values"][0, :2], rtol=1e-5)


def test_a_second_call_writes_nothing_and_a_changed_file_is_made_again(manifest):
    first = feature_sets(manifest=manifest, **SETTINGS)
    files = [path for one in first.recordings() for path in one.features.values()]
    content, times = files[0].read_bytes(), [path.stat().st_mtime_ns for path in files[3:]]
    files[0].write_bytes(b"damaged")
    os.utime(files[0], ns=(1, 1))
    again = feature_sets(manifest=manifest, **SETTINGS)
    assert files[0].read_bytes() == content
    assert [path.stat().st_mtime_ns for path in files[3:]] == times
    assert again.digest() == first.digest()
    assert feature_sets(manifest=manifest, **SETTINGS | {"seed": 2}).digest() != first.digest()
    checked = manifest_from_table(first.table, root=first.root, name="x", probe=False)
    assert checked.digest() == first.digest()


def test_what_cannot_be_made_is_refused(manifest):
    for changed in ({"noise": -1.0}, {"drop": 1.0}, {"lacking": 2.0}, {"width": 0}):
        with pytest.raises(ValueError, match=next(iter(changed))):
            feature_sets(manifest=manifest, **SETTINGS | changed)
    bare = replace(manifest, table=manifest.table.assign(series_path=""))
    with pytest.raises(ManifestError, match="has no series to make feature sets of"):
        feature_sets(manifest=bare, **SETTINGS)
