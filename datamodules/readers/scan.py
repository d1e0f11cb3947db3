"""Making a packet index: one pass over the packets, and a verdict on whether the file is whole."""

import itertools
import logging
import struct
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from .container import decode, open_container, video_stream
from .packets import PacketIndex
from .protocol import UnsupportedVideo, unreadable

_log = logging.getLogger(__name__)

_INTRA_ONLY = {"mjpeg", "prores", "dnxhd", "ffv1", "rawvideo"}
# Codecs in which every packet shows exactly one frame. In the others (VP8 with hidden reference frames,
# MPEG-4 with packed B-frames) packets do not count frames, so the file is decoded once.
_ONE_FRAME_PER_PACKET = {"h264", "hevc", "av1", "vp9"} | _INTRA_ONLY
# Containers that store no presentation times: FFmpeg guesses them, differently after each seek.
_UNTIMED_CONTAINERS = {"avi"}
# Containers whose frames are numbered by a list or by their times, not by what arrives.
_LISTING_CONTAINERS = ("mp4", "matroska")
# Bytes behind the last packet that a seek table may take (our choice).
_TABLE_BYTES, _TABLE_SHARE = 1024, 0.1
# Frames decoded when a file is first met: more than coders reorder (our choice).
_OPENING = 16
# Seconds between the decoding and the showing of a frame that no coder needs (our choice).
_LONGEST_DELAY = 10


@dataclass(frozen=True)
class _Packet:
    pts: int | None
    dts: int | None
    key: bool
    hidden: bool
    corrupt: bool
    end: int | None  # position of its last byte in the file


@dataclass(frozen=True)
class _Stream:
    """The video packets of a file in decoding order, and what the header says of them."""

    packets: list[_Packet]
    declared: int  # frames the header lists; 0 where it lists none
    seconds: float  # length the header gives for this stream; 0 where it gives none
    time_base: Fraction
    rate: float
    number: int
    codec: str
    container: str

    def shown(self) -> list[_Packet]:
        """Return the packets that give frames: not hidden by an edit list, not cut off from a keyframe."""
        key = next((packet for packet in self.packets if packet.key), None)
        behind = self.packets[self.packets.index(key) :] if key else self.packets
        first = key.pts if key else None
        return [p for p in behind if not p.hidden and (first is None or p.pts is None or p.pts >= first)]

    def ordered(self) -> bool:
        """Whether every frame has its own time and the decoding clock never runs backwards."""
        times = [packet.pts for packet in self.shown()]
        clock = [packet.dts for packet in self.packets if packet.dts is not None]
        distinct = None not in times and len(set(times)) == len(times)
        return distinct and all(a <= b for a, b in itertools.pairwise(clock))

    def open_gop(self) -> bool:
        """Whether a frame is shown before the keyframe that precedes it in the file."""
        key: int | None = None
        for packet in self.packets:
            if packet.key:
                key = packet.pts
            elif packet.pts is not None and key is not None and packet.pts < key:
                return True
        return False


def scan(path: Path) -> PacketIndex:
    """Read all packets of a file.

    Raises:
        UnreadableVideo: if there is no decodable video in it, or only a part of one.
    """
    try:
        index = _scan(path)
    except (av.error.FFmpegError, EOFError) as error:
        raise unreadable(str(path), getattr(error, "strerror", None) or error) from error
    if index.n_frames == 0:
        raise unreadable(str(path), "it holds no video frame")
    return index


def _scan(path: Path) -> PacketIndex:
    with open_container(path) as container:
        packets = container.demux(video_stream(container, str(path)))
        decoded = (frame for packet in packets for frame in decode(packet) or [])
        opening = list(itertools.islice(decoded, _OPENING))
    if not opening:
        raise unreadable(str(path), "no frame of it can be decoded")
    first = opening[0]
    stream = _read_stream(path)
    _check_whole(path, stream)
    edited = _is_edited(path, stream)
    times, timed = _frame_times(path, stream)
    # A decoder gives frames in the order in which they are shown.
    if timed and any(a.pts >= b.pts for a, b in itertools.pairwise(opening)):
        raise unreadable(str(path), "the times of its frames contradict the order of the pictures")
    rotation = _quarter_turns(path, first)
    span = (times[-1] - times[0]) * stream.time_base if timed else 0  # exact: 30, not 29.999999999999996
    return PacketIndex(
        pts=np.asarray(times, dtype=np.int64),
        keys=np.asarray(
            sorted({p.pts for p in stream.packets if p.key and p.pts is not None}), dtype=np.int64
        ),
        timed=timed,
        time_base=stream.time_base,
        fps=float((len(times) - 1) / span) if span > 0 else stream.rate,
        height=first.width if rotation % 180 else first.height,
        width=first.height if rotation % 180 else first.width,
        rotation=rotation,
        stream=stream.number,
        codec=stream.codec,
        container=stream.container,
        bits=max(component.bits for component in first.format.components),
        interlaced=bool(first.interlaced_frame),
        open_gop=stream.open_gop(),
        edited=edited,
    )


def _read_stream(path: Path, *, ignore_edits: bool = False) -> _Stream:
    with open_container(path, ignore_edits=ignore_edits) as container:
        stream = video_stream(container, str(path))
        packets = [
            _Packet(
                pts=packet.pts,
                dts=packet.dts,
                key=packet.is_keyframe,
                hidden=packet.is_discard,
                corrupt=packet.is_corrupt,
                end=None if packet.pos is None else packet.pos + packet.size,
            )
            for packet in container.demux(stream)
            if packet.size  # the demuxer ends with an empty one
        ]
        return _Stream(
            packets=packets,
            declared=stream.frames,
            seconds=_seconds(stream.metadata.get("DURATION", "")),
            time_base=Fraction(stream.time_base),
            rate=float(stream.average_rate or stream.guessed_rate or 0),
            number=stream.index,
            codec=stream.codec_context.codec.canonical_name,
            container=container.format.name,
        )


def _seconds(tag: str) -> float:
    """Read Matroska's "00:01:02.5" as seconds; 0 if it is something else."""
    try:
        hours, minutes, seconds = tag.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return 0.0


def _check_whole(path: Path, stream: _Stream) -> None:
    """Refuse a file whose frames are not all there: the numbers of the later ones would be wrong.

    A recording that merely ends early in a container without a stated length is whole as far as it goes.

    Raises:
        UnreadableVideo: naming what is missing.
    """
    packets, name = stream.packets, str(path)
    broken = next((number for number, packet in enumerate(packets[:-1]) if packet.corrupt), None)
    if broken is not None:
        raise unreadable(name, f"it is damaged at packet {broken} of {len(packets)}")
    times = [packet.pts for packet in packets if packet.pts is not None]
    if stream.container == "avi" and stream.codec not in _INTRA_ONLY and len(packets) < stream.declared:
        raise unreadable(name, f"it holds {len(packets)} of the {stream.declared} frames its header lists")
    if stream.seconds and times and stream.rate:
        lasts = float(max(times) * stream.time_base)
        if stream.seconds - lasts > max(0.5, 4 / stream.rate):
            raise unreadable(name, f"it ends at {lasts:.1f} s, its header says {stream.seconds:.1f} s")
    delays = [p.pts - p.dts for p in packets if p.pts is not None and p.dts is not None]
    if delays and (max(delays) - min(delays)) * stream.time_base > _LONGEST_DELAY:
        raise unreadable(name, "its table of frame times is damaged")
    _check_start(name, stream)
    ends = [packet.end for packet in packets if packet.end is not None]
    size = path.stat().st_size
    indexed = "matroska" in stream.container or ("mp4" in stream.container and not stream.declared)
    if indexed and ends and size - max(ends) > max(_TABLE_BYTES, _TABLE_SHARE * size):
        raise unreadable(name, f"it is damaged at byte {max(ends)} of {size}, nothing after that can be read")


def _check_start(name: str, stream: _Stream) -> None:
    """Refuse a file that lists frames which no intact keyframe precedes: others would get their numbers.

    A damaged keyframe counts as none. Streams without a list may begin anywhere, and are numbered from their
    first keyframe.

    Raises:
        UnreadableVideo: naming how many frames are lost.
    """
    listed = [packet for packet in stream.packets if not packet.hidden]
    lost = len(listed) - len(stream.shown())
    if lost and any(kind in stream.container for kind in _LISTING_CONTAINERS):
        reason = (
            f"its first keyframe is damaged: {lost} of its {len(listed)} frames come before an intact one"
        )
        raise unreadable(name, reason)


def _is_edited(path: Path, stream: _Stream) -> bool:
    """Tell an edit list from a truncated file: both show fewer frames than the header lists.

    Raises:
        UnreadableVideo: if the file ends before its frames do.
    """
    if "mp4" not in stream.container:
        return False
    whole = _read_stream(path, ignore_edits=True).packets
    if stream.declared > len(whole):  # fragmented files declare 0
        reason = f"it is truncated: it holds {len(whole)} of the {stream.declared} frames its header lists"
        raise unreadable(str(path), reason)
    if len(stream.packets) != len(whole) or any(packet.hidden for packet in stream.packets):
        return True
    # The usual list of one entry only moves all frames, so that those with B-frames start at time 0.
    return len({(a.pts or 0) - (b.pts or 0) for a, b in zip(stream.packets, whole, strict=True)}) > 1


def _frame_times(path: Path, stream: _Stream) -> tuple[list[int], bool]:
    """Return the times of the shown frames, and whether they identify them.

    Raises:
        UnreadableVideo: if the frames must be counted and one is damaged.
    """
    guessed = stream.container in _UNTIMED_CONTAINERS and stream.codec not in _INTRA_ONLY
    ordered = stream.ordered() and not guessed
    if ordered and stream.codec in _ONE_FRAME_PER_PACKET:
        return sorted(packet.pts for packet in stream.shown() if packet.pts is not None), True
    times = _decoded_times(path)
    known = [time for time in times if time is not None]
    if ordered and len(known) == len(times) and all(a < b for a, b in itertools.pairwise(known)):
        return known, True
    _log.warning(
        "%s: stores no times of its frames, so each clip is decoded from the start of the file; "
        "re-encode it to mp4 for speed",
        path,
    )
    return list(range(len(times))), False


def _decoded_times(path: Path) -> list[int | None]:
    times: list[int | None] = []
    with open_container(path) as container:
        for packet in container.demux(video_stream(container, str(path))):
            frames = decode(packet)
            if frames is None:
                raise unreadable(str(path), f"it is damaged after frame {len(times)}")
            times.extend(frame.pts for frame in frames)
    return times


def _quarter_turns(path: Path, frame: "av.VideoFrame") -> int:
    """Return the display rotation in degrees, counterclockwise.

    Raises:
        UnsupportedVideo: if the file is displayed at an angle or mirrored, which no reader carries out.
    """
    matrices = (bytes(data) for data in frame.side_data if data.type.name == "DISPLAYMATRIX")
    for a, b, _, c, d, *_ in (struct.unpack("<9i", matrix) for matrix in matrices):
        if a * d - b * c < 0:
            raise UnsupportedVideo(f"{path}: is displayed mirrored. Re-encode it: ffmpeg mirrors by itself.")
    if frame.rotation % 90:
        raise UnsupportedVideo(
            f"{path}: is displayed at an angle of {frame.rotation} degrees, and only quarter turns are "
            "supported. Re-encode it upright: ffmpeg turns by itself."
        )
    return int(frame.rotation) % 360
