"""What every worker of a loader reads, and since when: for one that dies, and for one that hangs."""

import os
import re
import signal
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

import torch
from torch.utils.data import get_worker_info

_NOBODY = -1
_MOMENT = 1.0  # seconds for the system to end a process; our choice
_DEAD = re.compile(r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\)")
_REMEDY = (
    "If the system ended it for memory (dmesg says so), use fewer workers (workers=1), smaller clips or "
    "smaller batches; if it died of the file, read it alone with workers=0, or take it out of the manifest"
)


class WorkerDied(RuntimeError):
    """A worker of a loader ended: which one, what it was reading, and what to do."""


@dataclass(frozen=True)
class _Seen:
    """What a worker reads: manifest row, since when, and its process."""

    worker: int
    row: int
    seconds: float
    process: int


class Desk:
    """Shared memory in which each worker notes the recording that it reads.

    Args:
        workers: How many there are.
        name: Gives recording and file of a manifest row, for people; workers do not get it.
    """

    def __init__(self, workers: int, name: Callable[[int], str]) -> None:
        self._name: Callable[[int], str] | None = name
        self._notes = torch.full((workers, 3), _NOBODY, dtype=torch.int64)
        self._notes.share_memory_()  # type: ignore[no-untyped-call]
        self._hung: dict[int, _Seen] = {}
        _desks.add(self)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_name": None}

    @contextmanager
    def reading(self, row: int) -> Iterator[None]:
        """In a worker: note the row while it is read; elsewhere nothing."""
        info = get_worker_info()
        if info is None or info.id >= len(self._notes):
            yield
            return
        # the row last: whoever looks between two writes sees nobody
        note = self._notes[info.id]
        note[1], note[2] = time.monotonic_ns(), os.getpid()
        note[0] = row
        try:
            yield
        finally:
            note[0] = _NOBODY

    def told(self, process: int) -> str | None:
        """What is known of a worker by its process id; None of a process that is none."""
        for worker, note in enumerate(self._notes.tolist()):
            if note[2] == process:
                seen = self._hung.get(process) or self._seen(worker, note)
                return self._sentence(seen, hung=process in self._hung)
        return None

    def end_hung(self, limit: float) -> None:
        """Kill the workers that have been reading one recording for longer than `limit` seconds."""
        for worker, note in enumerate(self._notes.tolist()):
            seen = self._seen(worker, note)
            if seen.row != _NOBODY and seen.seconds > limit and seen.process not in self._hung:
                self._hung[seen.process] = seen
                os.kill(seen.process, getattr(signal, "SIGKILL", signal.SIGTERM))

    def _seen(self, worker: int, note: list[int]) -> _Seen:
        row, since, process = note
        return _Seen(worker, row, (time.monotonic_ns() - since) / 1e9, process)

    def _sentence(self, seen: _Seen, *, hung: bool) -> str:
        name = "nothing: it was between two recordings"
        if self._name is not None and seen.row != _NOBODY:
            name = self._name(seen.row)
        if hung:
            return (
                f"worker {seen.worker} read for {seen.seconds:.0f} s without an end and was stopped: {name}. "
                "Take it out of the manifest or save it anew; data.module.timeout=<seconds> allows more"
            )
        return f"worker {seen.worker} ended while it read {name}. {_REMEDY}"


_desks: "weakref.WeakSet[Desk]" = weakref.WeakSet()


@contextmanager
def deaths_named() -> Iterator[None]:
    """Around what reads from loaders: the death of a worker is told with what it was reading.

    Raises:
        WorkerDied: In place of torch's error, which names a process.
    """
    try:
        yield
    except RuntimeError as error:
        found = _DEAD.search(str(error))
        if found is None or isinstance(error, WorkerDied):
            raise
        processes = [int(one) for one in found[1].split(",") if one.strip()]
        told = [text for one in processes for desk in list(_desks) if (text := desk.told(one)) is not None]
        raise WorkerDied("; ".join(told) or f"{error}. {_REMEDY}") from error


def check_alive(workers: Sequence[BaseProcess]) -> None:
    """Tell the death of a worker as torch tells it, where there is one.

    Raises:
        RuntimeError: There is.
    """
    end = time.monotonic() + _MOMENT
    while time.monotonic() < end:
        for worker in workers:
            if not worker.is_alive():
                raise RuntimeError(f"DataLoader worker (pid {worker.pid}) exited unexpectedly")
        time.sleep(0.02)


@contextmanager
def watched(desk: Desk, limit: float | None) -> Iterator[None]:
    """Look after the workers from a thread, and end those that hang.

    Args:
        desk: Where they note what they read.
        limit: Seconds for one recording; None waits for ever.
    """
    if limit is None:
        yield
        return
    end = threading.Event()

    def look() -> None:
        while not end.wait(min(1.0, limit / 4)):
            desk.end_hung(limit)

    thread = threading.Thread(target=look, name="look-after-workers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
