"""Worker processes: how many this machine has cores for, and that they end with their parent, even killed."""

import multiprocessing
import os
import threading
import time
from math import ceil
from pathlib import Path

_PAUSE = 0.5  # seconds between two looks; our choice
_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # "<microseconds or max> <period>" of control groups, version 2


def cores(quota: Path = _QUOTA) -> int:
    """Cores that this process may use: those it is bound to, and no more than its container is granted.

    Args:
        quota: File with the limit of the control group, if there is one.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        granted, period = quota.read_text(encoding="ascii").split()
        return max(1, min(bound, ceil(int(granted) / int(period))))
    except (OSError, ValueError):  # no control group, or no limit in it
        return bound


def die_with(parent: int) -> None:
    """End this process soon after its parent has died.

    A thread looks, because the kernel's own signal (`PR_SET_PDEATHSIG`) goes by the parent's thread: workers
    that a side thread started would end with that thread.

    Args:
        parent: Process id of the parent, as the parent knows it.
    """
    # a fork server (Python 3.14 starts one by itself) is the parent of all that it forks
    work = _watch if os.getppid() == parent else _watch_creator
    threading.Thread(target=work, args=(parent,), name="die-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os._exit(1)


def _watch_creator(parent: int) -> None:
    """The same by the pipe that the creator holds open; a forked sibling would hold it open as well."""
    creator = multiprocessing.parent_process()
    while creator is not None and creator.pid == parent and creator.is_alive():
        time.sleep(_PAUSE)
    os._exit(1)
