"""Prefetching: decodes the next batches while the network works on this one."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any


class Prefetch:
    """Iterates over a loader and applies a transform to each batch in a side thread, a few batches ahead.

    Lightning calls its transfer hooks in the training loop itself, so a hook never overlaps with a step;
    this wrapper does. An error in the thread is raised where the batch would have been returned.

    Args:
        loader: any iterable over batches.
        transform: what to do with a batch, for example decode its clips on the device.
        depth: batches held ready.

    Examples:
        >>> list(Prefetch([1, 2, 3], lambda batch: 10 * batch))
        [10, 20, 30]
    """

    def __init__(self, loader: Iterable[Any], transform: Callable[[Any], Any], *, depth: int = 2) -> None:
        if depth < 1:
            raise ValueError(f"depth must be positive, got {depth}")
        self.loader, self.transform, self.depth = loader, transform, depth

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]  # as the loader: a TypeError where it has no length

    def __getattr__(self, name: str) -> Any:
        # Lightning finds the samplers here when it announces an epoch.
        if name.startswith("__") or "loader" not in vars(self):
            raise AttributeError(name)
        return getattr(self.loader, name)

    def __iter__(self) -> Iterator[Any]:
        ready: queue.Queue[tuple[str, Any]] = queue.Queue(self.depth)
        stop = threading.Event()
        thread = threading.Thread(target=self._fill, args=(ready, stop), name="prefetch", daemon=True)
        thread.start()
        try:
            while True:
                kind, value = ready.get()
                if kind == "end":
                    return
                if kind == "error":
                    raise value
                yield value
        finally:
            stop.set()
            thread.join()

    def _fill(self, ready: "queue.Queue[tuple[str, Any]]", stop: threading.Event) -> None:
        try:
            for batch in self.loader:
                if not _put(ready, ("batch", self.transform(batch)), stop):
                    return
            _put(ready, ("end", None), stop)
        except BaseException as error:  # it belongs to the thread that waits for the batch
            _put(ready, ("error", error), stop)


def _put(ready: "queue.Queue[tuple[str, Any]]", item: tuple[str, Any], stop: threading.Event) -> bool:
    """Queue an item unless the consumer has left; waiting forever would keep the program alive."""
    while not stop.is_set():
        try:
            ready.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
