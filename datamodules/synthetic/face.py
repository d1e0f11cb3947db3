"""Paint the drawn face, and say where its landmarks are.

Everything is a polygon or a line of `geometry.face_parts`, so the picture and the landmarks cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from datamodules.synthetic.appearance import Appearance, Color
from datamodules.synthetic.geometry import IRIS_RADIUS, FloatArray, Parts, face_parts
from datamodules.synthetic.latent import CHANNELS

Frame = npt.NDArray[np.uint8]

FACE_SIZE = 0.42  # half height of the face at scale 1, as a share of the picture
_SUPERSAMPLE = 2
_FRACTION = 4  # OpenCV's fixed-point bits: a sixteenth of a pixel
_WHITE, _DARK = (244.0, 242.0, 238.0), (18.0, 14.0, 14.0)
_MOUTH, _TEETH = (66.0, 24.0, 26.0), (236.0, 230.0, 218.0)
_GLINT, _TEETH_DOWN = np.array([0.022, -0.024]), np.array([0.0, 0.045])


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How the camera sees the face: the nuisance of a visit, which knows nothing of severity.

    Attributes:
        light: brightness gain.
        slant: light falling from one side, as the relative gain from the middle to the right edge.
        shift_x: sideways place of the face, as a share of the picture.
        shift_y: height of the face, as a share of the picture, positive downward.
        scale: size of the face; 1 puts ``2 * FACE_SIZE`` of the picture between crown and chin.
    """

    light: float = 1.0
    slant: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    scale: float = 1.0


def _landmark_sources() -> dict[str, tuple[str, int]]:
    """Landmark name -> (drawn line, index of the point on it)."""
    table: dict[str, tuple[str, int]] = {}
    # six points around the eye: along the upper lid from corner to corner, back along the lower one
    lids = [("lid_upper", i) for i in (0, 3, 5, 8)] + [("lid_lower", i) for i in (5, 3)]
    for s in ("l", "r"):
        table |= {f"brow_{s}_{i}": (f"brow_{s}", i) for i in range(5)}
        table |= {f"eye_{s}_{i}": (f"{line}_{s}", j) for i, (line, j) in enumerate(lids)}
        table |= {f"iris_{s}": (f"iris_{s}", 0), f"cheek_{s}": (f"bag_{s}", 2), f"ala_{s}": (f"ala_{s}", 3)}
    table |= {"nose_bridge": ("bridge", 0), "nose_tip": ("bridge", 3), "nose_base": ("nose_base", 0)}
    for s, side in (("l", 1), ("r", -1)):
        table[f"mouth_{s}"] = ("inner_upper", 4 + 4 * side)
        table |= {f"{lip}_{s}": (lip, 4 + 2 * side) for lip in ("lip_upper", "lip_lower")}
        table |= {f"jaw_{s}_{i}": ("skull", 36 - side * (11 - 3 * i)) for i in range(4)}
    table |= {lip: (lip, 4) for lip in ("lip_upper", "lip_lower", "inner_upper", "inner_lower")}
    return table | {"jaw": ("skull", 36)}


_SOURCES = _landmark_sources()
LANDMARKS: tuple[str, ...] = tuple(_SOURCES)


def landmarks(
    appearance: Appearance, series: npt.NDArray[np.floating], size: int, placement: Placement | None = None
) -> npt.NDArray[np.float32]:
    """Where the named points of the face are, in pixels (pixel centers at whole numbers).

    Args:
        appearance: who is drawn.
        series: behavior channels, ``(T, F)``, or one row ``(F,)``.
        size: side of the square picture in pixels.
        placement: how the camera sees the face.

    Returns:
        ``(T, K, 2)`` or ``(K, 2)`` in the order of ``LANDMARKS``; x to the right, y down.
    """
    parts = _parts(appearance, np.atleast_2d(series))
    placement = placement or Placement()
    points = np.stack(
        [np.broadcast_to(parts[p][:, i], (len(np.atleast_2d(series)), 2)) for p, i in _SOURCES.values()],
        axis=1,
    )
    pixels = (points * _unit(size, placement) + _origin(size, placement) - 0.5).astype(np.float32)
    return pixels[0] if series.ndim == 1 else pixels


def render(
    appearance: Appearance, row: npt.NDArray[np.floating], size: int, placement: Placement | None = None
) -> Frame:
    """Draw one frame.

    Args:
        appearance: who is drawn.
        row: behavior channels of the frame, ``(F,)``.
        size: side of the square picture in pixels.
        placement: how the camera sees the face.

    Returns:
        RGB picture, uint8 ``(size, size, 3)``.
    """
    return next(render_series(appearance, row[None], size, placement))


def render_series(
    appearance: Appearance, series: npt.NDArray[np.floating], size: int, placement: Placement | None = None
) -> Iterator[Frame]:
    """Draw the frames of a behavior series ``(T, F)``, one RGB uint8 ``(size, size, 3)`` at a time."""
    placement = placement or Placement()
    parts = _parts(appearance, series)
    painter = _Painter(appearance, size, placement)
    for t, row in enumerate(series):
        yield painter.paint({name: points[min(t, len(points) - 1)] for name, points in parts.items()}, row)


def _parts(appearance: Appearance, series: npt.NDArray[np.floating]) -> Parts:
    return face_parts(appearance.shape, series, hairline=appearance.hairline, parting=appearance.parting)


def _unit(size: int, placement: Placement) -> float:
    return FACE_SIZE * placement.scale * size


def _origin(size: int, placement: Placement) -> FloatArray:
    return size * np.array([0.5 + placement.shift_x, 0.5 + placement.shift_y])


def _mix(a: Color, b: Color, share: float) -> Color:
    share = min(max(float(share), 0.0), 1.0)
    return (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2]))


class _Painter:
    """Holds what does not change between the frames of one video: colors, backdrop, light."""

    def __init__(self, appearance: Appearance, size: int, placement: Placement) -> None:
        self._look = appearance
        self._size = size
        self._unit = _SUPERSAMPLE * _unit(size, placement)
        self._origin = _SUPERSAMPLE * _origin(size, placement) - 0.5
        self._shadow = _mix(appearance.skin, (60.0, 30.0, 30.0), 0.30)
        self._fold = _mix(appearance.skin, (50.0, 20.0, 20.0), 0.55)
        self._image = self._backdrop()
        self._clean = self._image.copy()
        across = np.linspace(-1, 1, size, dtype=np.float32)[None, :, None]
        light = placement.light * (1 + placement.slant * across)
        self._light = np.broadcast_to(light, (size, size, 3)).astype(np.float32)

    def paint(self, parts: Parts, row: npt.NDArray[np.floating]) -> Frame:
        """Draw one frame from its lines ``(n, 2)`` and its channels ``(F,)``."""
        u = dict(zip(CHANNELS, row.tolist(), strict=True))
        np.copyto(self._image, self._clean)
        self._head(parts, u)
        for side in ("l", "r"):
            self._eye(parts, side, u)
        self._folds(parts, u)
        self._nose(parts)
        self._mouth(parts)
        for side in ("l", "r"):
            self._brow(parts[f"brow_{side}"])
        self._fill(parts["hair"], self._look.hair)
        small = cv2.resize(self._image, (self._size, self._size), interpolation=cv2.INTER_AREA)
        lit: Frame = cv2.multiply(small, self._light, dtype=cv2.CV_8U)
        return lit

    def _fixed(self, points: FloatArray) -> npt.NDArray[np.int32]:
        return np.rint((points * self._unit + self._origin) * (1 << _FRACTION)).astype(np.int32)

    def _fill(self, points: FloatArray, color: Color) -> None:
        cv2.fillPoly(self._image, [self._fixed(points)], color, cv2.LINE_AA, _FRACTION)

    def _stroke(self, points: FloatArray, color: Color, width: float) -> None:
        thickness = max(1, round(width * self._unit))
        cv2.polylines(self._image, [self._fixed(points)], False, color, thickness, cv2.LINE_AA, _FRACTION)

    def _disc(self, center: FloatArray, radius: float, color: Color) -> None:
        x, y = self._fixed(center).tolist()
        size = round(radius * self._unit * (1 << _FRACTION))
        cv2.circle(self._image, (x, y), size, color, -1, cv2.LINE_AA, _FRACTION)

    def _backdrop(self) -> Frame:
        side = _SUPERSAMPLE * self._size
        top, bottom = (np.array(color) for color in self._look.background)
        down = np.linspace(0, 1, side)[:, None, None]
        self._image = np.ascontiguousarray(
            np.broadcast_to(top + down * (bottom - top), (side, side, 3)).astype(np.uint8)
        )
        return self._image

    def _head(self, parts: Parts, u: dict[str, float]) -> None:
        look = self._look
        if look.long_hair:
            self._fill(parts["mane"], _mix(look.hair, _DARK, 0.25))
        width = look.shape.width
        neck = np.array([[-0.55, 0.55], [0.55, 0.55], [0.60, 1.5], [-0.60, 1.5]]) * [width, 1.0]
        self._fill(neck, _mix(look.skin, _DARK, 0.28))
        shoulders = np.array(
            [[-0.62, 1.12], [0.0, 1.32], [0.62, 1.12], [1.6, 1.35], [1.6, 2.0], [-1.6, 2.0], [-1.6, 1.35]]
        )
        self._fill(shoulders * [width, 1.0], look.clothes)
        for side in ("l", "r"):
            self._fill(parts[f"ear_{side}"], self._shadow)
        self._fill(parts["skull"], _mix(look.skin, self._shadow, 0.45))
        self._fill(parts["front"], look.skin)
        for side in ("l", "r"):
            flush = _mix(look.skin, (225.0, 110.0, 100.0), 0.05 + 0.06 * u["au06"])
            self._fill(parts[f"cheek_{side}"], flush)
        kernel = int(0.06 * self._unit) | 1
        cv2.blur(self._image, (kernel, kernel), dst=self._image)  # turns flat patches into soft shading

    def _eye(self, parts: Parts, side: str, u: dict[str, float]) -> None:
        skin = self._look.skin
        upper, lower = parts[f"lid_upper_{side}"], parts[f"lid_lower_{side}"]
        self._fill(np.concatenate([upper, lower[::-1]]), _WHITE)
        if u["au45"] < 4.8:
            iris = parts[f"iris_{side}"][0]
            self._disc(iris, IRIS_RADIUS, _mix(self._look.iris, _DARK, 0.45))
            self._disc(iris, 0.84 * IRIS_RADIUS, self._look.iris)
            self._disc(iris, u["pupil"] * IRIS_RADIUS, _DARK)
            self._disc(iris + _GLINT, 0.014, _WHITE)
        # Skin above and below the opening hides what the lids cover of the iris.
        self._fill(
            np.concatenate([parts[f"orbit_upper_{side}"], upper[::-1]]), _mix(skin, self._shadow, 0.35)
        )
        self._fill(
            np.concatenate([lower, parts[f"orbit_lower_{side}"][::-1]]), _mix(skin, self._shadow, 0.12)
        )
        self._stroke(parts[f"crease_{side}"], self._shadow, 0.014)
        self._stroke(lower, self._fold, 0.012)
        self._stroke(upper, _DARK, 0.028)

    def _folds(self, parts: Parts, u: dict[str, float]) -> None:
        """Wrinkles that deepen with the action units that make them."""
        depth = {
            "frown": u["au04"],
            "forehead_inner_0": u["au01"],
            "forehead_inner_1": u["au01"],
            "forehead_outer_0": u["au02"],
            "forehead_outer_1": u["au02"],
            "bag": 0.6 + u["au06"],
            "crow_0": u["au06"],
            "crow_1": u["au06"],
            "crow_2": u["au06"],
            "smile_line": 0.4 + u["au12"],
            "sad_line": u["au15"],
        }
        for name, intensity in depth.items():
            if intensity > 0.1:
                color = _mix(self._look.skin, self._fold, 0.20 * intensity)
                for side in ("l", "r"):
                    self._stroke(parts[f"{name}_{side}"], color, 0.026)
        self._stroke(parts["chin"], _mix(self._look.skin, self._fold, 0.12 + 0.20 * u["au17"]), 0.026)

    def _nose(self, parts: Parts) -> None:
        skin = self._look.skin
        self._stroke(parts["bridge"], _mix(skin, _WHITE, 0.22), 0.045)
        self._fill(parts["tip"], _mix(skin, _WHITE, 0.12))
        for side in ("l", "r"):
            self._stroke(parts[f"ala_{side}"], _mix(skin, self._fold, 0.55), 0.018)
            self._stroke(parts[f"nostril_{side}"], _mix(self._fold, _DARK, 0.5), 0.030)

    def _mouth(self, parts: Parts) -> None:
        upper, lower = parts["inner_upper"], parts["inner_lower"]
        lips = self._look.lips
        self._fill(np.concatenate([upper, lower[::-1]]), _MOUTH)
        teeth = np.minimum(upper[1:-1] + _TEETH_DOWN, 0.5 * (upper[1:-1] + lower[1:-1]))
        if float(np.max(lower - upper)) > 0.02:
            self._fill(np.concatenate([upper[1:-1], teeth[::-1]]), _TEETH)
        self._fill(np.concatenate([parts["lip_upper"], upper[::-1]]), _mix(lips, _DARK, 0.12))
        self._fill(np.concatenate([lower, parts["lip_lower"][::-1]]), lips)
        self._stroke(upper, _mix(lips, _MOUTH, 0.75), 0.016)

    def _brow(self, line: FloatArray) -> None:
        half = self._look.shape.brow_thickness * np.array([0.85, 1.0, 0.95, 0.75, 0.35])
        across = np.stack([np.zeros(5), half], axis=-1)
        self._fill(np.concatenate([line - across, (line + across)[::-1]]), self._look.brow)
