"""Files of caches and stores that were changed after they were made are named before they are read."""

import os

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError, read_manifest
from engine.cohort.file_checks import changed_face, check_files
from preprocessing.cache.entry import Entry
from preprocessing.cache.folder import Cache
from tests.face_cache import write_cache


def entries(folder, kinds):
    """Write the entries of a cache over the files that lie there."""
    cache = Cache.open(folder, settings={}, provenance={}, kinds=[*kinds, "entries"])
    names = {file.stem for kind in kinds for file in (folder / kind).iterdir()}
    for name in sorted(names):
        files = {kind: cache.described(next((folder / kind).glob(f"{name}.*"))) for kind in kinds}
        cache.put(Entry(recording_id=name, fingerprint=cache.fingerprint, source={}, files=files))


@pytest.fixture
def faces(tmp_path):
    table = write_cache(tmp_path / "faces", persons=2, visits=1, frames=30, record=None)
    entries(tmp_path / "faces", ["clips", "series"])
    return read_manifest(table)


@pytest.fixture
def store(tmp_path):
    (tmp_path / "store" / "tokens").mkdir(parents=True)
    for name in "ab":
        np.save(tmp_path / "store" / "tokens" / f"{name}.npy", np.full((2, 1, 3), ord(name), np.float16))
    entries(tmp_path / "store", ["tokens"])
    ids = {"recording_id": ["a", "b"], "subject_id": ["p", "q"], "session_id": "1", "binary": [0, 1]}
    files = {"path": "", "tokens_path": ["tokens/a.npy", "tokens/b.npy"]}
    pd.DataFrame(ids | files).to_csv(tmp_path / "store" / "manifest.csv", index=False)
    return tmp_path / "store" / "manifest.csv"


def change(file):
    """Turn the last byte, as long after it was made as a clock can tell."""
    data, status = file.read_bytes(), file.stat()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))


@pytest.mark.parametrize("kind", ["series", "clips"])
def test_a_face_or_mask_that_was_changed_is_told_with_the_command_that_makes_it_again(faces, kind):
    check_files(faces)
    first, second = faces.recordings()
    change(first.series_path if kind == "series" else first.path)
    told = rf"faces/{kind}/p00_v0\.\w+: changed since preprocess\.py made it.*Delete it and"
    with pytest.raises(ManifestError, match=told):
        check_files(faces)
    assert f"{kind}/p00_v0." in changed_face(first)
    assert changed_face(second) == ""


def test_tokens_that_were_changed_are_told_though_no_column_states_a_digest(store):
    manifest = read_manifest(store)
    check_files(manifest)
    change(store.parent / "tokens" / "b.npy")
    with pytest.raises(ManifestError, match=r"store/tokens/b\.npy: changed since encode\.py made it") as told:
        check_files(manifest)
    assert "column" not in str(told.value)


@pytest.mark.parametrize("column", ["recording_id", "tokens_path"])
def test_rows_that_changed_their_files_are_told_and_new_ids_are_not(store, column):
    table = pd.read_csv(store)
    table.assign(**{column: table[column].tolist()[::-1]}).to_csv(store, index=False)
    with pytest.raises(
        ManifestError, match=r"(a|b) \(its .\.npy is of (a|b)\).*Take manifest\.csv as it was"
    ):
        check_files(read_manifest(store))
    table.assign(recording_id=["one/a", "one/b"]).to_csv(store, index=False)
    check_files(read_manifest(store))


def test_of_a_store_without_entries_the_column_tells(store):
    table = pd.read_csv(store)
    table.assign(content_hash="0" * 64).to_csv(store, index=False)
    for file in (store.parent / "entries").iterdir():
        file.unlink()
    with pytest.raises(
        ManifestError, match=r"'content_hash' of a, b is not.*copy the store again, or delete"
    ) as told:
        check_files(read_manifest(store))
    assert "column" not in str(told.value)
