"""Errors of the user end a command with one message; a fault of the program keeps its traceback.

`HYDRA_FULL_ERROR=1`, which Hydra knows as well, brings every traceback.
"""

import linecache
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf.errors import OmegaConfBaseException

from engine.config.extensions import extend_search_path
from engine.config.unknown_keys import composition_advice, wrong_words

_log = logging.getLogger(__name__)
_FULL = "HYDRA_FULL_ERROR"
_ROOMS = ("analysis", "biomarkers", "datamodules", "engine", "evaluation", "models", "preprocessing")
# by name: to import them would take seconds
_LIBRARIES = (
    "lightning_fabric.utilities.exceptions.MisconfigurationException",
    "huggingface_hub.errors.LocalEntryNotFoundError",
    "huggingface_hub.errors.OfflineModeIsEnabled",
    "huggingface_hub.errors.HfHubHTTPError",
    "requests.exceptions.RequestException",
    "httpx.TransportError",
    "urllib.error.URLError",
)


@dataclass
class _Command:
    """The running command, the overrides of each job it began, and the errors of jobs by their number."""

    name: str
    jobs: list[list[str]] = field(default_factory=list)
    failed: dict[int, Exception] = field(default_factory=dict)


_running: list[_Command] = []


def run(main: Callable[[], Any], *, command: str) -> None:
    """Run what `hydra.main` made of a command, and report errors that are the user's to mend.

    Args:
        main: Its work is done inside `reported`.
        command: Name of the script, and of its file in `conf/`.
    """
    if wrong := wrong_words(sys.argv[1:], command=command):
        _end("\n".join(wrong))
    if os.environ.get(_FULL) == "1":
        extend_search_path(sys.argv[1:])
        main()
        return
    this = _Command(command)
    _running.append(this)
    os.environ[_FULL] = "1"  # Hydra then lets errors through, which it would print with its own advice
    try:
        extend_search_path(sys.argv[1:])
        main()
    except Exception as error:
        if any(error is one for one in this.failed.values()):
            _end(_of_sweep(this))
        if not is_users(error):
            raise
        _end(message(error, command=command))
    finally:
        os.environ.pop(_FULL, None)
        _running.remove(this)


@contextmanager
def reported() -> Iterator[None]:
    """Around the work of one job: end with one message, or in a sweep note which job failed and go on."""
    if not _running:  # with HYDRA_FULL_ERROR, or called from Python
        yield
        return
    this, sweep = _running[-1], HydraConfig.get().mode == RunMode.MULTIRUN
    this.jobs.append(list(HydraConfig.get().overrides.task))
    os.environ.pop(_FULL, None)  # not meant for the ranks and workers that the job starts
    try:
        yield
    except Exception as error:
        users = is_users(error)
        if users and not sweep:
            _end(message(error, command=this.name))
        if sweep:
            this.failed[len(this.jobs) - 1] = error
            _log.error("this job failed, the others go on: %s", message(error, command=this.name))
            if not users:
                traceback.print_exc()
        raise
    finally:
        os.environ[_FULL] = "1"


def is_users(error: BaseException) -> bool:
    """Whether an error is one to be mended in the command, the config or the data, not in the program.

    So is what this project raises on purpose, what Hydra, Lightning and downloads refuse, a file that cannot
    be opened, and a value that a library refuses while an object of the config is built.
    """
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
    if isinstance(error, HydraException | OmegaConfBaseException) or kinds & set(_LIBRARIES):
        return True
    if type(error).__module__.partition(".")[0] in _ROOMS:
        return True
    if isinstance(error, OSError) and error.filename is not None:
        return True
    notes = [note for note in getattr(error, "__notes__", ()) if note.startswith("While building `")]
    refused = isinstance(error, TypeError | ValueError | ImportError)
    if notes and refused and "`data.manifest`" not in notes[0]:  # there, files are read by all that we have
        return True
    return isinstance(error, ValueError | RuntimeError | TypeError) and _on_purpose(error)


def _on_purpose(error: BaseException) -> bool:
    """Whether a `raise` of this project raised it, and not a call that went wrong."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] not in _ROOMS:
        return False
    line = linecache.getline(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    return line.strip().startswith("raise ") and str(error) != ""


def message(error: BaseException, *, command: str) -> str:
    """What an error says, with its notes; of one that Hydra wraps, the cause that this project raised."""
    cause: BaseException | None = error
    while isinstance(cause, HydraException | OmegaConfBaseException):
        cause = cause.__cause__
    if cause is not None and is_users(cause):
        error = cause
    if isinstance(error, HydraException):
        return composition_advice(error, command=command)
    text, name = str(error), type(error).__name__
    if text.startswith("Caught ") and "Original Traceback" in text:  # of a worker process, traceback and all
        text = text.rpartition(f"{name}: ")[2].rstrip()
    return "\n".join([f"{name}: {text}", *getattr(error, "__notes__", ())])


def _of_sweep(this: _Command) -> str:
    """Which jobs of a sweep failed, named by what tells them from the others, and why."""
    common = set.intersection(*map(set, this.jobs)) if len(this.jobs) > 1 else set()
    lines = [f"{len(this.failed)} of {len(this.jobs)} jobs failed."]
    if len(this.failed) < len(this.jobs):
        lines[0] += " The results of the others are kept."
    for number, error in this.failed.items():
        own = " ".join(override for override in this.jobs[number] if override not in common)
        lines.append(f"- job {number}, {own}: {message(error, command=this.name)}")
    return "\n".join(lines)


def _end(text: str) -> NoReturn:
    sys.stderr.write(f"\n{text}\n(HYDRA_FULL_ERROR=1 shows the traceback)\n")
    raise SystemExit(1)
