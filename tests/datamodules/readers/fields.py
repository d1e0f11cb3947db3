"""A stream of H.264 whose pictures are coded as two fields each (ITU-T H.264, 7.3), as camcorders write it.

No coder at hand writes fields, so this one does, in the plainest way: every macroblock holds its pixels.
"""

import io
from pathlib import Path

import av

COLUMNS, ROWS = 6, 2  # macroblocks of a field: frames of 96 x 64 pixels
_BITS = 4  # of frame_num
_GROUP = 5  # frames between IDR pictures
_STEP = 10  # gray levels between neighbors


def gray(number: int) -> int:
    """Gray level of a frame."""
    return 30 + _STEP * number


def _ue(value: int) -> str:
    code = bin(value + 1)[2:]
    return "0" * (len(code) - 1) + code


def _unit(head: int, bits: str) -> bytes:
    bits += "1"
    bits += "0" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8, "big")
    guarded, zeros = bytearray(), 0
    for byte in body:
        if zeros == 2 and byte <= 3:
            guarded.append(3)
            zeros = 0
        guarded.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return b"\0\0\0\1" + bytes([head]) + bytes(guarded)


def _parameters() -> bytes:
    profile = f"{77:08b}" + "0" * 8 + f"{30:08b}"
    numbering = _ue(0) + _ue(_BITS - 4) + _ue(0) + _ue(0)  # set 0, frame_num, order of type 0 with 4 bits
    shape = (
        _ue(1) + "0" + _ue(COLUMNS - 1) + _ue(ROWS - 1) + "00" + "1" + "0"
    )  # fields, no mbaff, no cropping
    no_reorder = "1" + "0" * 7 + "1" + "1" + _ue(0) * 2 + _ue(8) * 2 + _ue(0) + _ue(1)  # VUI without the rest
    pictures = _ue(0) * 2 + "00" + _ue(0) * 3 + "0" + "00" + _ue(0) * 3 + "000"
    return _unit(0x67, profile + numbering + shape + no_reorder) + _unit(0x68, pictures)


def _field(number: int, bottom: int) -> bytes:
    place = number % _GROUP
    idr = place == 0 and not bottom
    bits = _ue(0) + _ue(7) + _ue(0) + f"{place:0{_BITS}b}" + "1" + str(bottom)
    bits += _ue(number // _GROUP % 2) if idr else ""
    bits += f"{2 * place + bottom:04b}" + ("00" if idr else "0") + _ue(0)
    for _ in range(COLUMNS * ROWS):
        bits += _ue(25)  # I_PCM
        bits += "0" * (-len(bits) % 8) + f"{gray(number):08b}" * 256 + f"{128:08b}" * 128
    return _unit(0x65 if idr else 0x61, bits)


def write_fields(path: Path, frames: int) -> Path:
    """Write a video at 25 frames/s, one packet for each field."""
    with av.open(io.BytesIO(_parameters() + _field(0, 0) + _field(0, 1)), format="h264") as head:
        template = head.streams.video[0]
        with av.open(str(path), "w") as container:
            stream = container.add_stream_from_template(template)
            base = stream.time_base = template.time_base
            for number in range(2 * frames):
                idr = number % (2 * _GROUP) == 0
                packet = av.Packet((_parameters() if idr else b"") + _field(number // 2, number % 2))
                packet.stream, packet.time_base, packet.is_keyframe = stream, base, idr
                packet.pts = packet.dts = round(number / 50 / base)
                container.mux(packet)
    return path
