import re

import pytest

from datamodules.sources.shared.download import Download
from datamodules.sources.shared.draft import Draft, SourceError

NUMBERED = re.compile(r"(?P<key>\d+)_x\.csv")


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return Download.below(root)


def test_files_are_found_at_any_depth_by_their_whole_name(tmp_path):
    download = touch(tmp_path, "2_x.csv", "a/b/1_x.csv", "a/1_x.csv.bak", "a/10_xx.csv")
    found = download.matching(NUMBERED)
    assert found == {"2": tmp_path / "2_x.csv", "1": tmp_path / "a" / "b" / "1_x.csv"}


def test_hidden_files_do_not_count_and_are_reported_once(tmp_path):
    download = touch(tmp_path, "1_x.csv", "a/._1_x.csv", "__MACOSX/1_x.csv", ".cache/1_x.csv")
    assert download.matching(NUMBERED) == {"1": tmp_path / "1_x.csv"}
    draft = Draft(name="corpus", root=tmp_path)
    download.report(draft)
    [erratum] = draft.errata
    assert (erratum.rule, erratum.change) == ("hidden_files", "3 hidden file(s) left out")
    assert "a/._1_x.csv" in erratum.where


def test_links_to_folders_are_followed_and_loops_end(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "1_x.csv").touch()
    root = tmp_path / "root"
    root.mkdir()
    (root / "train").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "up").symlink_to(root)
    assert Download.below(root).matching(NUMBERED) == {"1": root / "train" / "1_x.csv"}


def test_a_key_twice_is_refused(tmp_path):
    download = touch(tmp_path, "a/1_x.csv", "b/1_x.csv")
    with pytest.raises(SourceError, match=r"b/1_x\.csv: '1' is also at .*a/1_x\.csv; keep one"):
        download.matching(NUMBERED)


def test_one_file_is_found_by_name_in_any_case(tmp_path):
    download = touch(tmp_path, "labels/Train.CSV", "a/dev.csv", "b/DEV.csv")
    assert download.named("train.csv") == tmp_path / "labels" / "Train.CSV"
    assert download.named("absent.csv") is None
    with pytest.raises(SourceError, match=r"no label file 'absent\.csv'"):
        download.required("absent.csv")
    with pytest.raises(SourceError, match=r"'dev\.csv' is there twice"):
        download.named("dev.csv")
