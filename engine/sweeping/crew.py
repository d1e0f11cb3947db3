"""The worker processes of this machine: started, watched, and started anew when they die."""

import logging
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from engine.config.compose import ConfigError
from engine.runs.signals import Interruptions
from engine.sweeping.worker import ANEW, STARTED_BY

_log = logging.getLogger(__name__)
_POLL, _PATIENCE = 0.5, 60  # seconds between two looks, and for workers that were asked to end; our choice
_TAIL = 2000  # characters of a log that are shown


class WorkerError(ConfigError):
    """A worker that could not work."""


class Crew:
    """Keeps a number of workers at work.

    Args:
        command: Of a worker.
        count: How many.
        logs: Folder of their logs.
        most: Deaths after which it gives up: a trial is taken up so often and no more.
    """

    def __init__(self, command: Sequence[str], *, count: int, logs: Path, most: int) -> None:
        self._command, self._count, self._logs, self._most = list(command), count, logs, most
        self._jobs: dict[int, subprocess.Popen[bytes]] = {}

    def work(self, look: Callable[[], None]) -> None:
        """Return when all workers found nothing left to do.

        Args:
            look: Called again and again meanwhile.

        Raises:
            WorkerError: One ended with an error of its own.
            Interrupted: A signal asked this process to end; the workers were asked, too.
        """
        self._logs.mkdir(parents=True, exist_ok=True)
        signals, deaths = Interruptions(), 0
        signals.install()
        try:
            for place in range(self._count):
                self._jobs[place] = self._start(place)
            while self._jobs:
                time.sleep(_POLL)
                signals.check()
                for place, job in list(self._jobs.items()):
                    if job.poll() is None:
                        continue
                    del self._jobs[place]
                    if job.returncode == 0:
                        continue
                    deaths += 1
                    self._check(place, job.returncode, deaths)
                    self._jobs[place] = self._start(place)
                look()
        finally:
            self._end()
            signals.restore()

    def _start(self, place: int) -> "subprocess.Popen[bytes]":
        threads = max(1, (os.cpu_count() or 1) // self._count)
        environment = {"OMP_NUM_THREADS": str(threads)} | os.environ | {STARTED_BY: str(os.getpid())}
        environment.pop("HYDRA_FULL_ERROR", None)
        if cards := _cards():
            environment["CUDA_VISIBLE_DEVICES"] = cards[place % len(cards)]
        with self._file(place).open("ab") as log:
            return start(self._command, log, environment)

    def _file(self, place: int) -> Path:
        return self._logs / f"worker_{place}.log"

    def _check(self, place: int, status: int, deaths: int) -> None:
        """Go on after a death by a signal, or one that the worker chose; stop after an error."""
        if (status == ANEW or status < 0 or status > 128) and deaths <= self._most:
            _log.warning("worker %d ended (status %d); another takes its place", place, status)
            return
        tail = self._file(place).read_text(encoding="utf-8", errors="replace")[-_TAIL:]
        raise WorkerError(f"worker {place} ended with status {status}: {self._file(place)} ends in\n{tail}")

    def _end(self) -> None:
        for job in self._jobs.values():
            job.terminate()
        until = time.monotonic() + _PATIENCE
        for job in self._jobs.values():
            try:
                job.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                job.kill()
                job.wait()
        self._jobs = {}


def start(
    command: Sequence[str], log: IO[bytes], environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Begin a worker that writes what it says into a log."""
    return subprocess.Popen(
        command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
    )


def _cards() -> list[str]:
    """The GPUs that workers are dealt to, one each in turn, without importing torch."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [card.strip() for card in given.split(",") if card.strip()]
    return [str(number) for number, _ in enumerate(Path("/proc/driver/nvidia/gpus").glob("*"))]
