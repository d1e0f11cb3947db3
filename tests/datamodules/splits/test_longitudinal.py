import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.longitudinal import Longitudinal
from datamodules.splits.partition import SplitError
from datamodules.splits.protocols import Holdout, KFold, LeaveOneSubjectOut


def make(visits=(4,) * 20, **columns):
    """A manifest of persons with so many visits each, that never touches a disk."""
    rows = [
        {
            "recording_id": f"p{person:02d}_v{visit}",
            "subject_id": f"p{person:02d}",
            "session_id": f"v{visit}",
            "path": "x.mp4",
            "score": 20.0 * (person % 2) + visit,
            "binary": float(person % 2),
            "content_hash": f"{person}-{visit}",
        }
        for person, count in enumerate(visits)
        for visit in range(count)
    ]
    return Manifest(table=pd.DataFrame(rows).assign(**columns), root=None, name="made", truth=None)


def persons(ids):
    return {recording.split("_")[0] for recording in ids}


def places(ids):
    return {int(recording[-1]) for recording in ids}


def test_the_last_visit_of_trained_persons_is_tested_and_said_to_be_theirs(caplog):
    manifest = make((3,) * 20, session_id=["v9", "v10", "v2"] * 20)
    split = Longitudinal().splits(manifest)[0]
    assert not Longitudinal().subject_disjoint
    assert split.known is None
    assert set(split.test) == {f"p{person:02d}_v1" for person in range(20)}  # session v10
    assert set(split.val) == {f"p{person:02d}_v0" for person in range(20)}
    assert "not person-disjoint: 20 persons" in caplog.text
    check_split(manifest, split, subject_disjoint=False)
    with pytest.raises(SplitError, match="nobody has three visits"):
        Longitudinal().splits(make((2,) * 20))


@pytest.mark.parametrize(("known", "tested"), [(1, {1, 2, 3}), (3, {3}), ("all", {1, 2, 3})])
def test_new_persons_are_predicted_after_their_known_visits(known, tested):
    manifest = make()
    protocol = Longitudinal(known=known)
    (split,) = protocol.splits(manifest)
    (whole,) = Holdout().splits(manifest)
    assert protocol.subject_disjoint
    assert (split.subject_disjoint, split.known) == (True, known)
    assert not protocol.chronological
    check_split(manifest, split, subject_disjoint=True)
    # the dealing of persons is that of holdout; who trains does so on all visits
    assert split.train == whole.train
    for part in ("val", "test"):
        assert persons(getattr(split, part)) == persons(getattr(whole, part))
        assert places(getattr(split, part)) == tested
    assert "known with the score" in split.notes[0]
    assert protocol.splits(make()) == [split]


def test_folds_test_everybody_once_after_the_known_visits():
    splits = Longitudinal(known=2, persons=KFold(folds=4)).splits(make())
    assert [split.name for split in splits] == [f"longitudinal-fold{fold}" for fold in range(4)]
    tested = [one for split in splits for one in split.test]
    assert sorted(tested) == sorted(f"p{person:02d}_v{visit}" for person in range(20) for visit in (2, 3))


def test_persons_without_a_later_visit_train_and_are_named(caplog):
    manifest = make((4,) * 18 + (2, 1))
    (split,) = Longitudinal(known=2).splits(manifest)
    assert {"p18_v0", "p18_v1", "p19_v0"} <= set(split.train)
    assert (
        "2 person(s) have 2 visit(s) or fewer, none after known ones: they train only: p18, p19"
        in caplog.text
    )
    assert any("2 person(s)" in note and "p18" not in note for note in split.notes)  # counted, not named


def test_visits_without_an_order_or_a_score_are_told():
    with pytest.raises(SplitError, match=r"the order of the visits pre, mid.* 'p00' is not known; number"):
        Longitudinal(known=1).splits(make((3,) * 10, session_id=["pre", "mid", "post"] * 10))
    ordered = make((3,) * 20, session_id=["post", "pre", "mid"] * 20, visit_order=[3.0, 1.0, 2.0] * 20)
    (split,) = Longitudinal(known=2).splits(ordered)
    assert places(split.test) == {0}  # the visit named post
    with pytest.raises(SplitError, match="no visit that would be known has a score"):
        Longitudinal(known=1).splits(make(score=np.nan))
    gaps = make(score=[np.nan, 1.0, 2.0, 3.0] * 10 + [0.0, 1.0, 2.0, 3.0] * 10)
    assert "of these visits have no score" in Longitudinal(known=1).splits(gaps)[0].notes[0]


@pytest.mark.parametrize("known", [0, -1, True, 1.5, "some"])
def test_a_number_of_visits_that_cannot_be_known_is_refused(known):
    with pytest.raises(SplitError, match=r"protocol\.known=.*give the number of first visits"):
        Longitudinal(known=known).splits(make())


def test_errors_name_the_settings_as_they_are_given_here():
    with pytest.raises(SplitError, match=r"nobody has more than 4 visit\(s\).*smaller protocol\.known"):
        Longitudinal(known=4).splits(make())
    with pytest.raises(SplitError, match=r"protocol\.persons\.val=0\.6 and protocol\.persons\.test=0\.6"):
        Longitudinal(known=1, persons=Holdout(val=0.6, test=0.6)).splits(make())
    with pytest.raises(SplitError, match=r"add protocol\.known=1"):
        Longitudinal(persons=KFold()).splits(make())
    with pytest.raises(SplitError, match="no recording with binary"):  # the last visits are all healthy
        Longitudinal(known=3).splits(make(binary=[1.0, 0.0, 0.0, 0.0] * 10 + [0.0] * 40))


def test_any_protocol_that_keeps_persons_apart_may_deal_them():
    splits = Longitudinal(known=2, persons=LeaveOneSubjectOut()).splits(make(binary=[0.0, 1.0] * 40))
    assert [len(split.test) for split in splits] == [2] * 20
