"""The `VideoReader` protocol, and the handle and checks that all video readers share."""

import os
import threading
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, runtime_checkable

from torch import Tensor

if TYPE_CHECKING:
    from datamodules.readers.index.packet_index import PacketIndex


@runtime_checkable
class VideoReader(Protocol):
    """Exact access to the frames of one video file, in presentation order.

    Attributes:
        n_frames: frames that are shown when the file is played.
        fps: mean frame rate in 1/s.
        height: pixels, upright (after the display rotation).
        width: pixels, upright.
    """

    n_frames: int
    fps: float
    height: int
    width: int

    def frames(self, indices: Sequence[int], *, size: tuple[int, int] | None = None) -> Tensor:
        """Return the frames `indices` (any order, repeats allowed): uint8 (T, 3, height, width), RGB.

        Args:
            indices: numbers of frames. Frame n is the n-th picture that the decoder shows; one that stays on
                the screen, because the camera dropped the next, is counted once.
            size: height and width to scale each frame to from its own size, which may change within a call;
                None scales to the size of the video's first frame.

        Raises:
            IndexError: if an index lies outside `0 .. n_frames - 1`.
            UnreadableVideo: if a requested frame cannot be decoded.
        """
        ...

    def close(self) -> None:
        """Release the file; harmless when repeated."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


_LOCK = threading.Lock()
_OPEN: Counter[int] = Counter()  # per process: a forked worker must not inherit its parent's count


def open_readers() -> int:
    """Number of readers that this process opened and has not closed."""
    return _OPEN[os.getpid()]


class Handle:
    """Counts an open reader, closes it once, and keeps it inside the process that opened it.

    Args:
        index: what is known of the file.
    """

    def __init__(self, index: "PacketIndex") -> None:
        self.n_frames, self.fps = index.n_frames, index.fps
        self.height, self.width = index.height, index.width
        self._pid = os.getpid()
        self._closed = False
        with _LOCK:
            _OPEN[self._pid] += 1

    def close(self) -> None:
        """Release the file; harmless when repeated."""
        if self._closed:
            return
        self._closed = True
        with _LOCK:
            _OPEN[self._pid] -= 1
        self._release()

    def _release(self) -> None:
        """Free what the backend holds."""

    def _check_usable(self) -> None:
        """Refuse a closed reader, and a forked one: decoders hang or crash in a child process."""
        if self._closed:
            raise ValueError("this reader is closed; open the video again with open_video(path)")
        if self._pid != os.getpid():
            raise RuntimeError("this reader was opened in another process; open videos inside the worker")

    def __reduce__(self) -> tuple[object, ...]:
        # Some decoders pickle a raw pointer and crash in the other process.
        raise TypeError(f"a {type(self).__name__} cannot be pickled; send the path and open it in the worker")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def check_indices(indices: Sequence[int], n_frames: int, name: str) -> list[int]:
    """Return the indices as plain integers.

    Raises:
        IndexError: if one lies outside the video, negative ones included.
        ValueError: if there is none.
    """
    plain = [int(index) for index in indices]
    if not plain:
        raise ValueError(f"{name}: no frame was asked for; pass at least one index")
    for index in plain:
        if not 0 <= index < n_frames:
            raise IndexError(
                f"{name}: frame {index} does not exist; the video has frames 0 to {n_frames - 1}"
            )
    return plain
