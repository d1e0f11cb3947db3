"""A drawn person as a cut-out that can stand anywhere in a picture: sprite, outline, oval of the face."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from datamodules.synthetic import face
from datamodules.synthetic.appearance import Appearance, Color
from datamodules.synthetic.face import FACE_SIZE, Placement
from datamodules.synthetic.geometry import Parts, face_parts
from datamodules.synthetic.latent import CHANNELS

FloatArray = npt.NDArray[np.float64]
Picture = npt.NDArray[np.uint8]

_SPAN = 3.2  # height of a sprite in half face heights: from above the hair to below the shoulders
_RISE = -0.11  # the face lies above the middle of its sprite
_SIZES = tuple(int(2 * round(24 * 1.35**k)) for k in range(11))  # sides of sprites; a ladder of 35 %
_BELOW = slice(24, 48)  # points of the skull from the right of the image under the chin


class _Painter(face._Painter):  # its file stays as it is: the code there names the cohorts that are made
    """Paints RGBA on nothing, premultiplied, so that soft edges let the room through."""

    def _backdrop(self) -> Picture:
        side = face._SUPERSAMPLE * self._size
        self._image = np.zeros((side, side, 4), dtype=np.uint8)
        return self._image

    def _fill(self, points: FloatArray, color: Color) -> None:
        super()._fill(points, (*color, 255.0))  # type: ignore[arg-type]

    def _stroke(self, points: FloatArray, color: Color, width: float) -> None:
        super()._stroke(points, (*color, 255.0), width)  # type: ignore[arg-type]

    def _disc(self, center: FloatArray, radius: float, color: Color) -> None:
        super()._disc(center, radius, (*color, 255.0))  # type: ignore[arg-type]

    def sprite(self, parts: Parts, row: npt.NDArray[np.floating], *, back: bool) -> Picture:
        """The canvas at twice the size asked for: the step down would be lost in the next warp."""
        if not back:
            self._light = np.ones((self._size, self._size, 4), dtype=np.float32)
            self.paint(parts, row)
            return self._image
        np.copyto(self._image, self._clean)
        self._head(parts, dict(zip(CHANNELS, row.tolist(), strict=True)))
        for name in ("mane", "skull", "hair"):
            self._fill(parts[name], self._look.hair)
        return self._image


class Person:
    """A person's lines over time, drawn wherever the script puts the face.

    Args:
        look: who is drawn.
        series: behavior channels ``(T, F)``, head pose included.
    """

    def __init__(self, look: Appearance, series: npt.NDArray[np.floating]) -> None:
        self.look, self.series = look, series
        self._parts = face_parts(look.shape, series, hairline=look.hairline, parting=look.parting)
        self._painters: dict[int, _Painter] = {}

    def parts(self, t: int) -> Parts:
        """The lines of a frame, in half face heights."""
        return {name: points[min(t, len(points) - 1)] for name, points in self._parts.items()}

    def oval(self, t: int) -> FloatArray:
        """The border of the face ``(n, 2)``: the skull below the hairline, closed over the forehead."""
        parts = self.parts(t)
        skull, hair = parts["skull"], parts["hair"]
        fringe = hair[len(hair) // 2 :]  # from the right of the image to the left
        return np.concatenate([skull[_BELOW], skull[:1], fringe[::-1]])

    def outline(self, t: int) -> list[FloatArray]:
        """Polygons that hide what is behind the person."""
        parts = self.parts(t)
        names = ["skull", "hair", "ear_l", "ear_r", *(["mane"] if self.look.long_hair else [])]
        return [*(parts[name] for name in names), *self._trunk()]

    def draw(self, frame: Picture, t: int, to_frame: FloatArray, *, back: bool) -> None:
        """Paint the person into a frame.

        Args:
            frame: RGB, changed in place.
            t: frame number.
            to_frame: ``(2, 3)`` from half face heights to pixels.
            back: whether the back of the head is seen.
        """
        unit = float(np.hypot(*to_frame[:, 0]))
        side = next((s for s in _SIZES if s >= _SPAN * unit), _SIZES[-1])
        painter = self._painters.setdefault(side, _Painter(self.look, side // 2, _PLACE))
        image = painter.sprite(self.parts(t), self.series[t], back=back)
        # from the sprite's pixels to half face heights, and on to the frame
        inverse = np.array([[1, 0, -painter._origin[0]], [0, 1, -painter._origin[1]], [0, 0, painter._unit]])
        matrix = to_frame @ (inverse / painter._unit)
        below = (self._trunk()[1] + [0.0, 0.75]) @ to_frame[:, :2].T + to_frame[:, 2]
        cv2.fillPoly(frame, [np.rint(below).astype(np.int32)], self.look.clothes, cv2.LINE_AA)
        _blend(frame, image, matrix)

    def _trunk(self) -> list[FloatArray]:
        """Neck and shoulders as `face` draws them, and the body below."""
        width = self.look.shape.width
        neck = np.array([[-0.55, 0.55], [0.55, 0.55], [0.60, 1.5], [-0.60, 1.5]]) * [width, 1.0]
        body = np.array([[-1.6, 1.2], [1.6, 1.2], [1.8, 9.0], [-1.8, 9.0]]) * [width, 1.0]
        return [neck, body]


_PLACE = Placement(scale=1 / (_SPAN * FACE_SIZE), shift_y=_RISE)


def _blend(frame: Picture, image: Picture, matrix: FloatArray) -> None:
    """Lay a premultiplied RGBA picture over a frame, where a matrix ``(2, 3)`` takes it."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) @ matrix[:, :2].T + matrix[:, 2]
    low = np.clip(np.floor(corners.min(axis=0)), 0, [frame.shape[1], frame.shape[0]]).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, [frame.shape[1], frame.shape[0]]).astype(int)
    if (high <= low).any():
        return
    local = matrix.copy()
    local[:, 2] -= low
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    warped = cv2.warpAffine(image, local, size, flags=cv2.INTER_LINEAR)
    place = frame[low[1] : high[1], low[0] : high[0]]
    through = cv2.cvtColor(255 - warped[:, :, 3], cv2.COLOR_GRAY2RGB)
    cv2.add(cv2.multiply(place, through, scale=1 / 255), warped[:, :, :3], dst=place)
