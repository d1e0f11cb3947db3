"""Aligned clips as H.264 that decodes fast: small files, and the default."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from datamodules.synthetic.video import GOP, h264, write_video
from preprocessing.faces.face import Frame


class H264Store:
    """One MP4 a recording: x264 `veryfast`, tuned for decoding, short groups of pictures, no B-frames.

    The frames keep the times of their source, so that a variable rate stays one.

    Args:
        crf: Constant rate factor, 0 (best) to 51; 18 cannot be told from its source by eye.
        gop: Frames from one keyframe to the next; 1 makes every frame a keyframe.

    Raises:
        ValueError: A value is out of its range.
    """

    suffix = ".mp4"

    def __init__(self, *, crf: int = 18, gop: int = GOP) -> None:
        if not 0 <= crf <= 51 or gop < 1:
            raise ValueError(f"crf={crf}, gop={gop}: crf must be 0 to 51 and gop 1 or more")
        self._coding = h264(crf=crf, gop=gop)

    def write(self, path: Path, crops: Iterable[Frame], seconds: NDArray[np.float64], *, fps: float) -> int:
        """Write all crops and return how many; the file appears when it is whole."""
        return write_video(path, crops, fps=fps, seconds=seconds, coding=self._coding)
