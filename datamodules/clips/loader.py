"""The data loader of clips: its workers start with its first batch and end with their parent process."""

import os
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal

import torch
from torch.utils.data import DataLoader

from datamodules.clips.batches import ClipBatches
from datamodules.clips.collate import collate
from datamodules.clips.dataset import ClipDataset
from datamodules.clips.workers.desk import Desk, check_alive, deaths_named, watched
from datamodules.manifests.manifest import Recording
from datamodules.processes import cores, die_with

Workers = int | Literal["auto"]
_MOST = 16  # workers that `auto` starts: beyond, batches wait in memory; our choice
_EVALUATES = 4  # part of the workers of training that evaluation gets, whose loaders stay open beside it


class EpochLoader(DataLoader[dict[str, Any]]):
    """A `DataLoader` that reads nothing before its first batch is asked for.

    Workers fetch ahead as soon as an iterator exists. Lightning makes the first iterator before it announces
    the epoch to the sampler, so that a resumed run would begin with the batches of epoch 0.
    """

    timeout_of_clip: float | None = None  # seconds, after which a worker that reads one recording is ended

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # a generator: it starts with its first batch
        desk = getattr(self.dataset, "desk", None)
        if not self.num_workers or desk is None:
            yield from super().__iter__()
            return
        iterator = super().__iter__()
        with deaths_named(), watched(desk, self.timeout_of_clip):
            try:
                yield from iterator
            except (
                OSError,
                EOFError,
            ):  # what a worker was about to hand over can be gone before its death is told
                check_alive(iterator._workers)  # type: ignore[attr-defined]
                raise


def clip_loader(
    dataset: ClipDataset, batches: ClipBatches, *, num_workers: int, timeout: float | None = None
) -> EpochLoader:
    """The loader of a data set of clips.

    Args:
        dataset: Reads the clips.
        batches: Which clips make a batch.
        num_workers: Processes that read.
        timeout: Seconds for one recording, after which its worker is ended; None waits for ever.
    """
    if num_workers:
        dataset.desk = Desk(num_workers, lambda row: _named(dataset.entry(row).recording))
    # not in the constructor: to predict, Lightning makes the loader again from the arguments of torch's own
    loader = EpochLoader(
        dataset,
        batch_sampler=batches,
        num_workers=num_workers,
        persistent_workers=num_workers > 0,
        worker_init_fn=partial(_begin_worker, parent=os.getpid()),
        collate_fn=collate,
        pin_memory=torch.cuda.is_available(),
    )
    loader.timeout_of_clip = timeout
    return loader


def _named(recording: Recording) -> str:
    first = next(iter(recording.features.values()), None)
    path = recording.path or recording.series_path or recording.landmark_path or first
    return f"recording {recording.recording_id!r} ({path})"


def _begin_worker(number: int, *, parent: int) -> None:
    """Bind a worker to its parent; its number is unused, as clips are drawn by (seed, epoch) alone."""
    die_with(parent)


def workers_of(given: Workers, device: torch.device | None, *, ranks: int = 1) -> int:
    """How many processes read for training.

    `auto` is one on the CPU, where the network needs the cores; beside another device, all cores of this
    process but one, shared by the ranks of the machine, from 1 to 16.

    Args:
        given: Of the config.
        device: Of the network; None where nothing is trained.
        ranks: Processes of this machine that train together.
    """
    if given != "auto":
        return given
    if device is None or device.type == "cpu":
        return 1
    return max(1, min(_MOST, (cores() - 1) // ranks))


def evaluation_workers(given: Workers, training: int) -> int:
    """How many processes read for validation and test: as many as were given, a quarter under `auto`."""
    return training if given != "auto" else max(1, training // _EVALUATES)
