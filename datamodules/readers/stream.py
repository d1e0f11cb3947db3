"""All frames of a video from first to last, as arrays and with their times: what a pass over a file reads."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from datamodules.readers.errors import UnreadableVideo
from datamodules.readers.index.index_cache import packet_index
from datamodules.readers.pyav import Cursor, to_rgb
from datamodules.readers.resize import resize


class FrameStream:
    """The frames of one video in order, equal to those of `open_video` bit for bit.

    Nothing is held open between two passes, and one frame at a time is in memory.

    Args:
        path: Video file.

    Attributes:
        n_frames: frames that are shown when the file is played.
        fps: mean frame rate in 1/s.
        height: pixels, upright.
        width: pixels, upright.
        seconds: times of the frames ``(T,)`` from the first one on; by the mean rate where a file has none.
        remarks: what speaks against the file although its frames may be right, a sentence each.

    Raises:
        UnreadableVideo: The file is missing, empty, truncated or corrupt.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._index = Path(path), packet_index(path)
        self.n_frames, self.fps = self._index.n_frames, self._index.fps
        self.height, self.width = self._index.height, self._index.width
        self.remarks = self._index.remarks
        self.seconds = self._seconds()

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Decode from the start: uint8 ``(H, W, 3)``, RGB, upright, all of the size of the first.

        Raises:
            UnreadableVideo: A frame is damaged; says which, and when it is shown.
        """
        cursor, converter = Cursor(self._path, self._index, str(self._path)), VideoReformatter()
        count = 0
        try:
            for count, frame in cursor.read(range(self.n_frames)):
                yield self._upright(to_rgb(frame, converter))
                count += 1
        except UnreadableVideo as fault:
            raise UnreadableVideo(
                f"{self._path}: damaged from {self.seconds[count]:.1f} s on (frame {count} of "
                f"{self.n_frames}). Copy the file again from its source, or cut it before that."
            ) from fault
        finally:
            cursor.close()

    def _upright(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self._index.rotation:
            pixels = np.rot90(pixels, self._index.rotation // 90)
        pixels = np.ascontiguousarray(pixels)  # the rows of odd widths are padded
        if pixels.shape[:2] == (self.height, self.width):
            return pixels
        # as the readers do where a call lowers its resolution
        frame = torch.from_numpy(pixels).permute(2, 0, 1)
        scaled = resize(frame, height=self.height, width=self.width)
        return np.ascontiguousarray(scaled.permute(1, 2, 0).numpy())

    def _seconds(self) -> NDArray[np.float64]:
        index = self._index
        ticks = (index.pts - index.pts[0]).astype(np.float64)
        clocked = index.timed or not np.array_equal(index.pts, np.arange(index.n_frames))
        if clocked and index.time_base:
            return np.asarray(ticks * float(index.time_base))
        return np.asarray(ticks / index.fps if index.fps > 0 else ticks)
