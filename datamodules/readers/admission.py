"""Admit only files that decord and torchcodec decode exactly: supported codec, no damage.

PyAV can be told to stop at damage. The two cannot: they paint over it, with the picture before or with
debris, and return that. So a file is decoded once from start to end before one of them reads it.
"""

import functools
import logging
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from datamodules.readers.container import decode, open_container, video_stream
from datamodules.readers.errors import UnsupportedVideo
from datamodules.readers.index.index_cache import cache_entry, packet_index
from datamodules.readers.index.packet_index import PacketIndex

_log = logging.getLogger(__name__)


def admit(path: Path, *, reader: str, why_not: Callable[[PacketIndex], str]) -> PacketIndex:
    """Return the index of a file that a library reads rightly.

    The first time this decodes all of the file; the verdict is cached like the index.

    Args:
        path: video file.
        reader: name of the reader, for the message.
        why_not: says why the library would be wrong on this material; empty if it is not.

    Raises:
        UnsupportedVideo: if the library would return wrong frames, or if a frame is damaged.
        UnreadableVideo: if the file is missing, empty, truncated or corrupt.
    """
    index = packet_index(path)
    reason = why_not(index) or next(filter(None, _verdict(path)), "")
    if reason:
        raise UnsupportedVideo(f"{path}: refused by reader={reader}: {reason}. Use reader=pyav.")
    return index


def check_count(found: int, index: PacketIndex, *, path: Path, reader: str) -> None:
    """Compare the library's count of frames with that of the packets.

    Raises:
        UnsupportedVideo: if they differ.
    """
    if found != index.n_frames:
        raise UnsupportedVideo(
            f"{path}: {reader} counts {found} frames, the packet index {index.n_frames}. Use reader=pyav."
        )


def import_problem(load: Callable[[], object]) -> str:
    """Say why a library, or one below it, does not load on this machine; empty if it does."""
    try:
        load()
    except (ImportError, OSError, RuntimeError) as error:
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    return ""


def damage(path: Path) -> str:
    """Say which frame is the first that cannot be decoded; empty if none. The file is decoded once, ever."""
    return _verdict(path)[0]


def _verdict(path: Path) -> tuple[str, str]:
    """The first damaged frame, and that frames have several sizes; each empty if it is not so."""
    status = path.stat()
    return _cached_damage(path.resolve(), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=4096)  # our choice: a line per file
def _cached_damage(path: Path, size: int, mtime_ns: int) -> tuple[str, str]:
    stored = cache_entry(path, size, mtime_ns, kind="damage")
    try:
        damaged, sizes = stored.read_text(encoding="utf-8").split("\n")
    except (OSError, ValueError):
        damaged, sizes = _look_for_damage(path)  # not looked for yet, or the entry is cut
    else:
        return damaged, sizes
    try:
        stored.parent.mkdir(parents=True, exist_ok=True)
        stored.write_text(f"{damaged}\n{sizes}", encoding="utf-8")
    except OSError as error:
        _log.debug("verdict on %s is kept in memory only: %s", path, error)
    return damaged, sizes


def _look_for_damage(path: Path) -> tuple[str, str]:
    """Decode a file up to the first damage, and note the frame that is missing then, and the sizes."""
    index = packet_index(path)
    shown: list[int | None] = []
    sizes: set[tuple[int, int]] = set()
    try:
        with open_container(path) as container:
            for packet in container.demux(video_stream(container, str(path))):
                frames = decode(packet)
                if frames is None:
                    if index.timed and packet.pts is not None and packet.pts < index.pts[0]:
                        continue  # shown before the first keyframe: no frame of the file
                    break
                shown.extend(frame.pts for frame in frames)
                sizes |= {(frame.height, frame.width) for frame in frames}
    except (av.error.FFmpegError, EOFError):
        pass  # the frames behind this are missing, which is found below
    if index.timed:
        whole = np.isin(index.pts, [pts for pts in shown if pts is not None])
    else:
        whole = np.arange(index.n_frames) < len(shown)
    changes = f"its frames have {len(sizes)} sizes" if len(sizes) > 1 else ""
    if whole.all():
        return "", changes
    first = int(np.argmin(whole))
    damaged = (
        f"frame {first} of {index.n_frames} is damaged, and it would show something else without an error"
    )
    return damaged, changes
