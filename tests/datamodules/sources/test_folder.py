import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError
from datamodules.sources import folder
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees.folder import write


@pytest.fixture
def tree(tmp_path):
    write(tmp_path / "own", persons=2)
    return tmp_path / "own"


def relabel(tree, old, new):
    path = tree / "labels.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_videos_with_a_table_become_a_manifest(tree):
    manifest = folder.read(root=tree)
    labels = pd.read_csv(tree / "labels.csv")
    table = manifest.table
    assert manifest.name == "own"
    assert table["recording_id"].tolist()[:2] == ["person01_visit1", "person01_visit2"]
    assert table["path"].tolist() == labels["file"].tolist()
    assert table["subject_id"].tolist() == labels["subject"].tolist()
    assert table["session_id"].tolist() == ["1", "2"] * 2
    assert table["score"].tolist() == labels["score"].tolist()
    assert table["binary"].tolist() == [0, 0, 1, 1]
    assert table["n_frames"].tolist() == [13, 14, 13, 14]
    assert table["content_hash"].nunique() == 4
    assert manifest.errata == ()
    assert folder.read(root=tree).errata == ()  # the kept facts are no recording


def test_series_are_told_from_videos_by_their_suffix(tmp_path):
    write(tmp_path, persons=2, series=True)
    recordings = folder.read(root=tmp_path, probe=False, table="labels.csv").recordings()
    assert [r.path for r in recordings] == [None] * 4
    assert all(r.series_path.is_file() for r in recordings)


def test_a_session_may_be_missing_and_other_columns_are_kept(tree):
    labels = pd.read_csv(tree / "labels.csv").drop(columns=["session", "scale", "score"])
    labels.assign(binary=[0, 0, 1, 1], trait_O=0.5).to_csv(tree / "labels.csv", index=False)
    table = folder.read(root=tree, probe=False).table
    assert set(table["session_id"]) == {"1"}
    assert table["binary"].tolist() == [0, 0, 1, 1]
    assert set(table["trait_O"]) == {0.5}


def test_a_manifest_is_read_as_one(tree):
    made = folder.read(root=tree, probe=False)
    made.write(tree / "manifest.csv")
    again = folder.read(root=tree, probe=False, table="manifest.csv")
    assert again.digest() == made.digest()
    with pytest.raises(SourceError, match="has a column 'scale', so leave out scale=PHQ-9"):
        folder.read(root=tree, probe=False, table="manifest.csv", scale="PHQ-9")


def test_a_folder_without_a_table_says_what_to_write(tree):
    (tree / "labels.csv").unlink()
    with pytest.raises(SourceError, match=r"labels\.csv: no such table.*'file,subject,scale,score'"):
        folder.read(root=tree, probe=False)
    with pytest.raises(SourceError, match="no such table"):
        folder.read(root=tree.parent, probe=False)


def test_files_nobody_names_are_listed(tree):
    (tree / "person01" / "visit3.MOV").touch()
    (tree / "notes.txt").touch()
    manifest = folder.read(root=tree, probe=False)
    assert [str(erratum) for erratum in manifest.errata] == [
        "extra_file: person01/visit3.MOV: left out: no line of labels.csv names it"
    ]


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("file,subject,session,scale,score\n", "", SourceError, "no column 'file'"),
        (",", "|", SourceError, "another separator"),
        ("person02/visit2.mp4", "person02/visit9.mp4", ManifestError, "'path' names no file"),
        ("person02/visit2.mp4", "person02/visit1.mp4", ManifestError, "'recording_id' repeats"),
        (",person01,1", ",,1", ManifestError, "'subject_id' is empty"),
        (",score", ",binary", ManifestError, "'binary' must be 0 or 1"),
        (
            "visit1.mp4,person01,1,BDI-II,",
            "visit1.mp4,person01,1,BDI-II,many",
            ManifestError,
            "'score' is not a number",
        ),
    ],
)
def test_other_tables_are_refused(tree, old, new, error, message):
    relabel(tree, old, new)
    with pytest.raises(error, match=message):
        folder.read(root=tree, probe=False)


def test_a_score_needs_its_scale_in_the_table_or_by_name(tree):
    labels = pd.read_csv(tree / "labels.csv").drop(columns="scale")
    labels.to_csv(tree / "labels.csv", index=False)
    with pytest.raises(ManifestError, match="name the questionnaire"):
        folder.read(root=tree, probe=False)
    assert set(folder.read(root=tree, probe=False, scale="HAMD-17").table["scale"]) == {"HAMD-17"}
    with pytest.raises(ManifestError, match="unknown scale 'PHQ9'"):
        folder.read(root=tree, probe=False, scale="PHQ9")


def test_faults_in_the_table_name_the_table(tree):
    relabel(tree, "BDI-II,", "BDI-II,9")
    with pytest.raises(ManifestError) as caught:
        folder.read(root=tree, probe=False)
    assert str(caught.value).startswith(f"{tree / 'labels.csv'}: ")
