"""Commands as they are typed, forked from a process that has imported what takes them seconds to import.

Where the process itself is tested (its imports, its ranks, the signals of a terminal), start a real one.
"""

import atexit
import contextlib
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_CONTEXT = multiprocessing.get_context("forkserver")  # what it imports beforehand: tests/conftest.py


class Command:
    """A command at work; the part of `subprocess.Popen` that tests need."""

    def __init__(self, *words, cwd=ROOT, env=None, both=False):
        """Start it.

        Args:
            words: A script of the root, or `-m` and a module; then what they are given.
            cwd: Where it runs.
            env: What its environment has besides the own one.
            both: Whether what it prints as errors is read among the rest.
        """
        self.args, self._folder = words, tempfile.TemporaryDirectory()
        self._out = Path(self._folder.name, "out")
        self._err = self._out if both else Path(self._folder.name, "err")
        given = {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)} | (env or {})
        told = list(map(str, words)), str(cwd), os.environ | given, str(self._out), str(self._err)
        self._process = _CONTEXT.Process(target=_run, args=told)
        self._process.start()
        self.pid = self._process.pid

    def poll(self):
        """The exit status, None while it runs."""
        return self._process.exitcode

    def kill(self):
        """End it as the kernel does."""
        os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout=280):
        """Wait for the end, with what was printed as text.

        Raises:
            TimeoutExpired: It took too long, and was killed with all that it had started.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            self._process.join()
            raise subprocess.TimeoutExpired(self.args, timeout, self._out.read_text(), self._err.read_text())
        texts = [self._out.read_text(), self._err.read_text()]
        self._folder.cleanup()
        return subprocess.CompletedProcess(self.args, self._process.exitcode, *texts)


def command(*words, timeout=280, **given):
    """Run a script, or a module after `-m`, to its end."""
    return Command(*words, **given).wait(timeout)


def _run(words, folder, environment, out, err):
    os.setsid()  # as a terminal gives each command
    for stream, place in ((1, out), (2, err)):
        held = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(held, stream)
        os.close(held)
    # nothing tells it from a process that a shell has started
    multiprocessing.set_start_method(None, force=True)
    multiprocessing.process._parent_process = None
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    try:
        if words[0] == "-m":
            sys.argv = words[1:]
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            script = Path(ROOT, words[0])
            sys.argv = [str(script), *words[1:]]
            sys.path.insert(0, str(script.parent))
            runpy.run_path(str(script), run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # which a fork leaves out
