"""MPDD-AVG by the layout of its public pages: no file of the corpus was seen."""

import numpy as np
import pandas as pd
import pytest

from datamodules.checks.validate import main as validate
from datamodules.sources import mpdd_avg
from datamodules.sources.shared.draft import SourceError
from datamodules.sources.trees.mpdd_avg import write

LABELS = "trainval/Young/split_labels_train.csv"


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "mpdd_avg"
    write(root, persons=32)
    return root


def relabel(tree, change):
    table = pd.read_csv(tree / LABELS, dtype=str)
    change(table)
    table.to_csv(tree / LABELS, index=False)


def test_both_age_groups_become_one_table(tree):
    manifest = mpdd_avg.read(root=tree, probe=False)
    table = manifest.table.set_index("recording_id")
    assert table.groupby("site").size().to_dict() == {"Elder": 16, "Young": 16}
    assert set(table["split"]) == {"train", "val", "test"}
    labels = pd.read_csv(tree / LABELS).set_index("ID")
    for number, row in labels.iterrows():
        own = table.loc[f"mpdd_avg_young_{number}"]
        assert (own["subject_id"], own["score"]) == (f"mpdd_avg:young_{number}", row["PHQ-9"])
        assert own["binary"] == row["label2"] == int(row["PHQ-9"] >= 10)
        assert float(own["category_tri"]) == row["label3"]
    assert table.loc[table["split"] == "test", ["score", "binary"]].isna().all(axis=None)
    sets = ["densenet", "imu", "openface", "resnet"]
    assert [name for name in table if name.startswith("features_")] == [f"features_{one}" for one in sets]
    assert np.load(manifest.recordings()[0].features["imu"]).shape == (16, 12)
    assert "'test' has no labels: they are with the organisers" in manifest.notes


def test_one_age_group_and_chosen_sets(tree):
    found = mpdd_avg.read(root=tree, probe=False, age_group="Elder", sets=["imu"], fps=100.0)
    assert set(found.table["site"]) == {"Elder"}
    assert [name for name in found.table if name.startswith("features_")] == ["features_imu"]
    assert set(found.table["fps"]) == {100.0}
    assert any("100 rows per second are taken for all sets" in note for note in found.notes)
    with pytest.raises(SourceError, match=r"age_group='elder'.*did you mean 'Elder'"):
        mpdd_avg.read(root=tree, age_group="elder")


def test_a_label_that_contradicts_the_total_is_listed_and_the_rule_decides(tree):
    relabel(tree, lambda table: table.__setitem__("label2", ["1", *table["label2"][1:]]))
    first = pd.read_csv(tree / LABELS).iloc[0]
    assert first["PHQ-9"] < 10
    by_score = mpdd_avg.read(root=tree, probe=False)
    assert [one.rule for one in by_score.errata] == ["label2_against_phq9"]
    assert "label2 1 -> binary 0" in by_score.errata[0].change
    assert by_score.table.set_index("recording_id").loc["mpdd_avg_young_1", "binary"] == 0
    published = mpdd_avg.read(root=tree, probe=False, label_rule="published").table
    own = published.set_index("recording_id").loc["mpdd_avg_young_1"]
    assert own["binary"] == 1
    assert np.isnan(own["score"])
    with pytest.raises(SourceError, match="label_rule='mine'; choose score or published"):
        mpdd_avg.read(root=tree, label_rule="mine")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.__setitem__("split", "third"), "'split' of 1 is 'third'; known are train"),
        (lambda table: table.__setitem__("label3", "5"), "'label3' of 1 is '5', not 0 to 2"),
        (lambda table: table.__setitem__("ID", "1"), "ID '1' in line 3 is empty or comes twice"),
        (lambda table: table.__setitem__("age", "20"), r"the columns age are not stated .*people=<csv>"),
        (lambda table: table.drop(columns="PHQ-9", inplace=True), "no column 'PHQ-9'"),
    ],
)
def test_other_labels_are_refused_by_name(tree, change, message):
    relabel(tree, change)
    with pytest.raises(SourceError, match=message):
        mpdd_avg.read(root=tree, probe=False)


def test_where_the_table_lies_can_be_said(tree):
    (tree / LABELS).rename(tree / "trainval" / "split_labels_train.csv")
    with pytest.raises(SourceError, match=r"no such label table; there is .*: say labels="):
        mpdd_avg.read(root=tree, probe=False, age_group="Young")
    found = mpdd_avg.read(root=tree, probe=False, age_group="Young", labels="trainval/split_labels_train.csv")
    assert len(found.table) == 16


def test_where_files_lie_can_be_said_and_others_are_refused(tree):
    video = tree / "trainval" / "Young" / "Video"
    for file in list(video.rglob("*.npy")):
        file.rename(file.with_name(f"{file.stem}_v.npy"))
    for file in list((tree / "test" / "Young" / "Video").rglob("*.npy")):
        file.rename(file.with_name(f"{file.stem}_v.npy"))
    named = mpdd_avg.read(root=tree, probe=False, age_group="Young", pattern="{set}/{id}_v.npy")
    assert len(named.table) == 16
    (video / "densenet" / "notes.txt").write_text("x")
    with pytest.raises(SourceError, match=r"densenet/notes\.txt: .*say where they lie with pattern="):
        mpdd_avg.read(root=tree, probe=False, age_group="Young", pattern="{set}/{id}_v.npy")
    kept = mpdd_avg.read(
        root=tree, probe=False, age_group="Young", pattern="{set}/{id}_v.npy", ignore=["*/notes.txt"]
    )
    assert kept.table.equals(named.table)
    with pytest.raises(SourceError, match=r"name each of \{set\} and \{id\} once"):
        mpdd_avg.read(root=tree, pattern="{id}.npy")


def test_facts_of_persons_come_by_our_names(tree):
    found = mpdd_avg.read(root=tree, probe=False, people="people.csv").table
    people = pd.read_csv(tree / "people.csv").set_index("ID")
    for subject, row in found.set_index("subject_id").iterrows():
        own = people.loc[int(subject.rpartition("_")[2])]
        assert [row[f"trait_{one}"] for one in "OCEAN"] == [own[f"trait_{one}"] for one in "OCEAN"]
        assert (row["age"], row["sex"], row["diseases"]) == (own["age"], own["sex"], own["diseases"])
    people.rename(columns={"trait_O": "openness"}).to_csv(tree / "people.csv")
    with pytest.raises(SourceError, match="nothing is known of the columns openness; name them as here"):
        mpdd_avg.read(root=tree, probe=False, people="people.csv")


def test_who_lacks_label_or_file_is_listed_and_nobody_tested_is_left_out(tree):
    (tree / "trainval/Young/Video/resnet/1.npy").unlink()
    relabel(tree, lambda table: table.drop(index=1, inplace=True))
    errata = [(one.rule, one.where) for one in mpdd_avg.read(root=tree, probe=False).errata]
    assert errata == [("missing_label", "2"), ("missing_set", "mpdd_avg_young_1")]
    (tree / "test/Young/Video/resnet/13.npy").unlink()
    with pytest.raises(SourceError, match="13 has no file of resnet, and nobody who is tested is left out"):
        mpdd_avg.read(root=tree, probe=False, sets=["resnet"])


def test_the_known_defects_are_named_and_exit_1(tree, capsys):
    """Files of 0 bytes in the Young test part and invalid OpenFace arrays, as were reported publicly."""
    for file in (tree / "test" / "Young" / "Video").rglob("*.npy"):
        file.write_bytes(b"")
    np.save(tree / "trainval/Young/Video/openface/1.npy", np.full((16, 710), np.nan, np.float32))
    np.save(tree / "trainval/Young/Video/openface/2.npy", np.ones((16, 710), np.float32))
    assert validate(source="mpdd_avg", root=tree) == 1
    told = capsys.readouterr()
    assert "6 file(s) cannot be read: " in told.err
    for name in ("mpdd_avg_young_1", "mpdd_avg_young_2", "mpdd_avg_young_13"):
        assert name in told.err
    assert told.out.count("0 bytes") == 12  # three sets of four persons
    assert "none of its 16 rows is valid" in told.out
    assert "all alike" in told.out


def test_a_set_of_another_width_is_refused(tree):
    for file in (tree / "trainval" / "Young" / "Video" / "openface").glob("*.npy"):
        np.save(file, np.random.default_rng(0).normal(size=(16, 709)).astype(np.float32))
    with pytest.raises(SourceError, match="709 values a row, the pages state 710 for this set"):
        mpdd_avg.read(root=tree)


def test_an_intact_tree_passes(tree):
    assert validate(source="mpdd_avg", root=tree) == 0
