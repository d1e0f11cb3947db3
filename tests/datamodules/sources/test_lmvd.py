import shutil

import pandas as pd
import pytest

from datamodules.sources import lmvd
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees.lmvd import write


@pytest.fixture
def tree(tmp_path):
    write(tmp_path / "lmvd", persons=4)
    return tmp_path / "lmvd"


def test_a_download_becomes_a_manifest(tree):
    manifest = lmvd.read(root=tree, probe=False)
    table = manifest.table
    assert table["recording_id"].tolist() == ["lmvd_001", "lmvd_002", "lmvd_0602", "lmvd_0603"]
    assert table["binary"].tolist() == [1, 1, 0, 0]
    assert set(table["subject_id"]) == {"unknown"}
    assert "score" not in table
    assert "split" not in table
    assert [erratum.rule for erratum in manifest.errata] == ["missing_1424"]
    assert "no persons" in manifest.notes[0]
    series = pd.read_csv(manifest.recordings()[2].series_path, skipinitialspace=True)
    assert series.shape == (24, 714)


def test_numbers_are_text_and_a_published_1424_is_read(tree):
    (tree / "Video_feature" / "0603.csv").rename(tree / "Video_feature" / "1424.csv")
    (tree / "label" / "0603_Depression.csv").rename(tree / "label" / "1424_Depression.csv")
    manifest = lmvd.read(root=tree, probe=False)
    assert manifest.table["recording_id"].tolist()[-1] == "lmvd_1424"
    assert manifest.errata == ()


def test_labels_may_lie_elsewhere_and_end_with_a_line(tree):
    (tree / "label").rename(tree / "Labels of all")
    (tree / "Labels of all" / "001_Depression.csv").write_bytes(b"0\r\n")
    assert lmvd.read(root=tree, probe=False).table["binary"].tolist() == [0, 1, 0, 0]


def test_what_is_missing_or_extra_is_listed(tree):
    (tree / "Video_feature" / "001.csv").unlink()
    (tree / "label" / "0602_Depression.csv").unlink()
    (tree / "Video_feature" / "readme.txt").touch()
    manifest = lmvd.read(root=tree, probe=False)
    assert manifest.table["recording_id"].tolist() == ["lmvd_002", "lmvd_0603"]
    assert [(erratum.rule, erratum.where) for erratum in manifest.errata[:3]] == [
        ("missing_file", "001"),
        ("missing_label", "0602"),
        ("extra_file", "readme.txt"),
    ]


def test_an_archive_unpacked_into_its_own_folder_is_found(tree):
    manifest = lmvd.read(root=tree.parent, probe=False)
    assert manifest.root == tree
    assert manifest.errata[0].rule == "nested_folder"


@pytest.mark.parametrize("content", ["", "label\n1\n", "2", "1;0", "yes"])
def test_a_label_file_that_is_not_one_digit_is_refused(tree, content):
    (tree / "label" / "002_Depression.csv").write_text(content)
    with pytest.raises(SourceError, match=r"002_Depression\.csv.*digit 0 or 1 and no header"):
        lmvd.read(root=tree, probe=False)


def test_two_labels_of_one_id_are_refused(tree):
    (tree / "more").mkdir()
    (tree / "more" / "002_Depression.csv").write_text("0")
    with pytest.raises(SourceError, match="id 002 has another label file"):
        lmvd.read(root=tree, probe=False)


def test_no_labels_and_no_features_are_named(tree):
    shutil.rmtree(tree / "label")
    with pytest.raises(SourceError, match="no label file <id>_Depression"):
        lmvd.read(root=tree, probe=False)
    shutil.rmtree(tree / "Video_feature")
    with pytest.raises(SourceError, match="no Video_feature here"):
        lmvd.read(root=tree, probe=False)
