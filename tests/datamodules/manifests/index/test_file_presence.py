import pandas as pd
import pytest

from datamodules.manifests.index import file_presence
from datamodules.manifests.index.file_presence import absent, changed, keep, kept, looked_at


@pytest.fixture
def files(tmp_path):
    """Three folders of two files each, changed long ago."""
    cells = [f"{folder}/{name}.mp4" for folder in "abc" for name in ("x", "y")]
    for cell in cells:
        (tmp_path / cell).parent.mkdir(exist_ok=True)
        (tmp_path / cell).touch()
    return pd.DataFrame({"path": [*cells, ""], "series_path": [""] * 7})


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Believe folders at once: tests cannot wait for two seconds."""
    monkeypatch.setattr(file_presence, "_SETTLED_NS", 0)


def test_only_files_count_and_only_those_of_some_folders_where_asked(files, tmp_path):
    (tmp_path / "a" / "x.mp4").unlink()
    (tmp_path / "c" / "y.mp4").unlink()
    (tmp_path / "c" / "y.mp4").mkdir()
    cells = [*files["path"].tolist(), "n\0", "d" * 5000]
    assert absent(cells, tmp_path) == [0, 5, 7, 8]
    assert absent(cells, tmp_path, {"c"}) == [5]


@pytest.mark.parametrize("change", ["removed", "renamed", "gone", "another"])
def test_a_folder_in_which_a_file_may_be_gone_has_changed(change, files, tmp_path):
    known = looked_at(files, tmp_path)
    assert (known.names, changed(known, tmp_path)) == (("a", "b", "c"), set())
    (tmp_path / "a" / "x.mp4").write_bytes(b"more")  # its content is no matter of the folder
    assert changed(known, tmp_path) == set()
    if change == "removed":
        (tmp_path / "b" / "y.mp4").unlink()
    elif change == "renamed":
        (tmp_path / "b" / "y.mp4").rename(tmp_path / "b" / "z.mp4")
    else:
        (tmp_path / "b").rename(tmp_path / "old")
    if change == "another":
        (tmp_path / "b").mkdir()
    assert changed(known, tmp_path) == {"b"}


def test_links_and_folders_of_a_moment_ago_are_never_believed(files, tmp_path, monkeypatch):
    (tmp_path / "a" / "x.mp4").rename(tmp_path / "elsewhere.mp4")
    (tmp_path / "a" / "x.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    assert changed(looked_at(files, tmp_path), tmp_path) == {"a"}
    monkeypatch.setattr(file_presence, "_SETTLED_NS", 10**15)
    assert changed(looked_at(files, tmp_path), tmp_path) == {"a", "b", "c"}


def test_some_rows_have_a_file_of_every_folder_by_every_way_of_naming_it(tmp_path):
    rows = [("v/1/a", "s/1/a"), ("v/1/b", ""), ("v/1/c", ""), ("", "s/2/a"), ("", "s/1/b"), ("", "s/1/c")]
    table = pd.DataFrame(rows, columns=["path", "series_path"])
    known = looked_at(table, tmp_path)
    assert known.names == ("s/1", "s/2", "v/1")
    some = table.iloc[known.some_rows()]
    assert {cell.rpartition("/")[0] for cell in [*some["path"], *some["series_path"]]} - {""} == set(
        known.names
    )
    first = some["path"].where(some["path"] != "", some["series_path"])
    assert {cell.rpartition("/")[0] for cell in first} == {"v/1", "s/1", "s/2"}


def test_what_is_kept_is_of_one_table_and_not_believed_when_damaged(files, tmp_path, caplog):
    known, place = looked_at(files, tmp_path), tmp_path / "cache" / "f"
    keep(known, place, "digest")
    found = kept(place, "digest")
    assert (found.names, found.rows, found.states.tolist()) == (
        known.names,
        known.rows,
        known.states.tolist(),
    )
    assert kept(place, "other") is None
    assert kept(tmp_path / "none", "digest") is None
    place.write_bytes(place.read_bytes()[:-1])
    assert kept(place, "digest") is None
    assert "all files are looked for again" in caplog.text
