"""The room behind the people: walls, furniture, a poster, a window whose light changes, things that move."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from datamodules.synthetic.room.occluder import fill

FloatArray = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

_MARGIN = 32  # pixels around the picture that a shaking camera may show
_SKY = np.array([205.0, 222.0, 240.0])


class Backdrop:
    """One room, drawn once; what moves in it is added to each frame.

    Args:
        rng: draws the room.
        width: of the picture in pixels.
        height: of the picture in pixels.
    """

    def __init__(self, rng: np.random.Generator, *, width: int, height: int) -> None:
        self._size = (width, height)
        self._image = np.zeros((height + 2 * _MARGIN, width + 2 * _MARGIN, 3), dtype=np.uint8)
        self._wall(rng)
        self._poster(rng)
        self._shelf(rng)
        self._plant(rng)
        side = float(rng.choice([0.04, 0.72]))
        self._panes = [self._rect(side + 0.13 * k, 0.08, 0.12, 0.36) for k in range(2)]
        self._frame_of_panes(side)
        self._screen = self._rect(0.86 - side, 0.52, 0.20, 0.16)
        self._rate = rng.uniform(0.2, 1.5)
        self._swing = (rng.uniform(0.35, 0.65), rng.uniform(0.5, 1.2))

    def view(self, camera: FloatArray, window: float, second: float) -> Picture:
        """The room through a camera.

        Args:
            camera: ``(2, 3)`` from the still picture to the frame, in pixels.
            window: light behind the window, 0 to 1.
            second: time in seconds.
        """
        matrix = camera.copy()
        matrix[:, 2] -= camera[:, :2] @ np.array([_MARGIN, _MARGIN])
        out: Picture = cv2.warpAffine(self._image, matrix, self._size, borderMode=cv2.BORDER_REPLICATE)
        for pane in self._panes:
            self._show(out, camera, pane, _SKY * (0.25 + 0.8 * window))
        self._show(out, camera, self._screen, np.array([26.0, 30.0, 44.0]))
        left, top = self._screen[0]
        across = self._screen[1, 0] - left
        for row in range(3):
            share = 0.5 + 0.45 * math.sin(2 * math.pi * self._rate * second + 2.1 * row)
            bar = np.array([[0, 0], [share * across, 0], [share * across, 12], [0, 12]])
            self._show(
                out,
                camera,
                bar + np.array([left, top + 10 + 22 * row]),
                np.array([90.0, 190.0, 130.0 + 40 * row]),
            )
        self._pendulum(out, camera, second)
        return out

    def _rect(self, left: float, top: float, width: float, height: float) -> FloatArray:
        """A rectangle from shares of the picture, in its pixels."""
        corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) + np.array([left, top])
        return np.asarray(corners * np.array(self._size, dtype=np.float64))

    def _paint(self, points: FloatArray, color: FloatArray) -> None:
        fill(self._image, points + _MARGIN, _color(color), smooth=True)

    def _show(self, frame: Picture, camera: FloatArray, points: FloatArray, color: FloatArray) -> None:
        fill(frame, points @ camera[:, :2].T + camera[:, 2], _color(color), smooth=True)

    def _wall(self, rng: np.random.Generator) -> None:
        height, width = self._image.shape[:2]
        color, floor = rng.uniform(90, 190) + rng.uniform(-25, 25, 3), rng.uniform(50, 120, 3)
        shade = np.linspace(1.1, 0.8, width)[None, :, None] * np.linspace(1.05, 0.9, height)[:, None, None]
        self._image[:] = np.clip(color * shade, 0, 255)
        for stripe in np.arange(0, 1.1, rng.uniform(0.04, 0.09)):  # wallpaper
            self._paint(self._rect(float(stripe), -0.1, 0.012, 0.95), color * 0.93)
        self._paint(self._rect(-0.1, 0.82, 1.2, 0.3), floor)
        self._paint(self._rect(-0.1, 0.80, 1.2, 0.02), color * 0.6)

    def _poster(self, rng: np.random.Generator) -> None:
        left, top = rng.uniform(0.40, 0.52), rng.uniform(0.03, 0.08)
        self._paint(self._rect(left, top, 0.18, 0.26), np.array([40.0, 36.0, 34.0]))
        self._paint(self._rect(left + 0.008, top + 0.01, 0.164, 0.24), rng.uniform(120, 240, 3))
        for _ in range(6):
            x, y = left + rng.uniform(0.01, 0.12), top + rng.uniform(0.02, 0.18)
            self._paint(
                self._rect(x, y, rng.uniform(0.01, 0.05), rng.uniform(0.01, 0.06)), rng.uniform(20, 240, 3)
            )

    def _shelf(self, rng: np.random.Generator) -> None:
        left = float(rng.choice([0.02, 0.70]))
        for row in range(2):
            board = 0.60 + 0.17 * row
            place = left + 0.01
            while place < left + 0.25:
                thick, tall = rng.uniform(0.010, 0.028), rng.uniform(0.08, 0.13)
                self._paint(self._rect(place, board - tall, thick, tall), rng.uniform(30, 210, 3))
                place += thick + 0.002
            self._paint(self._rect(left, board, 0.28, 0.018), np.array([96.0, 66.0, 42.0]))

    def _plant(self, rng: np.random.Generator) -> None:
        x, y = (np.array([rng.uniform(0.30, 0.36), 0.80]) * self._size).tolist()
        for angle in np.linspace(-1.2, 1.2, 9):
            tip = np.array([x + 90 * math.sin(angle), y - 110 * math.cos(0.8 * angle)])
            wide = np.array([4, 0])
            leaf = np.array([[x - 6, y], tip - wide, tip, tip + wide, [x + 6, y]])
            self._paint(leaf, np.array([40.0, rng.uniform(80, 140), 50.0]))
        self._paint(
            np.array([[x - 26, y], [x + 26, y], [x + 18, y + 50], [x - 18, y + 50]]),
            np.array([150.0, 84, 60]),
        )

    def _frame_of_panes(self, left: float) -> None:
        self._paint(self._rect(left - 0.012, 0.06, 0.274, 0.40), np.array([232.0, 230.0, 224.0]))

    def _pendulum(self, frame: Picture, camera: FloatArray, second: float) -> None:
        share, rate = self._swing
        top, wide = np.array([share * self._size[0], 0.0]), np.array([1.0, 0.0])
        angle = 0.5 * math.sin(2 * math.pi * rate * second)
        end = top + 0.16 * self._size[1] * np.array([math.sin(angle), math.cos(angle)])
        ring = np.linspace(0, 2 * math.pi, 13)[:-1]
        self._show(frame, camera, np.array([top - wide, top + wide, end]), np.array([60.0, 50.0, 40.0]))
        self._show(
            frame, camera, end + 10 * np.stack([np.cos(ring), np.sin(ring)], 1), np.array([200.0, 170, 60])
        )


def _color(values: FloatArray) -> tuple[float, float, float]:
    r, g, b = np.clip(values, 0, 255).tolist()
    return (r, g, b)
