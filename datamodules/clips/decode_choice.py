"""Where clips are decoded (`decode=auto`), and by how many workers (`num_workers=auto`)."""

import copy
import logging
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from typing import Literal

import numpy as np
import torch

from datamodules.clips.dataset import UNREADABLE, ClipSource, PixelClips
from datamodules.clips.samplers import ClipSampler
from datamodules.manifests.manifest import Recording
from datamodules.processes import cores
from datamodules.readers import DeviceDecoder, VideoSource

_log = logging.getLogger(__name__)
_SECONDS = 2.0  # of the probe, half of it for each way; our choice
_MOST = 16  # workers of a device that `auto` starts: beyond, batches wait in memory; our choice
_EVALUATES = 4  # the part of the workers of training that evaluation gets, whose loaders stay open beside it
_CLIPS = 8  # decoded at once in the probe, as a part of a batch; our choice

Workers = int | Literal["auto"]


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
    for recording in recordings[:_CLIPS]:
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
