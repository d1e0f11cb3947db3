"""How much of a face is hidden, by comparison with how the same person usually looks.

A network of landmarks draws a plausible face through a hand, so landmarks cannot tell. Two things can, in
the unrolled face: colors that the light does not explain, and features (brows, eyes, nose, mouth) that
are not where they always are. What lies between such places is taken to be as they are. All constants are our
choice.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from preprocessing.faces.face import FloatArray, Frame
from preprocessing.quality.light import log_colors, without_light

_SAMPLE, _CHUNK = 160, 256  # frames that teach the look, frames judged at once
_ROUNDS, _CLEAN = 3, 0.2  # the look is learned anew from frames of which less than this is hidden
_MANY, _FLOOR = (
    3.5,
    np.array([0.07, 0.035, 0.035], dtype=np.float32),
)  # of a person's own spread; and at least
_FINE, _WINDOW, _REACH = 2.0, 1.5, 2.5  # widths in pixels: of features, of a feature's place, of filling in
_WEAK, _GONE = 0.002, 0.35  # contrast of a feature that can be missed; share of it that must remain
_PRIOR = 0.05  # weight of "visible" where nothing speaks


@dataclass(frozen=True, kw_only=True, eq=False)
class Look:
    """How a person usually looks in a thumbnail.

    Attributes:
        inside: pixels of the face ``(h, w)``.
        colors: median of the `log_colors` ``(h, w, 3)``.
        spread: robust standard deviation of what light does not explain ``(P, 3)``.
        features: median of the fine structure of lightness ``(h, w)``.
        lowest: presence of the features below which they are gone ``(h, w)``.
        told: how much each pixel's features can tell ``(h, w)``, 0 to 1.
    """

    inside: NDArray[np.bool_]
    colors: FloatArray
    spread: FloatArray
    features: FloatArray
    lowest: FloatArray
    told: FloatArray


def hidden_shares(thumbnails: Frame, inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of the face that is hidden in each thumbnail ``(N,)``, 0 to 1.

    A thing that is there in most frames is part of the person's look, and not found.

    Args:
        thumbnails: ``(N, h, w, 3)`` as in `CropFacts`, of one person, neither blurred nor dark.
        inside: Pixels of them that lie on the face ``(h, w)``.
    """
    sample = thumbnails[np.unique(np.linspace(0, len(thumbnails) - 1, _SAMPLE).astype(int))]
    clean = np.ones(len(sample), dtype=bool)
    for _ in range(_ROUNDS):
        look = learn(sample[clean], inside)
        shares = hidden(sample, look)
        few = shares < _CLEAN
        if not few.any() or np.array_equal(few, clean):  # the next look would be this one
            break
        clean = few
    chunks = range(0, len(thumbnails), _CHUNK)
    return np.concatenate([hidden(thumbnails[start : start + _CHUNK], look) for start in chunks])


def learn(thumbnails: Frame, inside: NDArray[np.bool_]) -> Look:
    """The usual look: medians and robust spreads over thumbnails ``(N, h, w, 3)``."""
    colors = log_colors(thumbnails)
    middle = np.median(colors, axis=0)
    fine = _fine(colors[..., 0])
    features = np.median(fine, axis=0)
    here = presence(fine, features)
    usual = np.median(here, axis=0)
    contrast = _blurred(features**2, _WINDOW)
    return Look(
        inside=inside,
        colors=middle,
        spread=1.4826 * np.median(np.abs(without_light(colors - middle, inside)), axis=0),
        features=features,
        lowest=np.clip(usual - 3 * 1.4826 * np.median(np.abs(here - usual), axis=0), 0.1, _GONE),
        told=contrast / (contrast + _WEAK) * (usual > 0.5),
    )


def hidden(thumbnails: Frame, look: Look) -> NDArray[np.float64]:
    """Share of the face that is hidden in each thumbnail ``(N,)``, given the usual look."""
    colors = log_colors(thumbnails)
    rest = without_light(colors - look.colors, look.inside)
    strange = np.zeros(colors.shape[:3], dtype=np.uint8)
    strange[:, look.inside] = np.any(np.abs(rest) > _MANY * look.spread + _FLOOR, axis=2)
    gone = (presence(_fine(colors[..., 0]), look.features) < look.lowest) & (look.told > 0.3)
    return _filled_shares(np.stack([cv2.medianBlur(odd, 3) for odd in strange]), gone, look)


def presence(fine: FloatArray, features: FloatArray) -> FloatArray:
    """How much of the usual features is found around each pixel ``(N, h, w)``: 1 all, 0 nothing.

    The coefficient of a local regression of a picture's fine structure on the usual one, the best one over
    shifts by a pixel: brows and lips move.
    """
    best = np.full(fine.shape, -np.inf, dtype=np.float32)
    for shift in np.ndindex(3, 3):
        moved = np.roll(features, (shift[0] - 1, shift[1] - 1), axis=(0, 1))
        energy = _blurred(moved**2, _WINDOW) + 4e-4
        np.maximum(best, _each_blurred(fine * moved, _WINDOW) / energy, out=best)
    return best


def _filled_shares(strange: NDArray[np.uint8], gone: NDArray[np.bool_], look: Look) -> NDArray[np.float64]:
    """Share of the face where more speaks for a thing than against it, by normalized convolution."""
    against = (look.told + strange) * look.inside
    hides = against * ((strange > 0) | gone)
    value = _each_blurred(hides, _REACH) / (_each_blurred(against, _REACH) + _PRIOR)
    return np.asarray(np.mean(value[:, look.inside] > 0.5, axis=1))


def _fine(lightness: FloatArray) -> FloatArray:
    return lightness - _each_blurred(lightness, _FINE)


def _each_blurred(pictures: FloatArray, width: float) -> FloatArray:
    blurred = np.empty_like(pictures)
    for picture, place in zip(pictures, blurred, strict=True):
        cv2.GaussianBlur(picture, (0, 0), width, dst=place, borderType=cv2.BORDER_REFLECT)
    return blurred


def _blurred(picture: FloatArray, width: float) -> FloatArray:
    blurred = cv2.GaussianBlur(picture, (0, 0), width, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, dtype=np.float32)
