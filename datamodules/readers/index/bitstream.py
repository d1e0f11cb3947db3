"""Picture headers in a bitstream: a packet is not always a frame, a keyframe not always a fresh start.

Of H.264 (ITU-T H.264, 7.3) the parameter sets and the first bits of a slice are read, of VP9 (bitstream
specification, 6.2) and of MPEG-1 and MPEG-2 (ISO/IEC 13818-2, 6.2.3) the first bits of a frame. Everything
else is the decoder's.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from datamodules.readers.index.temporal_references import TemporalReferences

_SLICE, _IDR, _SPS, _PPS = 1, 5, 7, 8
_SEI, _HEVC_SEI, _HEVC_SLICES = 6, 39, 32  # HEVC (ITU-T H.265, table 7-1): types below 32 hold pictures
_ORIENTATION = 47  # a message that tells at which angle pictures are displayed (H.264, D.1.27)
_LEANED_ON = 0x60  # nal_ref_idc
_HEAD = 64  # bytes of a slice that hold what is asked of it
# Profiles whose parameter sets tell the color format (7.3.2.1.1).
_HIGH = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_VP9_MARKER = 0b10
_SUPERFRAME = 0b110


class _Set(NamedTuple):
    """What is needed of a sequence parameter set."""

    bits: int  # of frame_num
    planes: bool  # whether colors are coded apart
    fields: bool  # whether a picture may be one field
    gaps: bool  # whether frame_num may jump


@dataclass
class Heads:
    """Reads the heads of a stream's packets one after another.

    Attributes:
        codec: FFmpeg's name of the codec; of others than H.264, HEVC, VP9, MPEG-1 and 2 nothing is known.
        extradata: what the container keeps of the stream's parameters.
        split: whether a packet was met that holds no whole picture, or more than one.
        refresh: whether a keyframe was met behind which frames may lean on earlier ones (intra refresh, open
            groups of pictures).
        numbered: coded pictures whose number was read.
        jumps: those before which one that others lean on is missing, by the numbers. H.264 that resets them
            between keyframes (memory management operation 5, which no coder at hand uses) seems to jump.
        turned: packets from which on pictures are displayed at another angle than before.
    """

    codec: str
    extradata: bytes = b""
    split: bool = False
    refresh: bool = False
    numbered: int = 0
    jumps: list[int] = field(default_factory=list)
    turned: list[int] = field(default_factory=list)
    _length: int = 0  # bytes of the length before a unit; 0: start codes
    _sets: dict[int, _Set] = field(default_factory=dict)
    _pictures: dict[int, int] = field(default_factory=dict)  # picture parameter set -> sequence parameter set
    _read: int = 0  # packets
    _turn: int = 0
    _reference: int | None = None  # frame_num of the last picture that others lean on
    _temporal: TemporalReferences = field(default_factory=TemporalReferences)

    def __post_init__(self) -> None:
        if self.codec == "hevc" and self.extradata[:1] == b"\1":
            self._length = (self.extradata[21] & 3) + 1  # ISO/IEC 14496-15, 8.3.3.1
        if self.codec != "h264" or not self.extradata:
            return
        if self.extradata[0] != 1:
            self._learn(_units(self.extradata, 0))
            return
        self._length = (self.extradata[4] & 3) + 1  # ISO/IEC 14496-15, 5.3.3.1
        self._learn(_configured(self.extradata))

    def read(self, packet: "memoryview[int]", *, key: bool) -> None:
        """Take note of a packet."""
        try:
            if self.codec == "vp9":
                self.split = self.split or _shown_vp9(packet) != 1
            elif self.codec == "h264":
                self._h264(bytes(packet), key=key)
            elif self.codec == "hevc":
                self._hevc(bytes(packet))
            elif self.codec in ("mpeg1video", "mpeg2video"):
                self.numbered += 1
                if self._temporal.jumps(bytes(packet)):
                    self.jumps.append(self.numbered - 1)
        except IndexError:
            pass  # cut or hit: the decoder will say so
        self._read += 1

    def _hevc(self, packet: bytes) -> None:
        for unit in _units(packet, self._length):
            kind = unit[0] >> 1 & 63 if unit else 0
            if unit and kind < _HEVC_SLICES:
                return  # messages about a picture come before it
            if kind == _HEVC_SEI:
                self._messages(unit[2:])

    def _messages(self, unit: bytes) -> None:
        """Read supplemental information (H.264, 7.3.2.3.1) up to the angle of the display."""
        bits = _Bits(unit)
        while bits.left > 2 * 8:
            kind, size = (sum(_bytes_of(bits)) for _ in range(2))
            if 8 * size > bits.left:
                return  # cameras write messages that are cut
            if kind != _ORIENTATION:
                bits.take(8 * size)
                continue
            cancelled = bits.take(1)
            turn = 0 if cancelled else bits.take(18)  # two mirrors and the angle
            if turn != self._turn and self._read:
                self.turned.append(self._read)
            self._turn = turn
            return

    def _h264(self, packet: bytes, *, key: bool) -> None:
        picture = None
        for unit in _units(packet, self._length):
            kind = unit[0] & 31 if unit else 0
            if kind in (_SLICE, _IDR):
                picture = unit
                break  # parameter sets come before it
            if kind == _SEI:
                self._messages(unit[1:])
            self._learn([unit])
        if picture is None:
            return
        # Only an IDR picture empties the decoder's memory; containers call recovery points keyframes, too.
        fresh = picture[0] & 31 == _IDR
        self.refresh = self.refresh or (key and not fresh)
        self._number(picture, anew=key or fresh)

    def _learn(self, units: "Iterator[bytes] | list[bytes]") -> None:
        for unit in units:
            if unit and unit[0] & 31 == _SPS:
                number, self._sets[number] = _sequence_set(_Bits(unit[1:]))
            elif unit and unit[0] & 31 == _PPS:
                bits_of = _Bits(unit[1 : 1 + _HEAD])
                self._pictures[bits_of.golomb()] = bits_of.golomb()

    def _number(self, unit: bytes, *, anew: bool) -> None:
        """Read frame_num (7.4.3): one more than that of the last picture that others lean on.

        A keyframe begins anew; the second field of a picture repeats the number.
        """
        bits = _Bits(unit[1 : 1 + _HEAD])
        bits.golomb(), bits.golomb()  # first macroblock, type
        known = self._sets.get(self._pictures.get(bits.golomb(), -1))
        if known is None:
            return
        bits.take(2 * known.planes)
        number = bits.take(known.bits)
        self.split = self.split or (known.fields and bool(bits.take(1)))
        if self._reference is not None and not anew and not known.gaps:
            step = (number - self._reference) % (1 << known.bits)
            # 0: a picture that nobody leans on, or a second field; 1: the next one. More: some never came.
            if step > 1:
                self.jumps.append(self.numbered)
        self.numbered += 1
        if unit[0] & _LEANED_ON or anew:
            self._reference = number


class _Bits:
    """Bits of a unit, without the bytes that keep start codes out of it (H.264, 7.4.1)."""

    def __init__(self, unit: bytes) -> None:
        plain = unit.replace(b"\0\0\3", b"\0\0")
        self._bits, self.left = int.from_bytes(plain, "big"), 8 * len(plain)

    def take(self, count: int) -> int:
        self.left -= count
        if self.left < 0:
            raise IndexError("the unit ends")
        return (self._bits >> self.left) & ((1 << count) - 1)

    def golomb(self) -> int:
        """Read ue(v) (H.264, 9.1); a signed value takes as many bits."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def _bytes_of(bits: _Bits) -> Iterator[int]:
    """Yield the bytes of a number that is their sum: those of 255 go on (H.264, 7.3.2.3.1)."""
    while True:
        byte = bits.take(8)
        yield byte
        if byte < 255:
            return


def _units(data: bytes, length: int) -> Iterator[bytes]:
    """Yield the units of a packet, each behind its length or behind a start code."""
    if length:
        at = 0
        while at + length < len(data):
            size = int.from_bytes(data[at : at + length], "big")
            yield data[at + length : at + length + size]
            at += length + size
        return
    at = data.find(b"\0\0\1")
    while at >= 0:
        following = data.find(b"\0\0\1", at + 3)
        yield data[at + 3 : following if following >= 0 else len(data)]
        at = following


def _configured(extradata: bytes) -> list[bytes]:
    """Return the parameter sets of an MP4 or Matroska header (ISO/IEC 14496-15, 5.3.3.1)."""
    units, at = [], 5
    for mask in (31, 255):
        count, at = extradata[at] & mask, at + 1
        for _ in range(count):
            size = int.from_bytes(extradata[at : at + 2], "big")
            units.append(extradata[at + 2 : at + 2 + size])
            at += 2 + size
    return units


def _sequence_set(bits: _Bits) -> tuple[int, _Set]:
    """Return the number of a sequence parameter set and what is needed of it."""
    profile = bits.take(8)
    bits.take(16)
    number, planes = bits.golomb(), False
    if profile in _HIGH:
        chroma = bits.golomb()
        planes = chroma == 3 and bool(bits.take(1))
        bits.golomb(), bits.golomb(), bits.take(1)
        if bits.take(1):
            _skip_scaling(bits, lists=12 if chroma == 3 else 8)
    width = bits.golomb() + 4
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.take(1), bits.golomb(), bits.golomb()
        for _ in range(bits.golomb()):
            bits.golomb()
    bits.golomb()  # references
    gaps = bool(bits.take(1))
    bits.golomb(), bits.golomb()  # width, height
    return number, _Set(bits=width, planes=planes, fields=not bits.take(1), gaps=gaps)


def _skip_scaling(bits: _Bits, *, lists: int) -> None:
    for place in range(lists):
        last = following = 8
        for _ in range((16 if place < 6 else 64) * bits.take(1)):
            if following:
                code = bits.golomb()
                following = (last + (-(code // 2) if code % 2 == 0 else code // 2 + 1)) % 256
            last = following or last


def _shown_vp9(packet: "memoryview[int]") -> int:
    """Count the frames of a packet that are shown (VP9, 6.2 and annex B)."""
    marker = packet[-1]
    if marker >> 5 != _SUPERFRAME:
        return _is_shown(packet[0])
    width, count = (marker >> 3 & 3) + 1, (marker & 7) + 1
    index = packet[len(packet) - 2 - width * count :]
    if index[0] != marker:
        return _is_shown(packet[0])
    at = shown = 0
    for number in range(count):
        shown += _is_shown(packet[at])
        at += int.from_bytes(index[1 + width * number : 1 + width * (number + 1)], "little")
    return shown


def _is_shown(first: int) -> bool:
    """Read show_existing_frame or show_frame from the first byte of a VP9 frame."""
    if first >> 6 != _VP9_MARKER:
        return True  # no frame of VP9; the decoder will say so
    reserved = (first >> 4 & 3) == 3  # profile 3 is followed by a reserved bit
    existing, shown = first >> (3 - reserved) & 1, first >> (1 - reserved) & 1
    return bool(existing or shown)
