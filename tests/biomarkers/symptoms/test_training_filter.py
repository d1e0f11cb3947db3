"""Filtering touches the training part alone, and is fitted on it alone."""

import numpy as np
import pandas as pd
import pytest

from biomarkers.symptoms.training_filter import TrainingFilter, visit_items
from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import ItemError, subscale
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.partition import Split, SplitError

COLUMNS = list(subscale("DASS-21-D").columns)
PERSONS = 60


@pytest.fixture
def manifest():
    """Sixty persons with two recordings of one visit each; every third of total 3 answers alone."""
    rng = np.random.default_rng(0)
    rows = []
    for person in range(PERSONS):
        answers = rng.integers(0, 4, 7) if person % 2 else rng.permutation([3, 0, 0, 0, 0, 0, 0])
        for task in ("reading", "talking"):
            ids = {"recording_id": f"p{person}_{task}", "subject_id": f"p{person}", "session_id": "1"}
            binary = float(2 * answers.sum() > 9)
            rows.append(ids | {"binary": binary} | dict(zip(COLUMNS, answers.astype(float), strict=True)))
    return Manifest(table=pd.DataFrame(rows), root=None, name="cohort", truth=None)


@pytest.fixture
def split(manifest):
    ids = manifest.table["recording_id"].tolist()
    return Split(
        "one", train=tuple(ids[:80]), val=tuple(ids[80:100]), test=tuple(ids[100:]), notes=("earlier",)
    )


def told(**options):
    return TrainingFilter(
        scale="DASS-21-D", **({"share": 0.2, "threshold": "global", "grouping": "severity"} | options)
    )


def by_hand(manifest, split, share):
    """Visits kept by a global cut in bands, from the definition."""
    rows = manifest.table[manifest.table["recording_id"].isin(split.train)].drop_duplicates("subject_id")
    z = (rows[COLUMNS] - rows[COLUMNS].mean()) / rows[COLUMNS].std()
    band = np.digitize(2 * rows[COLUMNS].sum(axis=1), [10, 14, 21, 28])
    distance = np.sqrt(((z - z.groupby(band).transform("mean")) ** 2).sum(axis=1))
    return set(rows["subject_id"][distance <= np.quantile(distance, 1 - share) + 1e-9])


def test_the_farthest_visits_leave_training_with_all_their_recordings(manifest, split):
    filtered = told()(manifest, split)
    expected = by_hand(manifest, split, 0.2)
    assert 0 < len(split.train) - len(filtered.train) < 40
    assert {name.split("_")[0] for name in filtered.train} == expected
    assert len(filtered.train) == 2 * len(expected)
    assert set(filtered.left_out) == set(split.train) - set(filtered.train)


def test_validation_and_test_are_never_touched_and_the_note_says_so(manifest, split):
    filtered = told()(manifest, split)
    assert (filtered.val, filtered.test) == (split.val, split.test)
    removed = len(split.train) - len(filtered.train)
    assert filtered.notes[0] == "earlier"
    assert filtered.notes[1].startswith(
        f"{removed} of 80 training recordings left out by symptom discrepancy"
    )
    assert "nobody was removed from validation or test" in filtered.notes[1]
    check_split(manifest, filtered, subject_disjoint=True)


def test_answers_of_those_who_are_tested_change_nothing(manifest, split):
    other = manifest.table.copy()
    held = other["recording_id"].isin([*split.val, *split.test])
    other.loc[held, COLUMNS] = np.random.default_rng(1).integers(0, 4, (1, 7)).astype(float)
    changed = Manifest(table=other, root=None, name="cohort", truth=None)
    assert told()(changed, split) == told()(manifest, split)
    other.loc[held, COLUMNS] = np.nan
    assert told()(changed, split) == told()(manifest, split)


def test_no_share_leaves_nobody_out(manifest, split):
    filtered = told(share=0.0)(manifest, split)
    assert (filtered.train, filtered.left_out) == (split.train, ())


def test_who_was_left_out_must_not_reappear(manifest, split):
    filtered = told()(manifest, split)
    back = Split("one", split.train, split.val, split.test, left_out=filtered.left_out)
    with pytest.raises(LeakageError, match=f"left out are back: {sorted(filtered.left_out)[0]}"):
        check_split(manifest, back, subject_disjoint=True)


def test_gaps_and_absent_items_are_errors_that_name_them(manifest, split):
    manifest.table.loc[3, COLUMNS[2]] = np.nan
    with pytest.raises(ItemError, match="p1_talking"):
        told()(manifest, split)
    absent = Manifest(table=manifest.table.drop(columns=COLUMNS[2]), root=None, name="cohort", truth=None)
    with pytest.raises(ItemError, match=COLUMNS[2]):
        told()(absent, split)


def test_recordings_of_a_visit_must_agree(manifest):
    manifest.table.loc[4, COLUMNS[0]] = 3 - manifest.table.loc[4, COLUMNS[0]]
    with pytest.raises(ItemError, match="subject:p2/1 hold different answers"):
        visit_items(manifest.table, "DASS-21-D")


def test_a_filter_that_takes_a_class_away_is_refused(manifest, split):
    only = manifest.table["binary"].where(~manifest.table["recording_id"].isin(split.train), 0.0)
    farthest = told()(manifest, split).left_out[0].split("_")[0]
    only = only.where(manifest.table["subject_id"] != farthest, 1.0)
    table = manifest.table.assign(binary=only)
    with pytest.raises(SplitError, match="part 'train'"):
        told()(Manifest(table=table, root=None, name="cohort", truth=None), split)
