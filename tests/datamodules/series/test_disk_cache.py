import logging

import numpy as np
import pytest

from datamodules.series import UnreadableSeries, disk_cache, memory_cache, read, read_series
from datamodules.series.series import Series

ROWS = 6_000


@pytest.fixture
def table(tmp_path, monkeypatch):
    """A table large enough to be kept, and a process that remembers nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    lines = [f"{k / 30:.3f}," + ",".join(f"{v:.6f}" for v in rng.uniform(0, 1, 6)) for k in range(ROWS)]
    path = tmp_path / "s.csv"
    path.write_text("timestamp," + ",".join(f"c{k}" for k in range(6)) + "\n" + "\n".join(lines) + "\n")
    assert path.stat().st_size > 256 * 1024
    forget(monkeypatch)
    return path


def forget(monkeypatch):
    monkeypatch.setattr(memory_cache, "KEPT", memory_cache.Kept())


def same(a: Series, b: Series) -> bool:
    arrays = all(
        np.array_equal(getattr(a, name), getattr(b, name))
        and getattr(a, name).dtype == getattr(b, name).dtype
        for name in ("values", "valid", "seconds")
    )
    return arrays and (a.channels, a.fps, a.notes) == (b.channels, b.fps, b.notes)


def files(tmp_path):
    return sorted((tmp_path / "cache" / "euthymia" / "series").glob("*"))


def test_a_table_is_parsed_once_and_mapped_afterwards(table, tmp_path, monkeypatch):
    first = read_series(table, channels=["c2", "c0"], fps=25)
    assert len(first.notes) == 1  # its clock is not the manifest's
    assert [file.suffix for file in files(tmp_path)] == [".series"]
    forget(monkeypatch)
    monkeypatch.setattr(read, "_from_table", None)  # it cannot be parsed any more
    again = read_series(table, channels=["c2", "c0"], fps=25)
    assert isinstance(again.values, np.memmap)
    assert not again.values.flags.writeable
    assert same(first, again)
    with pytest.raises(UnreadableSeries, match=r"s\.csv"):
        read_series(table, channels=["c1"])  # other channels are another entry


def test_a_changed_table_is_parsed_again(table, tmp_path, monkeypatch):
    read_series(table, channels=["c0"])
    table.write_text(table.read_text().replace("c0", "c9", 1))
    forget(monkeypatch)
    with pytest.raises(UnreadableSeries, match="no channel 'c0'"):
        read_series(table, channels=["c0"])
    assert len(files(tmp_path)) == 1


def test_any_damage_means_make_it_again(table, tmp_path, monkeypatch):
    whole = read_series(table, channels=["c0"])
    (file,) = files(tmp_path)
    content = file.read_bytes()
    flipped = [bytearray(content) for _ in range(4)]
    for damaged, place in zip(flipped, (3, 18, 60, len(content) // 2), strict=True):
        damaged[place] ^= 1
    for damaged in (*flipped, b"", content[:10], content[:-3000], b"{}", bytes(len(content)), b"\xff" * 90):
        file.write_bytes(damaged)
        forget(monkeypatch)
        assert same(read_series(table, channels=["c0"]), whole)
        assert file.read_bytes() == content


def test_without_a_place_to_write_it_goes_on_and_warns_once(table, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    disk_cache._warn.cache_clear()
    with caplog.at_level(logging.WARNING):
        for name in ("c0", "c1"):
            assert read_series(table, channels=[name]).values.shape == (ROWS, 1)
    assert caplog.text.count("parsed series cannot be kept") == 1
    assert not list(tmp_path.glob("*.part"))


def test_small_tables_are_not_stored(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "a.csv").write_text("c0\n1.5\n2.5\n")
    read_series(tmp_path / "a.csv", channels=None)
    assert not files(tmp_path)


def array(size: int) -> Series:
    values = np.zeros((size // 4, 1), np.float32)
    return Series(values=values, channels=("a",), valid=np.zeros(0, bool), fps=None)


def test_what_is_kept_is_bounded_in_bytes():
    made: list[str] = []
    store = memory_cache.Kept(limit=1_000_000)

    def get(name: str, size: int = 200_000) -> None:
        store.get(name, lambda: (made.append(name), array(size))[1])

    for name in "abca":
        get(name)
    assert made == ["a", "b", "c"]
    get("d")  # a fourth does not fit: b was not asked for the longest
    made.clear()
    for name in "acdb":
        get(name)
    assert made == ["b"]
    get("huge", 2_000_000)
    get("b")
    assert made == ["b", "huge"]  # it is too large to be kept, and drives nothing out
