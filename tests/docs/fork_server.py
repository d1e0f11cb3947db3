"""A process that has imported what commands need, and runs each in a fork of itself.

To import torch, Lightning and Hydra takes longer than many a small command. A fork has them at once, and is
else a process of its own: arguments, folder, output, exit status.
"""

import contextlib
import json
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

from engine.config.source_code import ROOT

_EARLY = (
    "torch",
    "torchvision",
    "pytorch_lightning",
    "torchmetrics",
    "hydra",
    "pandas",
    "scipy.stats",
    "sklearn.metrics",
)
_QUIET = {  # one thread each; nothing is asked of the network
    "OMP_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "HF_HUB_OFFLINE": "1",
    "WANDB_MODE": "offline",
    "PYTHONPATH": str(ROOT),
}


class Ended(NamedTuple):
    """How a command ended: its status, what it wrote, and the seconds that it took."""

    status: int
    told: str
    seconds: float


class ForkServer:
    """Runs commands one after the other; to be closed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | _QUIET,
        )

    def run(self, words: list[str], *, folder: Path, limit_s: float = 240) -> Ended:
        """Run `x.py ...` or `-m package.module ...` in a folder.

        Args:
            words: Behind `python`.
            folder: Where it is called.
            limit_s: Seconds after which it is killed with all that it started; its status is then -9.
        """
        log = folder / "command.log"
        job = {"words": words, "folder": str(folder), "log": str(log), "limit_s": limit_s}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        begin = time.monotonic()
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        return Ended(status, log.read_text(encoding="utf-8", errors="replace"), time.monotonic() - begin)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def _serve() -> dict[str, Any] | None:
    """Answer jobs until there are no more; in the fork of a job, return it."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an import says is no answer
    for name in _EARLY:
        __import__(name)
    for line in sys.stdin:
        job: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            return job
        out.write(f"{_waited(child, job['limit_s'])}\n")
        out.flush()
    return None


def _waited(child: int, limit_s: float) -> int:
    """The status of a process; one that takes too long is killed with all of its group."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -signal.SIGKILL


def _become(job: dict[str, Any]) -> None:
    """Run the job in this process as if it had been started for it."""
    os.setsid()
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((null, log, log)):
        os.dup2(source, target)
    os.chdir(job["folder"])
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115  # the old one has read ahead
    sys.path[0] = str(ROOT)
    words = job["words"]
    if words[0] == "-m":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = [str(ROOT / words[0]), *words[1:]]
        runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    if (job := _serve()) is not None:
        _become(job)
