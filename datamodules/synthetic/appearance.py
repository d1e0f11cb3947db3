"""What a drawn person looks like: the part of the picture that no behavior and no severity ever changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Color = tuple[float, float, float]  # RGB, 0-255

# Our own palettes: a light-to-dark line for skin, natural colors for hair and iris.
_SKIN = np.array(
    [[248, 218, 196], [234, 188, 156], [206, 154, 118], [156, 106, 76], [108, 72, 52]], dtype=np.float64
)
_HAIR = ((24, 20, 20), (58, 38, 28), (104, 68, 40), (136, 66, 36), (196, 158, 98), (142, 140, 138))
_IRIS = ((74, 48, 30), (112, 82, 44), (84, 108, 66), (74, 118, 156), (112, 126, 136))
_LONG_HAIR_SHARE = 0.5


@dataclass(frozen=True)
class Shape:
    """Thirteen proportions of a head, in half face heights (from -1 at the crown to 1 at the chin)."""

    width: float
    jaw: float  # width of the jaw relative to the cheekbones
    eye_spacing: float  # from the midline to the center of an eye
    eye_y: float
    eye_width: float  # half width of the lid opening
    eye_open: float  # height of the upper lid above the eye's center
    brow_height: float  # from the eye's center up to the resting brow
    brow_tilt: float
    brow_thickness: float
    nose_length: float
    nose_width: float
    mouth_width: float  # half width
    lip: float  # height of the lower lip


_MEAN = Shape(0.76, 0.80, 0.325, -0.04, 0.150, 0.077, 0.230, 0.03, 0.030, 0.36, 0.115, 0.255, 0.072)
_SPREAD = Shape(0.030, 0.045, 0.014, 0.020, 0.009, 0.007, 0.012, 0.015, 0.006, 0.022, 0.012, 0.016, 0.011)


@dataclass(frozen=True)
class Appearance:
    """One drawn identity: proportions and colors, all from one seed."""

    shape: Shape
    skin: Color
    hair: Color
    brow: Color
    iris: Color
    lips: Color
    clothes: Color
    background: tuple[Color, Color]  # top and bottom of a vertical gradient
    long_hair: bool
    hairline: float  # height of the hairline's middle, in half face heights
    parting: float  # sideways place of the hairline's highest point

    @classmethod
    def draw(cls, seed: int) -> Appearance:
        """Draw the identity that belongs to a seed.

        Looks are independent of sex, age, traits, habits and severity: all that they give away is who it is.

        Examples:
            >>> Appearance.draw(3) == Appearance.draw(3), Appearance.draw(3) == Appearance.draw(4)
            (True, False)
        """
        rng = np.random.default_rng(seed)
        deviation = np.clip(rng.standard_normal(len(_values(_MEAN))), -2.0, 2.0)
        skin = _along(_SKIN, rng.uniform())
        hair = np.array(_HAIR[rng.integers(len(_HAIR))]) * rng.uniform(0.85, 1.15)
        backdrop = rng.uniform(70, 200) + rng.uniform(-25, 25, 3)
        return cls(
            shape=Shape(*(_values(_MEAN) + _values(_SPREAD) * deviation).tolist()),
            skin=_color(skin),
            hair=_color(hair),
            # always darker than the skin, also on blonds
            brow=_color(np.minimum(0.8 * hair + 6, 0.42 * skin)),
            iris=_color(np.array(_IRIS[rng.integers(len(_IRIS))]) * rng.uniform(0.9, 1.2)),
            lips=_color(skin * [0.86, 0.60, 0.60] + rng.uniform(-8, 8, 3)),
            clothes=_color(rng.uniform(30, 190, 3)),
            background=(_color(backdrop * 1.1), _color(backdrop * 0.85)),
            long_hair=bool(rng.uniform() < _LONG_HAIR_SHARE),
            hairline=float(rng.uniform(-0.72, -0.60)),
            parting=float(rng.uniform(-0.3, 0.3)),
        )


def _values(shape: Shape) -> npt.NDArray[np.float64]:
    return np.array(list(vars(shape).values()))


def _along(anchors: npt.NDArray[np.float64], position: float) -> npt.NDArray[np.float64]:
    """The color at a place (0-1) on a line through the anchors."""
    grid = np.linspace(0, 1, len(anchors))
    return np.array([np.interp(position, grid, anchors[:, c]) for c in range(3)])


def _color(rgb: npt.NDArray[np.float64]) -> Color:
    r, g, b = np.clip(rgb, 0, 255).round(1).tolist()
    return (r, g, b)
