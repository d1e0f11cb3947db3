"""Things that hide a face: a hand, a cup in a hand, a sheet of paper, and how much of the face each hides.

A thing comes along a line through the middle of the face, its tip ahead. Coordinates are half face heights
from the middle of the face: `x` across the line, `y` back from the tip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from datamodules.synthetic.appearance import Color

FloatArray = npt.NDArray[np.float64]
KINDS = ("hand", "cup", "sheet")
_GRID = 96  # pixels a half face height while a share is measured
_FAR = 3.0  # where nothing is hidden any more
_SHIFT = 4  # OpenCV's fixed-point bits


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """A polygon of a thing ``(n, 2)`` and its color."""

    points: FloatArray
    color: Color


def pieces(kind: int, skin: Color, sleeve: Color) -> list[Piece]:
    """The polygons of a thing, those in front last."""
    return [_hand, _cup, _sheet][kind](skin, sleeve)


def placed(points: FloatArray, *, angle: float, depth: float) -> FloatArray:
    """A polygon turned to the line of approach (0 is from below), its tip `depth` beyond the middle."""
    across, down = points[:, 0], points[:, 1] - depth
    cos, sin = math.cos(angle), math.sin(angle)
    return np.stack([cos * across - sin * down, sin * across + cos * down], axis=1)


def depth_for(share: float, oval: FloatArray, kind: int, angle: float) -> float:
    """How far a thing reaches so that it hides a share of an oval ``(n, 2)``, or as far as it can."""
    outlines = [piece.points for piece in pieces(kind, (0, 0, 0), (0, 0, 0))]
    low, high = -_FAR, 1.0
    for _ in range(10):
        middle = (low + high) / 2
        moved = [placed(points, angle=angle, depth=middle) for points in outlines]
        low, high = (middle, high) if hidden_share(oval, moved, unit=_GRID) < share else (low, middle)
    return (low + high) / 2


def hidden_share(oval: FloatArray, outlines: list[FloatArray], *, unit: float = 1.0) -> float:
    """Share of an oval ``(n, 2)`` that polygons cover, counted in `unit` pixels a length of 1."""
    low, high = oval.min(axis=0), oval.max(axis=0)
    size = np.maximum(np.ceil((high - low) * unit).astype(int) + 2, 1)
    face, cover = np.zeros((2, size[1], size[0]), dtype=np.uint8)
    fill(face, (oval - low) * unit + 1, 1)
    for points in outlines:
        fill(cover, (points - low) * unit + 1, 1)
    area = int(face.sum())
    return float((face & cover).sum() / area) if area else 0.0


def fill(
    image: npt.NDArray[np.uint8], points: FloatArray, color: Color | int, *, smooth: bool = False
) -> None:
    """Fill a polygon ``(n, 2)`` in pixels, with soft edges if asked."""
    fixed = np.rint(np.clip(points, -1e5, 1e5) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(image, [fixed], color, cv2.LINE_AA if smooth else cv2.LINE_8, _SHIFT)


def _box(left: float, top: float, right: float, bottom: float) -> FloatArray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]])


def _dark(color: Color, share: float) -> Color:
    return (share * color[0], share * color[1], share * color[2])


def _hand(skin: Color, sleeve: Color) -> list[Piece]:
    """Four fingers side by side, the palm below them, a thumb, an arm."""
    tips = (0.10, 0.0, 0.03, 0.16)
    ring = np.linspace(0, math.pi, 9)
    round_end = np.stack([0.105 * np.cos(ring), -0.105 * np.sin(ring) + 0.105], axis=1)
    fingers = []
    for number, tip in enumerate(tips):
        end = round_end + np.array([-0.33 + 0.22 * number, tip])
        finger = np.concatenate([end, [[end[-1, 0], 0.85], [end[0, 0], 0.85]]])
        fingers.append(Piece(points=finger, color=_dark(skin, 0.93 + 0.03 * (number % 2))))
    palm = np.array([[-0.44, 0.7], [0.44, 0.7], [0.42, 1.2], [0.26, 1.6], [-0.26, 1.6], [-0.46, 1.2]])
    thumb = np.array([[0.40, 1.15], [0.72, 0.72], [0.80, 0.78], [0.66, 1.15], [0.36, 1.45]])
    return [
        Piece(points=_box(-0.30, 1.5, 0.30, 6.0), color=sleeve),
        Piece(points=thumb, color=_dark(skin, 0.88)),
        *fingers,
        Piece(points=palm, color=_dark(skin, 0.95)),
    ]


def _cup(skin: Color, sleeve: Color) -> list[Piece]:
    """A tall cup, held from below."""
    cup = np.array([[-0.52, 0.0], [0.52, 0.0], [0.42, 1.3], [-0.42, 1.3]])
    fingers = [_box(-0.46, 0.55 + 0.2 * row, 0.30, 0.72 + 0.2 * row) for row in range(3)]
    return [
        Piece(points=_box(-0.30, 1.1, 0.30, 6.0), color=sleeve),
        Piece(points=cup, color=(226.0, 222.0, 210.0)),
        Piece(points=cup * [0.93, 0.0] + [0.0, 0.03] + np.array([[0, 0], [0, 0], [0, 0.10], [0, 0.10]]),
              color=(150.0, 60.0, 50.0)),
        *(Piece(points=finger, color=_dark(skin, 0.94)) for finger in fingers),
    ]  # fmt: skip


def _sheet(skin: Color, sleeve: Color) -> list[Piece]:
    """A sheet with lines of text, held by a thumb."""
    lines = [_box(-0.7, 0.25 + 0.22 * row, 0.7 - 0.2 * (row % 3), 0.31 + 0.22 * row) for row in range(8)]
    return [
        Piece(points=_box(0.2, 1.9, 0.7, 6.0), color=sleeve),
        Piece(points=_box(-0.85, 0.0, 0.85, 2.2), color=(238.0, 236.0, 230.0)),
        *(Piece(points=line, color=(120.0, 120.0, 130.0)) for line in lines),
        Piece(points=_box(0.35, 1.7, 0.55, 2.2), color=_dark(skin, 0.94)),
    ]
