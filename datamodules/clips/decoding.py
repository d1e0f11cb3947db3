"""Decoding of coded clips on the device: whether at all (`decode=auto`), how, and what damaged ones do."""

import copy
import logging
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from datamodules.clips.collate import EmptyBatch, keep_rows
from datamodules.clips.dataset import UNREADABLE, ClipSource, PixelClips
from datamodules.clips.samplers import ClipSampler
from datamodules.manifests.manifest import Recording
from datamodules.readers import DeviceDecoder, EncodedClip, UnreadableVideo, VideoSource

_log = logging.getLogger(__name__)
_SECONDS = 2.0  # of the probe, a third of it for each way; our choice
PROBED = 8  # clips decoded at once in the probe, as a part of a batch; our choice


def on_device(source: ClipSource) -> bool:
    """Whether clips are decoded on the device, so that the workers hand over coded ones."""
    return isinstance(source, PixelClips) and source.video.decode == "device"


def works_ahead(source: ClipSource, device: torch.device) -> bool:
    """Whether frames are made on the device, or copied to it, while the network works on those before."""
    return isinstance(source, PixelClips) and (device.type == "cuda" or on_device(source))


class BatchDecoding:
    """Replaces `encoded` by `frames` in a batch that has it.

    Damage inside a clip shows only here. In training such clips leave the batch; elsewhere they stop the run.

    Args:
        source: Where the batches come from: it knows the size of the frames.
        skip: Told the recording and the reason of every clip that is left out.
    """

    def __init__(self, *, source: ClipSource, skip: Callable[[str, str], None]) -> None:
        self._skip = skip
        if isinstance(source, PixelClips):
            video = source.video
            sizes = {"height": video.height, "width": video.width, "threads": video.decode_threads}
            self._decode = DeviceDecoder(**sizes)

    def __call__(self, batch: dict[str, Any], *, device: torch.device, training: bool) -> dict[str, Any]:
        """Return the batch with frames uint8 (B, T, 3, H, W) on the device; padded frames are 0.

        Frames of a worker are copied to a CUDA device beside the network, from pinned memory.

        Raises:
            UnreadableVideo: A clip is damaged, outside training.
            EmptyBatch: All of them are, in training.
        """
        if "encoded" not in batch:
            return self._copied(batch, device)
        batch = dict(batch)
        encoded: list[EncodedClip] = batch.pop("encoded")
        try:
            frames = self._decode(encoded, device)
        except UnreadableVideo:
            if not training:
                raise
            batch, frames = self._what_is_left(batch, encoded, device)
        with self._decode.aside(device):
            mask = batch["mask"].to(device)
            frames.mul_(mask[:, :, None, None, None])
        return self._handed_over(batch | {"frames": frames, "mask": mask})

    def _copied(self, batch: dict[str, Any], device: torch.device) -> dict[str, Any]:
        if device.type != "cuda" or "frames" not in batch or batch["frames"].device == device:
            return batch
        with self._decode.aside(device):
            frames = batch["frames"].to(device, non_blocking=True)
        return self._handed_over(batch | {"frames": frames})

    @staticmethod
    def _handed_over(batch: dict[str, Any]) -> dict[str, Any]:
        """Keep the memory of frames made on another stream until the network's stream has read them."""
        for name in ("frames", "mask"):
            if batch[name].device.type == "cuda":
                batch[name].record_stream(torch.cuda.default_stream(batch[name].device))
        return batch

    def _what_is_left(
        self, batch: dict[str, Any], encoded: Sequence[EncodedClip], device: torch.device
    ) -> tuple[dict[str, Any], Tensor]:
        frames: dict[int, Tensor] = {}
        faults: list[str] = []
        for row, clip in enumerate(encoded):
            try:
                frames[row] = self._decode([clip], device)
            except UnreadableVideo as fault:
                faults.append(str(fault))
                self._skip(batch["recording_id"][row], str(fault))
        if not frames:
            raise EmptyBatch(f"no clip of a batch could be decoded; repair or remove them: {faults}")
        with self._decode.aside(device):
            return keep_rows(batch, list(frames)), torch.cat(list(frames.values()))


def settled(
    source: ClipSource,
    recordings: Sequence[Recording],
    sampler: ClipSampler,
    *,
    device: torch.device,
    workers: int,
) -> ClipSource:
    """The source with `decode=auto` settled, which is said once; every other source as it is.

    Without a video engine both ways use the same cores, and frames that are kept are those of workers: there
    is nothing to measure. Else a probe of two seconds decodes clips in this process, as one worker would, and
    on the device, where the workers cut the packets out; the faster one is chosen. Its colors differ by a few
    levels between the two, so a run that is to be repeated elsewhere to the last digit names one of them.

    Args:
        source: Reads the clips.
        recordings: Of the training.
        sampler: Chooses their frames.
        device: Of the network.
        workers: That will read.
    """
    if not isinstance(source, PixelClips) or source.video.decode != "auto":
        return source
    if device.type != "cuda" or source.video.keep:
        why = "frames are kept in memory" if source.video.keep else f"the {device.type} has no video engine"
        return _said(source, "worker", why)
    decoder = DeviceDecoder(
        height=source.video.height, width=source.video.width, threads=source.video.decode_threads
    )
    read, cut, decode = probe(source.video, recordings, sampler, decoder=decoder, device=device)
    by_workers = workers * read
    by_device = 0.0 if decoder.fell_back or not decode else min(decode, workers * cut)
    why = (
        f"{by_workers:.0f} clips/s of {workers} worker(s), {by_device:.0f} clips/s by the device's video "
        f"engine{' (it cannot decode these)' if decoder.fell_back else ''}, in a probe of {_SECONDS:g} s"
    )
    return _said(source, "device" if by_device > by_workers else "worker", why)


def probe(
    video: VideoSource,
    recordings: Sequence[Recording],
    sampler: ClipSampler,
    *,
    decoder: Callable[..., object],
    device: torch.device,
    seconds: float = _SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[float, float, float]:
    """Clips a second that one worker reads, that it cuts, and that the device decodes; 0 of unreadable files.

    Args:
        video: Reads the clips.
        recordings: Whose clips are read in turn, unreadable ones left out.
        sampler: Chooses the frames of each.
        decoder: As `DeviceDecoder`.
        device: Where it decodes.
        seconds: In all, in equal parts.
        clock: Seconds that pass.
    """
    wanted = []
    for recording in recordings[:PROBED]:
        if recording.path is not None and recording.n_frames > 0:
            indices, _ = sampler(recording.n_frames, 0, np.random.default_rng(0))
            wanted.append((recording.path, indices.tolist()))
    kept = []
    for path, indices in wanted:
        try:
            kept.append(
                (path, indices, video.encoded(path, indices))
            )  # files are looked at for the first time
        except UNREADABLE:
            continue
    if not kept:
        return 0.0, 0.0, 0.0
    encoded = [clip for _, _, clip in kept]
    decoder(encoded, device)  # the engine begins
    turn = cycle(kept)

    def each(work: Callable[..., object]) -> Callable[[], object]:
        return lambda: work(*next(turn)[:2])

    part = seconds / 3
    reads = _rate(each(video.clip), part, clock)
    cuts = _rate(each(video.encoded), part, clock)
    return reads, cuts, len(encoded) * _rate(lambda: decoder(encoded, device), part, clock)


def _rate(work: Callable[[], object], seconds: float, clock: Callable[[], float]) -> float:
    """Calls a second, of as many as fit."""
    begun, count = clock(), 0
    while (spent := clock() - begun) < seconds:
        work()
        count += 1
    return count / spent


def _said(source: PixelClips, decode: Literal["worker", "device"], why: str) -> PixelClips:
    _log.info("decode=auto: by the %s, for %s", decode, why)
    chosen = copy.copy(source)
    chosen.video = copy.copy(source.video)
    chosen.video.decode = decode
    return chosen
