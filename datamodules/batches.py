"""Which clips travel together: people by visits by clips in training, whole people in evaluation.

Both samplers yield lists of `ClipKey`. They hold no random state: an epoch is a function of (seed, epoch).
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

_log = logging.getLogger(__name__)


class ClipKey(NamedTuple):
    """What a batch sampler asks the data set for: manifest row, clip number, epoch."""

    row: int
    clip: int
    epoch: int


class Member(NamedTuple):
    """A recording as the samplers see it: manifest row, code of the person, code of the visit.

    The code is below 0 where nobody knows who it is; it is then shared with no other recording.
    """

    row: int
    subject: int
    visit: int


class SubjectVisitBatches:
    """Training batches of `subjects` people, `visits` visits of each and `clips` clips of each visit.

    Every recording is used about once an epoch. The recordings of a person are dealt into groups of different
    visits; where their number does not divide, the recordings that are used twice change from epoch to epoch.
    Whoever has a single visit gives several clips of it, far apart in time (see `RandomClips`).

    Args:
        members: The training recordings.
        subjects: People in a batch; fewer if there are fewer.
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
        self._people: dict[int, list[Member]] = defaultdict(list)
        for member in members:
            self._people[member.subject].append(member)
        self._subjects = min(subjects, len(self._people))
        self._visits, self._clips, self._seed = visits, clips, seed
        self._rank, self._world_size, self._frozen = rank, world_size, frozen
        self._epoch = 0
        sizes = [len(self._groups(subject, 0)) for subject in self._people]
        self._total = max(-(-sum(sizes) // self._subjects), max(sizes))
        if self._total < world_size:
            raise ValueError(
                f"{self._total} batch(es) cannot be shared by {world_size} processes; "
                f"lower subjects={subjects} or use fewer devices"
            )
        self._report(subjects)

    @property
    def sampler(self) -> "SubjectVisitBatches":
        """Itself: Lightning looks for `set_epoch` at `batch_sampler.sampler`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields."""
        self._epoch = 0 if self._frozen else epoch

    def __len__(self) -> int:
        return self._total // self._world_size

    def __iter__(self) -> Iterator[list[ClipKey]]:
        yield from self._batches(self._epoch)[self._rank :: self._world_size][: len(self)]

    def _batches(self, epoch: int) -> list[list[ClipKey]]:
        """All batches of an epoch, the same list in every process."""
        rng = np.random.default_rng([self._seed, epoch])
        waiting = {subject: self._groups(subject, epoch) for subject in self._people}
        used: Counter[int] = Counter()
        spare = {subject: list(groups) for subject, groups in waiting.items()}
        planned: list[list[Member]] = []
        for _ in range(self._total):
            # Whoever has most groups left comes first: then nobody's groups pile up at the end, and every
            # epoch has the same number of batches.
            order = rng.permutation(list(waiting)).tolist()
            chosen = sorted(order, key=lambda subject: (-len(waiting[subject]), used[subject]))
            batch: list[Member] = []
            for subject in chosen[: self._subjects]:
                group = (
                    waiting[subject].pop()
                    if waiting[subject]
                    else spare[subject][used[subject] % len(spare[subject])]
                )
                used[subject] += 1
                batch.extend(group)
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
        members = self._people[subject]
        base = np.random.default_rng([self._seed, abs(subject)]).permutation(len(members))
        order = [members[position] for position in np.roll(base, -epoch)]
        waiting, uses, groups = list(order), Counter[Member](), []
        while waiting:
            group: list[Member] = []
            while len(group) < self._visits:
                member = _next(order, waiting, uses, group)
                if member in waiting:
                    waiting.remove(member)
                uses[member] += 1
                group.append(member)
            groups.append(group)
        return groups

    def _report(self, subjects: int) -> None:
        if self._subjects < subjects:
            _log.warning("batches hold %d people, not %d: there are no more", self._subjects, subjects)
        single = sum(len({member.visit for member in members}) == 1 for members in self._people.values())
        if single and self._visits > 1:
            _log.warning(
                "%d of %d people have one visit: their clips are taken far apart in it, which teaches the "
                "contrast less than a second visit would",
                single,
                len(self._people),
            )


def _next(order: list[Member], waiting: list[Member], uses: Counter[Member], group: list[Member]) -> Member:
    """Choose the next of a group: another visit first, then what still waits, then what was used least."""
    visits = {member.visit for member in group}
    left = Counter(member.visit for member in waiting)

    def rank(member: Member) -> tuple[bool, bool, int, int, int]:
        return (
            member.visit in visits,
            member not in waiting,
            -left[member.visit],
            uses[member] + group.count(member),
            order.index(member),
        )

    return min(order, key=rank)


class SubjectBatches:
    """Evaluation batches of whole people, all clips of all their recordings: enrolment needs no second pass.

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
        people: dict[int, list[ClipKey]] = defaultdict(list)
        for member in members:
            people[member.subject] += [ClipKey(member.row, clip, 0) for clip in range(counts[member.row])]
        batches: list[list[ClipKey]] = [[]]
        for keys in people.values():
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

    @property
    def sampler(self) -> "SubjectBatches":
        """Itself, as in `SubjectVisitBatches`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: evaluation is the same in every epoch."""

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[list[ClipKey]]:
        yield from self._batches
