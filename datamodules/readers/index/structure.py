"""Container structure (Matroska, MP4, AVI, Ogg, ASF): checks that no part of a file is missing.

Demuxers skip what they cannot read, and then number the frames that are left. The elements say how long
they are, so one walk over their heads shows where a file breaks off or a stretch of it is gone.
"""

import itertools
import mmap
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Matroska (RFC 9559): the elements of a file, of its segment and of a cluster.
_HEADER, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_GROUP, _BLOCK, _SIMPLE = 0xA0, 0xA1, 0xA3
_VOID, _CRC = 0xEC, 0xBF
_TRACKS, _TRACK, _NUMBER, _KIND, _VIDEO = 0x1654AE6B, 0xAE, 0xD7, 0x83, 1
# Clusters, and the index of elements, facts, tracks, cues, attachments, chapters and tags.
_IN_SEGMENT = {_CLUSTER, 0x114D9B74, 0x1549A966, _TRACKS, 0x1C53BB6B, 0x1941A469, 0x1043A770, 0x1254C367}
_IN_SEGMENT |= {_VOID, _CRC}
_IN_CLUSTER = {_SIMPLE, _GROUP, 0xE7, 0x5854, 0xA7, 0xAB, 0xAF, _VOID, _CRC}
_LACED = 0x06  # flags of a block that holds several frames
_MP4_FRAGMENT = {b"moof", b"mdat"}
_AVI_LISTS = {b"AVI ", b"AVIX", b"movi", b"rec "}  # those that hold pictures, or other such lists


@dataclass
class Structure:
    """What a walk over a container found.

    Attributes:
        fault: where it breaks off or was changed; empty if it does not.
        units: coded pictures that it lists for each track, empty ones included; only tracks it can count.
        kinds: what each track of a Matroska is.
    """

    fault: str = ""
    units: dict[int, int] = field(default_factory=dict)
    kinds: dict[int, int] = field(default_factory=dict)

    def video(self, track: int) -> int:
        """Return how many pictures are listed for a track; 0 if that is not known.

        FFmpeg does not tell the numbers of Matroska's tracks: there, a sole video track is the one meant.
        """
        tracks = [number for number, kind in self.kinds.items() if kind == _VIDEO] or [track]
        return self.units.get(tracks[0], 0) if len(tracks) == 1 else 0


def walk(path: Path, container: str) -> Structure:
    """Walk over a file.

    Args:
        path: The file.
        container: FFmpeg's name of the format; nothing is known of others than Matroska, fragmented MP4, AVI,
            Ogg and ASF.
    """
    walkers = {"matroska": _matroska, "mp4": _mp4, "avi": _avi, "ogg": _ogg, "asf": _asf}
    for name, walker in walkers.items():
        if name in container.split(","):
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                try:
                    return walker(data)
                except (struct.error, IndexError):
                    return Structure(fault=f"it is cut off after {len(data)} bytes")
    return Structure()


def _matroska(data: mmap.mmap) -> Structure:
    _, start, end = _element(data, 0)
    if _element(data, 0)[0] != _HEADER or end is None:
        return Structure()  # FFmpeg found its way all the same
    kind, start, stated = _element(data, end)
    while kind == _VOID and stated is not None:
        kind, start, stated = _element(data, stated)
    end = len(data) if stated is None else stated
    found = Structure()
    if end > len(data):
        found.fault = f"it ends at byte {len(data)}, its header says {end}"
    elif kind != _SEGMENT:
        found.fault = f"it is damaged at byte {start}"
    else:
        _segment(data, start, end, found)
    if not found.fault and data[end : end + 4] == _HEADER.to_bytes(4, "big"):
        found.fault = _second(end)
    return found


def _second(at: int) -> str:
    return f"a second recording begins at byte {at}; cut it there, or join the two with ffmpeg"


def _segment(data: mmap.mmap, at: int, end: int, found: Structure) -> None:
    """Walk over the clusters, whose length a live recording does not state."""
    in_cluster, cluster_end = False, end
    while at < end and not found.fault:
        kind, start, stop = _element(data, at)
        inside = in_cluster and kind in _IN_CLUSTER and at < cluster_end
        if kind == _CLUSTER:
            in_cluster, cluster_end = True, end if stop is None else stop
            if cluster_end > end:
                found.fault = f"it is cut off in a part that ends at byte {cluster_end} of {end}"
            found.fault = found.fault or _checksum(data, start, stop)
            at = start  # into the cluster and not past it: its blocks are counted, its size may be unknown
            continue
        if stop is None or stop > end or (inside and stop > cluster_end):
            found.fault = f"it is cut off or damaged at byte {at}"
        elif not inside and (kind not in _IN_SEGMENT or (in_cluster and at < cluster_end < end)):
            if data[at:end].startswith(_HEADER.to_bytes(4, "big")):
                found.fault = _second(at)
            else:
                found.fault = f"it is damaged at byte {at}"
        elif inside:
            _count_block(data, kind, start, stop, found)
        else:
            in_cluster = False
            if kind == _TRACKS:
                _read_tracks(data, start, stop, found)
        at = stop or end


def _element(data: mmap.mmap, at: int) -> tuple[int, int, int | None]:
    """Return the identifier of an element, where its content starts, and where it ends if it says so.

    Raises:
        IndexError: if the file ends within the head.
    """
    width = 9 - data[at].bit_length()
    size_at = at + width
    size_width = 9 - data[size_at].bit_length()
    start = size_at + size_width
    if width > 4 or size_width > 8:
        return 0, start, None
    size = int.from_bytes(data[size_at:start], "big") & ((1 << 7 * size_width) - 1)
    if start > len(data):
        raise IndexError(at)
    # All bits set: the size was not known when the head was written, as in a live recording.
    unknown = size == (1 << 7 * size_width) - 1
    return int.from_bytes(data[at:size_at], "big"), start, None if unknown else start + size


def _checksum(data: mmap.mmap, start: int, stop: int | None) -> str:
    """Compare a cluster with the CRC-32 that it may begin with (RFC 8794, 11.3.1; FFmpeg writes it)."""
    if stop is None or data[start : start + 2] != bytes((_CRC, 0x84)):
        return ""
    with memoryview(data) as view:
        same = zlib.crc32(view[start + 6 : stop]) == int.from_bytes(data[start + 2 : start + 6], "little")
    return "" if same else f"bytes {start} to {stop} differ from their checksum"


def _children(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield identifier, start and end of the elements within another, up to the first that does not fit."""
    while at < end:
        kind, start, stop = _element(data, at)
        if stop is None or stop > end:
            return
        yield kind, start, stop
        at = stop


def _read_tracks(data: mmap.mmap, at: int, end: int, found: Structure) -> None:
    for kind, start, stop in _children(data, at, end):
        if kind == _TRACK:
            values = {k: int.from_bytes(data[a:b], "big") for k, a, b in _children(data, start, stop)}
            found.kinds[values.get(_NUMBER, 0)] = values.get(_KIND, 0)


def _count_block(data: mmap.mmap, kind: int, start: int, stop: int, found: Structure) -> None:
    if kind == _GROUP:
        while start < stop:
            kind, inner, inner_stop = _element(data, start)
            if inner_stop is None or inner_stop > stop:
                found.fault = f"it is damaged at byte {start}"
                return
            if kind == _BLOCK:
                _count_block(data, _SIMPLE, inner, inner_stop, found)
            start = inner_stop
    elif kind == _SIMPLE:
        width = 9 - data[start].bit_length()
        track = int.from_bytes(data[start : start + width], "big") & ((1 << 7 * width) - 1)
        head = width + 3  # then come the time and the flags
        if found.kinds and track not in found.kinds:
            found.fault = f"it is damaged at byte {start}"
        # Laced blocks hold several frames; the track is then counted too low, which refuses no whole file.
        if stop - start > head and not data[start + head - 1] & _LACED:
            found.units[track] = found.units.get(track, 0) + 1


def _boxes(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start of the content and end of the boxes of an MP4 (ISO/IEC 14496-12, 4.2)."""
    while at + 8 <= end:
        size, kind, start = *struct.unpack_from(">I4s", data, at), at + 8
        if size == 1:
            (size,), start = struct.unpack_from(">Q", data, at + 8), at + 16
        stop = end if size == 0 else at + size
        yield kind, start, stop
        if stop < start:
            return
        at = stop


def _mp4(data: mmap.mmap) -> Structure:
    """Walk over a fragmented file; what an MP4 with one table lists is compared with the table."""
    found, fragments, numbers = Structure(), False, []
    found.fault, repeated = _tables(data)
    for kind, start, stop in _boxes(data, 0, len(data)):
        fragments = fragments or kind == b"moof"
        if not fragments or found.fault:
            continue
        if stop < start or not (kind.isascii() and kind.decode("ascii").isprintable()):
            found.fault = f"it is damaged at byte {start - 8}, nothing after that can be read"
        elif stop > len(data) and kind in _MP4_FRAGMENT:
            found.fault = f"it is cut off at byte {len(data)} of {stop}"
        elif kind == b"moof":
            numbers.append(_fragment(data, start, stop, found))
    found.fault = found.fault or _numbering(numbers, repeated=repeated)
    return found


def _tables(data: mmap.mmap) -> tuple[str, bool]:
    """Say where a second video begins, and whether a file repeats its table.

    Segments of a stream may repeat it when they are put together; another table is another video, and so is a
    head behind the table of a file without fragments.
    """
    first, fragments, repeated = b"", False, False
    for kind, start, stop in _boxes(data, 0, len(data)):
        fragments = fragments or kind == b"moof"
        table = data[start:stop] if kind == b"moov" and stop <= len(data) else b""
        if first and (table not in (b"", first) or (not fragments and (table or kind == b"ftyp"))):
            return _second(start - 8), True
        repeated = repeated or bool(first and table)
        first = first or table
    return "", repeated


def _numbering(numbers: list[int], *, repeated: bool) -> str:
    """Say that fragments are missing, or numbered anew."""
    steps = [b - a for a, b in itertools.pairwise(numbers)]
    if repeated and any(step <= 0 for step in steps):
        return "a second recording, whose fragments are numbered anew, follows the first"
    jumps = [step for step in steps if step > 1]
    # Packagers number in their own ways: only a numbering that else goes up by one says that a part is gone.
    if jumps and len(jumps) < len(steps) / 2 and all(step >= 1 for step in steps):
        return f"{sum(jumps) - len(jumps)} of its fragments are missing"
    return ""


def _fragment(data: mmap.mmap, start: int, stop: int, found: Structure) -> int:
    """Count the pictures of a fragment by track and return its number."""
    number = 0
    for kind, inner, end in _boxes(data, start, stop):
        if kind == b"mfhd":
            (number,) = struct.unpack_from(">I", data, inner + 4)
        elif kind == b"traf":
            track = 0
            for part, content, _ in _boxes(data, inner, end):
                if part == b"tfhd":
                    (track,) = struct.unpack_from(">I", data, content + 4)
                elif part == b"trun":
                    samples = struct.unpack_from(">I", data, content + 4)[0]
                    found.units[track] = found.units.get(track, 0) + samples
    return number


def _avi(data: mmap.mmap) -> Structure:
    """Count the chunks of each stream; an empty one stands for a picture that the camera dropped."""
    found = Structure()
    heads = _avi_heads(data)
    if len(heads) > 1:
        return Structure(fault=_second(heads[1]))
    parts = [(0, len(data))]
    while parts:
        at, end = parts.pop()
        while at + 8 <= end:
            name, size = struct.unpack_from("<4sI", data, at)
            inside, stop = at + 8, at + 8 + size
            if name in (b"RIFF", b"LIST") and data[inside : inside + 4] in _AVI_LISTS:
                parts.append((inside + 4, min(stop, end)))
            elif name[2:] in (b"dc", b"db") and name[:2].isdigit():
                track = int(name[:2])
                found.units[track] = found.units.get(track, 0) + (stop <= len(data))
            at = stop + size % 2  # RIFF pads chunks to even addresses and does not count the padding
    return found


def _avi_heads(data: mmap.mmap) -> list[int]:
    """Return where lists with a header begin: a long AVI goes on in one without (AVIX)."""
    heads, at = [], 0
    while data[at : at + 4] == b"RIFF":
        heads += [at] if data[at + 8 : at + 12] == b"AVI " else []
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return heads


def _ogg(data: mmap.mmap) -> Structure:
    """Walk over the pages (RFC 3533, 6): those of a stream are numbered one by one."""
    found, numbers, at = Structure(), dict[int, int](), 0
    while at < len(data):
        if data[at : at + 4] != b"OggS":
            return Structure(fault=f"it is damaged at byte {at}")
        flags, serial, number, segments = struct.unpack_from("<5xB8xII4xB", data, at)
        if not flags & 2 and serial in numbers and number != numbers[serial] + 1:
            return Structure(fault=f"pages are missing before byte {at}")
        numbers[serial] = number
        table = data[at + 27 : at + 27 + segments]
        at += 27 + segments + sum(table)
    return found if at == len(data) else Structure(fault=f"it is cut off at byte {len(data)} of {at}")


def _asf(data: mmap.mmap) -> Structure:
    """Walk over the objects of a WMV: header, data, indices (Advanced Systems Format, 2.2)."""
    at = 0
    while at + 24 <= len(data):
        size = struct.unpack_from("<Q", data, at + 16)[0]
        if size < 24:  # a live recording does not state the length of its data
            return Structure()
        at += size
    fault = f"it is cut off, or a part of it is gone: {len(data)} bytes instead of {at}"
    return Structure() if at == len(data) else Structure(fault=fault)
