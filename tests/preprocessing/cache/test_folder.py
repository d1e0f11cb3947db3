"""A cache goes on where it stopped, refuses other settings, and its tables follow from its entries."""

import json
import os
from dataclasses import replace
from hashlib import sha256
from time import sleep

import pandas as pd
import pytest

from datamodules.manifests.manifest import read_manifest
from datamodules.synthetic.files import put
from preprocessing.cache import folder as module
from preprocessing.cache.entry import kept_digest, source_facts
from preprocessing.cache.fingerprint import fingerprint, plain_settings
from preprocessing.cache.folder import Cache, CacheError, cells, check_names
from tests.preprocessing.run.made_entries import entry, job

SETTINGS = {"store": {"_target_": "x.H264Store", "crf": 18}, "least_usable": 0.05}
PROVENANCE = {"backend": {"mesh": "ab12"}, "libraries": {"av": "18.1.0"}}


def opened(path, settings=SETTINGS, provenance=PROVENANCE):
    return Cache.open(path, settings=settings, provenance=provenance)


@pytest.fixture
def cache(tmp_path):
    return opened(tmp_path / "cache")


@pytest.fixture
def done(cache, tmp_path):
    """Put a recording into the cache, its files made of nothing, and return job and entry."""

    def make(name, **facts):
        source = tmp_path / f"{name}.mp4"
        source.write_bytes(b"video of " + name.encode())
        files = {}
        for kind, place, suffix in (("clip", "clips", ".mp4"), ("series", "series", ".parquet")):
            path = cache.place(name, place, suffix)
            put(path, kind.encode())
            files[kind] = cache.described(path)
        found = job(name, source)
        cache.put(made := entry(found, **{"fingerprint": cache.fingerprint, "files": files, **facts}))
        return found, made

    return make


def test_a_cache_is_gone_on_with_by_the_same_settings_only(tmp_path, cache):
    again = opened(tmp_path / "cache", dict(reversed(SETTINGS.items())))
    assert again == cache
    assert cache.record() == {
        "fingerprint": cache.fingerprint,
        "settings": SETTINGS,
        "provenance": PROVENANCE,
    }
    for settings, provenance, told in (
        (
            SETTINGS | {"store": {"_target_": "x.H264Store", "crf": 23}},
            PROVENANCE,
            r"store\.crf: 18 there, 23 here",
        ),
        (SETTINGS, PROVENANCE | {"libraries": {"av": "19"}}, r"libraries\.av: 18\.1\.0 there, 19 here"),
    ):
        with pytest.raises(CacheError, match=told) as refused:
            opened(tmp_path / "cache", settings, provenance)
        assert "output=" in str(refused.value)
    (tmp_path / "cache" / "preprocessing.json").write_text('{"fing')
    with pytest.raises(CacheError, match=r"preprocessing\.json: cannot be read"):
        opened(tmp_path / "cache")


def test_a_fingerprint_is_of_settings_and_not_of_places():
    here = {"face": {"models": "/home/me/models", "max_faces": 4}}
    there = {"face": {"max_faces": 4, "models": None}}
    assert fingerprint(plain_settings(here), {}) == fingerprint(plain_settings(there), {})
    other = {"face": {"max_faces": 3, "models": None}}
    assert fingerprint(plain_settings(other), {}) != fingerprint(plain_settings(there), {})
    assert fingerprint(plain_settings(there), {"a": "1"}) != fingerprint(plain_settings(there), {})


def test_what_is_done_is_not_done_again_until_something_changes(cache, done):
    found, made = done("a")
    assert cache.finished("a", found.path) == made
    assert cache.finished("b", found.path) is None
    clip = cache.folder / made.files["clip"]["path"]
    clip.write_bytes(b"cli")
    assert cache.finished("a", found.path) is None
    clip.write_bytes(b"clip")
    cache.put(replace(made, final=False))
    assert cache.finished("a", found.path) is None
    cache.put(replace(made, fingerprint="another"))
    assert cache.finished("a", found.path) is None
    cache.put(made)
    assert cache.finished("a", found.path) == made
    os.utime(found.path, ns=(1, 1))
    assert cache.finished("a", found.path) is None


@pytest.mark.parametrize("keeps_time", [False, True])
def test_a_file_of_the_same_size_is_done_again_where_its_bytes_are_others(cache, done, keeps_time):
    found, made = done("a")
    clip = cache.folder / made.files["clip"]["path"]
    kept = clip.stat().st_mtime_ns
    sleep(0.02)  # longer than a tick of the clock of a file system
    clip.write_bytes(b"cliq")
    if keeps_time:
        os.utime(clip, ns=(kept, kept))  # as `cp -p` does
    assert cache.finished("a", found.path) is None
    clip.write_bytes(b"clip")
    assert cache.finished("a", found.path) == made


def test_files_that_were_copied_are_read_once(cache, done, monkeypatch):
    found, made = done("a")
    entry = cache.place("a", "entries", ".json")
    os.utime(entry, ns=(1, 1))  # its files are newer
    assert cache.finished("a", found.path) == made
    monkeypatch.setattr(module, "intact", None)
    assert cache.finished("a", found.path) == made


def test_an_entry_tells_the_digest_of_its_own_files_alone(cache, done, tmp_path):
    _, made = done("a")
    clip = cache.folder / made.files["clip"]["path"]
    assert kept_digest(clip) == sha256(b"clip").hexdigest()
    assert kept_digest(cache.folder / "series" / "a.parquet") == sha256(b"series").hexdigest()
    for other in (clip.with_suffix(".avi"), cache.folder / "clips" / "b.mp4", tmp_path / "a.mp4"):
        assert kept_digest(other) is None


def test_another_file_of_the_same_size_and_time_is_another_source(cache, done, tmp_path):
    found, made = done("a")
    cache.put(made := replace(made, source={**made.source, "sha256": sha256(b"video of a").hexdigest()}))
    moved = tmp_path / "moved.mp4"
    for content, expected in ((b"video of a", made), (b"video of b", None)):
        moved.write_bytes(content)
        os.utime(moved, ns=(1, made.source["mtime_ns"]))
        assert cache.finished("a", moved) == expected
    assert cache.finished("a", found.path) == made


def test_another_table_of_landmarks_is_another_source(cache, done, tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("landmarks")
    found, made = done("a")
    assert cache.finished("a", found.path, table) is None
    cache.put(made := replace(made, source=source_facts(found.path, table)))
    assert cache.finished("a", found.path, table) == made
    table.write_text("other landmarks")
    assert cache.finished("a", found.path, table) is None


def test_an_entry_that_was_changed_is_none(cache, done):
    found, _ = done("a", usable=3)
    path = cache.place("a", "entries", ".json")
    path.write_text(path.read_text().replace('"usable": 3', '"usable": 9'))
    assert cache.entry("a") is None
    path.write_text(path.read_text()[:40])
    assert cache.finished("a", found.path) is None
    assert cache.entries() == []


def test_the_manifest_holds_what_is_used_with_its_labels(cache, done):
    labels = {
        "recording_id": "b",
        "subject_id": "p7",
        "session_id": "2",
        "scale": "BDI-II",
        "score": 12.0,
        "item_1": 2.0,
    }
    done("b", labels=labels, facts={"fps": 25.0, "n_frames": 4, "brightness": 0.4}, status="warned")
    done("a")
    done("c", status="refused", reasons=("no face in any of its 9 frames", "more"), files={})
    kept = cache.assemble(synthetic=False)
    assert [one.recording_id for one in kept] == ["a", "b", "c"]
    manifest = read_manifest(cache.folder / "manifest.csv", probe=False)
    assert manifest.table["recording_id"].tolist() == ["a", "b"]
    second = manifest.recordings(["b"])[0]
    assert (second.subject_id, second.score, second.binary, second.fps) == ("p7", 12.0, 0, 25.0)
    assert second.path == cache.folder / "clips" / "b.mp4"
    assert second.series_path == cache.folder / "series" / "b.parquet"
    assert manifest.table["item_1"].tolist()[1] == 2
    refused = pd.read_csv(cache.folder / "refused.csv")
    assert refused["recording_id"].tolist() == ["c"]
    assert refused["reason"].tolist() == ["no face in any of its 9 frames; more"]
    assert not manifest.synthetic
    cache.assemble(synthetic=True)
    assert read_manifest(cache.folder / "manifest.csv", probe=False).synthetic


def test_the_last_command_to_end_leaves_the_whole_manifest(cache, done, monkeypatch):
    done("a")
    late = []

    def slow_put(path, data):
        if path.name == "manifest.csv" and not late:
            late.append(done("b"))  # another command ends between our look and our table
        return put(path, data)

    monkeypatch.setattr(module, "put", slow_put)
    cache.assemble(synthetic=False)
    assert pd.read_csv(cache.folder / "manifest.csv")["recording_id"].tolist() == ["a", "b"]


def test_an_empty_manifest_has_its_columns(cache):
    cache.assemble(synthetic=False)
    assert "path" in pd.read_csv(cache.folder / "manifest.csv").columns
    assert json.loads((cache.folder / "preprocessing.json").read_text())["fingerprint"] == cache.fingerprint


def test_files_of_dead_processes_are_removed(cache, tmp_path):
    import platform

    host = "".join(letter for letter in platform.node() if letter.isalnum())
    dead = cache.folder / "clips" / f".a.{host}-999999999.mp4"
    alive = cache.folder / "clips" / f".a.{host}-{os.getpid()}.mp4"
    for path in (dead, alive):
        path.write_bytes(b"half")
    opened(tmp_path / "cache")
    assert not dead.exists()
    assert alive.exists()


def test_cells_say_something():
    row = pd.DataFrame({"a": [1.5], "b": [float("nan")], "c": [""], "d": ["x"], "e": [2]}).to_dict("records")[
        0
    ]
    assert cells(row) == {"a": 1.5, "d": "x", "e": 2}


@pytest.mark.parametrize(
    ("one", "other"),
    [("P01", "p01"), ("\uac00", "\u1100\u1161"), ("\u00c5", "\u212b"), ("gr\u00fcn", "GR\u00dcN")],
)
def test_names_that_a_file_system_may_take_for_the_same_are_refused(cache, done, one, other):
    check_names(["a", one, "b"])
    with pytest.raises(CacheError, match=r"recordings '.*' and '.*' differ by case .* Rename one") as refused:
        check_names([one, "b", other])
    assert ascii(other) in str(refused.value)
    done(one)
    cache.place(one, "entries", ".json").rename(cache.place(other, "entries", ".json"))
    with pytest.raises(CacheError, match="Rename one"):  # as such a file system finds it
        cache.entry(other)
