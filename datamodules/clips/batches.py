"""Batch samplers: persons by visits by clips in training, whole persons in evaluation.

Both samplers yield lists of `ClipKey`. They hold no random state: an epoch is a function of (seed, epoch).
"""

import logging
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple, Self

import numpy as np

_log = logging.getLogger(__name__)


class ClipKey(NamedTuple):
    """Key of a clip that a batch sampler asks the data set for: manifest row, clip number, epoch."""

    row: int
    clip: int
    epoch: int


class Member(NamedTuple):
    """A recording as the samplers see it: manifest row, code of the person, code of the visit.

    The code of an unknown person is below 0 and shared with no other recording. `early` says that later
    visits of the person may know this one with its score.
    """

    row: int
    subject: int
    visit: int
    early: bool = False


class ClipBatches:
    """Base of the batch samplers: lists of clip keys, in an order that follows from the epoch alone."""

    @property
    def sampler(self) -> Self:
        """Itself: Lightning looks for `set_epoch` at `batch_sampler.sampler`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields; evaluation is the same in every epoch."""

    def __len__(self) -> int:
        raise NotImplementedError

    def __iter__(self) -> Iterator[list[ClipKey]]:
        raise NotImplementedError


class SubjectVisitBatches(ClipBatches):
    """Training batches of `subjects` persons, `visits` visits of each and `clips` clips of each visit.

    Every recording is used about once an epoch. The recordings of a person are dealt into groups of different
    visits; where their number does not divide, the recordings that are used twice change from epoch to epoch.
    Whoever has a single visit gives several clips of it, far apart in time (see `RandomClips`).

    A person with more visits than `visits`, of whom only the first ones are `early`, has as many of these in
    every group as leave room for a later visit: what a later visit may know of them is then in its batch, and
    they are used more than once an epoch.

    Args:
        members: The training recordings.
        subjects: Persons in a batch; fewer if there are fewer.
        visits: Visits of a person in a batch.
        clips: Clips of a visit in a batch.
        seed: Seed of the order.
        rank: This process among those that train together.
        world_size: Number of these processes. They get different batches, equally many; what does not divide
            is left out, other batches in every epoch.
        frozen: Repeat epoch 0 for ever, to overfit one batch on purpose.

    Raises:
        ValueError: A size below 1, no recordings, or fewer batches than processes.
    """

    def __init__(
        self,
        *,
        members: Sequence[Member],
        subjects: int,
        visits: int,
        clips: int,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        frozen: bool = False,
    ) -> None:
        if min(subjects, visits, clips) < 1:
            raise ValueError(f"subjects={subjects}, visits={visits}, clips={clips} must all be at least 1")
        if not members:
            raise ValueError("there is no recording to train on; check the split")
        persons: dict[int, list[Member]] = defaultdict(list)
        for member in members:
            persons[member.subject].append(member)
        self._persons = {subject: _shuffled(own, [seed, abs(subject)]) for subject, own in persons.items()}
        self._subjects = min(subjects, len(self._persons))
        self._visits, self._clips, self._seed = visits, clips, seed
        self._rank, self._world_size, self._frozen = rank, world_size, frozen
        self._epoch = 0
        sizes = [len(self._groups(subject, 0)) for subject in self._persons]
        # At least as many batches as one person has groups: a batch holds a person once.
        self._total = max(-(-sum(sizes) // self._subjects), max(sizes))
        if self._total < world_size:
            raise ValueError(
                f"{self._total} batch(es) cannot be shared by {world_size} processes; "
                f"lower subjects={subjects} or use fewer devices"
            )
        self._report(subjects)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields."""
        self._epoch = 0 if self._frozen else epoch

    def __len__(self) -> int:
        # rounded down: a rank with a batch more than the others would wait for them in a collective for ever
        return self._total // self._world_size

    def __iter__(self) -> Iterator[list[ClipKey]]:
        yield from self._batches(self._epoch)[self._rank :: self._world_size][: len(self)]

    def _batches(self, epoch: int) -> list[list[ClipKey]]:
        """All batches of an epoch, the same list in every process."""
        rng = np.random.default_rng([self._seed, epoch])
        waiting = {subject: self._groups(subject, epoch) for subject in self._persons}
        spare = {subject: list(groups) for subject, groups in waiting.items()}
        chance = iter(rng.random(len(waiting) + self._total * self._subjects).tolist())
        # Whoever has most groups left comes first: then nobody's groups pile up at the end, and every epoch
        # has the same number of batches. After that, who was used least, then chance. A heap finds them
        # without sorting everybody for every batch.
        queue = [(-len(groups), 0, next(chance), subject) for subject, groups in waiting.items()]
        heapify(queue)
        planned: list[list[Member]] = []
        for _ in range(self._total):
            batch: list[Member] = []
            for _, used, _, subject in [heappop(queue) for _ in range(self._subjects)]:
                again = spare[subject]
                batch += waiting[subject].pop() if waiting[subject] else again[used % len(again)]
                heappush(queue, (-len(waiting[subject]), used + 1, next(chance), subject))
            planned.append(batch)
        shuffled = [planned[position] for position in rng.permutation(len(planned))]
        return self._number(shuffled, epoch)

    def _number(self, batches: list[list[Member]], epoch: int) -> list[list[ClipKey]]:
        """Give repeated uses of a recording new clip numbers, so that no clip appears twice in an epoch."""
        seen: Counter[int] = Counter()
        numbered = []
        for batch in batches:
            keys = []
            for member in batch:
                first = seen[member.row]
                seen[member.row] += self._clips
                keys += [ClipKey(member.row, first + clip, epoch) for clip in range(self._clips)]
            numbered.append(keys)
        return numbered

    def _groups(self, subject: int, epoch: int) -> list[list[Member]]:
        """Deal a person's recordings into groups of `visits`, of different visits as far as there are."""
        # Turned from epoch to epoch, so that not always the same recordings are used twice.
        turn = epoch % len(self._persons[subject])
        own = self._persons[subject]
        return _dealt_after(own[turn:] + own[:turn], self._visits, turn=epoch)

    def _report(self, subjects: int) -> None:
        if self._subjects < subjects:
            _log.warning("batches hold %d persons, not %d: there are no more", self._subjects, subjects)
        single = sum(len({member.visit for member in members}) == 1 for members in self._persons.values())
        if single and self._visits > 1:
            _log.warning(
                "%d of %d persons have one visit: their clips are taken far apart in it, which teaches the "
                "contrast less than a second visit would",
                single,
                len(self._persons),
            )


def _shuffled(members: list[Member], seed: list[int]) -> list[Member]:
    return [members[position] for position in np.random.default_rng(seed).permutation(len(members))]


def _dealt_after(order: list[Member], size: int, *, turn: int) -> list[list[Member]]:
    """Deal recordings into groups, the early visits into all of them where a person has more than fit."""
    early: dict[int, list[Member]] = defaultdict(list)
    for member in order:
        if member.early:
            early[member.visit].append(member)
    later = [member for member in order if not member.early]
    kept = min(len(early), size - 1)
    if not later or not kept or len({member.visit for member in order}) <= size:
        return _dealt(order, size)
    visits = sorted(early)
    groups = []
    for number, group in enumerate(_dealt(later, size - kept), turn):
        # in turn, where not all of them fit, and so do the recordings of a visit
        chosen = [early[visits[(number + place) % len(visits)]] for place in range(kept)]
        groups.append([own[number % len(own)] for own in chosen] + group)
    return groups


def _dealt(order: list[Member], size: int) -> list[list[Member]]:
    """Deal recordings into groups of `size`: the visits with most of them left first, one recording each."""
    place = {member: position for position, member in enumerate(order)}
    waiting: dict[int, deque[Member]] = defaultdict(deque)
    for member in order:
        waiting[member.visit].append(member)
    queue = [(-len(left), place[left[0]], visit) for visit, left in waiting.items()]
    heapify(queue)
    # the visit with most left first, as in a merge: else the last groups would hold one visit several times
    uses: Counter[Member] = Counter()
    groups: list[list[Member]] = []
    while queue:
        visits = [heappop(queue)[2] for _ in range(min(size, len(queue)))]
        group = [waiting[visit].popleft() for visit in visits]
        uses.update(group)
        _fill(group, size, order, waiting, uses)
        for visit in visits:
            if left := waiting[visit]:
                heappush(queue, (-len(left), place[left[0]], visit))
        groups.append(group)
    return groups


def _fill(
    group: list[Member],
    size: int,
    order: list[Member],
    waiting: Mapping[int, deque[Member]],
    uses: Counter[Member],
) -> None:
    """Complete a group where too few visits wait: another visit first, then what waits, then the least used.

    Whatever still waits belongs to a visit of the group.
    """
    while len(group) < size:
        visits, here = {member.visit for member in group}, Counter(group)
        ranks = [(m.visit in visits, uses[m] > 0, -len(waiting[m.visit]), uses[m] + here[m]) for m in order]
        chosen = order[ranks.index(min(ranks))]  # the first of equals
        if not uses[chosen]:
            waiting[chosen.visit].remove(chosen)
        uses[chosen] += 1
        group.append(chosen)


class SubjectBatches(ClipBatches):
    """Evaluation batches of whole persons, all clips of all their recordings: enrolment needs no second pass.

    Args:
        members: The recordings, context included.
        counts: Clips of each manifest row.
        max_clips: Clips after which a batch is closed; a single person may exceed it.
        rank: This process among those that evaluate together.
        world_size: Number of these processes. What is in a batch does not depend on it; batches are repeated
            where they do not divide, which metrics keyed by (row, clip) do not notice.

    Raises:
        ValueError: `max_clips` below 1 or no recordings.
    """

    def __init__(
        self,
        *,
        members: Sequence[Member],
        counts: Mapping[int, int],
        max_clips: int,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if max_clips < 1:
            raise ValueError(f"max_clips={max_clips} must be at least 1")
        if not members:
            raise ValueError("there is no recording to evaluate; check the split")
        persons: dict[int, list[ClipKey]] = defaultdict(list)
        for member in members:
            persons[member.subject] += [ClipKey(member.row, clip, 0) for clip in range(counts[member.row])]
        # a person is never cut: the context of a clip is made of the person's other clips in its batch
        batches: list[list[ClipKey]] = [[]]
        for keys in persons.values():
            if batches[-1] and len(batches[-1]) + len(keys) > max_clips:
                batches.append([])
            batches[-1] = batches[-1] + keys
        largest = max(map(len, batches))
        if largest > max_clips:
            _log.warning(
                "a person has %d clips, more than max_clips=%d: they stay together", largest, max_clips
            )
        share = -(-len(batches) // world_size)
        self._batches = [batches[(rank + turn * world_size) % len(batches)] for turn in range(share)]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[ClipKey]]:
        yield from self._batches
