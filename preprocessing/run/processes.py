"""The executor on one machine: a process a core, each of which takes one recording after another."""

import multiprocessing
import os
import pickle
import signal
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from datamodules.processes import die_with
from preprocessing.run.executor import ATTEMPTS, Answer, Work, lost_worker
from preprocessing.run.job import Job
from preprocessing.run.worker import answer, settle_in

_spawn = multiprocessing.get_context("spawn")  # video and network libraries do not survive a fork
_GRACE_S = 5.0  # for workers to end by themselves; our choice


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    job: Job | None = None


class Processes:
    """Runs recordings in processes of this machine.

    A worker that dies, as the system ends one when memory runs out, costs its recording only: that is tried
    once more, in another process.

    Args:
        workers: How many; one a core that this process may use by default.

    Raises:
        ValueError: There is to be none.
    """

    def __init__(self, *, workers: int | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"executor.workers={workers}: must be 1 or more, or null for one a core")
        self.workers = _cores() if workers is None else workers

    def run(self, work: Work, jobs: Sequence[Job]) -> Generator[Answer]:
        """Yield every recording with what became of it, in the order in which they end."""
        packed = pickle.dumps(work)
        waiting, deaths = deque(jobs), dict.fromkeys((job.recording_id for job in jobs), 0)
        crew: list[_Worker] = []
        try:
            while waiting or any(one.job for one in crew):
                while len(crew) < self.workers and sum(one.job is None for one in crew) < len(waiting):
                    crew.append(_started(packed))
                for one in crew:
                    if one.job is None and waiting:
                        _give(one, waiting.popleft())
                for one in _ready(crew):
                    job = one.job
                    try:
                        found = one.pipe.recv()
                    except (EOFError, OSError):
                        crew.remove(one)
                        how = _ended(one)
                        if job is None:
                            continue
                        deaths[job.recording_id] += 1
                        if deaths[job.recording_id] < ATTEMPTS:
                            waiting.appendleft(job)
                            continue
                        found = lost_worker(how)
                    one.job = None
                    if isinstance(found, OSError):
                        raise found
                    assert job is not None
                    yield job, found
        finally:
            _dismiss(crew)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _started(packed: bytes) -> _Worker:
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_serve, args=(theirs, packed, os.getpid()), name="preprocess")
    process.start()
    theirs.close()  # so that the pipe ends with the worker
    return _Worker(process, ours)


def _give(one: _Worker, job: Job) -> None:
    one.job = job
    with suppress(OSError):  # it is dead, which is seen when its answer is read
        one.pipe.send(job)


def _ready(crew: Sequence[_Worker]) -> list[_Worker]:
    found = wait([one.pipe for one in crew if one.job is not None])
    return [one for one in crew if one.pipe in found]


def _ended(one: _Worker) -> str:
    """How a worker ended, in words."""
    one.process.join(_GRACE_S)
    code = one.process.exitcode
    one.pipe.close()
    if code is not None and code < 0:
        told = signal.Signals(-code).name
        return f"{told}, as when memory runs out" if -code == signal.SIGKILL else told
    return f"exit code {code}"


def _dismiss(crew: Sequence[_Worker]) -> None:
    """End all workers: the idle ones see their pipe close, the others are cut off."""
    for one in crew:
        one.pipe.close()
        if one.job is not None:
            one.process.terminate()
    for one in crew:
        one.process.join(_GRACE_S)
        if one.process.is_alive():
            one.process.kill()
            one.process.join()


def _serve(pipe: Connection, packed: bytes, parent: int) -> None:
    """The life of a worker."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it as well, and ends its workers
    settle_in()
    work: Work = pickle.loads(packed)
    while True:
        try:
            job = pipe.recv()
        except EOFError:
            return
        pipe.send(answer(work, job))
