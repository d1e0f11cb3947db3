"""One recording to its file of tokens: window by window of the grid, written whole or not at all."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from datamodules.clips.dataset import UNREADABLE, ClipSource
from datamodules.clips.measurement_coverage import unmeasured
from datamodules.clips.samplers import ClipSampler
from datamodules.clips.tokens import BFLOAT16, as_stored
from datamodules.manifests.manifest import Recording
from datamodules.synthetic.files import partial_path
from engine.cohort.file_checks import changed_face
from engine.encoding.encoder import Encoder
from preprocessing.cache.entry import Entry, source_facts
from preprocessing.cache.folder import Cache
from preprocessing.run.job import Job

KINDS = ("tokens", "entries")
"""Folders of a store."""


def encode_recording(
    job: Job,
    *,
    recordings: Mapping[str, Recording],
    encoder: Encoder,
    source: ClipSource,
    grid: ClipSampler,
    cache: Cache,
) -> Entry | None:
    """Encode one recording, unless it is done; None where another process is at it now.

    Args:
        job: The recording.
        recordings: Rows of the manifest, by id.
        encoder: Frames to tokens.
        source: Reads the frames.
        grid: The windows; not random.
        cache: Where the file and its entry go.

    Raises:
        OSError: The store cannot be written.
    """
    windows = _Windows(recordings[job.recording_id], source, grid)
    make = partial(_encoded, job, encoder, windows, cache)
    return cache.once(job.recording_id, job.path, job.tracked, make)


@dataclass(frozen=True)
class _Windows:
    """The windows of a recording: frames and mask of each that shows anything."""

    recording: Recording
    source: ClipSource
    grid: ClipSampler

    @property
    def count(self) -> int:
        return self.grid.count(self.source.length(self.recording))

    def __iter__(self) -> Iterator[tuple[int, Tensor, Tensor]]:
        length = self.source.length(self.recording)
        for window in range(self.count):
            indices, real = self.grid(length, window, None)
            content = self.source.clip(self.recording, indices.tolist())
            mask = torch.from_numpy(real)
            mask = mask & content["valid"] if "valid" in content else mask
            if mask.any():
                frames = content["frames"].clone()  # kept frames must not lose their pixels
                frames[~mask] = 0
                yield window, frames, mask


def _encoded(job: Job, encoder: Encoder, windows: _Windows, cache: Cache) -> Entry:
    entry = Entry(
        recording_id=job.recording_id,
        fingerprint=cache.fingerprint,
        source={"path": str(job.path)},
        labels=job.labels,
        final=False,
    )
    try:
        with job.path.open("rb") as file:
            source = source_facts(job.path, job.tracked)
            source["sha256"] = file_digest(file, "sha256").hexdigest()
        changed = changed_face(windows.recording)  # its series says which frames are real
    except OSError as error:
        return replace(entry, reasons=(f"it cannot be read: {error.strerror or error}",))
    entry = replace(entry, source=source)
    if changed:
        return replace(entry, reasons=(changed,))
    target = cache.place(job.recording_id, "tokens", ".npy")
    try:
        # left out as where its frames are read
        if lacking := unmeasured(windows.recording, windows.source, windows.grid):
            return replace(entry, reasons=(lacking.reason,), final=True)
        known = _written(target, encoder, windows)
    except UNREADABLE as fault:
        return replace(entry, reasons=(str(fault).removeprefix(f"{job.path}: "),))
    if known == 0:
        return replace(entry, reasons=("no window of the grid shows a usable frame",), final=True)
    tokens = cache.described(target)
    return replace(
        entry,
        status="ok",
        final=True,
        frames=windows.recording.n_frames,
        usable=known,
        facts={"content_hash": tokens["sha256"]},
        files={"tokens": tokens},
    )


def _written(target: Path, encoder: Encoder, windows: _Windows) -> int:
    """Write the tokens of all windows; return how many windows show anything."""
    partial, mapped, known = partial_path(target), None, 0
    try:
        for batch in _batches(windows, encoder.batch):
            numbers, frames, masks = zip(*batch, strict=True)
            tokens = as_stored(encoder(torch.stack(frames), torch.stack(masks)))
            if mapped is None:  # how many tokens a window has, and how wide, is known only now
                mapped = _blank(partial, (windows.count, *tokens.shape[1:]), tokens.dtype)
            mapped[list(numbers)] = tokens
            known += len(numbers)
        if mapped is not None:
            mapped.flush()
            partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return known


def _blank(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.memmap[Any, Any]:
    """A mapped file in which nothing is known yet: every value is NaN."""
    made: Any = np.lib.format.open_memmap  # type: ignore[attr-defined,unused-ignore]
    mapped: np.memmap[Any, Any] = made(path, mode="w+", dtype=dtype, shape=shape)
    nothing = torch.tensor([torch.nan], dtype=torch.bfloat16)
    mapped[:] = as_stored(nothing)[0] if dtype == BFLOAT16 else np.nan
    return mapped


def _batches(windows: _Windows, size: int) -> Iterator[list[tuple[int, Tensor, Tensor]]]:
    batch: list[tuple[int, Tensor, Tensor]] = []
    for window in windows:
        batch.append(window)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
