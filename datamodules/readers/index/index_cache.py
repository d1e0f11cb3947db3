"""Cache of packet indices on disk: a video is scanned once, and not again before it changes.

Containers declare a length and a rate that are often wrong, so the index is made by reading every packet
(no decoding, about a millisecond per second of video): which frames a file shows, when, and where decoding
may start.
"""

import functools
import hashlib
import logging
import stat
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from datamodules.readers.errors import UnreadableVideo, unreadable
from datamodules.readers.index.packet_index import PacketIndex
from datamodules.readers.index.scan import scan
from datamodules.real_path import real_path
from datamodules.user_cache import cache_folder, replacing

_log = logging.getLogger(__name__)

_FORMAT = 7  # raise it when the stored fields, or what is refused, change


def cache_entry(path: Path, size: int, mtime_ns: int, *, kind: str) -> Path:
    """Where something known about a file is stored, until the file changes.

    Raises:
        ValueError: The kind is more than a word: it ends the name of a file, and is no path.
    """
    if not kind.isalnum():
        raise ValueError(f"kind={kind!r} is no word of letters and digits, such as npz")
    key = hashlib.sha256(f"{_FORMAT}|{path}|{size}|{mtime_ns}".encode()).hexdigest()
    return cache_folder("packets") / f"{key}.{kind}"


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
    if not stat.S_ISREG(status.st_mode):
        raise UnreadableVideo(f"{path}: is not a file. Correct the path in the manifest.")
    if status.st_size == 0:
        raise unreadable(str(path), "the file is empty, 0 bytes")
    return _cached_index(real_path(path, status), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=512)  # our choice: about 0.5 MB per hour of video
def _cached_index(path: Path, size: int, mtime_ns: int) -> PacketIndex:
    stored = cache_entry(path, size, mtime_ns, kind="npz")
    try:
        index = _load(stored)
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile):
        index = scan(path)  # not stored yet, or damaged
        try:
            _store(index, stored)
        except OSError as error:
            _log.debug("packet index of %s is kept in memory only: %s", path, error)
    for remark in index.remarks:
        _log.warning("%s: %s", path, remark)
    return index


def _store(index: PacketIndex, target: Path) -> None:
    fields: dict[str, Any] = {
        **vars(index),
        "time_base": [index.time_base.numerator, index.time_base.denominator],
        "remarks": np.asarray(index.remarks, dtype=np.str_),  # of floats, if there is none
    }
    with replacing(target) as part:
        np.savez(part, allow_pickle=False, **{name: np.asarray(value) for name, value in fields.items()})


def _load(source: Path) -> PacketIndex:
    with np.load(source, allow_pickle=False) as stored:
        fields = {name: stored[name] if name in {"pts", "keys"} else stored[name].tolist() for name in stored}
    fields["time_base"] = Fraction(*fields["time_base"])
    fields["remarks"] = tuple(fields["remarks"])
    return PacketIndex(**fields)
