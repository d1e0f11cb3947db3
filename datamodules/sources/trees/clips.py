"""Tiny made-up video files: encoded in milliseconds, readable by every reader, no two the same."""

from pathlib import Path

import av
import numpy as np

_SIDE, _FPS = 32, 30
_FRAMES = (10, 20)  # drawn from; below the upper end


def write_clip(path: Path, rng: np.random.Generator) -> None:
    """Write 10-19 frames of 32 x 32 pixels at 30 frames/s: a colored plane on which a square wanders.

    Args:
        path: File to write; its folder is made.
        rng: Decides color, length and way of the square.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=_FPS, options={"preset": "ultrafast"})
        stream.width = stream.height = _SIDE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1  # threads cost more than such pictures
        for picture in _pictures(rng):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def _pictures(rng: np.random.Generator) -> np.ndarray:
    count = int(rng.integers(*_FRAMES))
    pictures = np.tile(rng.integers(30, 226, 3, dtype=np.uint8), (count, _SIDE, _SIDE, 1))
    ink = rng.integers(0, 256, 3, dtype=np.uint8)
    for number, (row, column) in enumerate(rng.integers(0, _SIDE - 8, (count, 2))):
        pictures[number, row : row + 8, column : column + 8] = ink
    return pictures
