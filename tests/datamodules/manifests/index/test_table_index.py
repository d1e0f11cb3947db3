import logging
import shutil

import pandas as pd
import pytest

from datamodules.manifests import manifest as opening
from datamodules.manifests.index import file_presence, table_index
from datamodules.manifests.manifest import ManifestError, read_manifest


@pytest.fixture
def path(cohort, tmp_path, monkeypatch):
    """A table that is indexed however small it is, with a column that nothing reads."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(table_index, "LEAST", 0)
    monkeypatch.setattr(file_presence, "_SETTLED_NS", 0)
    return cohort(4, 3, secret="x")


@pytest.fixture
def reads(monkeypatch):
    """Counts how often a table is read and checked."""
    made, real = [], opening.read_table
    monkeypatch.setattr(opening, "read_table", lambda file: made.append(file) or real(file))
    return made


def place(tmp_path, kind="table"):
    return next((tmp_path / "cache" / "euthymia" / "manifests").glob(f"*.{kind}"))


def test_a_second_opening_reads_no_table_and_is_equal(path, reads, tmp_path, monkeypatch):
    first, second = read_manifest(path), read_manifest(path)
    assert len(reads) == 1
    monkeypatch.setattr(table_index, "LEAST", 2**40)
    plain = read_manifest(path)  # as without an index
    for found in (first, second):
        pd.testing.assert_frame_equal(found.table, plain.table)
        assert (found.digest(), found.synthetic, found.notes) == (plain.digest(), False, ())
        assert list(found.recordings()) == list(plain.recordings())
    changed = second.table.assign(score=3.0)
    assert opening.replace(second, table=changed).digest() != second.digest()


def test_what_the_checks_warn_of_is_said_at_every_opening(path, caplog):
    said = []
    for _ in range(3):
        caplog.clear()
        read_manifest(path)
        said.append(
            [(one.name, one.getMessage()) for one in caplog.records if one.levelno == logging.WARNING]
        )
    assert said[0] == said[1] == said[2]
    assert "columns nothing reads: 'secret'" in said[0][0][1]


def test_a_silenced_check_is_not_taken_for_one_without_a_remark(path, reads, caplog):
    logging.disable(logging.WARNING)
    try:
        read_manifest(path)
    finally:
        logging.disable(logging.NOTSET)
    read_manifest(path)
    assert len(reads) == 2
    assert "columns nothing reads" in caplog.text


def test_a_changed_table_is_read_again_even_of_equal_size_and_time(path, reads):
    import os

    before = path.stat()
    digest = read_manifest(path).digest()
    path.write_text(path.read_text().replace("BDI-II,5", "BDI-II,6", 1))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    found = read_manifest(path)
    assert (len(reads), found.table["score"].iloc[0]) == (2, 6)
    assert found.digest() != digest
    path.write_text(path.read_text().replace("BDI-II,6", "BDI-II,99", 1))
    with pytest.raises(ManifestError, match=r"'score' is outside BDI-II \(0 to 63\): row 1 \(p00_v0\) = 99"):
        read_manifest(path)


@pytest.mark.parametrize("kind", ["table", "folders"])
def test_a_damaged_index_is_made_again_with_a_word(kind, path, reads, tmp_path, caplog):
    plain = read_manifest(path)
    content = bytearray(place(tmp_path, kind).read_bytes())
    content[len(content) // 2] ^= 4
    place(tmp_path, kind).write_bytes(content)
    found = read_manifest(path)
    pd.testing.assert_frame_equal(found.table, plain.table)
    assert "is damaged" in caplog.text
    caplog.clear()
    read_manifest(path)
    assert "is damaged" not in caplog.text
    assert len(reads) == (2 if kind == "table" else 1)


def test_other_checks_and_another_place_have_another_index(path, reads, tmp_path, monkeypatch):
    read_manifest(path)
    monkeypatch.setattr(table_index, "_checks", lambda: "other")
    read_manifest(path)
    shutil.copytree(path.parent, tmp_path.parent / "elsewhere", ignore=shutil.ignore_patterns("cache"))
    moved = read_manifest(tmp_path.parent / "elsewhere" / path.name)
    assert len(reads) == 3
    assert moved.recordings()[0].series_path.parent == moved.root == tmp_path.parent / "elsewhere"


def test_a_file_that_is_gone_is_missed_by_a_table_from_the_index(path, reads):
    read_manifest(path)
    (path.parent / "p02_v1.npz").unlink()
    for _ in range(2):
        with pytest.raises(
            ManifestError, match=r"names no file in row 8 \(p02_v1\) = 'p02_v1.npz'; relative"
        ):
            read_manifest(path)
    assert len(reads) == 1


def test_a_table_with_faults_leaves_no_index(path, tmp_path):
    path.write_text(path.read_text().replace("BDI-II", "BDI2"))
    for _ in range(2):
        with pytest.raises(ManifestError, match="unknown scale 'BDI2'"):
            read_manifest(path)
    assert not list((tmp_path / "cache").rglob("*.table"))
