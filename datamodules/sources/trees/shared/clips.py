"""Tiny made-up video files: encoded in milliseconds, readable by every reader, no two the same."""

from pathlib import Path

import numpy as np

from datamodules.synthetic.video import write_video

_SIDE = 32
_FRAMES = (10, 20)  # drawn from; below the upper end


def write_clip(path: Path, rng: np.random.Generator, *, frames: int | None = None, fps: float = 30.0) -> None:
    """Write frames of 32 x 32 pixels: a colored plane on which a square wanders.

    Args:
        path: File to write; its folder is made.
        rng: Decides color, length and way of the square.
        frames: How many; None draws 10 to 19.
        fps: Frames per second.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    count = int(rng.integers(*_FRAMES)) if frames is None else frames
    pictures = np.tile(rng.integers(30, 226, 3, dtype=np.uint8), (count, _SIDE, _SIDE, 1))
    ink = rng.integers(0, 256, 3, dtype=np.uint8)
    for number, (row, column) in enumerate(rng.integers(0, _SIDE - 8, (count, 2))):
        pictures[number, row : row + 8, column : column + 8] = ink
    write_video(path, pictures, fps=fps)
