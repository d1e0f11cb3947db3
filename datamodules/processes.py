"""Worker processes that end with their parent, even if that was killed."""

import multiprocessing
import os
import threading
import time

_PAUSE = 0.5  # seconds between two looks; our choice


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
