"""What is true of each frame of a room, and from where on a frame cannot be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# From where on a frame is to be masked (our choice, but for the first, which the task states).
HIDDEN = 0.30  # share of the face's oval
OUTSIDE = 0.10  # share of the oval beyond the border of the picture
BLUR = 0.02  # sigma as a share of the face's width
DARK, BRIGHT = 0.10, 0.93  # mean luminance of lit skin
TURNED = 0.25 * np.pi  # yaw (rad)
_GONE = 0.50  # share of the oval beyond the border from which on there is no face


@dataclass(frozen=True, kw_only=True, eq=False)
class Truth:
    """The truth of `T` frames; pixels of the frame, whose centers lie at whole numbers.

    Attributes:
        boxes: ``(T, 4)`` left, top, right, bottom around the oval of the person's face (the skull's outline
            below the hairline), what lies outside the picture included; NaN while there is no face.
        landmarks: ``(T, K, 2)`` in the order of `face.LANDMARKS`; NaN while there is no face.
        ovals: ``(T, N, 2)`` the border that the box is around; NaN while there is no face.
        other_boxes: ``(T, 4)`` of the second person; NaN while there is none.
        hidden: share of the oval behind a thing or the second person.
        outside: share of the oval beyond the border of the picture.
        blur: sigma of the blur in pixels.
        gain: factor of all light.
        luminance: mean luminance of the person's lit skin, 0 to 1.
        series: ``(T, F)`` behavior channels as drawn, the room's turns and tilts included.
        yaw: of the head (rad), as in `series`.
        facing: whether the front of the head is drawn.
        event: name of what happens, empty in between.
    """

    boxes: FloatArray
    landmarks: FloatArray
    ovals: FloatArray
    other_boxes: FloatArray
    hidden: FloatArray
    outside: FloatArray
    blur: FloatArray
    gain: FloatArray
    luminance: FloatArray
    series: npt.NDArray[np.float32]
    yaw: FloatArray
    facing: BoolArray
    event: tuple[str, ...]

    @property
    def face(self) -> BoolArray:
        """Frames with the person's face in them ``(T,)``, however well it is seen."""
        return np.asarray(self.facing & (self.outside < _GONE))

    @property
    def blur_share(self) -> FloatArray:
        """Sigma of the blur as a share of the face's width ``(T,)``."""
        return np.asarray(self.blur / (self.boxes[:, 2] - self.boxes[:, 0]))

    @property
    def reasons(self) -> Mapping[str, BoolArray]:
        """For each reason the frames ``(T,)`` that cannot be used by it."""
        there = self.face
        return {
            "no face": ~there,
            "cut off": there & (self.outside > OUTSIDE),
            "hidden": there & (self.hidden > HIDDEN),
            "blurred": there & (self.blur_share > BLUR),
            "dark": there & (self.luminance < DARK),
            "bright": there & (self.luminance > BRIGHT),
            "turned": there & (np.abs(self.yaw) > TURNED),
        }

    @property
    def usable(self) -> BoolArray:
        """Frames that nothing speaks against ``(T,)``."""
        return np.asarray(~np.any(list(self.reasons.values()), axis=0))
