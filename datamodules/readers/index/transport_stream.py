"""Missing packets of an MPEG transport stream, found by their numbers (ISO/IEC 13818-1, 2.4.3)."""

import mmap
from pathlib import Path

import numpy as np

_SYNC, _ERROR, _DISCONTINUITY = 0x47, 0x80, 0x80
_SIZES = (188, 192, 204)  # plain, with the time stamps of camcorders, with error correction
_TRIED = 5  # packets in a row that must begin with the sync byte
_CHUNK = 1 << 16  # packets looked at together, our choice
_SEARCHED = 1 << 16  # bytes in which packets must begin again, our choice


def losses(path: Path, pid: int) -> str:
    """Say where packets of a stream are missing; empty if nowhere, or if the file has no regular packets.

    A counter may repeat once (a duplicate), stands still in packets without a payload, and may jump where the
    stream says so.

    Args:
        path: The file.
        pid: The number of the stream in it.
    """
    found: list[int] = []
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, size = next(((at, size) for size in _SIZES if (at := _begin(data, 0, size)) >= 0), (-1, 0))
        last = -1
        while 0 <= at <= len(data) - size:
            rows = min(_CHUNK, (len(data) - at) // size)
            packets = np.frombuffer(data, np.uint8, rows * size, at).reshape(rows, size)[:, :6].copy()
            strange = np.flatnonzero(packets[:, 0] != _SYNC)
            whole = int(strange[0]) if len(strange) else rows
            breaks, last = _breaks(packets[:whole], pid, last)
            found += [at + row * size for row in breaks]
            at += whole * size
            if whole < rows:  # bytes are missing or overwritten here, unless nothing comes after
                place, at, last = at, _begin(data, at, size), -1
                found += [place] if at >= 0 else []
    if not found:
        return ""
    return (
        f"packets are missing in {len(found)} places, the first at byte {found[0]} (the counter of the "
        "transport stream jumps), and the frames behind it may show debris. Copy the file again from its "
        "source"
    )


def _begin(data: mmap.mmap, at: int, size: int) -> int:
    """Return where packets of a size begin, from a byte on; -1 if they do not."""
    for start in range(at, min(at + _SEARCHED, len(data) - (_TRIED - 1) * size)):
        if data[start] == _SYNC and set(data[start : start + _TRIED * size : size]) == {_SYNC}:
            return start
    return -1


def _breaks(packets: np.ndarray, pid: int, last: int) -> tuple[list[int], int]:
    """Return the rows of packets, uint8 (N, 6), before which others are missing, and the last counter."""
    pids = (packets[:, 1].astype(int) & 0x1F) << 8 | packets[:, 2]
    # The counter has four bits and counts packets with a payload only, so 16 lost in a row go unnoticed.
    control = packets[:, 3] >> 4 & 3  # bit 0: a payload, bit 1: an adaptation field
    rows = np.flatnonzero((pids == pid) & (control & 1 > 0) & (packets[:, 1] & _ERROR == 0))
    if not len(rows):
        return [], last
    counters = (packets[rows, 3] & 15).astype(int)
    before = np.concatenate([[last], counters[:-1]])
    told = (control[rows] & 2 > 0) & (packets[rows, 4] > 0) & (packets[rows, 5] & _DISCONTINUITY > 0)
    # A step of 0 is the duplicate that the standard allows; more than 1 is a loss.
    broken = ((counters - before) % 16 > 1) & (before >= 0) & ~told
    return rows[broken].tolist(), int(counters[-1])
