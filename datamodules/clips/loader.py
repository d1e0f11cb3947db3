"""A data loader whose workers start with its first batch and end with their parent process."""

from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader

from datamodules.clips.orphans import die_with


class EpochLoader(DataLoader[dict[str, Any]]):
    """A `DataLoader` that reads nothing before its first batch is asked for.

    Workers fetch ahead as soon as an iterator exists. Lightning makes the first iterator before it announces
    the epoch to the sampler, so that a resumed run would begin with the batches of epoch 0.
    """

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # a generator: it starts with its first batch
        yield from super().__iter__()


def begin_worker(worker: int, *, parent: int) -> None:
    """Initialize a worker: it must not outlive the process that started it.

    Args:
        worker: Its number, unused: clips are drawn by (seed, epoch), whoever draws them.
        parent: Process id of the one that started it.
    """
    del worker
    die_with(parent)
