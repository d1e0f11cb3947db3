import shutil

import pandas as pd
import pytest

from datamodules.manifests.manifest import ManifestError
from datamodules.sources import daic_woz
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees import daic_woz as tree

TRAIN = "train_split_Depression_AVEC2017.csv"
KNOWN = {("label_409", "participant 409"), ("item_from_total", "participant 319")}


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    root = tmp_path_factory.mktemp("daic_woz")
    tree.write(root, persons=12)
    return root


@pytest.fixture
def root(published, tmp_path):
    return shutil.copytree(published, tmp_path / "daic_woz")


def read(root):
    return daic_woz.read(root=root, probe=False)


def rules(manifest):
    return {(erratum.rule, erratum.where) for erratum in manifest.errata}


def person(manifest, number):
    return manifest.table.set_index("recording_id").loc[number]


def rewrite(path, change):
    """Change a label table, every cell of which is text."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    change(table)
    table.to_csv(path, index=False)


def set_cell(path, column, value, row=0):
    rewrite(
        path,
        lambda table: table.__setitem__(
            column, [value if n == row else v for n, v in enumerate(table[column])]
        ),
    )


def test_labels_items_and_parts_are_those_of_the_tables(published):
    manifest = read(published)
    assert len(manifest.table) == 12
    for part, name in (("train", TRAIN), ("dev", TRAIN.replace("train", "dev"))):
        rows = pd.read_csv(published / name).set_index("Participant_ID")
        ours = manifest.table[manifest.table["split"] == part].set_index("recording_id")
        assert sorted(ours.index) == sorted(map(str, rows.index))
        for number, row in rows.iterrows():
            found = ours.loc[str(number)]
            assert found["score"] == row["PHQ8_Score"]
            assert found["binary"] == float(row["PHQ8_Score"] >= 10)
            assert found["sex"] == {0: "F", 1: "M"}[row["Gender"]]
            assert found["item_phq8_1"] == row["PHQ8_NoInterest"]
            assert found["item_phq8_8"] == row["PHQ8_Moving"]
            assert found["subject_id"] == f"daic:{number}"
            assert found["session_id"] == f"{number}_P"
    tested = manifest.table[manifest.table["split"] == "test"]
    assert len(tested) == 3
    assert tested["score"].notna().all()
    assert tested["item_phq8_1"].isna().all()
    assert set(manifest.table["site"]) == {"woz"}


def test_a_recording_is_the_action_unit_file_of_the_participant(published):
    for recording in read(published).recordings():
        number = recording.recording_id
        assert recording.path is None
        assert recording.series_path == published / f"{number}_P" / f"{number}_CLNF_AUs.txt"


def test_the_known_errata_are_applied_and_listed(published):
    manifest = read(published)
    assert rules(manifest) == KNOWN
    assert (person(manifest, "409")["score"], person(manifest, "409")["binary"]) == (10, 1)
    items = person(manifest, "319")[[f"item_phq8_{number}" for number in range(1, 9)]]
    assert items.sum() == person(manifest, "319")["score"]
    assert any(erratum.change == "binary 0 -> 1 (score 10)" for erratum in manifest.errata)


def test_remarks_name_only_participants_that_are_there(published, root):
    interrupted = "participant 373: the interview is interrupted from 5:52 to 7:00"
    assert interrupted in read(published).notes
    assert not any("444" in note for note in read(published).notes)
    shutil.rmtree(root / "373_P")
    assert interrupted not in read(root).notes


def test_any_other_contradiction_is_decided_by_the_score(root):
    set_cell(root / "full_test_split.csv", "PHQ_Binary", "0")
    set_cell(root / "full_test_split.csv", "PHQ_Score", "17")
    [number] = pd.read_csv(root / "full_test_split.csv", dtype=str)["Participant_ID"].iloc[:1]
    manifest = read(root)
    assert rules(manifest) - KNOWN == {("binary_contradicts_score", f"participant {number}")}
    assert person(manifest, number)["binary"] == 1


def test_items_that_do_not_add_up_are_listed(root):
    table = root / "dev_split_Depression_AVEC2017.csv"
    set_cell(table, "PHQ8_Score", "24")
    set_cell(table, "PHQ8_Binary", "1")
    set_cell(table, "PHQ8_Moving", "0")
    [number] = pd.read_csv(table, dtype=str)["Participant_ID"].iloc[:1]
    assert rules(read(root)) - KNOWN == {("items_contradict_score", f"participant {number}")}


def test_several_empty_items_stay_empty(root):
    for column in ("PHQ8_Sleep", "PHQ8_Tired"):
        set_cell(root / TRAIN, column, "")
    manifest = read(root)
    assert rules(manifest) - KNOWN == {("missing_items", "participant 300")}
    assert person(manifest, "300")[["item_phq8_3", "item_phq8_4"]].isna().all()


@pytest.mark.parametrize("name", [TRAIN, "dev_split_Depression_AVEC2017.csv"])
def test_a_missing_label_table_is_an_error(root, name):
    (root / name).unlink()
    with pytest.raises(SourceError, match=f"no label file '{name}'"):
        read(root)


def test_without_totals_of_the_test_part_it_stays_unlabeled(root):
    (root / "full_test_split.csv").unlink()
    manifest = read(root)
    tested = manifest.table[manifest.table["split"] == "test"]
    assert len(tested) == 3
    assert tested[["score", "binary"]].isna().all(axis=None)
    assert any("'test' has no labels" in note for note in manifest.notes)
    (root / "test_split_Depression_AVEC2017.csv").unlink()
    with pytest.raises(SourceError, match=r"no label file 'test_split_Depression_AVEC2017\.csv'"):
        read(root)


def test_nested_archive_folders_read_the_same(root):
    expected = read(root).table.drop(columns="series_path")
    for folder in sorted(root.glob("*_P")):
        folder.rename(root / "inner")
        folder.mkdir()
        (root / "inner").rename(folder / folder.name)
    assert read(root).table.drop(columns="series_path").equals(expected)


def test_the_documented_spelling_of_the_series_is_read(root):
    file = root / "300_P" / "300_CLNF_AUs.txt"
    file.rename(file.with_suffix(".csv"))
    assert person(read(root), "300")["series_path"] == "300_P/300_CLNF_AUs.csv"


def test_archives_that_were_not_unpacked_are_an_error(root):
    shutil.rmtree(root / "300_P")
    (root / "300_P.zip").touch()
    with pytest.raises(SourceError, match=r"1 participant\(s\) are still in their archives \(300_P\.zip\)"):
        read(root)


def test_participants_without_counterpart_are_listed(root):
    shutil.rmtree(root / "300_P")
    (root / "342_P").mkdir()
    (root / "342_P" / "342_CLNF_AUs.txt").touch()
    manifest = read(root)
    assert rules(manifest) - KNOWN == {
        ("missing_series", "participant 300"),
        ("unknown_person", "participant 342"),
    }
    assert {"daic:300", "daic:342"}.isdisjoint(manifest.table["subject_id"])


def test_appledouble_files_are_no_recordings(root):
    (root / "487_P").mkdir()
    (root / "487_P" / "._487_CLNF_AUs.txt").touch()
    assert rules(read(root)) - KNOWN == {("hidden_files", "487_P/._487_CLNF_AUs.txt")}


def test_a_series_in_two_places_is_an_error(root):
    shutil.copytree(root / "300_P", root / "copy" / "300_P")
    with pytest.raises(SourceError, match="'300' is also at"):
        read(root)


def test_a_participant_in_two_parts_is_an_error(root):
    set_cell(root / TRAIN, "Participant_ID", "302")
    with pytest.raises(SourceError, match=r"name a participant twice: 302 \(train, dev\)"):
        read(root)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("Participant_ID", "30O", "a participant has three digits"),
        ("Gender", "2", "'Gender' of participant 300 is '2'"),
        ("PHQ8_Score", "seven", "'score' is 'seven' in line 2, which is no number"),
        ("PHQ8_Score", "", "'score' is '' in line 2"),
        ("PHQ8_Score", "nan", "'score' is 'nan' in line 2"),
        ("PHQ8_Binary", "2", "the binary label of participant 300 is 2"),
        ("PHQ8_Sleep", "4", "participant 300: PHQ8_Sleep is 4"),
    ],
)
def test_cells_of_another_kind_are_an_error(root, column, value, message):
    set_cell(root / TRAIN, column, value)
    with pytest.raises(SourceError, match=message):
        read(root)


def test_a_score_outside_the_questionnaire_is_refused(root):
    set_cell(root / "full_test_split.csv", "PHQ_Score", "25")
    with pytest.raises(ManifestError, match=r"outside PHQ-8 \(0 to 24\)"):
        read(root)


def test_a_table_without_header_is_an_error(root):
    lines = (root / TRAIN).read_text().splitlines()
    (root / TRAIN).write_text("\n".join(lines[1:]))
    with pytest.raises(SourceError, match="no column 'Participant_ID'"):
        read(root)


def test_other_separators_are_read_or_refused(root):
    expected = read(root).table
    text = (root / TRAIN).read_text()
    (root / TRAIN).write_text(text.replace(",", ";"))
    assert read(root).table.equals(expected)
    (root / TRAIN).write_text(text.replace(",", "|"))
    with pytest.raises(SourceError, match="another separator"):
        read(root)
