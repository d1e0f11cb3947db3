import pytest

from datamodules.manifests.errata import Erratum
from datamodules.sources.shared.draft import Draft, SourceError, existing_folder
from datamodules.sources.shared.label_table import numbers, read_labels

COLUMNS = {"subject_id": ["Participant_ID"], "score": ["PHQ8_Score", "PHQ_Score"]}


def labels(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_labels_are_read_whatever_separates_them(tmp_path, separator):
    text = "﻿participant_ID , PHQ_Score,Gender\n300,4,0\n,,\n\n301, 12 ,1\n".replace(",", separator)
    table = read_labels(labels(tmp_path, text), COLUMNS)
    assert table["subject_id"].tolist() == ["300", "301"]
    assert numbers(table, "score", tmp_path) == [4, 12]
    assert table["Gender"].tolist() == ["0", "1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        ("300,4\n301,5\n", "no column 'Participant_ID'"),
        ("Participant_ID|PHQ_Score\n300|4\n", "another separator"),
        ("Participant_ID,PHQ_Score\n300,4,5\n", "line 2 has 3 cells, the header has 2"),
    ],
)
def test_other_label_files_are_refused(tmp_path, text, message):
    with pytest.raises(SourceError, match=message):
        read_labels(labels(tmp_path, text), COLUMNS)


def test_a_missing_file_or_folder_is_named(tmp_path):
    with pytest.raises(SourceError, match=r"absent\.csv: no such label file"):
        read_labels(tmp_path / "absent.csv", COLUMNS)
    with pytest.raises(SourceError, match="absent: no such folder"):
        existing_folder(tmp_path / "absent")


def test_a_cell_that_is_no_number_is_named_with_its_line(tmp_path):
    table = read_labels(labels(tmp_path, "Participant_ID,PHQ_Score\n300,4\n301,x\n"), COLUMNS)
    with pytest.raises(SourceError, match="'score' is 'x' in line 3"):
        numbers(table, "score", tmp_path / "labels.csv")


def test_text_that_is_not_utf8_is_refused(tmp_path):
    (tmp_path / "labels.csv").write_bytes("Participant_ID,PHQ_Score,姓名\n".encode("gbk"))
    with pytest.raises(SourceError, match="save it as UTF-8"):
        read_labels(tmp_path / "labels.csv", COLUMNS)


def test_a_draft_becomes_a_manifest_with_its_corrections(tmp_path):
    (tmp_path / "a.npz").touch()
    draft = Draft(name="corpus", root=tmp_path, notes=["no list of persons"])
    row = {"recording_id": "a", "subject_id": "c:1", "session_id": "1", "path": "", "series_path": "a.npz"}
    draft.rows.append(row | {"scale": "PHQ-8", "score": None})
    draft.correct("label_1", "participant 1", "score left empty")
    manifest = draft.manifest(probe=False)
    assert manifest.errata == (Erratum(rule="label_1", where="participant 1", change="score left empty"),)
    assert manifest.notes == ("no list of persons",)
    assert manifest.table["corpus"].tolist() == ["corpus"]
    assert manifest.recordings()[0].score is None


def test_an_empty_draft_is_refused(tmp_path):
    with pytest.raises(SourceError, match="no recording of corpus"):
        Draft(name="corpus", root=tmp_path).manifest(probe=False)


@pytest.mark.parametrize("cell", ["nan", "inf", "-1.#IND"])
def test_a_number_that_is_none_is_no_label(tmp_path, cell):
    table = read_labels(labels(tmp_path, f"Participant_ID,PHQ_Score\n300,{cell}\n"), COLUMNS)
    with pytest.raises(SourceError, match="which is no number"):
        numbers(table, "score", tmp_path / "labels.csv", empty=True)


def test_optional_columns_are_renamed_where_they_are(tmp_path):
    path = labels(tmp_path, "Participant_ID,PHQ_Score,Gender\n300,4,0\n")
    optional = {"sex": ["gender"], "age": ["Age"]}
    assert list(read_labels(path, COLUMNS, optional=optional)) == ["subject_id", "score", "sex"]
