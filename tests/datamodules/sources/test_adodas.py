"""AdoDAS by the layout of its public pages: no file of the corpus was seen."""

import shutil

import numpy as np
import pandas as pd
import pytest

from datamodules.checks.validate import main as validate
from datamodules.sources import adodas
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees.adodas import TASKS, write

ITEMS = [f"item_dass21_{number:02d}" for number in range(1, 22)]
FIRST = "train/school1/class1/P001/video"


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "adodas"
    write(root, persons=10)
    return root


def twice(table):
    table.iloc[1] = table.iloc[0]


def relabel(tree, change):
    table = pd.read_csv(tree / "labels.csv", dtype=str)
    change(table)
    table.to_csv(tree / "labels.csv", index=False)


def test_four_sessions_are_tasks_of_one_visit(tree):
    table = adodas.read(root=tree, probe=False).table
    assert len(table) == 10 * 4
    assert set(table["session_id"]) == {"1"}
    assert set(table["task"]) == set(TASKS)
    one = table[table["subject_id"] == "adodas:school1:class1:P001"]
    assert sorted(one["recording_id"]) == sorted(f"adodas_school1_class1_P001_{task}" for task in TASKS)
    assert (one["split"].unique().tolist(), one["school"].unique().tolist()) == (["train"], ["school1"])
    assert one["class"].unique().tolist() == ["school1:class1"]
    assert one[[*ITEMS, "score"]].drop_duplicates().shape[0] == 1
    assert table.groupby("split")["subject_id"].nunique().to_dict() == {"test": 2, "train": 7, "val": 1}


def test_sets_become_columns_of_files_that_can_be_read(tree):
    manifest = adodas.read(root=tree, probe=False)
    columns = [name for name in manifest.table if name.startswith("features_")]
    assert columns == ["features_dinov2_small", "features_head_pose", "features_quality"]
    one = manifest.recordings()[0]
    with np.load(one.features["dinov2_small"]) as archive:
        assert sorted(archive.files) == ["features", "timestamps_ms", "valid_mask"]
        assert archive["features"].shape == (24, 384)
    assert manifest.notes == (
        "audio: 80 file(s) left out, as faces are recognised here",
        "'test': 2 person(s) have no label: school1/class1/P009, school2/class1/P010",
    )
    chosen = adodas.read(root=tree, probe=False, sets=["head_pose"])
    assert [name for name in chosen.table if name.startswith("features_")] == ["features_head_pose"]
    with pytest.raises(SourceError, match=r"no set 'head_poze'; did you mean 'head_pose'\?"):
        adodas.read(root=tree, probe=False, sets=["head_poze"])


def test_pooled_features_are_one_row(tree):
    manifest = adodas.read(root=tree, form="pooled")
    assert set(manifest.table["n_frames"]) == {1}
    assert manifest.recordings()[0].features["quality"].name == "pooled.npy"
    with pytest.raises(SourceError, match="form='mean' is unknown; choose sequence or pooled"):
        adodas.read(root=tree, form="mean")


@pytest.mark.parametrize(("scale", "items"), [("DASS-21-D", 7), ("DASS-21-A", 7), ("DASS-21-S", 7)])
def test_the_total_is_twice_the_sum_of_the_subscale(tree, scale, items):
    # items of the subscales as published by Lovibond and Lovibond 1995
    own = {
        "DASS-21-D": (3, 5, 10, 13, 16, 17, 21),
        "DASS-21-A": (2, 4, 7, 9, 15, 19, 20),
        "DASS-21-S": (1, 6, 8, 11, 12, 14, 18),
    }[scale]
    assert len(own) == items
    table = adodas.read(root=tree, probe=False, scale=scale).table
    known = table[table["split"] != "test"]
    answers = pd.read_csv(tree / "labels.csv").set_index("anon_pid")
    for person, score in zip(known["subject_id"].str.rpartition(":")[2], known["score"], strict=True):
        assert score == 2 * answers.loc[person, [f"d{number:02d}" for number in own]].sum()
    assert table.loc[table["split"] == "test", ["score", "binary", *ITEMS]].isna().all(axis=None)
    with pytest.raises(SourceError, match=r"scale='DASS-21-X'.*choose one of DASS-21-D"):
        adodas.read(root=tree, probe=False, scale="DASS-21-X")


def test_an_unanswered_item_makes_the_total_unknown(tree):
    relabel(tree, lambda table: table.__setitem__("d03", ["", *table["d03"][1:]]))
    table = adodas.read(root=tree, probe=False).table
    first = table[table["subject_id"] == "adodas:school1:class1:P001"]
    assert first["score"].isna().all()
    assert first["item_dass21_05"].notna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.__setitem__("d05", "4"), "'d05' is 4 in line 2; answers of the DASS-21 are 0"),
        (lambda table: table.__setitem__("sex", "f"), "the columns sex are not those of the challenge"),
        (lambda table: table.drop(columns="d21", inplace=True), "no column 'd21'"),
        (lambda table: twice(table), "comes twice"),
        (
            lambda table: table.__setitem__("anon_school", table["anon_school"].str.upper()),
            r"no person of it is in .*, e\.g\. SCHOOL1/class1/P001 in the table and school1/class1/P009",
        ),
    ],
)
def test_other_labels_are_refused_by_name(tree, change, message):
    relabel(tree, change)
    with pytest.raises(SourceError, match=message):
        adodas.read(root=tree, probe=False)


def test_labels_lie_below_the_root_and_may_be_missing(tree, tmp_path):
    (tree / "labels.csv").rename(tree / "answers.csv")
    assert adodas.read(root=tree, probe=False, labels="answers.csv").table["score"].notna().any()
    with pytest.raises(SourceError, match=r"answers\.csv: the published layout does not say what this is"):
        adodas.read(root=tree, probe=False)
    bare = adodas.read(root=tree, probe=False, ignore=["*.csv"])
    assert "score" not in bare.table
    assert "no labels" in bare.notes[-1] or any("no labels" in note for note in bare.notes)
    with pytest.raises(SourceError, match=r"labels=\.\./other\.csv: not in the folder of the corpus"):
        adodas.read(root=tree, probe=False, labels="../other.csv")


@pytest.mark.parametrize("place", [f"{FIRST}/quality/reading/frames.csv", "README.md", "train/list.txt"])
def test_files_that_the_pages_do_not_state_are_refused_until_ignored(tree, place):
    (tree / place).write_text("x")
    with pytest.raises(SourceError, match=r"does not say what this is .*ignore=\["):
        adodas.read(root=tree, probe=False)
    assert len(adodas.read(root=tree, probe=False, ignore=[place]).table) == 40
    assert (
        len(adodas.read(root=tree, probe=False, ignore=[f"{place.rpartition('/')[0] or 'READ*'}*"]).table) > 0
    )


def test_a_third_modality_is_refused(tree):
    shutil.copytree(tree / FIRST, (tree / FIRST).with_name("text"))
    with pytest.raises(SourceError, match="P001/text/"):
        adodas.read(root=tree, probe=False)


def test_a_set_of_another_width_is_refused_with_both_numbers(tree):
    for file in (tree / FIRST / "head_pose").rglob("sequence.npz"):
        with np.load(file) as archive:
            own = dict(archive)
        np.savez(file, **(own | {"features": own["features"][:, :4]}))
    with pytest.raises(SourceError, match="4 values a row, the pages state 5 for this set"):
        adodas.read(root=tree)
    assert len(adodas.read(root=tree, sets=["quality"]).table) == 40


def test_a_missing_set_and_a_missing_task_are_listed(tree):
    shutil.rmtree(tree / FIRST / "quality" / "reading")
    found = adodas.read(root=tree, probe=False)
    (erratum,) = found.errata
    assert (erratum.rule, erratum.where) == ("missing_set", "adodas_school1_class1_P001_reading")
    row = found.table.set_index("recording_id").loc["adodas_school1_class1_P001_reading"]
    assert row["features_quality"] == ""
    assert row["features_head_pose"] != ""


def test_numbers_of_persons_that_repeat_between_classes_are_told(tree):
    (tree / "train/school1/class1/P001").rename(tree / "train/school1/class1/P002")
    notes = adodas.read(root=tree, probe=False).notes
    assert any("1 number(s) of persons come in several classes (P002)" in note for note in notes)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda file: file.write_bytes(b""), "0 bytes"),
        (lambda file: np.savez(file, **_with(file, features=np.full((24, 4), 2.0))), "all alike"),
        (lambda file: np.savez(file, **_with(file, embedding=np.zeros(3))), "nothing reads 'embedding'"),
        (lambda file: np.savez(file, **_without(file, "valid_mask")), "has no array 'valid_mask'"),
    ],
)
def test_validate_names_faulty_files_of_any_set_and_exits_1(tree, spoil, said, capsys):
    spoil(tree / FIRST / "quality" / "reading" / "sequence.npz")  # of three sets the last one
    assert validate(source="adodas", root=tree) == 1
    out = capsys.readouterr()
    assert "1 file(s) cannot be read: adodas_school1_class1_P001_reading" in out.err
    assert f"{FIRST}/quality/reading/sequence.npz" in out.out
    assert said in out.out


def _with(file, **arrays):
    with np.load(file) as archive:
        return {**archive, **arrays}


def _without(file, name):
    return {key: array for key, array in _with(file).items() if key != name}


def test_an_intact_tree_passes(tree, capsys):
    assert validate(source="adodas", root=tree) == 0
    assert "python train.py experiment=feature_sets data=adodas" in capsys.readouterr().out
