"""The executor on a cluster: every recording is a task of Ray."""

import functools
import logging
import os
import pickle
import socket
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

from preprocessing.run.executor import ATTEMPTS, Answer, Work, lost_worker
from preprocessing.run.job import Job
from preprocessing.run.worker import answer, settle_in

_log = logging.getLogger(__name__)

_KNOCK_S = 10.0
# Ray gives up a worker that does not answer for a minute, and then waits for it: a busy machine takes longer.
_START_S, _PATIENCE_S = 600, 300.0  # our choices
_ROOT = str(Path(__file__).resolve().parents[2])


class RayError(Exception):
    """Ray is not installed, or no cluster answers."""


class RayTasks:
    """Runs recordings as tasks of a Ray cluster; input, cache and code lie in folders that all machines see.

    Args:
        address: Of a cluster, such as `auto` or `ray://host:10001`; null takes `RAY_ADDRESS`, and where that
            is not set begins a cluster on this machine.
        cpus: Cores that a task takes.
        gpus: GPUs that a task takes, or the share of one.
        workers: Cores of a cluster that is begun here; all by default.

    Raises:
        ValueError: There is to be no worker, or fewer than a task takes: no task would ever begin.
        RayError: When it runs: Ray is not installed, or no cluster answers.
    """

    def __init__(
        self, *, address: str | None = None, cpus: float = 1, gpus: float = 0, workers: int | None = None
    ) -> None:
        if workers is not None and (workers < 1 or workers < cpus):
            raise ValueError(
                f"executor.workers={workers}: must be 1 or more, and at least executor.cpus={cpus}, or null"
            )
        self.address, self.cpus, self.gpus, self.workers = address, cpus, gpus, workers

    def run(self, work: Work, jobs: Sequence[Job]) -> Generator[Answer]:
        """Yield every recording with what became of it, in the order in which they end."""
        ray = self._begin()
        # begun again here: Ray would try a task that runs out of memory forever
        task = ray.remote(num_cpus=self.cpus, num_gpus=self.gpus, max_retries=0)(_task)
        try:
            packed = ray.put(pickle.dumps(work))
            running = {task.remote(packed, job): (job, 1) for job in jobs}
            while running:
                ended, _ = ray.wait(list(running), num_returns=1, timeout=_PATIENCE_S)
                if not ended:
                    _log.warning(
                        "no recording has ended for %d minutes, %d are waited for; `ray status` tells "
                        "whether the cluster has free cores for them",
                        _PATIENCE_S // 60,
                        len(running),
                    )
                    continue
                (done,) = ended
                job, attempt = running.pop(done)
                try:
                    found = ray.get(done)
                except ray.exceptions.RayError as error:
                    if attempt < ATTEMPTS:
                        running[task.remote(packed, job)] = (job, attempt + 1)
                        continue
                    found = lost_worker(type(error).__name__)
                if isinstance(found, OSError):
                    raise found
                yield job, found
        finally:
            ray.shutdown()  # of a cluster that goes on, this ends what we began there

    def _begin(self) -> Any:
        try:
            import ray
        except ImportError as error:
            raise RayError(
                "executor=ray: Ray is not installed. `pip install -c constraints.txt -e '.[ray]'`, or take "
                "executor=processes."
            ) from error
        address = self.address or os.environ.get("RAY_ADDRESS")
        settings = {} if address or self.workers is None else {"num_cpus": self.workers}
        os.environ.setdefault("RAY_worker_register_timeout_seconds", str(_START_S))
        try:
            _knock(address)
            ray.init(
                address=address,
                runtime_env={"env_vars": {"PYTHONPATH": _ROOT}},
                include_dashboard=False,
                log_to_driver=False,
                **settings,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise RayError(
                f"executor=ray: no cluster answers at {address or 'this machine'} ({error}). Give its "
                "executor.address=, or leave it out to begin one here."
            ) from error
        return ray


def _knock(address: str | None) -> None:
    """Stop where nobody listens: Ray itself would wait for minutes.

    Raises:
        OSError: Nobody listens.
    """
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=_KNOCK_S).close()


def _task(packed: bytes, job: Job) -> Any:
    return answer(_work(packed), job)


@functools.lru_cache(maxsize=1)
def _work(packed: bytes) -> Work:
    """The function, unpacked once in every process, so that its networks are opened once."""
    settle_in()
    work: Work = pickle.loads(packed)
    return work
