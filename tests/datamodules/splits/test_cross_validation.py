from collections import Counter

import pandas as pd
import pytest

from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.cross_validation import Nested, RepeatedKFold
from datamodules.splits.partition import SplitError
from datamodules.splits.protocols import KFold


def make(flipped=()):
    """Thirty persons of two visits; every other one is positive, but for those whose labels are turned."""
    rows = [
        {
            "recording_id": f"p{person}_v{visit}",
            "subject_id": f"p{person}",
            "session_id": f"v{visit}",
            "binary": float((person % 2) != (f"p{person}" in flipped)),
            "content_hash": f"{person}-{visit}",
        }
        for person in range(30)
        for visit in range(2)
    ]
    return Manifest(table=pd.DataFrame(rows), root=None, name="made", truth=None)


def persons(ids):
    return {name.split("_")[0] for name in ids}


@pytest.mark.parametrize("outer_fold", [0, 4])
def test_no_inner_fold_holds_anybody_of_the_outer_test_part(outer_fold):
    manifest = make()
    (final,) = Nested(outer_fold=outer_fold, final=True).splits(manifest)
    inner = Nested(outer_fold=outer_fold).splits(manifest)
    assert final.name == f"outer{outer_fold}"
    assert [split.name for split in inner] == [f"outer{outer_fold}-fold{fold}" for fold in range(3)]
    for split in inner:
        check_split(manifest, split, subject_disjoint=True)
        assert not persons(split.train + split.val + split.test) & persons(final.test)
    tested = [person for split in inner for person in persons(split.test)]
    assert sorted(tested) == sorted(persons(final.train + final.val))


def test_the_outer_folds_are_those_of_kfold():
    manifest = make()
    finals = [Nested(outer_fold=fold, final=True).splits(manifest)[0] for fold in range(5)]
    assert [split.test for split in finals] == [split.test for split in KFold(folds=5).splits(manifest)]


def test_labels_of_the_outer_test_part_do_not_move_the_inner_folds(monkeypatch):
    manifest = make()
    (final,) = Nested(final=True).splits(manifest)
    turned = make(flipped=persons(final.test))
    original = KFold.splits

    def same_outer(self, table):  # the outer folds themselves are drawn with everybody's labels
        return original(self, manifest if table is turned else table)

    monkeypatch.setattr(KFold, "splits", same_outer)
    assert Nested().splits(turned) == Nested().splits(manifest)


def test_an_outer_fold_that_does_not_exist_is_refused():
    with pytest.raises(SplitError, match=r"outer_fold=5: there are 0 to 4"):
        Nested(outer_fold=5).splits(make())


def test_inner_folds_say_that_they_are_no_result(caplog):
    Nested(outer_fold=1).splits(make())
    assert "outer fold 1" in caplog.text
    assert "protocol.final=true" in caplog.text
    caplog.clear()
    Nested(outer_fold=1, final=True).splits(make())
    assert not caplog.text


@pytest.fixture
def twenty():
    """Twenty persons of two visits; every other one is positive."""
    rows = [
        {
            "recording_id": f"p{person}_v{visit}",
            "subject_id": f"p{person}",
            "session_id": f"v{visit}",
            "binary": float(person % 2),
            "score": float(person),
            "content_hash": f"{person}-{visit}",
        }
        for person in range(20)
        for visit in range(2)
    ]
    return Manifest(table=pd.DataFrame(rows), root=None, name="made", truth=None)


def test_everybody_is_tested_once_a_repeat_in_other_folds(twenty):
    protocol = RepeatedKFold(folds=4, repeats=3)
    splits = protocol.splits(twenty)
    assert len(splits) == 12
    assert len({split.name for split in splits}) == 12
    for repeat in range(3):
        folds = [split for split in splits if split.repeat == repeat]
        assert set(Counter(name for fold in folds for name in fold.test).values()) == {1}
        assert sum(len(fold.test) for fold in folds) == 40
    for split in splits:
        check_split(twenty, split, subject_disjoint=protocol.subject_disjoint)
    partitions = [
        {frozenset(split.test) for split in splits if split.repeat == repeat} for repeat in range(3)
    ]
    assert partitions[0] != partitions[1] != partitions[2] != partitions[0]
    assert splits == protocol.splits(twenty)
    other = RepeatedKFold(folds=4, repeats=3, seed=1).splits(twenty)
    assert not {frozenset(split.test) for split in splits} & {frozenset(split.test) for split in other}


def test_one_repeat_is_no_repetition(twenty):
    with pytest.raises(SplitError, match="use protocol=kfold"):
        RepeatedKFold(repeats=1).splits(twenty)
