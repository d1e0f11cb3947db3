import re

import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import Manifest, read_manifest
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.partition import SplitError
from datamodules.splits.protocols import Given, Holdout, KFold, LeaveOneSubjectOut


def make(persons=20, visits=3, positives=0.4, **columns):
    """A manifest that never touches a disk: splits read the table only."""
    rows = [
        {
            "recording_id": f"p{person}_v{visit}",
            "subject_id": f"p{person}",
            "session_id": f"v{visit}",
            "path": "x.mp4",
            "score": 30.0 if person < positives * persons else 3.0,
            "binary": float(person < positives * persons),
            "content_hash": f"{person}-{visit}",
        }
        for person in range(persons)
        for visit in range(visits)
    ]
    table = pd.DataFrame(rows).assign(**columns)
    return Manifest(table=table, root=None, name="made", truth=None)


def persons(ids):
    return {recording.split("_")[0] for recording in ids}


def share(manifest, ids):
    return manifest.table.set_index("recording_id").loc[list(ids), "binary"].mean()


@pytest.mark.parametrize(
    "protocol", [Holdout(), KFold(), LeaveOneSubjectOut()], ids=lambda p: type(p).__name__
)
def test_people_never_cross_and_every_recording_is_used(protocol):
    manifest = make()
    splits = protocol.splits(manifest)
    assert protocol.subject_disjoint
    assert len({split.name for split in splits}) == len(splits)
    for split in splits:
        check_split(manifest, split, subject_disjoint=True)
        parts = [persons(split.train), persons(split.val), persons(split.test)]
        assert sum(map(len, parts)) == 20
        assert len(split.train + split.val + split.test) == 60
    assert splits == protocol.splits(make())


def test_holdout_keeps_the_class_ratio_and_depends_on_its_seed():
    manifest = make(persons=100)
    split = Holdout(val=0.15, test=0.3, seed=1).splits(manifest)[0]
    assert (len(persons(split.val)), len(persons(split.test))) == (15, 30)
    for ids in (split.train, split.val, split.test):
        assert share(manifest, ids) == pytest.approx(0.4, abs=0.02)
    assert split != Holdout(val=0.15, test=0.3, seed=2).splits(manifest)[0]


def test_row_order_does_not_change_who_is_where():
    manifest = make()
    shuffled = Manifest(
        table=manifest.table.sample(frac=1, random_state=0).reset_index(drop=True),
        root=None,
        name="s",
        truth=None,
    )
    assert {*Holdout().splits(manifest)[0].test} == {*Holdout().splits(shuffled)[0].test}


def test_scores_stratify_where_labels_do_not_differ():
    score = np.repeat(np.arange(40.0), 3) / 4
    manifest = make(persons=40, binary=0.0, score=score)
    split = Holdout(val=0.2, test=0.25).splits(manifest)[0]
    quartiles = [int(person[1:]) // 10 for person in persons(split.test)]
    assert np.bincount(quartiles, minlength=4).min() >= 2


def test_folds_partition_the_people_and_balance_the_classes():
    manifest = make()
    splits = KFold(folds=5).splits(manifest)
    tested = [person for split in splits for person in persons(split.test)]
    assert sorted(tested) == sorted(persons(manifest.table["recording_id"]))
    for split in splits:
        assert len(persons(split.test)) == 4
        assert 0 < share(manifest, split.test) < 1
        assert 0 < share(manifest, split.val) < 1


def test_leave_one_out_tests_everyone_once():
    splits = LeaveOneSubjectOut().splits(make(persons=6, positives=0.5))
    assert sorted(split.name for split in splits) == [f"loso-p{person}" for person in range(6)]
    assert all(len(persons(split.test)) == 1 for split in splits)


def test_given_reads_the_column_and_its_usual_names(caplog):
    manifest = make(persons=4, visits=1, split=["train", "DEV", "test", ""])
    split = Given().splits(manifest)[0]
    assert (split.train, split.val, split.test) == (("p0_v0",), ("p1_v0",), ("p2_v0",))
    assert "1 recording(s) have no 'split'" in caplog.text
    assert "no recording with binary" in caplog.text
    with pytest.raises(SplitError, match=r"\['tset'\]"):
        Given().splits(make(persons=3, visits=1, split=["train", "val", "tset"]))
    with pytest.raises(SplitError, match="no column 'split'"):
        Given().splits(make())
    with pytest.raises(SplitError, match="leaves train or val empty"):
        Given().splits(make(persons=2, visits=1, split=["train", "test"]))


def test_too_few_people_and_empty_classes_are_errors():
    with pytest.raises(SplitError, match="2 persons are too few"):
        Holdout().splits(make(persons=2))
    with pytest.raises(SplitError, match=r"no recording with binary = 1"):
        Holdout().splits(make(persons=10, positives=0.1))
    with pytest.raises(SplitError, match="must be positive"):
        Holdout(val=0.5, test=0.5).splits(make())
    with pytest.raises(SplitError, match="at least 2"):
        KFold(folds=1).splits(make())


def test_unknown_people_are_split_one_by_one_and_reported(caplog):
    manifest = make(subject_id="unknown")
    split = Holdout().splits(manifest)[0]
    assert len(split.test) == 18
    assert "unauditable" in caplog.text
    caplog.clear()
    check_split(manifest, split, subject_disjoint=True)
    assert "unauditable: 60 recording(s)" in caplog.text


def test_a_real_table_splits_too(cohort):
    manifest = read_manifest(cohort(8, 3))
    split = Holdout().splits(manifest)[0]
    check_split(manifest, split, subject_disjoint=True)
    assert len(manifest.recordings(split.train)) == len(split.train)


def test_a_holdout_of_few_persons_names_the_folds_that_work_for_them():
    labels = [0.0, 0.0] * 2 + [0.0, 1.0] * 4 + [1.0, 1.0] * 3  # four persons who became ill
    few = make(persons=9, visits=2, binary=labels)
    with pytest.raises(SplitError, match="part 'val' of 'holdout' has no recording") as caught:
        Holdout().splits(few)
    (folds,) = re.findall(r"use protocol=kfold protocol\.folds=(\d+)", str(caught.value))
    assert len(KFold(folds=int(folds)).splits(few)) == int(folds)
    with pytest.raises(SplitError) as caught:
        Holdout().splits(make(persons=9, visits=1, positives=1 / 9))
    assert "kfold" not in str(caught.value)  # one person of a class cannot be in three parts
