"""On-disk cache of parsed series: text is parsed once, and memory-mapped afterwards by every process.

The files lie in `$XDG_CACHE_HOME/euthymia/series`, or `~/.cache/euthymia/series`, one for a table and the
channels that were asked for. They can be deleted at any time: what is missing or damaged is made again.
"""

import hashlib
import json
import logging
import multiprocessing
import os
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from datamodules.series.series import Series
from datamodules.user_cache import cache_folder, replacing

_log = logging.getLogger(__name__)

_VERSION = 4  # raise it when files are read differently, or stored differently
_MAGIC = b"euthymia series\n"
_LEAST = 256 * 2**10  # bytes, our choice: smaller tables are parsed in a few milliseconds
_ALIGNED = 64
_TYPES = {"values": np.dtype(np.float32), "valid": np.dtype(np.bool_), "seconds": np.dtype(np.float64)}


def entry(files: Sequence[tuple[Path, int, int]], asked: object) -> Path | None:
    """Path under which the series of a table is kept; None for one so small that parsing it costs nothing.

    Args:
        files: Resolved path, bytes and modification time in ns of each of its files.
        asked: What was asked of it, such as channels and a rate.
    """
    if sum(size for _, size, _ in files) < _LEAST:
        return None
    # A file that changes gets another entry, so that a stale one is never read.
    key = repr((_VERSION, [(str(path), size, mtime) for path, size, mtime in files], asked))
    return cache_folder("series") / f"{hashlib.sha256(key.encode()).hexdigest()}.series"


def load(place: Path) -> Series | None:
    """Load a stored series with memory-mapped, read-only arrays; None if it is missing or damaged."""
    try:
        with place.open("rb") as stream:
            head = _head(stream)
            start, size = stream.tell(), os.fstat(stream.fileno()).st_size
        arrays = {name: _mapped(place, start, size, name, *facts) for name, facts in head["arrays"].items()}
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
    return Series(
        values=arrays["values"],
        channels=tuple(head["channels"]),
        valid=arrays["valid"],
        fps=head["fps"],
        seconds=arrays.get("seconds"),
        notes=tuple(head["notes"]),
    )


def save(series: Series, place: Path) -> None:
    """Store a series by writing a temporary file and renaming it; a disk that refuses is only warned of."""
    try:
        with replacing(place) as part:
            _write(part, series)
    except OSError as fault:
        # Only the main process warns: every worker would say the same again.
        if multiprocessing.parent_process() is None:
            _warn(str(place.parent), fault.strerror or str(fault))


@cache  # once a process
def _warn(where: str, why: str) -> None:
    _log.warning(
        "%s: parsed series cannot be kept there (%s), so tables are parsed again and again", where, why
    )


# A file is the magic word, length and checksum of the head, the head in JSON, and the arrays. Each begins at
# a multiple of 64 bytes, so that its mapped floats are aligned; NumPy's own `.npz` cannot be mapped.
def _write(stream: IO[bytes], series: Series) -> None:
    arrays = {"values": series.values, "valid": series.valid}
    if series.seconds is not None:
        arrays["seconds"] = series.seconds
    places, offset = {}, 0
    for name, array in arrays.items():
        arrays[name] = array = np.ascontiguousarray(array, dtype=_TYPES[name])
        places[name] = (list(array.shape), offset, zlib.crc32(array.tobytes()))
        offset += -(-array.nbytes // _ALIGNED) * _ALIGNED
    head = {"channels": series.channels, "fps": series.fps, "notes": series.notes, "arrays": places}
    text = json.dumps(head).encode()
    text += b" " * (-(len(_MAGIC) + 16 + len(text)) % _ALIGNED)
    stream.write(_MAGIC + b"%8d%8x" % (len(text), zlib.crc32(text)) + text)
    for array in arrays.values():
        stream.write(array.tobytes() + bytes(-array.nbytes % _ALIGNED))


def _head(stream: IO[bytes]) -> dict[str, Any]:
    first = stream.read(len(_MAGIC) + 16)
    size, digest = int(first[-16:-8]), int(first[-8:], 16)
    text = stream.read(size)
    if not first.startswith(_MAGIC) or zlib.crc32(text) != digest:
        raise ValueError("damaged")
    head: dict[str, Any] = json.loads(text)
    return head


def _mapped(
    place: Path, start: int, size: int, name: str, shape: list[int], offset: int, digest: int
) -> np.ndarray:
    kind = _TYPES[name]
    if start + offset + int(np.prod(shape)) * kind.itemsize > size:
        raise ValueError("cut")
    if not all(shape):  # an empty array cannot be mapped
        return np.zeros(shape, dtype=kind)
    array: np.ndarray = np.memmap(place, dtype=kind, mode="r", offset=start + offset, shape=tuple(shape))
    if zlib.crc32(array.data) != digest:
        raise ValueError("damaged")
    return array
