"""Worker processes that end with their parent, even if that was killed."""

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
    threading.Thread(target=_watch, args=(parent,), name="die-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os._exit(1)
