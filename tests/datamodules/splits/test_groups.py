import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.cross_validation import Nested, RepeatedKFold
from datamodules.splits.partition import SplitError
from datamodules.splits.protocols import Holdout, KFold, LeaveOneSubjectOut


def make(schools=10, pupils=6, **columns):
    """Pupils of schools with two tasks each; half of every school is positive."""
    rows = [
        {
            "recording_id": f"s{school}_p{pupil}_t{task}",
            "subject_id": f"s{school}_p{pupil}",
            "session_id": "1",
            "path": "x.mp4",
            "school": f"s{school}",
            "score": 30.0 if pupil % 2 else 3.0,
            "binary": float(pupil % 2),
            "content_hash": f"{school}-{pupil}-{task}",
        }
        for school in range(schools)
        for pupil in range(pupils)
        for task in range(2)
    ]
    return Manifest(table=pd.DataFrame(rows).assign(**columns), root=None, name="made", truth=None)


def schools(ids):
    return {recording.split("_")[0] for recording in ids}


@pytest.mark.parametrize(
    "protocol",
    [
        Holdout(group_by="school"),
        KFold(group_by="school"),
        RepeatedKFold(group_by="school", repeats=2),
        Nested(group_by="school", inner=2),
        LeaveOneSubjectOut(group_by="school"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_whole_schools_stay_together(protocol):
    manifest = make()
    for split in protocol.splits(manifest):
        check_split(manifest, split, subject_disjoint=True)
        parts = [schools(split.train), schools(split.val), schools(split.test)]
        assert len(set.union(*parts)) == sum(map(len, parts))
        assert all(parts)
        counted = [
            f"{len(part)} {word}" for part, word in zip(parts, ("train", "select", "are"), strict=True)
        ]
        assert f"{', '.join(counted)} tested" in split.notes[0]


def test_persons_alone_tear_schools_apart_and_have_no_note():
    (split,) = Holdout().splits(make())
    assert schools(split.train) & schools(split.test)
    assert split.notes == ()


def test_every_school_is_tested_once_and_leaving_one_out_names_it():
    manifest = make()
    tested = [schools(split.test) for split in KFold(folds=5, group_by="school").splits(manifest)]
    assert sorted(one for part in tested for one in part) == sorted({*manifest.table["school"]})
    assert [len(part) for part in tested] == [2] * 5
    names = {split.name for split in LeaveOneSubjectOut(group_by="school").splits(manifest)}
    assert names == {f"loso-s{number}" for number in range(10)}


def test_a_person_in_two_schools_is_refused_by_name():
    table = make().table
    torn = np.where(table["recording_id"] == "s0_p0_t1", "s1", table["school"])
    with pytest.raises(
        SplitError, match=r"1 person\(s\) are in several groups of 'school': s0_p0 \(s0, s1\)"
    ):
        Holdout(group_by="school").splits(make(school=torn))


def test_too_few_schools_are_refused_with_numbers():
    with pytest.raises(SplitError, match="2 groups of 'school' are too few for this protocol, it needs 3"):
        Holdout(group_by="school").splits(make(schools=2))
    with pytest.raises(SplitError, match="4 groups of 'school' are too few for this protocol, it needs 5"):
        KFold(folds=5, group_by="school").splits(make(schools=4))


def test_a_column_that_is_missing_or_empty_is_refused():
    with pytest.raises(SplitError, match=r"no column 'scool'; did you mean 'school'\?"):
        KFold(group_by="scool").splits(make())
    table = make().table
    with pytest.raises(SplitError, match=r"'school' is empty in row 1 \(s0_p0_t0\)"):
        KFold(group_by="school").splits(make(school=["", *table["school"][1:]]))


def test_groups_are_stratified_by_their_majority():
    table = make(schools=20).table
    ill = table["school"].isin([f"s{number}" for number in range(10)])
    manifest = make(schools=20, binary=np.where(ill, 1.0, table["binary"]))
    (split,) = Holdout(group_by="school", val=0.2, test=0.3).splits(manifest)
    found = [
        sum(int(name[1:]) < 10 for name in schools(part)) for part in (split.train, split.val, split.test)
    ]
    assert found[2] == 3
    assert len(schools(split.test)) == 6
