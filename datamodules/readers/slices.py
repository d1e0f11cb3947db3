"""Slices of videos: the coded packets that hold a clip, cut out in the worker and decoded elsewhere."""

import io
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter
from torch import Tensor

from datamodules.readers.container import decode, open_container, video_stream
from datamodules.readers.errors import unreadable
from datamodules.readers.index.index_cache import packet_index
from datamodules.readers.index.packet_index import PacketIndex
from datamodules.readers.pyav import to_rgb, upright
from datamodules.readers.video_reader import check_indices

# Matroska and MP4 lose frames of open groups of pictures when a clip starts in the middle; NUT does not.
_CONTAINER = "nut"
_SLICEABLE = {"h264", "hevc", "vp9", "mjpeg"}  # cut AV1 loses frames; the others are rare and unchecked
_TICK = Fraction(1, 25)  # the times in a slice count frames; any rate serves


class EncodedClip(NamedTuple):
    """A clip on its way to the decoder.

    Attributes:
        data: uint8 (bytes,), a small NUT file with the packets of the clip; empty if `frames` is given.
        indices: positions of the clip's frames in the slice, in presentation order.
        rotation: degrees, counterclockwise, to turn a decoded frame upright (NUT does not keep it).
        frames: uint8 (T, 3, height, width), decoded and resized in the worker, for material that cannot
            be cut; otherwise None.
        name: what error messages call the clip.
    """

    data: Tensor
    indices: tuple[int, ...]
    rotation: int
    frames: Tensor | None
    name: str


def can_cut(index: PacketIndex) -> bool:
    """Whether a slice of this file decodes to exactly the frames of the file."""
    fresh = not index.refresh or index.open_gop  # with intra refresh a clip may lean on what is before it
    return index.timed and fresh and not index.split and index.codec in _SLICEABLE


def cut(path: Path, indices: Sequence[int]) -> EncodedClip:
    """Copy the packets of the groups of pictures that hold the frames `indices`, without decoding.

    Args:
        path: video file for which `can_cut` holds.
        indices: frames of the clip, in any order.

    Raises:
        IndexError: if an index lies outside the video.
        UnreadableVideo: if the packets are not there.
    """
    index, name = packet_index(path), str(path)
    wanted = check_indices(indices, index.n_frames, name)
    times = [int(index.pts[rank]) for rank in wanted]
    with open_container(path) as container:
        packets = _packets(container, index, name, times)
        order = sorted(packet.pts for packet in packets)
        rank = {pts: place for place, pts in enumerate(order)}
        missing = next((number for number, pts in zip(wanted, times, strict=True) if pts not in rank), None)
        if missing is not None:
            raise unreadable(name, f"the packet of frame {missing} is missing")
        data = _mux(packets, rank, video_stream(container, name))
    return EncodedClip(data, tuple(rank[pts] for pts in times), index.rotation, None, name)


def decode_cut(clip: EncodedClip, *, size: tuple[int, int]) -> Tensor:
    """Decode a slice on the CPU: uint8 (T, 3, *size), RGB, upright.

    Raises:
        UnreadableVideo: if one of its frames is damaged.
    """
    pixels: dict[int, np.ndarray] = {}
    converter = VideoReformatter()
    with av.open(io.BytesIO(clip.data.numpy().tobytes())) as container:
        packets = list(container.demux(video_stream(container, clip.name)))
        order = sorted(packet.pts for packet in packets if packet.size)
        wanted = [order[place] for place in clip.indices]
        floor = packets[0].pts  # what is shown before the keyframe leans on frames that are not here
        for packet in packets:
            frames = decode(packet)
            if frames is None and (packet.pts is None or packet.pts >= floor):
                break
            shown = [frame for frame in frames or [] if frame.pts in wanted]
            pixels |= {frame.pts: to_rgb(frame, converter) for frame in shown}
    if not pixels.keys() >= set(wanted):
        raise unreadable(clip.name, "a frame of a clip cannot be decoded")
    return upright([pixels[pts] for pts in wanted], clip.rotation, size=size)


def _packets(
    container: "av.container.InputContainer", index: PacketIndex, name: str, times: Sequence[int]
) -> list["av.Packet"]:
    """Return the packets from the keyframe before the first wanted frame to the last wanted packet."""
    stream = video_stream(container, name)
    first, open_targets = min(times), set(times)
    for start in _starts(index, first):
        container.seek(start, stream=stream, backward=True)
        kept: list[av.Packet] = []
        remaining = set(open_targets)
        for packet in container.demux(stream):
            if packet.size == 0 or packet.pts is None or (not kept and not packet.is_keyframe):
                continue
            if not kept and packet.pts > first:
                break  # landed behind the clip: back off
            kept.append(packet)
            remaining.discard(packet.pts)
            if not remaining:
                return kept
    raise unreadable(name, f"the packets of the frames at {sorted(times)} were not found")


def _starts(index: PacketIndex, first: int) -> list[int]:
    """Return seek targets: the frame itself, its keyframe, then ever earlier to before the beginning."""
    second = max(1, round(1 / index.time_base))
    keys = index.keys[index.keys <= first]
    key, beginning = int(keys[-1]) if len(keys) else first, int(index.pts[0])
    steps = [key - second * 2**power for power in range(17)]  # up to 18 hours
    return [first, key, *(step for step in steps if step > beginning), beginning - 2 * second]


def _mux(
    packets: Sequence["av.Packet"], rank: dict[int, int], stream: "av.video.stream.VideoStream"
) -> Tensor:
    """Write a slice whose times are frame numbers, so that odd time stamps of the source cannot matter."""
    delay = max(place - rank[packet.pts] for place, packet in enumerate(packets))
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=_CONTAINER) as target:
        copy = target.add_stream_from_template(stream)
        copy.time_base = _TICK
        for place, packet in enumerate(packets):
            number = rank[packet.pts]
            packet.stream, packet.time_base = copy, _TICK
            packet.pts, packet.dts, packet.duration = number + delay, place, 1
            target.mux(packet)
    return torch.from_numpy(np.frombuffer(buffer.getvalue(), dtype=np.uint8).copy())
