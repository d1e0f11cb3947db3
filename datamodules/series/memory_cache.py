"""In-memory cache of series in one process: the least recently used ones give way.

`functools.lru_cache` counts entries, and a series may take a kilobyte or a gigabyte: this one counts bytes.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock

import numpy as np

from datamodules.series.series import Series

LIMIT = 256 * 2**20  # bytes a process, our choice: some thousand short series, or the parsed hours of a few
_MAPPED = 64 * 2**10  # bytes that an entry counts besides its arrays, and one that lies in a mapped file


class Kept:
    """Least-recently-used cache of series by key, limited in bytes; thread-safe.

    Arrays that are mapped from a file hardly count: the system keeps their pages and takes them back.

    Args:
        limit: Bytes of all entries together; a single larger one is not kept.
    """

    def __init__(self, *, limit: int = LIMIT) -> None:
        self._limit, self._size, self._lock = limit, 0, Lock()
        self._entries: OrderedDict[Hashable, Series] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Series]) -> Series:
        """The series of the key, made if it is not there; two threads may make it both."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key]
        series = make()
        if _bytes(series) <= self._limit:
            with self._lock:
                if key in self._entries:  # another thread made it meanwhile
                    self._size -= _bytes(self._entries.pop(key))
                self._entries[key] = series
                self._size += _bytes(series)
                while self._size > self._limit:
                    self._size -= _bytes(self._entries.popitem(last=False)[1])
        return series


def _bytes(series: Series) -> int:
    arrays = (series.values, series.valid, series.seconds)
    private = [array for array in arrays if array is not None and not isinstance(array, np.memmap)]
    return _MAPPED + sum(array.nbytes for array in private)


KEPT = Kept()
