import numpy as np
import pandas as pd
import pytest

from datamodules.checks.describe import overview, unreadable
from datamodules.manifests.manifest import manifest_from_table


@pytest.fixture
def manifest(tmp_path, write_series):
    """Three persons, one of them in two parts, one file twice, one unlabeled, one damaged."""
    for number, name in enumerate("abcd"):
        write_series(tmp_path / f"{name}.npz", np.full((10 + number, 3), number))
    (tmp_path / "d.npz").write_bytes(b"damaged")
    (tmp_path / "copy.npz").write_bytes((tmp_path / "a.npz").read_bytes())
    rows = [
        ("a", "1", "1", "read", "a.npz", "train", 12),
        ("b", "1", "1", "tell", "b.npz", "train", 12),
        ("c", "1", "2", "read", "c.npz", "test", 30),
        ("d", "2", "1", "read", "d.npz", "train", 40),
        ("e", "3", "1", "read", "copy.npz", "dev", None),
    ]
    names = ["recording_id", "subject_id", "session_id", "task", "series_path", "split", "score"]
    table = pd.DataFrame(rows, columns=names).assign(path="", scale="BDI-II")
    return manifest_from_table(table, root=tmp_path, name="small")


@pytest.fixture
def sections(manifest):
    return {section.title: section for section in overview(manifest)}


def test_counts_are_given_by_part(sections):
    section = sections["Recordings"]
    assert section.header == ("part", "recordings", "sessions", "persons", "without label", "unreadable")
    assert section.rows == [
        ("train", "3", "2", "2", "0", "1"),
        ("dev", "1", "1", "1", "1", "0"),
        ("test", "1", "1", "1", "0", "0"),
        ("all", "5", "4", "3", "1", "1"),
    ]


def test_label_statistics_count_a_session_once(sections):
    rows = {row[0]: row[1:] for row in sections["Labels, one a session"].rows}
    # 12 and 40: mean 26, sample sd 14 sqrt(2); minimal to 13, severe from 29
    assert rows["train"] == ("BDI-II", "2", "12", "40", "26", "19.8", "1 / 0 / 0 / 1", "1 of 2")
    assert rows["dev"] == ("BDI-II", "0", "-", "-", "-", "-", "-", "-")
    assert rows["all"][:3] == ("BDI-II", "3", "12")
    assert rows["all"][-1] == "2 of 3"


def test_shared_persons_are_a_matrix_with_the_persons_of_a_part_on_its_diagonal(sections):
    section = sections["Persons shared by parts"]
    assert section.header == ("", "train", "dev", "test")
    assert section.rows == [("train", "2", "0", "1"), ("dev", "0", "1", "0"), ("test", "1", "0", "1")]
    assert "can recognize them" in section.remark


def test_lengths_and_rates_are_a_range(sections):
    rows = {row[0]: row for row in sections["Files"].rows}
    assert rows["train"][1:4] == ("0.4 / 0.4 / 0.4", "10 / 10 / 11", "25 / 25 / 25")
    assert rows["test"][2] == "12 / 12 / 12"


def test_copies_missing_labels_and_damaged_files_are_named(manifest, sections):
    assert sections["The same file content under several ids"].rows == [("a (train) = e (dev)",)]
    assert sections["Missing labels, unreadable files"].rows == [
        ("d", "file cannot be read"),  # errors first
        ("e", "no label"),
    ]
    assert unreadable(manifest.table) == ["d"]


def test_groups_have_their_share_of_positives(sections):
    assert sections["Groups"].rows == [
        ("task", "read", "4", "3", "2 of 3"),
        ("task", "tell", "1", "1", "0 of 1"),
    ]


def test_files_that_were_not_opened_are_not_called_readable(manifest, tmp_path):
    table = manifest.table[["recording_id", "subject_id", "session_id", "path", "series_path"]]
    unopened = manifest_from_table(table, root=tmp_path, name="small", probe=False)
    titles = [section.title for section in overview(unopened)]
    assert overview(unopened)[0].rows == [("all", "5", "4", "3", "5", "not opened")]
    assert "Files" not in titles
    assert "Labels, one a session" not in titles
    assert unreadable(unopened.table) == []


def test_unknown_persons_and_traits_are_reported(tmp_path, manifest):
    table = manifest.table.assign(subject_id="unknown", trait_openness=[0.2, 0.4, 0.6, 0.8, None])
    sections = {
        s.title: s for s in overview(manifest_from_table(table, root=tmp_path, name="t", probe=False))
    }
    assert sections["Recordings"].remark == "5 recording(s) of unknown persons, counted one by one"
    # mean of .2 .4 .6 .8 is .5, sample sd sqrt(.2 / 3)
    assert sections["Traits, of recordings"].rows[-1] == (
        "all",
        "trait_openness",
        "4",
        "0.2",
        "0.8",
        "0.5",
        "0.2582",
    )
