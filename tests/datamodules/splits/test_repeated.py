from collections import Counter

import pandas as pd
import pytest

from datamodules.guard.guard import check_split
from datamodules.manifests.manifest import Manifest
from datamodules.splits.protocols import SplitError
from datamodules.splits.repeated import RepeatedKFold


@pytest.fixture
def manifest():
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


def test_everybody_is_tested_once_a_repeat_in_other_folds(manifest):
    protocol = RepeatedKFold(folds=4, repeats=3)
    splits = protocol.splits(manifest)
    assert len(splits) == 12
    assert len({split.name for split in splits}) == 12
    for repeat in range(3):
        folds = [split for split in splits if split.repeat == repeat]
        assert set(Counter(name for fold in folds for name in fold.test).values()) == {1}
        assert sum(len(fold.test) for fold in folds) == 40
    for split in splits:
        check_split(manifest, split, subject_disjoint=protocol.subject_disjoint)
    partitions = [
        {frozenset(split.test) for split in splits if split.repeat == repeat} for repeat in range(3)
    ]
    assert partitions[0] != partitions[1] != partitions[2] != partitions[0]
    assert splits == protocol.splits(manifest)
    other = RepeatedKFold(folds=4, repeats=3, seed=1).splits(manifest)
    assert not {frozenset(split.test) for split in splits} & {frozenset(split.test) for split in other}


def test_one_repeat_is_no_repetition(manifest):
    with pytest.raises(SplitError, match="use protocol=kfold"):
        RepeatedKFold(repeats=1).splits(manifest)
