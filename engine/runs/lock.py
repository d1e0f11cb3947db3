"""Lock on a run's folder: one process at a time, freed by the kernel when that process dies."""

import json
import logging
import os
import platform
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from engine.config.compose import ConfigError
from engine.runs.atomic_write import writing

try:
    import fcntl
except ImportError:  # Windows: without a lock
    fcntl = None  # type: ignore[assignment]

FILE = ".lock"
_log = logging.getLogger(__name__)
_held: list[IO[str]] = []  # the lock lives as long as any process has the file open, forked ones included


class FolderInUse(ConfigError):
    """Another process writes to the folder."""


class FolderLock:
    """The lock on a run's folder.

    Args:
        folder: The folder; it is made if it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock without waiting.

        Raises:
            FolderInUse: Somebody holds it; says who.
            DiskError: The folder cannot be written.
        """
        with writing(self._path, lost="nothing yet"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if self._path.is_symlink():
                raise FolderInUse(
                    f"{self._path} is a link, and what it leads to would be overwritten. Delete the link."
                )
            file = self._path.open("a+", encoding="utf-8")  # "w" would erase who holds it before we know
        if not _taken(file):
            file.close()
            raise in_use(self._path.parent)
        self._file = file
        _held.append(file)
        with suppress(OSError):  # who holds it is a help for others; a full disk is told by what follows
            file.truncate(0)
            since = datetime.now(UTC).isoformat(timespec="seconds")
            command = Path(sys.argv[0]).name
            held = {"pid": os.getpid(), "host": platform.node(), "since": since, "command": command}
            file.write(json.dumps(held))
            file.flush()

    def release(self) -> None:
        """Release the lock; the file stays, for deleting it could split the lock in two."""
        if self._file is not None:
            with suppress(OSError):
                self._file.truncate(0)
            _held.remove(self._file)
            with suppress(OSError):
                self._file.close()
            self._file = None


def in_use(folder: Path) -> FolderInUse:
    """The error of a folder that is held: by whom, and what to do."""
    return FolderInUse(
        f"{folder} is being written by {holder(folder)}. Wait for it to end, or give another folder with "
        "hydra.run.dir=..."
    )


def is_held(folder: Path) -> bool:
    """Whether a process writes to the folder now."""
    if not (folder / FILE).is_file():
        return False
    with suppress(OSError), (folder / FILE).open("r", encoding="utf-8") as file:
        return not _taken(file)  # closing gives it back at once
    return False


def holder(folder: Path) -> str:
    """Describe the process that holds the lock, as far as it is known."""
    try:
        known: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return f"process {known['pid']} on {known['host']} since {known['since']} ({known['command']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _taken(file: IO[str]) -> bool:
    if not hasattr(fcntl, "flock"):
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:  # some network file systems
        _log.warning("%s: no lock to be had here (%s); do not start two runs in one folder", file.name, error)
    return True


def _forget() -> None:
    """In a forked worker: it would go on holding the lock of a parent that was killed."""
    for file in _held:
        with suppress(OSError):
            file.close()
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
