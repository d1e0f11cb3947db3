"""Small videos of drawn persons before a wall, for caches that are made many times."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import Placement, render
from datamodules.synthetic.latent import CHANNELS
from datamodules.synthetic.video import write_video
from preprocessing.faces.face import Frame

HEIGHT, WIDTH, SIDE, FPS = 240, 320, 192, 25.0  # pixels, the third of the picture of the face


def write_videos(folder: Path, count: int) -> None:
    """Write videos of unlike length, one of them without a person and one that is no video."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        seed = None if number == 1 else number
        write_video(folder / f"person {number}.mp4", _scene(seed, 26 + 9 * number), fps=FPS)
    (folder / "notes.mp4").write_text("no video\n" * 100)


def _scene(seed: int | None, frames: int) -> Iterator[Frame]:
    wall = np.full((HEIGHT, WIDTH, 3), (150, 140, 130), np.uint8)
    cv2.rectangle(wall, (20, 30), (80, 70), (60, 90, 120), cv2.FILLED)
    face = wall[:SIDE, :SIDE]
    if seed is not None:
        face = render(Appearance.draw(seed), np.zeros(len(CHANNELS), np.float32), SIDE, Placement())
    for number in range(frames):
        frame = wall.copy()
        left = round((WIDTH - SIDE) / 2 + 12 * np.sin(number / 6))
        if seed is not None:
            frame[HEIGHT - SIDE :, left : left + SIDE] = face
        yield frame
