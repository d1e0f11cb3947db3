"""Commands in processes of their own, forked from one that has imported what takes seconds to import."""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_IMPORTED = ["engine.train", "engine.preprocess", "engine.encode"]


def start(line: Sequence[str], log: Path) -> ForkServerProcess:
    """Begin a command, whose output goes to the end of a file.

    Args:
        line: The script, as in `train.py`, and its words.
        log: The file.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    log.parent.mkdir(parents=True, exist_ok=True)
    process = context.Process(target=_command, args=(list(line), str(log)))
    process.start()
    return process


def _command(line: list[str], log: str) -> None:
    """Be the command: its output, its folder, its words, and the session that a terminal would give it."""
    os.setsid()
    # loaders fork, as they do in a command that a shell has started
    multiprocessing.set_start_method("fork", force=True)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.chdir(ROOT)
    script = ROOT / line[0]
    sys.argv = [str(script), *line[1:]]
    runpy.run_path(str(script), run_name="__main__")
