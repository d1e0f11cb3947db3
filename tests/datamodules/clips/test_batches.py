from collections import Counter

import numpy as np
import pytest

from datamodules.clips.batches import ClipKey, Member, SubjectBatches, SubjectVisitBatches, _dealt


def cohort(visits_of):
    """`visits_of[s]` lists how many recordings each visit of person s has."""
    members = []
    for subject, visits in enumerate(visits_of):
        for number, recordings in enumerate(visits):
            for _ in range(recordings):
                members.append(Member(len(members), subject, 100 * subject + number))
    return members


def epoch(batches, number):
    batches.set_epoch(number)
    return list(batches)


def train(members, **changes):
    return SubjectVisitBatches(
        members=members, **{"subjects": 4, "visits": 2, "clips": 1, "seed": 0, **changes}
    )


def test_a_batch_is_people_by_visits_by_clips():
    members = cohort([[1, 1, 1, 1]] * 8)
    for keys in epoch(train(members, clips=3), 0):
        subjects = Counter(members[key.row].subject for key in keys)
        assert sorted(subjects.values()) == [6] * 4
        visits = {(members[key.row].subject, members[key.row].visit) for key in keys}
        assert len(visits) == 8
        assert sorted(key.clip for key in keys) == [0] * 8 + [1] * 8 + [2] * 8


def test_every_recording_once_an_epoch_where_it_divides():
    members = cohort([[1, 1, 1, 1]] * 8)
    for number in range(3):
        rows = [key.row for keys in epoch(train(members), number) for key in keys]
        assert sorted(rows) == list(range(32))


def test_the_recordings_used_twice_rotate():
    members = cohort([[1, 1, 1]] * 8)
    batches, uses = train(members), Counter()
    for number in range(3):
        rows = Counter(key.row for keys in epoch(batches, number) for key in keys)
        assert set(rows.values()) == {1, 2}
        uses += rows
    assert set(uses.values()) == {4}


@pytest.mark.parametrize("seed", range(20))
def test_any_cohort_keeps_people_apart_and_visits_apart(seed):
    rng = np.random.default_rng(seed)
    members = cohort(
        [rng.integers(1, 4, size=rng.integers(1, 6)).tolist() for _ in range(rng.integers(2, 12))]
    )
    persons = {member.subject for member in members}
    batches = train(members, subjects=3, visits=int(rng.integers(1, 4)))
    lengths = set()
    for number in range(4):
        produced = epoch(batches, number)
        lengths.add(len(produced))
        assert {key.row for keys in produced for key in keys} == set(range(len(members)))
        clips = [key for keys in produced for key in keys]
        assert len(set(clips)) == len(clips)
        for keys in produced:
            by_person = {}
            for key in keys:
                by_person.setdefault(members[key.row].subject, []).append(members[key.row].visit)
            assert len(by_person) == min(3, len(persons))
            for subject, visits in by_person.items():
                available = len({member.visit for member in members if member.subject == subject})
                assert len(set(visits)) == min(len(visits), available)
    assert lengths == {len(batches)}


def dealt_by_rule(order, size):
    """The rule of `_dealt` word for word, looking at every recording for every pick."""
    waiting, uses, groups = list(order), Counter(), []
    while waiting:
        group = []
        while len(group) < size:
            left = Counter(member.visit for member in waiting)
            visits = {member.visit for member in group}

            def rank(member, visits=visits, left=left, group=group):
                again = uses[member] + group.count(member)
                return member.visit in visits, member not in waiting, -left[member.visit], again

            chosen = min(order, key=rank)
            if chosen in waiting:
                waiting.remove(chosen)
            uses[chosen] += 1
            group.append(chosen)
        groups.append(group)
    return groups


@pytest.mark.parametrize("size", range(1, 8))
def test_recordings_are_dealt_as_the_rule_says(size):
    rng = np.random.default_rng(size)
    for _ in range(40):
        members = cohort([rng.integers(1, 6, size=rng.integers(1, 7)).tolist()])
        order = [members[position] for position in rng.permutation(len(members))]
        assert _dealt(order, size) == dealt_by_rule(order, size)


def test_people_with_few_groups_are_used_as_often_as_each_other():
    members = cohort([[1] * 12] * 2 + [[1] * 2] * 10)
    used = Counter(members[keys[at].row].subject for keys in epoch(train(members), 3) for at in (0, 2, 4, 6))
    often = [used[subject] for subject in range(2, 12)]
    assert max(often) - min(often) <= 1


def test_an_epoch_is_a_function_of_seed_and_epoch_only():
    members = cohort([[1, 1, 1]] * 6)
    straight, resumed = train(members), train(members)
    for number in range(3):
        epoch(straight, number)
    assert epoch(straight, 3) == epoch(resumed, 3) != epoch(resumed, 4)
    assert epoch(train(members, seed=1), 3) != epoch(resumed, 3)
    assert all(key.epoch == 3 for keys in epoch(resumed, 3) for key in keys)
    frozen = train(members, frozen=True)
    assert epoch(frozen, 5) == epoch(frozen, 6) == epoch(train(members), 0)


def test_ranks_share_the_epoch_without_meeting():
    members = cohort([[1, 1, 1, 1]] * 8)
    alone = epoch(train(members), 2)
    ranks = [epoch(train(members, rank=rank, world_size=2), 2) for rank in range(2)]
    assert len(ranks[0]) == len(ranks[1]) == len(alone) // 2
    assert sorted(ranks[0] + ranks[1]) == sorted(alone)
    assert not {tuple(keys) for keys in ranks[0]} & {tuple(keys) for keys in ranks[1]}
    three = [epoch(train(members, rank=rank, world_size=3), 2) for rank in range(3)]
    assert {len(batches) for batches in three} == {1}


def test_people_with_one_visit_give_several_clips_and_are_counted(caplog):
    members = cohort([[1], [1, 1], [1, 1]])
    keys = [key for batch in epoch(train(members, subjects=3), 0) for key in batch]
    assert [key for key in keys if key.row == 0] == [ClipKey(0, 0, 0), ClipKey(0, 1, 0)]
    assert caplog.text.count("1 of 3 persons have one visit") == 1


def test_too_little_for_what_is_asked_is_said(caplog):
    members = cohort([[1, 1]] * 3)
    with pytest.raises(ValueError, match="cannot be shared by 2 processes"):
        train(members, world_size=2)
    with pytest.raises(ValueError, match="no recording to train on"):
        train([])
    with pytest.raises(ValueError, match="visits=0"):
        train(members, visits=0)
    train(members)
    assert "batches hold 3 persons, not 4" in caplog.text


def evaluation(members, counts, **changes):
    return SubjectBatches(members=members, counts=counts, **{"max_clips": 8, **changes})


def test_whole_people_are_packed_and_every_clip_comes_once():
    members = cohort([[1, 1], [1], [2], [1, 1, 1]])
    counts = dict.fromkeys(range(8), 2)
    batches = list(evaluation(members, counts))
    assert [sorted({members[key.row].subject for key in keys}) for keys in batches] == [[0, 1], [2], [3]]
    keys = [key for batch in batches for key in batch]
    assert sorted(keys) == [ClipKey(row, clip, 0) for row in range(8) for clip in range(2)]


def test_a_person_with_too_many_clips_stays_whole(caplog):
    members = cohort([[1], [4], [1]])
    batches = list(evaluation(members, dict.fromkeys(range(6), 3), max_clips=4))
    assert [len(keys) for keys in batches] == [3, 12, 3]
    assert caplog.text.count("a person has 12 clips, more than max_clips=4") == 1


def test_evaluation_batches_do_not_depend_on_the_world():
    members = cohort([[1]] * 5)
    counts = dict.fromkeys(range(5), 8)
    alone = list(evaluation(members, counts))
    ranks = [list(evaluation(members, counts, rank=rank, world_size=2)) for rank in range(2)]
    assert [len(batches) for batches in ranks] == [3, 3]
    assert ranks[0] == alone[0::2]
    assert ranks[1] == [*alone[1::2], alone[0]]
    many = [list(evaluation(members, counts, rank=rank, world_size=12)) for rank in range(12)]
    assert {len(batches) for batches in many} == {1}


def test_an_empty_part_is_an_error():
    with pytest.raises(ValueError, match="no recording to evaluate"):
        evaluation([], {})


def crowded(visits, early, *, recordings=1):
    """One person with more visits than a batch holds, of which the first ones are known to later ones."""
    return [
        Member(visit * recordings + number, 0, visit, visit < early)
        for visit in range(visits)
        for number in range(recordings)
    ]


def test_what_a_later_visit_may_know_is_in_its_batch():
    for recordings in (1, 2):
        members = crowded(9, 2, recordings=recordings)
        batches = SubjectVisitBatches(members=members, subjects=1, visits=4, clips=1, seed=0)
        seen = set()
        for epoch in range(2 * recordings):
            batches.set_epoch(epoch)
            for batch in batches:
                rows = [key.row for key in batch]
                visits = [members[row].visit for row in rows]
                assert {0, 1} < set(visits)
                assert len(visits) == len(set(visits)) == 4
                seen |= set(rows)
        assert seen == {member.row for member in members}  # all recordings of the early visits, in turn


def test_early_visits_take_turns_where_they_do_not_fit():
    members = crowded(9, 5)
    batches = SubjectVisitBatches(members=members, subjects=1, visits=3, clips=1, seed=0)
    groups = [[members[key.row].visit for key in batch] for batch in batches]
    assert [sum(visit >= 5 for visit in group) for group in groups] == [
        1
    ] * 4  # each with room for a later one
    assert {visit for group in groups for visit in group} == set(range(9))


def test_early_visits_change_nothing_where_all_visits_fit_or_all_are_early():
    for visits, early in ((4, 2), (9, 9)):
        plain = [member._replace(early=False) for member in crowded(visits, early)]
        first, second = (
            list(SubjectVisitBatches(members=own, subjects=1, visits=4, clips=1, seed=0))
            for own in (plain, crowded(visits, early))
        )
        assert first == second
