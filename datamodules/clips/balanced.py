"""Training batches that are balanced over several corpora: each has its own share, whatever its size."""

from collections.abc import Iterator, Sequence

from datamodules.clips.batches import ClipBatches, ClipKey, SubjectVisitBatches


class BalancedBatches(ClipBatches):
    """Batches that join one batch of every part; an epoch is a pass through the part with most batches.

    The smaller parts begin anew as often as needed. Each pass counts as an epoch of its own, so that its
    order and its clips are new ones, and an epoch is still a function of (seed, epoch) alone.

    Args:
        parts: One sampler a corpus, all of the same rank.

    Raises:
        ValueError: There is no part.
    """

    def __init__(self, *, parts: Sequence[SubjectVisitBatches]) -> None:
        if not parts:
            raise ValueError("nothing to balance: there is no part")
        self._parts = list(parts)
        self._length = max(map(len, self._parts))
        self._epoch = self._left_out = 0

    def begin_at(self, batch: int) -> None:
        """Leave out the batches before this one, in the next epoch only: a run that was stopped had them."""
        self._left_out = batch

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch that the next iteration yields."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[list[ClipKey]]:
        begin, self._left_out = self._left_out, 0
        for number, batches in enumerate(zip(*map(self._endless, self._parts), strict=True)):
            if number >= begin:
                yield [key for batch in batches for key in batch]

    def _endless(self, part: SubjectVisitBatches) -> Iterator[list[ClipKey]]:
        """`len(self)` batches of a part, over as many of its own epochs as that takes."""
        passes = -(-self._length // len(part))
        left = self._length
        for turn in range(passes):
            part.set_epoch(self._epoch * passes + turn)
            for batch in part:
                if not left:
                    return
                left -= 1
                yield batch
