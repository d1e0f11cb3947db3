"""Processes that are forks of one that has imported torch: a death then costs no ten seconds of imports."""

import os
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_HERE = Path(__file__).resolve().parents[2]


class Forked:
    """A fork that runs `sweep.py` with a command line, with the methods of `subprocess.Popen` that are used.

    Args:
        command: Interpreter, script and words.
        log: What it writes goes there.
        environment: Of the process.
        leads: Whether it leads a session of its own, which can be killed as a whole.
    """

    def __init__(
        self,
        command: Sequence[str],
        log: IO[bytes],
        environment: Mapping[str, str],
        *,
        leads: bool = False,
    ) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
                status = _run(command[2:], environment, leads=leads)
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)

    def poll(self) -> int | None:
        """Its exit status, once it has ended."""
        if self.returncode is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: It goes on.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired("fork", timeout or 0.0)
            time.sleep(0.05)
        return int(self.returncode or 0)

    def terminate(self) -> None:
        """Ask it to end."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)


def _run(words: Sequence[str], environment: Mapping[str, str], *, leads: bool) -> int:
    """Be the command, in the process of the fork."""
    from engine.sweeping import crew

    if leads:
        os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(environment)
    forked: Any = Forked
    crew.start = forked
    sys.argv = [str(_HERE / "sweep.py"), *words]
    _forget_hydra()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as end:
        if not isinstance(end.code, int):
            sys.stderr.write(f"{end.code}\n")
            return 1
        return end.code
    return 0


def _forget_hydra() -> None:
    """A fork of a command is within it as far as Hydra knows, and is to begin another."""
    globals_ = sys.modules.get("hydra.core.global_hydra")
    if globals_ is not None:
        globals_.GlobalHydra.instance().clear()
        running: Any = sys.modules["engine.config.user_errors"]
        running._running.clear()
