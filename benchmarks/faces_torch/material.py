"""Frames of 640 x 480 to look at: a photograph and drawn faces, both moved about, and a drawn room."""

from collections.abc import Sequence

import cv2
import numpy as np

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import render
from datamodules.synthetic.gallery import neutral
from datamodules.synthetic.room.room import draw_room
from preprocessing.faces.face import Frame

WIDTH, HEIGHT = 640, 480
_ROOM_S, _ROOM_FPS = 20.0, 12.0  # long enough for all that happens there
_ROLL, _SCALE, _SHIFT = 25.0, (0.5, 1.3), 60.0  # degrees, and pixels


def materials(count: int) -> dict[str, list[Frame]]:
    """So many frames of each."""
    drawn = [render(Appearance.draw(seed), neutral(), 400) for seed in range(8)]
    room = draw_room(5, seconds=_ROOM_S, fps=_ROOM_FPS)
    every = max(1, len(room) // count)
    return {
        "photograph": photographs(count),
        "drawn faces": _moved(drawn, count, seed=1),
        "drawn room": list(room.frames())[::every][:count],
    }


def photographs(count: int) -> list[Frame]:
    """So many views of one photograph, which scikit-image holds."""
    from skimage.data import astronaut  # of the extra `dev`

    return _moved([astronaut()], count, seed=0)


def _moved(pictures: Sequence[Frame], count: int, *, seed: int) -> list[Frame]:
    """Pictures in turn, rolled, scaled and shifted within the frame."""
    rng = np.random.default_rng(seed)
    frames = []
    for number in range(count):
        picture = pictures[number % len(pictures)]
        middle = np.array(picture.shape[1::-1]) / 2
        matrix = cv2.getRotationMatrix2D(middle.tolist(), rng.uniform(-_ROLL, _ROLL), rng.uniform(*_SCALE))
        matrix[:, 2] += np.array([WIDTH, HEIGHT]) / 2 - middle + rng.uniform(-_SHIFT, _SHIFT, 2)
        frames.append(cv2.warpAffine(picture, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE))
    return frames
