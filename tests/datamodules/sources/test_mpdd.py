import json
import shutil

import numpy as np
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import ManifestError
from datamodules.sources import mpdd
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees.mpdd import write
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.partition import Split

LIST = "Training/labels/Training_Validation_files.json"
PERSONS = "Training/labels/personalized_train.json"


@pytest.fixture
def tree(tmp_path):
    write(tmp_path, persons=6)
    return tmp_path / "MPDD-Young"


def edit(tree, file, change):
    content = json.loads((tree / file).read_text())
    changed = change(content)
    (tree / file).write_text(json.dumps(content if changed is None else changed))


def test_a_download_becomes_a_manifest(tree):
    manifest = mpdd.read(root=tree, probe=False)
    table = manifest.table.set_index("recording_id")
    assert table.index.tolist() == [f"mpdd_young_{p:03d}_{f:03d}" for p in range(1, 7) for f in (1, 2)]
    assert table["subject_id"].tolist()[:3] == ["mpdd:young_1", "mpdd:young_1", "mpdd:young_2"]
    assert table["split"].tolist() == ["train"] * 8 + ["test"] * 4
    assert table["binary"].tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert table["category_tri"].astype(float).tolist() == [0, 0, 1, 1, 1, 1, 2, 2, 0, 0, 0, 0]
    assert table["category_pen"].astype(float).tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 0, 0, 1, 1]
    assert set(table["fps"]) == {1.0}
    assert "score" not in table
    assert manifest.errata == ()
    assert np.load(manifest.recordings()[0].series_path).shape == (26, 709)


def test_traits_sex_and_age_are_those_of_the_person(tree):
    manifest = mpdd.read(root=tree, probe=False)
    persons = json.loads((tree / PERSONS).read_text())
    second = manifest.table.iloc[2]
    scores = persons["2"]["big5_scores"]
    assert {name[-1]: second[name] for name in second.index if name.startswith("trait_")} == {
        name[0]: score for name, score in scores.items()
    }
    assert (second["sex"], second["age"]) == ("M", float(persons["2"]["age"]))
    assert "traits are 'big5_scores' as published" in manifest.notes[0]


def test_other_windows_and_features_are_read_by_name(tree):
    manifest = mpdd.read(root=tree, probe=False, window="5s", features="resnet")
    assert np.load(manifest.recordings()[0].series_path).shape == (6, 1000)
    assert set(manifest.table["fps"]) == {0.2}
    with pytest.raises(SourceError, match=r"Visual/vgg: no such folder; choose other window or features"):
        mpdd.read(root=tree, probe=False, features="vgg")


def test_traits_that_are_no_numbers_are_left_out_with_a_note(tree):
    def words(persons):
        for person in persons.values():
            person["big5_traits"] = "An open person."
            del person["big5_scores"]

    edit(tree, PERSONS, words)
    (tree / "Testing" / "labels" / "personalized_test.json").unlink()
    manifest = mpdd.read(root=tree, probe=False)
    assert "trait_O" not in manifest.table
    assert [note.split(": ")[1] for note in manifest.notes] == [
        "no Big Five as numbers, hence no traits",
        "no personalized_*.json, hence neither traits nor age",
    ]


def test_the_track_is_in_every_id_because_both_count_from_one(tree, tmp_path):
    write(tmp_path, persons=3, track="MPDD-Elderly")
    elderly = mpdd.read(root=tmp_path / "MPDD-Elderly", probe=False)
    assert elderly.table["subject_id"].tolist()[0] == "mpdd:elderly_1"
    with pytest.raises(SourceError, match="several folders"):
        mpdd.read(root=tmp_path, probe=False)
    tree.rename(tmp_path / "download")
    with pytest.raises(SourceError, match="track=young or track=elderly"):
        mpdd.read(root=tmp_path / "download", probe=False)
    named = mpdd.read(root=tmp_path / "download", probe=False, track="young")
    assert named.table["subject_id"].tolist()[0] == "mpdd:young_1"


def test_a_person_in_both_parts_is_noted_and_the_official_split_refused(tree):
    folder = tree / "Testing" / "1s" / "Visual" / "openface"
    (folder / "005_001.npy").rename(folder / "1_003.npy")
    edit(
        tree,
        "Testing/labels/Testing_files.json",
        lambda entries: entries[0].update(video_feature_path="1_003.npy"),
    )
    manifest = mpdd.read(root=tree, probe=False)
    assert manifest.notes[-1] == "1 person(s) are in Training and Testing: mpdd:young_1"
    train, test = (
        tuple(manifest.table["recording_id"][manifest.table["split"] == part]) for part in ("train", "test")
    )
    with pytest.raises(LeakageError, match=r"a subject in two parts: mpdd:young_1 \(test, train\)"):
        check_split(manifest, Split("official", train, (), test), subject_disjoint=True)


def test_what_is_missing_or_extra_is_listed(tree):
    folder = tree / "Training" / "1s" / "Visual" / "openface"
    (folder / "001_001.npy").rename(folder / "001_009.npy")
    manifest = mpdd.read(root=tree, probe=False)
    assert [(erratum.rule, erratum.where) for erratum in manifest.errata] == [
        ("missing_file", "001_001.npy"),
        ("missing_label", "001_009.npy"),
    ]
    assert len(manifest.table) == 11


def test_an_archive_unpacked_into_its_own_folder_is_found(tree):
    manifest = mpdd.read(root=tree.parent, probe=False)
    assert (manifest.root, manifest.errata[0].rule) == (tree, "nested_folder")


def test_without_the_test_part_all_is_training(tree):
    shutil.rmtree(tree / "Testing")
    assert set(mpdd.read(root=tree, probe=False).table["split"]) == {"train"}


def test_a_missing_label_file_is_named(tree):
    (tree / LIST).unlink()
    with pytest.raises(SourceError, match=r"Training/labels: 0 files \*_files\.json"):
        mpdd.read(root=tree, probe=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entries: {"a": 1}, "a list of entries is expected, not a dict"),
        (
            lambda entries: entries[1].pop("video_feature_path") and None,
            "entry 1 has no 'video_feature_path'",
        ),
        (
            lambda entries: entries[0].update(bin_category="yes"),
            "'bin_category' of 001_001.npy is 'yes', not 0 to 1",
        ),
        (lambda entries: entries[0].update(pen_category=5), "'pen_category' of 001_001.npy is 5, not 0 to 4"),
    ],
)
def test_other_lists_are_refused(tree, change, message):
    edit(tree, LIST, change)
    with pytest.raises(SourceError, match=message):
        mpdd.read(root=tree, probe=False)


def test_damaged_lists_unknown_persons_and_repeated_files_are_refused(tree):
    folder = tree / "Training" / "1s" / "Visual" / "openface"
    shutil.copy(folder / "001_001.npy", folder / "anna_1.npy")
    text = (tree / LIST).read_text()
    (tree / LIST).write_text(text.replace("001_001", "anna_1"))
    with pytest.raises(SourceError, match=r"'anna_1\.npy' does not begin with the number of a person"):
        mpdd.read(root=tree, probe=False)
    (tree / LIST).write_text(text.replace("001_001", "001_002"))
    with pytest.raises(ManifestError, match="'recording_id' repeats"):
        mpdd.read(root=tree, probe=False)
    (tree / LIST).write_text(text[:-2])
    with pytest.raises(SourceError, match="not readable as JSON"):
        mpdd.read(root=tree, probe=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda persons: list(persons.values()), "not a table of persons"),
        (lambda persons: persons["1"].update(gender="unclear"), "'gender' is 'unclear'"),
    ],
)
def test_other_tables_of_people_are_refused(tree, change, message):
    edit(tree, PERSONS, change)
    with pytest.raises(SourceError, match=message):
        mpdd.read(root=tree, probe=False)
