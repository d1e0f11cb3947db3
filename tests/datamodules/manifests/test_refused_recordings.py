"""Recordings that were refused in preprocessing are named wherever the others are read."""

import pytest

from datamodules.manifests.manifest import ManifestError, read_manifest
from datamodules.sources import joined
from engine.cohort.data_facts import data_facts
from tests.face_cache import write_cache

HEAD = "recording_id,path,reason\n"
NOTE = (
    "3 of 5 recordings of the input were refused in preprocessing and are in no part (refused.csv): a, b, c."
)


@pytest.fixture
def cache(tmp_path):
    path = write_cache(tmp_path / "clinic", persons=2, visits=1, frames=30)
    (path.parent / "refused.csv").write_text(HEAD + "".join(f'{n},{n}.mp4,"no, face"\n' for n in "abc"))
    return path


def test_they_are_a_note_of_the_manifest_wherever_it_lies(cache, tmp_path, caplog):
    manifest = read_manifest(cache)
    assert manifest.notes == (NOTE,)
    assert f"clinic: {NOTE}" in caplog.messages
    assert data_facts(manifest, [])["data_notes"] == [NOTE]
    manifest.write(tmp_path / "some.csv")
    assert read_manifest(tmp_path / "some.csv").notes == (NOTE,)
    other = write_cache(tmp_path / "other", persons=2, visits=1, frames=30)
    both = joined.read(manifests=[manifest, read_manifest(other)])
    assert both.notes == (f"clinic: {NOTE}",)


def test_where_nothing_was_refused_nothing_is_said(cache):
    (cache.parent / "refused.csv").write_text(HEAD)
    assert read_manifest(cache).notes == ()


def test_a_damaged_list_is_named(cache):
    (cache.parent / "refused.csv").write_text("id\n1\n")
    with pytest.raises(ManifestError, match=r"refused\.csv: is not what preprocess\.py writes"):
        read_manifest(cache)
