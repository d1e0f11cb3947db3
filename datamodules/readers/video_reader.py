"""The `VideoReader` base class of all readers: open and close, the process it belongs to, checked indices."""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from torch import Tensor

from datamodules.readers.index.packet_index import PacketIndex


class VideoReader(ABC):
    """Exact access to the frames of one video file, in presentation order.

    It is closed once and stays inside the process that opened it.

    Args:
        index: What is known of the file.

    Attributes:
        n_frames: frames that are shown when the file is played.
        fps: mean frame rate in 1/s.
        height: pixels, upright (after the display rotation).
        width: pixels, upright.
    """

    def __init__(self, index: PacketIndex) -> None:
        self.n_frames, self.fps = index.n_frames, index.fps
        self.height, self.width = index.height, index.width
        self._pid = os.getpid()
        self._closed = False

    @abstractmethod
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

    def close(self) -> None:
        """Release the file; harmless when repeated."""
        if not self._closed:
            self._closed = True
            self._release()

    @abstractmethod
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
