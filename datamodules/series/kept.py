"""In-memory cache of series in one process: the least recently used ones give way."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import NamedTuple

import numpy as np

from datamodules.series.series import Series

LIMIT = 256 * 2**20  # bytes a process, our choice: some thousand short series, or the parsed hours of a few
_MAPPED = 64 * 2**10  # bytes that an entry counts besides its arrays, and one that lies in a mapped file


class _Entry(NamedTuple):
    series: Series
    size: int


class Kept:
    """Least-recently-used cache of series by key, limited in bytes; thread-safe.

    Arrays that are mapped from a file hardly count: the system keeps their pages and takes them back.

    Args:
        limit: Bytes of all entries together; a single larger one is not kept.
    """

    def __init__(self, *, limit: int = LIMIT) -> None:
        self._limit, self._size, self._lock = limit, 0, Lock()
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Series]) -> Series:
        """The series of the key, made if it is not there; two threads may make it both."""
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
                return self._entries[key].series
        series = make()
        size = _MAPPED + sum(_private(array) for array in (series.values, series.valid, series.seconds))
        if size <= self._limit:
            with self._lock:
                self._add(key, _Entry(series, size))
        return series

    def _add(self, key: Hashable, entry: _Entry) -> None:
        if key in self._entries:
            self._size -= self._entries.pop(key).size
        self._entries[key] = entry
        self._size += entry.size
        while self._size > self._limit:
            self._size -= self._entries.popitem(last=False)[1].size


def _private(array: np.ndarray | None) -> int:
    return 0 if array is None or isinstance(array, np.memmap) else array.nbytes


KEPT = Kept()
