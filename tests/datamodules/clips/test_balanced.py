from collections import Counter

import pytest

from datamodules.clips.balanced import BalancedBatches
from datamodules.clips.batches import Member, SubjectVisitBatches


def part(first, persons, *, subjects=2, **changes):
    """People with two visits each; rows and codes count from `first`."""
    members = [
        Member(first + 2 * person + visit, first + person, first + 2 * person + visit)
        for person in range(persons)
        for visit in range(2)
    ]
    return SubjectVisitBatches(members=members, subjects=subjects, visits=2, clips=1, seed=0, **changes)


def epoch(batches, number):
    batches.set_epoch(number)
    return list(batches)


def test_every_batch_holds_the_same_share_of_a_small_and_a_large_part():
    batches = BalancedBatches(parts=[part(0, 40), part(1000, 6)])
    found = epoch(batches, 0)
    assert len(found) == len(batches) == 20
    for keys in found:
        assert sum(key.row < 1000 for key in keys) == sum(key.row >= 1000 for key in keys) == 4
    rows = Counter(key.row for keys in found for key in keys)
    assert {rows[row] for row in range(80)} == {1}
    assert {rows[row] for row in range(1000, 1012)} == {6, 7}  # 20 batches of 4 over 12 recordings


def test_a_repeated_recording_gives_other_clips_every_time_it_comes():
    batches = BalancedBatches(parts=[part(0, 40), part(1000, 6)])
    keys = [key for number in range(3) for batch in epoch(batches, number) for key in batch]
    assert len(set(keys)) == len(keys)


def test_an_epoch_is_a_function_of_its_number():
    first, second = (BalancedBatches(parts=[part(0, 9), part(1000, 4)]) for _ in range(2))
    epoch(first, 0)
    assert epoch(first, 3) == epoch(second, 3)
    assert epoch(first, 3) != epoch(first, 4)


def test_what_a_stopped_epoch_had_is_left_out_once():
    batches = BalancedBatches(parts=[part(0, 9), part(1000, 4)])
    whole = epoch(batches, 3)
    batches.begin_at(2)
    assert epoch(batches, 3) == whole[2:]
    assert len(batches) == len(whole)
    assert epoch(batches, 3) == whole


def test_ranks_get_different_recordings_and_equally_many_batches():
    ranks = [
        BalancedBatches(parts=[part(0, 40, rank=r, world_size=2), part(1000, 8, rank=r, world_size=2)])
        for r in range(2)
    ]
    one, two = (epoch(rank, 0) for rank in ranks)
    assert len(one) == len(two) == 10
    assert not {key.row for keys in one for key in keys if key.row < 1000} & {
        key.row for keys in two for key in keys if key.row < 1000
    }


def test_nothing_to_balance_is_refused():
    with pytest.raises(ValueError, match="no part"):
        BalancedBatches(parts=[])
