"""Many who follow one target are told; copies still stop, also beside and among them."""

import numpy as np
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import read_manifest
from datamodules.split_leakage.fingerprint import fingerprint
from datamodules.split_leakage.near_duplicates import Pair, alike
from datamodules.split_leakage.shared_stimulus import stimulus_groups
from datamodules.split_leakage.split_checks import check_content
from datamodules.splits.partition import Split

NAMES = [f"p{n:02d}_v0" for n in range(20)]


@pytest.fixture
def persons(cohort):
    """A manifest of 20 persons, and a split that has some of them in each part."""
    split = Split("one", train=tuple(NAMES[:10]), val=tuple(NAMES[10:15]), test=tuple(NAMES[15:]))
    return read_manifest(cohort(20, 1, 30)), split


def followed(own: float, count: int = 20):
    """Pairs of persons whose gaze follows one target, with a share `own` of other movement."""
    rng = np.random.default_rng(0)
    target = np.repeat(rng.choice([-10.0, -5.0, 5.0, 10.0], (60, 2)), 15, axis=0)
    valid = np.ones(len(target), dtype=bool)
    shown = []
    for _ in range(count):
        values = target + own * target.std(0) * rng.normal(size=target.shape)
        shown.append(fingerprint(values, ["gaze_x", "gaze_y"], valid=valid, fps=15, kind="series"))
    return [Pair(NAMES[i], NAMES[j], "nearly the same", value) for i, j, value in alike(shown)]


@pytest.mark.parametrize("own", [0.1, 0.3])
def test_twenty_who_follow_one_target_are_told_and_do_not_stop(own, persons, caplog):
    pairs = followed(own)
    assert len(pairs) > 180
    check_content(*persons, pairs)
    assert "20 recordings are alike with nearly each other: p00_v0" in caplog.text
    assert "one stimulus, as a gaze target" in caplog.text


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_few_copies_stop(count, persons):
    pairs = [Pair(NAMES[i], NAMES[19 - j], "nearly", 0.99) for i in range(count - 1) for j in range(1)]
    with pytest.raises(LeakageError, match=r"p00_v0 \(train\) = p19_v0 \(test\)"):
        check_content(*persons, pairs)


@pytest.mark.parametrize("correlation", [1.0, 0.9999])
def test_a_copy_stops_among_those_who_follow_a_target(correlation, persons):
    pairs = [pair for pair in followed(0.1) if (pair.first, pair.second) != (NAMES[0], NAMES[19])]
    with pytest.raises(LeakageError, match=r"p00_v0 \(train\) = p19_v0 \(test\): the same"):
        check_content(*persons, [*pairs, Pair(NAMES[0], NAMES[19], "the same", correlation)])


def test_a_group_is_of_many_persons_who_are_alike_with_nearly_each_other():
    person_of = dict(zip(NAMES, NAMES, strict=True))
    everyone = followed(0.1)
    assert stimulus_groups(everyone, person_of) == [set(NAMES)]
    five = [pair for pair in everyone if {pair.first, pair.second} <= set(NAMES[:5])]
    assert stimulus_groups(five, person_of) == [set(NAMES[:5])]
    assert stimulus_groups(five, person_of | {f"more{n}": f"more{n}" for n in range(20)}) == []
    assert stimulus_groups(five, person_of | {NAMES[0]: NAMES[1]}) == []  # four persons
    assert stimulus_groups([pair for pair in everyone if pair.first == NAMES[0]], person_of) == []  # a star
    assert stimulus_groups([], person_of) == []
