"""The packet index: which frames a file shows, when, and where decoding may start.

Containers declare a length and a rate that are often wrong. The index is made by reading every packet
once (no decoding, about a millisecond per second of video) and is cached per file.
"""

import functools
import hashlib
import itertools
import logging
import os
import tempfile
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from .protocol import UnreadableVideo, UnsupportedVideo, unreadable

_log = logging.getLogger(__name__)

_FORMAT = 1  # raise it when the stored fields change
# Codecs in which every packet shows exactly one frame. In the others (VP8 with hidden reference frames,
# MPEG-4 with packed B-frames) packets do not count frames, so the index decodes the file once.
_ONE_FRAME_PER_PACKET = {"h264", "hevc", "av1", "vp9", "mjpeg", "prores", "dnxhd", "ffv1", "rawvideo"}
_TEXT_CONTAINERS = {"tty", "bin", "xbin", "adf", "idf"}  # FFmpeg draws text files as video


@dataclass(frozen=True)
class PacketIndex:
    """What one pass over the packets of a video says.

    Attributes:
        pts: presentation times of the shown frames, ascending, in units of `time_base`; positions only
            when `timed` is False.
        keys: presentation times of the keyframes, ascending.
        timed: whether frames can be told apart by their times; otherwise they are counted from the start.
        time_base: seconds per tick.
        fps: mean frame rate in 1/s.
        height: pixels, upright.
        width: pixels, upright.
        rotation: degrees, counterclockwise, by which a stored frame is turned to stand upright.
        stream: index of the video stream.
        codec: FFmpeg's name of the codec.
        container: FFmpeg's name of the container format.
        open_gop: whether frames precede their keyframe in presentation order.
        edited: whether an edit list hides coded frames or shifts the start.
    """

    pts: np.ndarray
    keys: np.ndarray
    timed: bool
    time_base: Fraction
    fps: float
    height: int
    width: int
    rotation: int
    stream: int
    codec: str
    container: str
    open_gop: bool
    edited: bool

    @property
    def n_frames(self) -> int:
        """Number of shown frames."""
        return len(self.pts)


def cache_folder() -> Path:
    """Folder of the stored indices: `$XDG_CACHE_HOME/euthymia/packets`, or `~/.cache/euthymia/packets`."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "euthymia" / "packets"


def packet_index(path: Path) -> PacketIndex:
    """Return the index of a video file, from memory, from disk, or by reading its packets.

    Raises:
        UnreadableVideo: if the file is missing, empty, truncated or corrupt.
    """
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        raise UnreadableVideo(
            f"{path}: {error.strerror or error}. Correct the path in the manifest."
        ) from error
    if not path.is_file():
        raise UnreadableVideo(f"{path}: is not a file. Correct the path in the manifest.")
    if status.st_size == 0:
        raise unreadable(str(path), "the file is empty, 0 bytes")
    return _cached_index(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=512)  # our choice: about 0.5 MB per hour of video
def _cached_index(path: Path, size: int, mtime_ns: int) -> PacketIndex:
    key = hashlib.sha256(f"{_FORMAT}|{path}|{size}|{mtime_ns}".encode()).hexdigest()
    stored = cache_folder() / f"{key}.npz"
    try:
        return _load(stored)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # not stored yet, or damaged: make it again
    index = scan(path)
    try:
        _store(index, stored)
    except OSError as error:
        _log.debug("packet index of %s is kept in memory only: %s", path, error)
    return index


def scan(path: Path) -> PacketIndex:
    """Read all packets of a file.

    Raises:
        UnreadableVideo: if there is no decodable video in it.
    """
    try:
        index = _scan(path)
    except (av.error.FFmpegError, EOFError) as error:
        raise unreadable(str(path), error.strerror if isinstance(error, OSError) else error) from error
    if index.n_frames == 0:
        raise unreadable(str(path), "it holds no video frame")
    return index


def open_container(path: Path, *, ignore_edits: bool = False) -> "av.container.InputContainer":
    """Open a file for reading; nothing but local files is ever followed."""
    options = {"protocol_whitelist": "file"} | ({"ignore_editlist": "1"} if ignore_edits else {})
    return av.open(str(path), options=options)


def video_stream(container: "av.container.InputContainer", name: str) -> "av.video.stream.VideoStream":
    """Return the stream a player would show (cover pictures are no video), decoding in one thread.

    Raises:
        UnreadableVideo: if there is none, or if FFmpeg took a text file for one.
    """
    stream = container.streams.best("video")
    if stream is None or stream.codec_context is None or container.format.name in _TEXT_CONTAINERS:
        raise unreadable(name, "it holds no video stream that FFmpeg can decode")
    stream.codec_context.thread_count = 1  # workers already use every core
    return stream


def decode(packet: "av.Packet") -> list["av.VideoFrame"]:
    """Decode a packet; a damaged one gives no frame, which the caller notices by what is missing."""
    try:
        return [frame for frame in packet.decode() if not frame.is_corrupt]
    except av.error.InvalidDataError:
        return []


@dataclass(frozen=True)
class _Packets:
    """Times and flags of the video packets of one file, in decoding order."""

    pts: list[int | None]
    dts: list[int | None]
    key: list[bool]
    hidden: list[bool]
    declared: int  # frames the header speaks of; 0 where it does not

    @property
    def ordered(self) -> bool:
        """Whether every frame has its own time and the decoding clock never runs backwards."""
        clock = [dts for dts in self.dts if dts is not None]
        times = [pts for pts, hidden in zip(self.pts, self.hidden, strict=True) if not hidden]
        return (
            None not in times
            and len(set(times)) == len(times)
            and all(a <= b for a, b in itertools.pairwise(clock))
        )

    @property
    def open_gop(self) -> bool:
        """Whether a frame is shown before the keyframe that precedes it in the file."""
        key_pts: int | None = None
        for pts, is_key in zip(self.pts, self.key, strict=True):
            if is_key:
                key_pts = pts
            elif pts is not None and key_pts is not None and pts < key_pts:
                return True
        return False


def _read_packets(path: Path, *, ignore_edits: bool = False) -> _Packets:
    packets = _Packets([], [], [], [], 0)
    with open_container(path, ignore_edits=ignore_edits) as container:
        stream = video_stream(container, str(path))
        for packet in container.demux(stream):
            if packet.size == 0:  # the end marker of the demuxer
                continue
            packets.pts.append(packet.pts)
            packets.dts.append(packet.dts)
            packets.key.append(packet.is_keyframe)
            packets.hidden.append(packet.is_discard)
        return _Packets(packets.pts, packets.dts, packets.key, packets.hidden, stream.frames)


def _scan(path: Path) -> PacketIndex:
    with open_container(path) as container:
        stream = video_stream(container, str(path))
        container_name, codec = container.format.name, stream.codec_context.codec.canonical_name
        time_base, rate = stream.time_base, stream.average_rate or stream.guessed_rate
        number = stream.index
        first = next((frame for packet in container.demux(stream) for frame in decode(packet)), None)
    if first is None:
        raise unreadable(str(path), "no frame of it can be decoded")
    packets = _read_packets(path)
    edited = _is_edited(path, container_name, packets)
    times, timed = _frame_times(path, codec, packets)
    rotation = _quarter_turns(path, first.rotation)
    span = float((times[-1] - times[0]) * time_base) if timed and len(times) > 1 else 0.0
    return PacketIndex(
        pts=np.asarray(times, dtype=np.int64),
        keys=np.asarray(
            sorted({p for p, k in zip(packets.pts, packets.key, strict=True) if k and p is not None}),
            np.int64,
        ),
        timed=timed,
        time_base=Fraction(time_base),
        fps=(len(times) - 1) / span if span > 0 else float(rate or 0),
        height=first.width if rotation % 180 else first.height,
        width=first.height if rotation % 180 else first.width,
        rotation=rotation,
        stream=number,
        codec=codec,
        container=container_name,
        open_gop=packets.open_gop,
        edited=edited,
    )


def _is_edited(path: Path, container_name: str, packets: _Packets) -> bool:
    """Tell an edit list from a truncated file: both show fewer frames than the header speaks of.

    Raises:
        UnreadableVideo: if the file ends before its frames do.
    """
    if "mp4" not in container_name:
        return False
    whole = _read_packets(path, ignore_edits=True)
    if whole.declared > len(whole.pts):  # fragmented files declare 0
        raise unreadable(
            str(path),
            f"it is truncated: it holds {len(whole.pts)} of the {whole.declared} frames its header lists",
        )
    if len(packets.pts) != len(whole.pts) or any(packets.hidden):
        return True
    # The usual list of one entry only moves the first frame with B-frames to time 0.
    return bool(packets.pts) and min(p for p in packets.pts if p is not None) > 0


def _frame_times(path: Path, codec: str, packets: _Packets) -> tuple[list[int], bool]:
    """Return the times of the shown frames, and whether they identify them."""
    if codec in _ONE_FRAME_PER_PACKET and packets.ordered:
        return sorted(
            p for p, h in zip(packets.pts, packets.hidden, strict=True) if not h and p is not None
        ), True
    times: list[int | None] = []
    with open_container(path) as container:
        for packet in container.demux(video_stream(container, str(path))):
            times.extend(frame.pts for frame in decode(packet))
    known = [time for time in times if time is not None]
    if packets.ordered and len(known) == len(times) and all(a < b for a, b in itertools.pairwise(known)):
        return known, True
    return list(range(len(times))), False


def _quarter_turns(path: Path, rotation: float) -> int:
    if rotation % 90:
        raise UnsupportedVideo(
            f"{path}: is displayed at an angle of {rotation} degrees; only quarter turns are supported. "
            "Re-encode it upright (ffmpeg applies the rotation by itself)."
        )
    return int(rotation) % 360


def _store(index: PacketIndex, target: Path) -> None:
    """Write under another name and rename, so that a parallel worker never sees half a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fields: dict[str, Any] = {
        **vars(index),
        "time_base": [index.time_base.numerator, index.time_base.denominator],
    }
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as part:
        try:
            np.savez(part, allow_pickle=False, **{name: np.asarray(value) for name, value in fields.items()})
            part.close()
            Path(part.name).replace(target)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise


def _load(source: Path) -> PacketIndex:
    with np.load(source, allow_pickle=False) as stored:
        fields = {name: stored[name] if name in {"pts", "keys"} else stored[name].tolist() for name in stored}
    fields["time_base"] = Fraction(*fields["time_base"])
    return PacketIndex(**fields)
