"""The processes of one training: a signal to one of them ends all, and none waits for another for ever."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from datamodules.processes import die_with
from engine.runs.signals import SIGNALS, Interrupted, announces, can_wait, limit_ends, say_last_words

if TYPE_CHECKING:
    import pytorch_lightning as pl

GRACE = 10.0  # seconds for a process to end by itself after a signal; our choice
_FIRST = "EUTHYMIA_FIRST_RANK"  # process id of the rank that started the others, for them to read
_RANKS = ("RANK", "LOCAL_RANK", "SLURM_PROCID", "JSM_NAMESPACE_RANK")  # in the order of Lightning
_launchers: list[Any] = []
_sockets: list[socket.socket] = []


def is_main() -> bool:
    """Whether this process writes files; the other ranks only help to compute."""
    # Lightning takes seconds to import; until something does, the rank is what it would read from there
    lightning = sys.modules.get("lightning_fabric.utilities.rank_zero")
    if lightning is not None:
        return int(lightning.rank_zero_only.rank) == 0
    return int(next((os.environ[name] for name in _RANKS if name in os.environ), 0)) == 0


def started_together() -> bool:
    """Whether torchrun or a cluster started this process as one rank of several."""
    return any(name in os.environ for name in _RANKS)


def attend(trainer: "pl.Trainer") -> None:
    """Let all processes of a trainer end soon after a signal to any of them; one process alone needs none.

    Lightning's own handler of SIGTERM begins a collective wherever the process happens to be, while the other
    ranks are in another one: all wait for ever. It is left out here. Instead, a thread of every rank passes
    the signal on to the ranks of this machine, and ends its process after `GRACE` seconds if a collective
    still holds it. A rank whose first rank is gone ends at once.

    Args:
        trainer: Before its first `fit` or `predict`.
    """
    if trainer.world_size == 1 or threading.current_thread() is not threading.main_thread():
        return
    trainer._signal_connector.register_signal_handlers = _leave_handlers  # type: ignore[method-assign]
    _launchers.append(trainer.strategy.launcher)
    if _sockets:
        return
    first = _first_rank()
    if first is None:
        os.environ[_FIRST] = str(os.getpid())
    else:
        die_with(first)
    limit_ends()
    _sockets.extend(socket.socketpair())
    _sockets[1].setblocking(False)
    # the kernel's side writes here at once, also while the main thread is held by a collective
    signal.set_wakeup_fd(_sockets[1].fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(_sockets[0],), name="end-with-ranks", daemon=True).start()


def _leave_handlers() -> None:
    """Nothing: the handlers of `engine.runs.signals` stay in their place."""


def _first_rank() -> int | None:
    """The process that started this rank, or None where this one is the first, or a cluster started it."""
    parent = os.getppid()
    return parent if os.environ.get(_FIRST) == str(parent) else None


def _watch(signals: socket.socket) -> None:
    number = 0
    # others have handlers as well, e.g. SIGCHLD; and what waits for a step ends all ranks after the same one
    while (number not in SIGNALS and not announces(number)) or can_wait(number):
        number = signals.recv(1)[0]
    first, started = _first_rank(), _started()
    if first is not None:
        with suppress(ProcessLookupError):
            os.kill(first, number)
    for process in started:
        process.send_signal(number)
    time.sleep(GRACE)
    ended = Interrupted(number)
    with suppress(Exception):  # whatever hinders the words must not hinder the end
        say_last_words(ended)
    for process in started:
        process.kill()
    os._exit(int(ended.code))  # type: ignore[arg-type]


def _started() -> list[subprocess.Popen[bytes]]:
    """The ranks that this one started, hidden from Lightning's observer.

    As soon as another rank has ended, it kills the first one, which has not written down yet how it ended.
    """
    started: list[subprocess.Popen[bytes]] = []
    for launcher in _launchers:
        processes = getattr(launcher, "procs", [])
        started += processes
        processes.clear()  # the very list that the observer looks into
    return started


def _forget() -> None:
    """In a forked worker: what is sent to it is not meant for this training."""
    if _sockets:
        with suppress(ValueError):
            signal.set_wakeup_fd(-1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
