"""Atomic file writes, and disk errors that name the file and what was lost."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_REMEDIES = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room: your quota is used up",
    errno.EROFS: "mount it writable, or choose another folder",
    errno.EACCES: "make it writable for you, or choose another folder",
    errno.EPERM: "make it writable for you, or choose another folder",
    errno.EEXIST: "a file lies where a folder should be: move it, or choose another folder",
    errno.ENOTDIR: "a file lies where a folder should be: move it, or choose another folder",
    errno.EISDIR: "a folder lies where a file should be: move it, or choose another folder",
    errno.EFBIG: "raise the limit on the size of a file",
    errno.EIO: "the disk fails: choose another one",
}


class DiskError(OSError):
    """A file that could not be written: which one, why, what was lost, and what to do."""


@contextmanager
def writing(path: Path, *, lost: str = "this file") -> Iterator[None]:
    """Turn an error of the disk into a `DiskError` that names the file.

    Args:
        path: What is being written.
        lost: What is not on disk now.

    Raises:
        DiskError: In place of an `OSError` that has to do with the disk.
    """
    try:
        yield
    except DiskError:
        raise
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0)
        if remedy is None:
            raise
        why = os.strerror(error.errno or 0)
        raise DiskError(
            error.errno, f"{path} cannot be written: {why}. Lost: {lost}. Remedy: {remedy}, then go on."
        ) from error


def put(path: Path, content: bytes, *, lost: str = "this file", before: Path | None = None) -> None:
    """Write a file atomically: beside its place, flushed to disk, then renamed.

    Args:
        path: The file.
        content: All of it.
        lost: For the message.
        before: Where the file of that name so far is kept; None lets go of it.

    Raises:
        DiskError: Nothing was changed.
    """
    partial = path.with_name(f".{path.name}.partial")
    with writing(path, lost=lost):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                # a rename can reach the disk before the bytes: after a power cut the name would be of nothing
                os.fsync(file.fileno())
            if before is not None and path.is_file():
                _keep(path, before)
            os.replace(partial, path)  # noqa: PTH105 - atomic on every platform, which is the point
        except BaseException:
            with suppress(OSError):
                partial.unlink(missing_ok=True)  # a full disk should not be filled by what nobody reads
            raise
        _settle(path.parent)


def _keep(path: Path, before: Path) -> None:
    """Let `before` name what `path` names, so that at no moment both are missing."""
    link = before.with_name(f".{before.name}.partial")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except OSError:  # a file system without hard links
        os.replace(path, before)  # noqa: PTH105
        return
    os.replace(link, before)  # noqa: PTH105


def _settle(folder: Path) -> None:
    """Put the names of a folder on disk too; not every file system can be asked to."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
