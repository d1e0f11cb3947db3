"""Measurements of the eye from landmarks: diameters of iris and pupil, opening of the lids.

OpenFace's model of an eye has 28 points: 0-7 the border of the iris, 8-19 the lids (8 and 14 the corners),
20-27 the pupil; the second eye follows at 28 (Wood et al., ICCV 2015).
Letters: `T` rows, `P` points, `A` axes.
"""

import numpy as np

from datamodules.series.events import Array
from datamodules.series.series import Series, column

_EYE = 28  # points of an eye in OpenFace's model
_IRIS, _PUPIL, _RING = 0, 20, 8
_CORNERS, _LIDS = (8, 14), ((9, 19), (10, 18), (11, 17), (12, 16), (13, 15))
_FACE_EYES = (36, 42)  # first points of the eyes among 68: corner, two above, corner, two below
_FACE_CORNERS, _FACE_LIDS = (0, 3), ((1, 5), (2, 4))


def ring_diameters(series: Series) -> tuple[Array, Array] | None:
    """Diameters of pupil and iris of both eyes, each (T, 2) in mm, or None where there are no points.

    The mean distance of the four pairs of opposite points (k, k + 4) of a ring, in space.
    """
    points = _points(series, "eye_lmk_", "XYZ", range(2 * _EYE))
    if points is None:
        return None
    pupil, iris = (
        np.stack([_mean_distance(points, _opposite(eye * _EYE + ring)) for eye in (0, 1)], axis=1)
        for ring in (_PUPIL, _IRIS)
    )
    return pupil, iris


def eye_aspect_ratio(series: Series) -> Array | None:
    """Opening of the lids over the width of the eye, mean of both eyes (T,), or None where nothing tells it.

    The channel of that name where there is one, as `preprocess.py` writes. Else from landmarks: mean distance
    of opposite lid points over the distance of the corners (Soukupova & Cech, 2016), on the lids of
    OpenFace's eye model in space, or on the 68 points of the face in the image.
    """
    if (own := column(series, "eye_aspect_ratio")) is not None:
        return own
    for prefix, axes, starts, corners, lids in (
        ("eye_lmk_", "XYZ", (0, _EYE), _CORNERS, _LIDS),
        ("", "xy", _FACE_EYES, _FACE_CORNERS, _FACE_LIDS),
    ):
        numbers = [start + k for start in starts for pair in (corners, *lids) for k in pair]
        points = _points(series, prefix, axes, numbers)
        if points is None:
            continue
        where = {number: place for place, number in enumerate(numbers)}
        ratios = []
        for start in starts:
            opening = _mean_distance(points, [(where[start + a], where[start + b]) for a, b in lids])
            width = _mean_distance(points, [(where[start + corners[0]], where[start + corners[1]])])
            ratios.append(np.divide(opening, width, out=np.zeros_like(width), where=width > 0))
        return np.asarray(np.mean(ratios, axis=0))
    return None


def _opposite(start: int) -> list[tuple[int, int]]:
    half = _RING // 2
    return [(start + k, start + k + half) for k in range(half)]


def _mean_distance(points: Array, pairs: list[tuple[int, int]]) -> Array:
    """Mean over pairs of the distance of two of the points (T, P, A), (T,)."""
    return np.asarray(
        np.mean([np.linalg.norm(points[:, a] - points[:, b], axis=1) for a, b in pairs], axis=0)
    )


def _points(series: Series, prefix: str, axes: str, numbers: range | list[int]) -> Array | None:
    """Points (T, P, A) float64, or None unless all are there."""
    names = [f"{prefix}{axis}_{number}" for number in numbers for axis in axes]
    place = {name: at for at, name in enumerate(series.channels)}
    if not place.keys() >= set(names):
        return None
    columns = series.values[:, [place[name] for name in names]].astype(np.float64)
    return columns.reshape(len(columns), len(numbers), len(axes))
