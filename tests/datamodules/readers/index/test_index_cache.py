"""The packet index is made once per file, remade when the file changes, and never trusted blindly."""

import os

import numpy as np
import pytest

from datamodules.readers.index import index_cache
from datamodules.readers.index.index_cache import packet_index
from datamodules.user_cache import cache_folder
from tests.datamodules.readers.videos import RECIPES, write


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    index_cache._cached_index.cache_clear()


@pytest.fixture
def scans(monkeypatch):
    seen, original = [], index_cache.scan
    monkeypatch.setattr(index_cache, "scan", lambda path: seen.append(path) or original(path))
    return seen


def _forget():
    index_cache._cached_index.cache_clear()  # what a new process starts with


def _same(one, other):
    return all(np.array_equal(value, vars(other)[name]) for name, value in vars(one).items())


def test_index_of_a_known_video(tmp_path):
    index = packet_index(write(RECIPES["b_frames"], tmp_path))
    assert index.n_frames == 60
    assert index.timed
    assert (np.diff(index.pts) * index.time_base == index.time_base * np.diff(index.pts)[0]).all()
    assert float((index.pts[1] - index.pts[0]) * index.time_base) == pytest.approx(0.04)
    assert [list(index.pts).index(key) for key in index.keys] == [0, 12, 24, 36, 48]
    assert (index.codec, index.fps, index.height, index.width) == ("h264", 25.0, 64, 96)
    assert not index.open_gop
    assert not index.edited


def test_open_gops_and_edit_lists_are_seen(tmp_path):
    assert packet_index(write(RECIPES["open_gop"], tmp_path)).open_gop
    head = packet_index(write(RECIPES["edit_head"], tmp_path))
    assert head.edited
    assert head.n_frames == 54
    tail = packet_index(write(RECIPES["edit_tail"], tmp_path))
    assert tail.edited
    assert tail.n_frames == 40


def test_a_file_is_scanned_once(tmp_path, scans):
    path = write(RECIPES["variable_rate"], tmp_path)
    first = packet_index(path)
    assert packet_index(path) is first
    _forget()
    assert _same(packet_index(path), first)
    assert len(scans) == 1
    assert len(list(cache_folder("packets").glob("*.npz"))) == 1
    assert not list(cache_folder("packets").glob("*.part"))


def test_a_changed_file_is_scanned_again(tmp_path, scans):
    path = write(RECIPES["b_frames"], tmp_path)
    assert packet_index(path).n_frames == 60
    content = write(RECIPES["long_gop"], tmp_path).read_bytes()
    path.write_bytes(content)
    assert packet_index(path).n_frames == 90
    os.utime(path, ns=(1, 1))
    packet_index(path)
    assert len(scans) == 3


def test_a_damaged_cache_entry_is_made_again(tmp_path, scans):
    path = write(RECIPES["b_frames"], tmp_path)
    index = packet_index(path)
    (entry,) = cache_folder("packets").glob("*.npz")
    for content in (b"", b"no archive", entry.read_bytes()[:100]):
        entry.write_bytes(content)
        _forget()
        assert _same(packet_index(path), index)
    assert len(scans) == 4


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, scans):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    path = write(RECIPES["b_frames"], tmp_path)
    assert packet_index(path).n_frames == 60
    assert packet_index(path).n_frames == 60
    assert len(scans) == 1


def test_untimed_files_say_so_once(tmp_path, caplog):
    path = write(RECIPES["xvid_avi"], tmp_path)
    for _ in range(2):
        index = packet_index(path)
        _forget()
    assert not index.timed
    assert index.n_frames == 60
    assert index.fps == 25
    assert len([record for record in caplog.records if "decoded from the start" in record.message]) == 1
