"""Claim of a recording: of several commands that write to one cache, one works on it at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: without claims
    fcntl = None  # type: ignore[assignment]


@contextmanager
def claim(path: Path) -> Iterator[bool]:
    """Hold a lock while working; gives False, without waiting, where another process holds it.

    The kernel frees the lock with the process, however that ends. Where a file system knows no locks, all
    processes get True: they then do the same work, and its results are the same to the last byte.

    Args:
        path: The lock's file; it is gone when nobody works.
    """
    if not hasattr(fcntl, "flock"):
        yield True
        return
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            continue  # a command that ended has taken the empty folder away
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            yield False
            return
        except OSError:
            break
        if _is_still(path, handle):
            break
        os.close(handle)  # whoever held it has deleted it meanwhile, and a third one may hold its successor
    try:
        yield True
    finally:
        with suppress(OSError):
            path.unlink()  # before it is freed: nobody takes a file that is about to vanish
        os.close(handle)


def _is_still(path: Path, handle: int) -> bool:
    try:
        return os.fstat(handle).st_ino == path.stat().st_ino
    except FileNotFoundError:
        return False
