import pandas as pd
import pytest

from datamodules.sources import cmdc
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees.cmdc import write
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.protocols import KFold


@pytest.fixture
def tree(tmp_path):
    write(tmp_path / "cmdc", persons=5, questions=2)
    return tmp_path / "cmdc"


def rules(manifest):
    return {erratum.rule: (erratum.where, erratum.change) for erratum in manifest.errata}


def test_a_download_becomes_a_manifest(tree):
    manifest = cmdc.read(root=tree, probe=False)
    table = manifest.table
    assert table["recording_id"].tolist()[:3] == ["cmdc_HC01_Q1", "cmdc_HC01_Q2", "cmdc_MDD01_Q1"]
    assert set(table["subject_id"]) == {"cmdc:HC01", "cmdc:MDD01", "cmdc:HC02", "cmdc:MDD02"}
    assert set(table["task"]) == {"Q1", "Q2"}
    assert set(table["session_id"]) == {"1"}
    published = pd.read_csv(tree / "SubjectInfo.csv").set_index("ID")
    for recording in manifest.recordings():
        total = published.loc[recording.subject_id.removeprefix("cmdc:")].filter(like="PHQ").sum()
        assert recording.scale == "PHQ-9"
        assert recording.score == total
        assert recording.binary == (total >= 10)
        assert recording.series_path.is_file()
    items = table.filter(like="item_phq9_")
    assert list(items) == [f"item_phq9_{number}" for number in range(1, 10)]
    assert (items.sum(axis=1) == table["score"]).all()


def test_the_published_workbook_is_read_alike(tree, tmp_path):
    pytest.importorskip("openpyxl")
    write(tmp_path / "book", persons=5, questions=2, workbook=True)
    book, text = (cmdc.read(root=folder, probe=False) for folder in (tmp_path / "book", tree))
    assert book.digest() == text.digest()


def test_the_label_rule_decides_where_diagnosis_and_questionnaire_differ(tree):
    score = cmdc.read(root=tree, probe=False)
    diagnosis = cmdc.read(root=tree, probe=False, label_rule="diagnosis")
    by_score, by_diagnosis = score.recordings()[0], diagnosis.recordings()[0]
    assert (by_score.binary, by_diagnosis.binary) == (0, 1)
    assert by_score.score == pd.read_csv(tree / "SubjectInfo.csv").iloc[0, 2:].sum()
    assert by_diagnosis.score is None
    where, change = rules(score)["phq9_against_diagnosis"]
    assert (where, change) == ("person HC01", f"total {by_score.score:g}, MDD 1 -> binary 0")
    assert rules(diagnosis)["phq9_against_diagnosis"][1].endswith("MDD 1 -> binary 1, no total")
    others = [(r.score, r.binary) for r in score.recordings()[2:]]
    assert others == [(r.score, r.binary) for r in diagnosis.recordings()[2:]]
    with pytest.raises(ValueError, match="label_rule='both'"):
        cmdc.read(root=tree, probe=False, label_rule="both")


def test_folds_keep_the_questions_of_a_person_together(tmp_path):
    write(tmp_path, persons=9, questions=2)
    manifest = cmdc.read(root=tmp_path)
    tested = []
    for split in KFold(folds=2, val=0.5).splits(manifest):
        check_split(manifest, split, subject_disjoint=True)
        tested += split.test
    assert sorted(tested) == sorted(manifest.table["recording_id"])
    assert manifest.table["content_hash"].nunique() == 16
    assert set(manifest.table["n_frames"]) == {20}


def test_who_lacks_video_or_a_line_or_an_item_is_listed(tree):
    path = tree / "SubjectInfo.csv"
    table = pd.read_csv(path, dtype=str).query("ID != 'HC02'")
    table["PHQ-9"] = table["PHQ-9"].where(table["ID"] != "MDD01")
    table.to_csv(path, index=False)
    (tree / "MDD02" / "Q13.csv").touch()
    manifest = cmdc.read(root=tree, probe=False)
    found = rules(manifest)
    assert found["no_video"][0] == "HC03"
    assert found["unknown_person"][0] == "HC02"
    assert found["extra_file"][0] == "MDD02/Q13.csv"
    assert found["phq9_incomplete"] == ("person MDD01", "8 of 9 items, hence no total")
    unlabelled = [r for r in manifest.recordings() if r.subject_id == "cmdc:MDD01"]
    assert [(r.score, r.binary) for r in unlabelled] == [(None, None)] * 2
    diagnosed = cmdc.read(root=tree, probe=False, label_rule="diagnosis").recordings()
    assert [(r.score, r.binary) for r in diagnosed if r.subject_id == "cmdc:MDD01"] == [(None, 1)] * 2


def test_a_stated_total_fills_in_for_missing_items_only(tree):
    path = tree / "SubjectInfo.csv"
    table = pd.read_csv(path)
    items = table.filter(like="PHQ-")
    table["PHQtotal"] = items.sum(axis=1)
    table.loc[2, "PHQtotal"] += 1
    table["PHQ-9"] = table["PHQ-9"].astype(object)
    table.loc[1, "PHQ-9"] = None
    table.to_csv(path, index=False)
    manifest = cmdc.read(root=tree, probe=False)
    scores = {r.subject_id: r.score for r in manifest.recordings()}
    assert scores == dict(zip("cmdc:" + table["ID"][:4], items.sum(axis=1)[:4], strict=True))
    found = rules(manifest)
    total = items.sum(axis=1)
    assert found["phq9_incomplete"] == ("person MDD01", f"8 of 9 items, hence PHQtotal {total[1]} is taken")
    assert found["phq9_total"] == ("person HC02", f"PHQtotal {total[2] + 1} -> sum of the items {total[2]}")


def test_an_archive_unpacked_into_its_own_folder_is_found(tree):
    manifest = cmdc.read(root=tree.parent, probe=False)
    assert (manifest.root, manifest.errata[0].rule) == (tree, "nested_folder")


def test_a_missing_table_is_named(tree):
    (tree / "SubjectInfo.csv").unlink()
    with pytest.raises(SourceError, match=r"no SubjectInfo\.xlsx or SubjectInfo\.csv"):
        cmdc.read(root=tree, probe=False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("ID,MDD,", "No,MDD,", "no column 'ID'"),
        (",", "|", "another separator"),
        ("HC01,1,", "HC01,yes,", "'MDD' is 'yes' in line 2"),
        ("HC01,1,0,", "HC01,1,4,", "'PHQ-1' of HC01 is 4; items"),
        ("HC01,1,0,", "HC01,1,x,", "'PHQ-1' is 'x' in line 2"),
        ("\nHC02,", "\nHC01,", "ID 'HC01' in line 4 is empty or comes twice"),
        ("\nHC02,", "\n,", "ID '' in line 4 is empty"),
    ],
)
def test_other_tables_are_refused(tree, old, new, message):
    path = tree / "SubjectInfo.csv"
    text = path.read_text().replace("HC01,1,1,", "HC01,1,0,")
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(SourceError, match=message):
        cmdc.read(root=tree, probe=False)
