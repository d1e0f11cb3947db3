import shutil

import pandas as pd
import pytest

from datamodules.sources import daic_woz, edaic
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees import daic_woz as other
from datamodules.sources.trees import edaic as tree


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    root = tmp_path_factory.mktemp("edaic")
    tree.write(root, persons=12)
    return root


@pytest.fixture
def root(published, tmp_path):
    return shutil.copytree(published, tmp_path / "edaic")


def read(root, **options):
    return edaic.read(root=root, probe=False, **options)


def rules(manifest):
    return {(erratum.rule, erratum.where) for erratum in manifest.errata}


def labels(root):
    """The published label lines of all parts by participant."""
    tables = [pd.read_csv(root / "labels" / f"{part}_split.csv") for part in ("train", "dev", "test")]
    return pd.concat(tables).set_index("Participant_ID")


def contrary(root):
    table = labels(root)
    return set(table.index[(table["PHQ_Score"] >= 10) != (table["PHQ_Binary"] == 1)].astype(str))


def test_labels_items_sex_and_site_are_those_of_the_tables(published):
    manifest = read(published)
    items = pd.read_csv(published / "labels" / "Detailed_PHQ8_Labels.csv").set_index("Participant_ID")
    assert len(manifest.table) == len(labels(published)) == 12
    ours = manifest.table.set_index("recording_id")
    for number, row in labels(published).iterrows():
        found = ours.loc[str(number)]
        assert found["score"] == row["PHQ_Score"]
        assert found["sex"] == row["Gender"][0].upper()
        assert found["site"] == ("ai" if number >= 600 else "woz")
        if found["split"] == "test":
            assert pd.isna(found["item_phq8_1"])
        else:
            assert found["item_phq8_3"] == items.loc[number, "PHQ_8Sleep"]
            assert found["item_phq8_8"] == items.loc[number, "PHQ_8Moving"]


def test_by_score_every_label_follows_from_the_total(published):
    manifest = read(published)
    assert len(contrary(published)) == 2
    assert rules(manifest) == {("binary_contradicts_score", f"participant {n}") for n in contrary(published)}
    assert (manifest.table["binary"] == (manifest.table["score"] >= 10)).all()
    assert manifest.table["score"].notna().all()


def test_by_published_labels_contradicting_totals_are_left_empty(published):
    manifest = read(published, label_rule="published")
    assert rules(manifest) == {("binary_contradicts_score", f"participant {n}") for n in contrary(published)}
    ours = manifest.table.set_index("recording_id")
    expected = labels(published)["PHQ_Binary"]
    assert ours["binary"].to_dict() == {str(number): label for number, label in expected.items()}
    assert set(ours.index[ours["score"].isna()]) == contrary(published)


def test_an_unknown_label_rule_is_answered_with_the_known(published):
    with pytest.raises(SourceError, match="did you mean 'published'"):
        read(published, label_rule="publisehd")


def test_the_series_is_the_file_of_action_units_whatever_its_case(root):
    file = root / "300_P" / "features" / "300_OpenFace2.1.0_Pose_gaze_AUs.csv"
    (file.parent / "300_BoVW_openFace_2.1.0_Pose_Gaze_AUs.csv").write_text("0;1\n")
    file.rename(file.with_name("300_OpenFace2.1.0_Pose_Gaze_AUs.csv"))
    found = read(root).table.set_index("recording_id").loc["300", "series_path"]
    assert found == "300_P/features/300_OpenFace2.1.0_Pose_Gaze_AUs.csv"


@pytest.mark.parametrize("outer", ["{0}_P", "{0}_P.tar"])
def test_nested_archive_folders_read_the_same(root, outer):
    expected = read(root).table.drop(columns="series_path")
    for folder in sorted(root.glob("*_P")):
        folder.rename(root / "inner")
        around = root / outer.format(folder.name[:3])
        around.mkdir()
        (root / "inner").rename(around / folder.name)
    assert read(root).table.drop(columns="series_path").equals(expected)


def test_archives_that_were_not_unpacked_are_an_error(root):
    shutil.rmtree(root / "300_P")
    (root / "300_P.tar.gz").touch()
    with pytest.raises(SourceError, match=r"still in their archives \(300_P\.tar\.gz\)"):
        read(root)


def test_a_withheld_test_part_is_noted(root):
    table = pd.read_csv(root / "labels" / "test_split.csv")
    table[["Participant_ID", "Gender"]].to_csv(root / "labels" / "test_split.csv", index=False)
    manifest = read(root)
    tested = manifest.table[manifest.table["split"] == "test"]
    assert len(tested) == len(table)
    assert tested["score"].isna().all()
    assert "'test' has no labels: they were withheld" in manifest.notes
    (root / "labels" / "test_split.csv").unlink()
    manifest = read(root)
    assert set(manifest.table["split"]) == {"train", "dev"}
    assert {where for rule, where in rules(manifest) if rule == "unknown_person"} == {
        f"participant {number}" for number in table["Participant_ID"]
    }


@pytest.mark.parametrize("name", ["train_split.csv", "dev_split.csv"])
def test_a_missing_label_table_is_an_error(root, name):
    (root / "labels" / name).unlink()
    with pytest.raises(SourceError, match=f"no label file '{name}'"):
        read(root)


def test_without_the_table_of_items_there_are_none(root):
    (root / "labels" / "Detailed_PHQ8_Labels.csv").unlink()
    manifest = read(root)
    assert not any(name.startswith("item_") for name in manifest.table)
    assert "no items: Detailed_PHQ8_Labels.csv is not there" in manifest.notes


def test_items_of_an_unknown_person_are_listed(root):
    path = root / "labels" / "Detailed_PHQ8_Labels.csv"
    path.write_text(path.read_text() + "777,0,0,0,0,0,0,0,0,0\n")
    assert ("items_without_label", "participant 777") in rules(read(root))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("female", "f", "'Gender' of participant"),
        ("PHQ_Score", "Score", "no column 'PHQ8_Score'"),
        (",", "|", "another separator"),
    ],
)
def test_tables_of_another_kind_are_an_error(root, old, new, message):
    for part in ("train", "dev"):
        path = root / "labels" / f"{part}_split.csv"
        path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SourceError, match=message):
        read(root)


def test_both_corpora_name_the_same_person_alike(published, tmp_path):
    other.write(tmp_path, persons=8)
    woz = daic_woz.read(root=tmp_path, probe=False).table
    both = set(woz["subject_id"]) & set(read(published).table["subject_id"])
    assert "daic:300" in both
