import shutil

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.made_up import mark
from datamodules.manifests.manifest import ManifestError, manifest_from_table, read_labels, read_manifest


def edit(path, change):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table = change(table)
    table.to_csv(path, index=False)
    return path


def test_reads_ids_as_strings_and_labels_as_numbers(cohort):
    path = edit(cohort(2, 2), lambda t: t.assign(subject_id=["007", "007", "12", "Na1"]))
    manifest = read_manifest(path)
    first = manifest.recordings()[0]
    assert manifest.table["subject_id"].tolist() == ["007", "007", "12", "Na1"]
    assert (first.score, first.scale, first.binary, first.band) == (5.0, "BDI-II", 0, 0)
    assert first.series_path == path.parent / "p00_v0.npz"
    assert first.path is None
    assert (first.n_frames, first.fps) == (60, 25.0)
    assert [r.recording_id for r in manifest.recordings(["p01_v1", "p00_v0"])] == ["p01_v1", "p00_v0"]
    with pytest.raises(ManifestError, match="no recording 'p01_v7'; did you mean 'p01_v"):
        manifest.recordings(["p01_v7"])


def test_labels_are_read_without_the_files_and_with_all_other_checks(cohort, tmp_path):
    path = cohort(2, 2)
    alone = tmp_path / "alone" / "table.csv"
    alone.parent.mkdir()
    shutil.copy(path, alone)
    with pytest.raises(ManifestError, match="names no file"):
        read_manifest(alone, probe=False)
    pd.testing.assert_frame_equal(
        read_labels(alone).table.drop(columns=["series_path", "path"]),
        read_manifest(path, probe=False).table.drop(columns=["series_path", "path"]),
    )
    with pytest.raises(ManifestError, match="'score' is outside BDI-II"):
        read_labels(edit(alone, lambda t: t.assign(score="99")))


def test_parquet_equals_csv(cohort):
    path = cohort(2, 2)
    table = pd.read_csv(path, dtype={"subject_id": str, "session_id": str})
    table.to_parquet(path.with_name("other.parquet"))
    assert read_manifest(path.with_name("other.parquet")).digest() == read_manifest(path).digest()


def test_missing_column_names_the_nearest_one(cohort):
    path = edit(cohort(2, 2), lambda t: t.rename(columns={"subject_id": "subjectid"}))
    with pytest.raises(ManifestError, match="column 'subject_id' is missing; did you mean 'subjectid'"):
        read_manifest(path)


def test_all_faults_are_listed_at_once(cohort):
    def spoil(table):
        table.loc[0, "score"] = "64"
        table.loc[1, "scale"] = ""
        table.loc[2, "scale"] = "BDI2"
        table.loc[3, "subject_id"] = " "
        table.loc[4, "recording_id"] = table.loc[5, "recording_id"]
        table.loc[6, "series_path"] = "gone.npz"
        table.loc[7, "series_path"] = ""
        table.loc[8, "score"] = "ten"
        table["binary"] = ""
        table.loc[9, "binary"] = "0"
        table.loc[10, "binary"] = "2"
        return table

    with pytest.raises(ManifestError) as caught:
        read_manifest(edit(cohort(4, 3), spoil))
    message = str(caught.value)
    for expected in (
        "'score' is outside BDI-II (0 to 63): row 1 (p00_v0) = 64",
        "'score' without 'scale' in row 2 (p00_v1)",
        "unknown scale 'BDI2' in row 3 (p00_v2); did you mean 'BDI-II'?",
        "'subject_id' is empty in row 4 (p01_v0); write 'unknown'",
        "'recording_id' repeats in row 5 (p01_v2), row 6 (p01_v2)",
        "'series_path' names no file in row 7 (p02_v0) = 'gone.npz'",
        "neither 'path' nor 'series_path' nor a features_ column names a file in row 8 (p02_v1)",
        "'score' is not a number in row 9 (p02_v2) = 'ten'",
        "'binary' contradicts the score (rule: BDI-II >= 14) in row 10 (p03_v0) = 25",
        "'binary' must be 0 or 1: row 11 (p03_v1) = 2",
    ):
        assert expected in message
    assert "10 problem(s)" in message


def test_a_binary_label_equal_to_the_rule_or_alone_is_kept(cohort):
    path = edit(cohort(2, 1), lambda t: t.assign(binary=["0", "1"]))
    assert read_manifest(path).table["binary"].tolist() == [0, 1]
    path = edit(path, lambda t: t.assign(binary=["1", ""], score=["", ""], scale=["", ""]))
    assert [r.binary for r in read_manifest(path).recordings()] == [1, None]


def test_missing_video_and_wrong_suffix(tmp_path):
    table = pd.DataFrame({"recording_id": ["a"], "subject_id": ["s"], "session_id": ["1"], "path": ["a.mp4"]})
    table.to_csv(tmp_path / "m.csv", index=False)
    with pytest.raises(
        ManifestError, match=r"'path' names no file in row 1 \(a\) = 'a.mp4'; relative paths start"
    ):
        read_manifest(tmp_path / "m.csv")
    with pytest.raises(ManifestError, match="no such manifest"):
        read_manifest(tmp_path / "n.csv")
    with pytest.raises(ManifestError, match="the table has no rows"):
        manifest_from_table(table.iloc[:0], root=tmp_path, name="m")


def test_digest_ignores_folder_and_order_but_not_content(cohort, tmp_path):
    path = cohort(3, 2)
    digest = read_manifest(path).digest()
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for file in path.parent.glob("*.npz"):
        shutil.copy(file, copy)
    moved = edit(shutil.copy(path, copy), lambda t: t.iloc[::-1][list(reversed(t.columns))])
    assert read_manifest(moved).digest() == digest
    assert read_manifest(edit(moved, lambda t: t.assign(score="6"))).digest() != digest


def test_written_manifest_reads_back_from_another_folder(cohort, tmp_path):
    manifest = read_manifest(cohort(2, 2))
    target = tmp_path / "a" / "b" / "copy.csv"
    manifest.write(target)
    back = read_manifest(target)
    assert [r.series_path for r in back.recordings()] == [r.series_path for r in manifest.recordings()]
    assert np.array_equal(back.table["score"], manifest.table["score"])


def test_misspelt_optional_column_is_mentioned(cohort, caplog):
    read_manifest(edit(cohort(2, 2), lambda t: t.rename(columns={"score": "scroe"})))
    assert "'scroe'; did you mean 'score'?" in caplog.text


def test_truth_lies_beside_the_table_of_a_made_up_cohort_and_nowhere_else(cohort):
    path = cohort(2, 2)
    (path.parent / "truth.csv").write_text("somebody's own\n1\n")
    assert read_manifest(path).truth is None
    mark(path.parent)
    assert read_manifest(path).truth == path.parent / "truth.csv"
    (path.parent / "truth.csv").unlink()
    assert read_manifest(path).truth is None


def test_another_spelling_of_unknown_is_no_person(cohort):
    path = edit(cohort(2, 2), lambda t: t.assign(subject_id=["Unknown", "p00", "UNKNOWN", "unknown"]))
    with pytest.raises(ManifestError, match=r"row 1 .* = 'Unknown', row 3 .* = 'UNKNOWN'; write 'unknown'"):
        read_manifest(path)


def test_labels_can_be_taken_away_and_the_digest_stays(cohort):
    manifest = read_manifest(cohort(3, 2, item_1=2, trait_o=0.5, age=30, phq_old="9"))
    blind = manifest.without_labels(["p00_v0", "p02_v1"])
    gone = blind.table["recording_id"].isin(["p00_v0", "p02_v1"])
    for name in ("score", "binary", "item_1", "trait_o"):
        assert blind.table[name].isna().tolist() == gone.tolist()
        assert manifest.table[name].notna().all()
    assert blind.table["phq_old"].tolist() == ["" if hidden else "9" for hidden in gone]
    assert blind.table["series_path"].tolist() == manifest.table["series_path"].tolist()
    assert blind.table["age"].tolist() == [30.0] * 6
    assert blind.recordings(["p00_v0"])[0].band is None
    assert blind.recordings(["p00_v1"])[0].score == 6.0
    assert blind.digest() == manifest.digest() == blind.without_labels().digest()
    assert blind.without_labels().table["score"].isna().all()


def test_a_folder_in_place_of_its_table_names_the_table(tmp_path):
    with pytest.raises(ManifestError, match="no such manifest"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.csv").touch()
    with pytest.raises(ManifestError, match=rf"is a folder.* {tmp_path}/manifest\.csv"):
        read_manifest(tmp_path)
