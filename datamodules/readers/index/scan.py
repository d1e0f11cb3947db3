"""Scan of a video file: builds its packet index in one pass and checks that the file is whole."""

import itertools
import logging
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from datamodules.readers.container import STRICT, STRICTER, decode, open_container, video_stream
from datamodules.readers.errors import UnsupportedVideo, unreadable
from datamodules.readers.file_kind import plain_reason
from datamodules.readers.index.bitstream import Heads
from datamodules.readers.index.missing_pictures import remarks
from datamodules.readers.index.packet_index import PacketIndex
from datamodules.readers.index.probe import check_fields, probe, quarter_turns
from datamodules.readers.index.structure import Structure, walk

_log = logging.getLogger(__name__)

_INTRA_ONLY = {"mjpeg", "prores", "dnxhd", "ffv1", "rawvideo"}
# Codecs in which a packet shows one frame, unless the heads of its pictures say otherwise (fields of H.264,
# hidden frames of VP9). In the others (VP8 with hidden reference frames, MPEG-4 with packed B-frames) packets
# do not count frames, so the file is decoded once.
_ONE_FRAME_PER_PACKET = {"h264", "hevc", "av1", "vp9"} | _INTRA_ONLY
# Containers that store no presentation times: FFmpeg guesses them, differently after each seek.
_UNTIMED_CONTAINERS = {"avi"}
# Containers whose frames are numbered by a list or by their times, not by what arrives.
_LISTING_CONTAINERS = ("mp4", "matroska")
# Codecs of Microsoft, which write no stuffing behind a picture: data left over there is damage.
_UNSTUFFED = {"wmv1", "wmv2", "msmpeg4v1", "msmpeg4v2", "msmpeg4v3"}
_HABIT = 0.5  # share of the packets from which on data left over is the coder's habit (our choice)
# Seconds between the decoding and the showing of a frame that no coder needs (our choice).
_LONGEST_DELAY = 10
_NEAR = 4  # packets in which a clock starts again behind a damaged one (our choice: it was 2)
_MOST_BETWEEN = 32  # packets, our choice: H.264 and HEVC keep 16 pictures, perhaps as two fields


@dataclass(frozen=True)
class _Packet:
    pts: int | None
    dts: int | None
    key: bool
    hidden: bool
    corrupt: bool


@dataclass(frozen=True)
class _Stream:
    """The video packets of a file in decoding order, and what the header says of them."""

    packets: list[_Packet]
    declared: int  # frames the header lists; 0 where it lists none
    time_base: Fraction
    rate: float
    number: int
    track: int  # the container's own number of the stream
    heads: Heads
    codec: str
    container: str
    pixel: Fraction  # width of a pixel by its height; 1 where nothing is said

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

    def stamped(self) -> bool:
        """Whether the container stores a time for every frame."""
        guessed = self.container in _UNTIMED_CONTAINERS and self.codec not in _INTRA_ONLY
        return self.ordered() and not guessed

    def clock(self) -> list[int]:
        """Return the decoding times: ascending where those of the frames are not known."""
        return [packet.dts for packet in self.packets if packet.dts is not None]

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
    except av.error.InvalidDataError as error:
        raise unreadable(str(path), plain_reason(path)) from error
    except (av.error.FFmpegError, EOFError, OSError) as error:
        raise unreadable(str(path), getattr(error, "strerror", None) or error) from error
    if index.n_frames == 0:
        raise unreadable(str(path), "it holds no video frame")
    return index


def _scan(path: Path) -> PacketIndex:
    opening, per_packet = probe(path)
    if not opening:
        raise unreadable(str(path), "no frame of it can be decoded")
    first = opening[0]
    stream = _read_stream(path)
    structure = walk(path, stream.container)
    _check_whole(path, stream, structure)
    check_fields(path, stream.codec, opening)
    if stream.heads.turned:
        raise UnsupportedVideo(
            f"{path}: from packet {stream.heads.turned[0]} on it is displayed at another angle than before. "
            "Cut it there, and re-encode the parts: ffmpeg turns by itself."
        )
    edited = _is_edited(path, stream)
    counts = per_packet and not stream.heads.split
    times, timed = _frame_times(path, stream, counts=counts)
    # A decoder gives frames in the order in which they are shown.
    stamped = timed or (stream.stamped() and stream.codec in _ONE_FRAME_PER_PACKET)
    if stamped and any(a.pts >= b.pts for a, b in itertools.pairwise(opening)):
        raise unreadable(str(path), "the times of its frames contradict the order of the pictures")
    told = remarks(
        times=times if timed else stream.clock(),
        time_base=stream.time_base,
        heads=stream.heads,
        transport=(path, stream.track) if stream.container == "mpegts" else None,
    )
    told = (*_oblong(stream.pixel), *told)
    return _index(path, stream, first, times, told, timed=timed, split=not counts, edited=edited)


def _oblong(pixel: Fraction) -> tuple[str, ...]:
    """That pixels are not square, as in video of DV cameras: decoded as they are, all in it is distorted."""
    if pixel == 1:
        return ()
    return (
        f"its pixels are not square, {pixel.numerator} to {pixel.denominator}: faces are distorted, and what "
        "is measured in them. Make them square: ffmpeg -i IN -vf scale=iw*sar:ih,setsar=1 OUT",
    )


def _index(
    path: Path,
    stream: _Stream,
    first: "av.VideoFrame",
    times: list[int],
    told: tuple[str, ...],
    *,
    timed: bool,
    split: bool,
    edited: bool,
) -> PacketIndex:
    """Put together what is known of a file."""
    rotation = quarter_turns(path, first)
    clocked = timed or times != list(range(len(times)))
    keys = {packet.pts for packet in stream.packets if packet.key and packet.pts is not None}
    span = (times[-1] - times[0]) * stream.time_base if clocked else 0  # exact: 30, not 29.999999999999996
    return PacketIndex(
        pts=np.asarray(times, dtype=np.int64),
        keys=np.asarray(sorted(keys.intersection(times if timed else ())), dtype=np.int64),
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
        refresh=stream.heads.refresh,
        split=split,
        edited=edited,
        remarks=told,
    )


def _read_stream(path: Path, *, ignore_edits: bool = False) -> _Stream:
    with open_container(path, ignore_edits=ignore_edits) as container:
        stream = video_stream(container, str(path))
        codec = stream.codec_context.codec.canonical_name
        heads = Heads(codec, stream.codec_context.extradata or b"")
        packets = []
        for packet in container.demux(stream):
            if not packet.size:
                continue  # a picture repeated, or the end: the demuxer says it so
            heads.read(memoryview(packet), key=packet.is_keyframe)
            marks = (packet.is_keyframe, packet.is_discard, packet.is_corrupt)
            packets.append(_Packet(packet.pts, packet.dts, *marks))
        return _Stream(
            packets=packets,
            declared=stream.frames,
            time_base=Fraction(stream.time_base),
            rate=float(stream.average_rate or stream.guessed_rate or 0),
            number=stream.index,
            track=stream.id if container.format.name != "avi" else stream.index,
            heads=heads,
            codec=codec,
            container=container.format.name,
            pixel=stream.sample_aspect_ratio or Fraction(1),
        )


def _has_wrong_times(times: list[tuple[int, int]], unit: Fraction) -> bool:
    """Whether a frame is shown later after its decoding than any coder needs: in seconds and in packets.

    A pause in the recording is long in seconds, but no packets lie in it, and others come after.
    """
    if not times:
        return False
    least, clock = min(pts - dts for dts, pts in times), sorted(dts for dts, _ in times)
    for dts, pts in times:
        if (pts - dts - least) * unit > _LONGEST_DELAY and (
            bisect_left(clock, pts) - bisect_right(clock, dts) > _MOST_BETWEEN
            or (pts - clock[-1]) * unit > _LONGEST_DELAY
        ):
            return True
    return False


def _check_whole(path: Path, stream: _Stream, structure: Structure) -> None:
    """Refuse a file whose frames are not all there: the numbers of the later ones would be wrong.

    A recording that merely ends early in a container without a stated length is whole as far as it goes.

    Raises:
        UnreadableVideo: naming what is missing.
    """
    packets, name = stream.packets, str(path)
    if structure.fault:
        raise unreadable(name, structure.fault)
    broken = next((number for number, packet in enumerate(packets[:-1]) if packet.corrupt), None)
    if broken is not None:
        where = f"it is damaged at packet {broken} of {len(packets)}"
        raise unreadable(name, where + _joined(packets[broken : broken + _NEAR]))
    listed = structure.video(stream.track)
    if stream.container == "avi":
        # The clock of an AVI counts its chunks. An empty one, for a dropped picture, gives no packet.
        clock = max((packet.dts for packet in packets if packet.dts is not None), default=-1) + 1
        if max(listed, clock, len(packets)) < stream.declared:
            raise unreadable(
                name, f"it holds {max(listed, len(packets))} of the {stream.declared} frames its header lists"
            )
    elif len(packets) < listed and len(_read_stream(path, ignore_edits=True).packets) < listed:
        raise unreadable(name, f"{len(packets)} of its {listed} pictures can be found")
    if _has_wrong_times(
        [(p.dts, p.pts) for p in packets if p.pts is not None and p.dts is not None], stream.time_base
    ):
        raise unreadable(name, "its table of frame times is damaged")
    _check_start(name, stream)


def _joined(packets: list[_Packet]) -> str:
    """What is to be said where the clock starts again behind a packet that seems damaged; else nothing.

    Transport streams that were put end to end are such: the counter of the second does not go on.
    """
    clock = [packet.dts for packet in packets if packet.dts is not None]
    if all(a <= b for a, b in itertools.pairwise(clock)):
        return ""
    return (
        ", where its clock starts again, as in recordings that were joined end to end: give each as a file "
        "of its own, or join them with one clock (ffmpeg -f concat -i LIST OUT.mp4)"
    )


def _check_start(name: str, stream: _Stream) -> None:
    """Refuse a file that lists frames which no intact keyframe precedes: others would get their numbers.

    A damaged keyframe counts as none. Streams without a list may begin anywhere, and are numbered from their
    first keyframe, and so are files that were cut at one: what is shown before it leaned on what is gone.

    Raises:
        UnreadableVideo: naming how many frames are lost.
    """
    listed = [packet for packet in stream.packets if not packet.hidden]
    lost = len(listed) - len(stream.shown())
    if lost and not listed[0].key and any(kind in stream.container for kind in _LISTING_CONTAINERS):
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


def _frame_times(path: Path, stream: _Stream, *, counts: bool) -> tuple[list[int], bool]:
    """Return the times of the shown frames, and whether they identify them.

    Args:
        path: The file.
        stream: Its packets.
        counts: Whether a packet stands for a frame, as far as its head tells.

    Raises:
        UnreadableVideo: if the frames must be counted and one is damaged.
    """
    ordered = stream.stamped()
    if ordered and counts and stream.codec in _ONE_FRAME_PER_PACKET:
        return sorted(packet.pts for packet in stream.shown() if packet.pts is not None), True
    times = _decoded_times(path, stream.codec)
    known = [time for time in times if time is not None]
    if ordered and len(known) == len(times) and all(a < b for a, b in itertools.pairwise(known)):
        return known, True
    _log.warning(
        "%s: stores no times of its frames, so each clip is decoded from the start of the file; "
        "re-encode it to mp4 for speed",
        path,
    )
    # An AVI counts the pictures a camera dropped: its clock tells how long the others were seen.
    clock = stream.clock()
    if (
        stream.container in _UNTIMED_CONTAINERS
        and len(clock) == len(times)
        and all(a < b for a, b in itertools.pairwise(clock))
    ):
        return clock, False
    return list(range(len(times))), False


def _decoded_times(path: Path, codec: str) -> list[int | None]:
    times, damaged = _decode_all(path, STRICTER if codec in _UNSTUFFED else STRICT)
    if codec in _UNSTUFFED and len(damaged) > _HABIT * len(times):
        times, damaged = _decode_all(path, STRICT)
    if damaged:
        raise unreadable(str(path), f"it is damaged after frame {damaged[0]}")
    return times


def _decode_all(path: Path, checks: str) -> tuple[list[int | None], list[int]]:
    """Return the times of all frames, and the number of frames before each damaged packet."""
    times: list[int | None] = []
    damaged: list[int] = []
    with open_container(path) as container:
        for packet in container.demux(video_stream(container, str(path), checks=checks)):
            frames = decode(packet)
            if frames is None:
                damaged.append(len(times) + len(damaged))
            times.extend(frame.pts for frame in frames or [])
    return times, damaged
