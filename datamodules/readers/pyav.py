"""The default video reader: PyAV steered by the packet index, exact on every file FFmpeg can decode."""

import functools
import itertools
import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
import torch
from av.video.reformatter import VideoReformatter
from torch import Tensor

from datamodules.readers.container import decode, open_container, video_stream
from datamodules.readers.errors import unreadable
from datamodules.readers.index.index_cache import packet_index
from datamodules.readers.index.packet_index import PacketIndex
from datamodules.readers.resize import join
from datamodules.readers.video_reader import VideoReader, check_indices

_log = logging.getLogger(__name__)

# Decoding on is cheaper than a seek over this many frames (our choice; a seek restarts at a keyframe).
_DECODE_THROUGH = 8
# After two decodings from different keyframes a missing frame is damaged, not missed (our choice).
_ATTEMPTS = 2


class PyavReader(VideoReader):
    """Reads frames by seeking on the packet index and checking where the seek landed.

    Demuxers may land behind the target (MPEG-TS, edit lists) or a GOP early. A landing counts only if the
    first packet is a keyframe that is shown no later than the wanted frame; otherwise the seek backs off by
    1 s, 2 s, 4 s ... and at last starts from the beginning. Frames without times (raw streams, MPEG-4 in
    AVI) are counted from the start.

    Args:
        path: video file.

    Raises:
        UnreadableVideo: if the file is missing, empty, truncated or corrupt.

    Examples:
        >>> with PyavReader(Path("visit.mp4")) as reader:  # doctest: +SKIP
        ...     clip = reader.frames(range(0, 64, 4))      # uint8 (16, 3, H, W)
    """

    def __init__(self, path: Path) -> None:
        self.index = packet_index(path)
        self._name = str(path)
        self._cursor = Cursor(Path(path), self.index, self._name)
        super().__init__(self.index)

    def frames(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Tensor:
        """Return the frames `indices`: uint8 (T, 3, height, width), or of another size, RGB, upright."""
        self._check_usable()
        wanted = check_indices(indices, self.n_frames, self._name)
        converter = VideoReformatter()
        # Each frame once and in ascending order, whatever was asked for: going back means a new seek.
        pixels = {rank: to_rgb(frame, converter) for rank, frame in self._cursor.read(sorted(set(wanted)))}
        return upright(
            [pixels[rank] for rank in wanted], self.index.rotation, size=size or (self.height, self.width)
        )

    def _release(self) -> None:
        self._cursor.close()


class Cursor:
    """A position in one open video that moves from wanted frame to wanted frame.

    Args:
        path: video file.
        index: its packet index.
        name: what error messages call it.
    """

    def __init__(self, path: Path, index: PacketIndex, name: str) -> None:
        self._path, self._index, self._name = path, index, name
        self._keys = frozenset(index.keys.tolist())  # of two fields, the second is no place to start
        self._damaged = False  # whether the decoder met damage: it keeps traces of it, even through a seek
        self._at: int | None = None  # time of the last decoded frame, or its number if frames have no times
        self._per_second = max(1, round(1 / index.time_base)) if index.time_base else 1
        self._reopen()

    def close(self) -> None:
        """Close the container."""
        self._running: Iterator[av.VideoFrame] = iter(())
        self._container.close()

    def read(self, ranks: Sequence[int]) -> Iterator[tuple[int, "av.VideoFrame"]]:
        """Yield (rank, frame) for ascending ranks.

        Raises:
            UnreadableVideo: if a frame cannot be decoded.
        """
        for rank in ranks:
            frame = self._timed(rank) if self._index.timed else self._counted(rank)
            if frame is None:
                self._at = None  # nothing is known about the position any more
                _tell_damage(self._name, rank, self._index.codec)
                raise unreadable(self._name, f"frame {rank} of {self._index.n_frames} cannot be decoded")
            yield rank, frame

    def _counted(self, rank: int) -> "av.VideoFrame | None":
        if self._at is None or self._at >= rank:
            self._restart()
        for frame in self._running:
            self._at = 0 if self._at is None else self._at + 1
            if self._at == rank:
                return frame
        return None

    def _timed(self, rank: int) -> "av.VideoFrame | None":
        target = int(self._index.pts[rank])
        frame = self._advance(target) if self._is_near(rank, target) else None
        attempts = 0
        # With gradual refresh a keyframe is no fresh start, so every earlier start is worth an attempt.
        for start in () if frame is not None else self._starts(target):
            if attempts == _ATTEMPTS and not self._index.refresh:
                break
            if self._land(start, target):
                attempts += 1
                frame = self._advance(target)
                if frame is not None:
                    break
        return frame

    def _is_near(self, rank: int, target: int) -> bool:
        """Whether decoding on from here reaches the frame, without a keyframe worth a jump between."""
        if self._at is None or self._at >= target:
            return False
        here = bisect_right(self._index.pts, self._at)
        return self._key_before(target) <= self._at or rank - here < _DECODE_THROUGH

    def _key_before(self, target: int) -> int:
        place = bisect_right(self._index.keys, target)
        return int(self._index.keys[max(place - 1, 0)]) if len(self._index.keys) else target

    def _starts(self, target: int) -> Iterator[int | None]:
        """Yield seek targets, ever earlier; None stands for the beginning of the file.

        The wanted time comes first: MP4 seeks by decoding time, and asking for the keyframe's own time
        lands one GOP early in files of variable rate with B-frames.
        """
        yield target
        key = self._key_before(target)
        yield key
        first, back = int(self._index.pts[0]), self._per_second
        while key - back > first:
            yield key - back
            back *= 2
        yield None

    def _land(self, start: int | None, target: int) -> bool:
        """Seek, and say whether decoding from there can give the frame at `target`."""
        if start is None:
            self._restart()
            return True
        if self._damaged:
            self._restart()  # a flush by seeking would leave debris of the damage in the decoder
        self._at = None
        try:
            self._container.seek(start, stream=self._stream, backward=True)
        except av.error.FFmpegError:
            return False
        packets = self._packets()
        key = next((packet for packet in packets if packet.is_keyframe and packet.pts in self._keys), None)
        if key is None or key.pts > target:
            return False
        # The generator goes on where it stopped, so frames in ascending order cost one seek.
        self._running = self._decoded(itertools.chain([key], packets), floor=key.pts)
        return True

    def _advance(self, target: int) -> "av.VideoFrame | None":
        for frame in self._running:
            self._at = frame.pts
            if frame.pts == target:
                return frame
            if frame.pts > target:
                return None
        return None

    def _decoded(self, packets: Iterator["av.Packet"], floor: int | None) -> Iterator["av.VideoFrame"]:
        """Decode up to the first damage: what follows it leans on it, up to the next keyframe.

        Frames shown before the keyframe may lean on a GOP that was not decoded; they are passed over. The
        decoder gives frames in the order in which they are shown, so times that run back are damaged ones.
        """
        last: int | None = None
        for packet in packets:
            frames = decode(packet)
            if frames is None:
                self._damaged = True
                if floor is None or packet.pts is None or packet.pts >= floor:
                    return
                continue
            for frame in frames:
                if floor is not None:
                    if frame.pts is None or frame.pts < floor:
                        continue
                    if last is not None and frame.pts <= last:
                        return
                    last = frame.pts
                yield frame

    def _packets(self) -> Iterator["av.Packet"]:
        """Demux; a container that breaks off gives no more packets, and the missing frames are reported."""
        try:
            yield from self._container.demux(self._stream)
        except (av.error.InvalidDataError, EOFError):
            return

    def _reopen(self) -> None:
        self._container = open_container(self._path)
        self._stream = video_stream(self._container, self._name)
        self._at, self._damaged = None, False
        self._running = self._decoded(
            self._packets(), floor=int(self._index.pts[0]) if self._index.timed else None
        )

    def _restart(self) -> None:
        self.close()
        self._reopen()


@functools.lru_cache(maxsize=4096)  # once a file and process; our choice
def _tell_damage(name: str, rank: int, codec: str) -> None:
    """Say that a recording is damaged: what the decoder notices is refused, the rest it shows as right."""
    _log.warning(
        "%s: damaged at frame %d. Frames that the decoder reports are refused, but %s does not notice all "
        "damage: other frames of this recording may show debris. Copy it again from its source",
        name,
        rank,
        codec,
    )


def to_rgb(frame: "av.VideoFrame", converter: VideoReformatter) -> np.ndarray:
    """Convert a decoded frame to uint8 (H, W, 3) at its stored size.

    One converter serves all frames of a video: preparing it takes as long as two small frames. With threads
    of its own, which PyAV starts unasked, it takes as long as a hundred; workers use every core already.
    """
    pixels: np.ndarray = converter.reformat(frame, format="rgb24", threads=1).to_ndarray()
    return pixels


def upright(pixels: Sequence[np.ndarray], rotation: int, *, size: tuple[int, int]) -> Tensor:
    """Join stored frames (H, W, 3), possibly of several sizes, to uint8 (T, 3, *size).

    Args:
        pixels: frames as they are stored.
        rotation: degrees, counterclockwise, to turn them upright.
        size: height and width of the result in pixels.
    """
    frames = (torch.from_numpy(frame).permute(2, 0, 1) for frame in pixels)
    return join([turn(frame, rotation) for frame in frames], size=size)


def turn(frames: Tensor, rotation: int) -> Tensor:
    """Turn frames (..., H, W) counterclockwise by a multiple of 90 degrees."""
    return torch.rot90(frames, rotation // 90, dims=(-2, -1)).contiguous() if rotation else frames
