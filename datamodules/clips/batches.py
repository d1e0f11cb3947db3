"""Batch samplers: persons by visits by clips in training, whole persons in evaluation.

Both samplers yield lists of `ClipKey`. They hold no random state: an epoch is a function of (seed, epoch).
"""

import logging
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

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


Members = Sequence[Member] | NDArray[np.int64]
"""Recordings as the samplers see them, or an array (N, 4) of the fields of `Member`."""


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
        members: Members,
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
        if not len(members):
            raise ValueError("there is no recording to train on; check the split")
        self._members, self._sizes = _by_person(members)
        self._starts = np.cumsum(self._sizes) - self._sizes
        for start, size in zip(self._starts.tolist(), self._sizes.tolist(), strict=True):
            own = self._members[start : start + size]
            own[:] = own[np.random.default_rng([seed, abs(int(own[0, 1]))]).permutation(size)]
        self._subjects = min(subjects, len(self._sizes))
        self._visits, self._clips, self._seed = visits, clips, seed
        self._rank, self._world_size, self._frozen = rank, world_size, frozen
        self._epoch = 0
        self._single, self._plain = self._kinds()
        sizes, _ = self._groups(0)
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
        return int(self._total) // self._world_size

    def __iter__(self) -> Iterator[list[ClipKey]]:
        rows, clips = self._batches(self._epoch)
        mine = range(self._rank, self._total, self._world_size)[: len(self)]
        for batch in mine:
            keys = zip(rows[batch].tolist(), clips[batch].tolist(), strict=True)
            yield [ClipKey(row, clip, self._epoch) for row, clip in keys]

    def _batches(self, epoch: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows and clips of all batches of an epoch, both (batches, clips), the same in every process."""
        rng = np.random.default_rng([self._seed, epoch])
        counts, dealt = self._groups(epoch)
        persons, groups = self._drawn(counts, rng)
        order = rng.permutation(self._total)
        persons, groups = persons[order].ravel(), groups[order].ravel()
        # turned from epoch to epoch, so that not always the same recordings are used twice
        places: NDArray[np.int64] = groups[:, None] * self._visits + np.arange(self._visits) + epoch
        places = self._starts[persons, None] + places % self._sizes[persons, None]
        for place in np.flatnonzero(~self._plain[persons]).tolist():
            places[place] = dealt[int(persons[place])][groups[place]]
        # repeated uses of a recording have new clip numbers: no clip appears twice in an epoch
        clips = _uses(places.ravel())[:, None] * self._clips + np.arange(self._clips)
        rows = np.repeat(self._members[places.ravel(), 0], self._clips)
        return rows.reshape(self._total, -1), clips.reshape(self._total, -1)

    def _drawn(
        self, counts: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Persons of each batch, and which of their groups, both (batches, persons)."""
        chance = iter(rng.random(len(counts) + self._total * self._subjects).tolist())
        # Whoever has most groups left comes first: then nobody's groups pile up at the end, and every epoch
        # has the same number of batches. After that, who was used least, then chance. A heap finds them
        # without sorting everybody for every batch.
        many = counts.tolist()
        queue = [(-count, 0, next(chance), person) for person, count in enumerate(many)]
        heapify(queue)
        persons, groups = [], []
        for _ in range(self._total):
            for left, used, _, person in [heappop(queue) for _ in range(self._subjects)]:
                persons.append(person)
                groups.append(-left - 1 if left else used % many[person])
                heappush(queue, (min(left + 1, 0), used + 1, next(chance), person))
        shape = (self._total, self._subjects)
        return np.array(persons).reshape(shape), np.array(groups).reshape(shape)

    def _kinds(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Who has one visit, and of whom groups of `visits` neighbors are what the rule of `_dealt` gives."""
        persons = np.repeat(np.arange(len(self._sizes)), self._sizes)
        pairs = np.unique(np.stack([persons, self._members[:, 2]]), axis=1)
        visits = np.bincount(pairs[0], minlength=len(self._sizes))
        early = np.bincount(persons, weights=self._members[:, 3], minlength=len(self._sizes))
        alike = (early == 0) | (early == self._sizes) | (self._sizes <= self._visits)
        return visits == 1, (visits == self._sizes) & alike

    def _groups(self, epoch: int) -> tuple[NDArray[np.int64], dict[int, list[list[int]]]]:
        """Groups of everybody, and what is in them where it takes the rule of `_dealt` to know it."""
        counts = -(-self._sizes // self._visits)
        dealt = {int(person): self._dealt(int(person), epoch) for person in np.flatnonzero(~self._plain)}
        for person, groups in dealt.items():
            counts[person] = len(groups)
        return counts, dealt

    def _dealt(self, person: int, epoch: int) -> list[list[int]]:
        """Places of a person's recordings in groups of `visits`, of different visits as far as there are."""
        start, size = int(self._starts[person]), int(self._sizes[person])
        facts = self._members[start : start + size].tolist()
        own = [Member(start + place, fact[1], fact[2], bool(fact[3])) for place, fact in enumerate(facts)]
        turn = epoch % size
        groups = _dealt_after(own[turn:] + own[:turn], self._visits, turn=epoch)
        return [[member.row for member in group] for group in groups]

    def _report(self, subjects: int) -> None:
        if self._subjects < subjects:
            _log.warning("batches hold %d persons, not %d: there are no more", self._subjects, subjects)
        single = int(self._single.sum())
        if single and self._visits > 1:
            _log.warning(
                "%d of %d persons have one visit: their clips are taken far apart in it, which teaches the "
                "contrast less than a second visit would",
                single,
                len(self._sizes),
            )


def _by_person(members: Members) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Members (N, 4) person by person in the order of their first ones, and how many each person has."""
    found = np.array(members, dtype=np.int64).reshape(-1, len(Member._fields))
    persons = pd.factorize(found[:, 1])[0]
    return found[np.argsort(persons, kind="stable")], np.bincount(persons)


def _uses(places: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each place came before, (N,)."""
    order = np.argsort(places, kind="stable")
    number = np.arange(len(places))
    first = np.r_[True, np.diff(places[order]) != 0]
    found = np.empty_like(places)
    found[order] = number - np.maximum.accumulate(np.where(first, number, 0))
    return found


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
        members: Members,
        counts: Mapping[int, int],
        max_clips: int,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if max_clips < 1:
            raise ValueError(f"max_clips={max_clips} must be at least 1")
        if not len(members):
            raise ValueError("there is no recording to evaluate; check the split")
        own, sizes = _by_person(members)
        clips = np.array([counts[row] for row in own[:, 0].tolist()], dtype=np.int64)
        persons = np.add.reduceat(clips, np.cumsum(sizes) - sizes).tolist()
        # a person is never cut: the context of a clip is made of the person's other clips in its batch
        held = [0]
        for count in persons:
            if held[-1] and held[-1] + count > max_clips:
                held.append(0)
            held[-1] += count
        if max(held) > max_clips:
            _log.warning(
                "a person has %d clips, more than max_clips=%d: they stay together", max(held), max_clips
            )
        self._rows = np.repeat(own[:, 0], clips)
        self._clips = np.arange(len(self._rows)) - np.repeat(np.cumsum(clips) - clips, clips)
        self._ends = np.cumsum(held)
        share = -(-len(held) // world_size)
        self._batches = [(rank + turn * world_size) % len(held) for turn in range(share)]

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[ClipKey]]:
        for batch in self._batches:
            keys = slice(self._ends[batch - 1] if batch else 0, self._ends[batch])
            pairs = zip(self._rows[keys].tolist(), self._clips[keys].tolist(), strict=True)
            yield [ClipKey(row, clip, 0) for row, clip in pairs]
