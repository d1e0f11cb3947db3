"""Proportions of a face in its landmarks, and where they jump: two persons in one recording.

Distances between points that neither speech nor mimicry moves, over the distance of the outer corners of the
eyes, as logarithms: size of the picture, distance and tilt of the head cancel. A head that turns changes them
slowly; another head changes them from one row to the next and for good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PARTS = ("outer_r", "outer_l", "inner_r", "inner_l", "bridge", "base", "ala_r", "ala_l", "jaw_r", "jaw_l")
_68 = dict(zip(_PARTS, (36, 45, 39, 42, 27, 33, 31, 35, 1, 15), strict=True))
_MESH = dict(zip(_PARTS, (33, 263, 133, 362, 168, 2, 98, 327, 234, 454), strict=True))  # MediaPipe's 478
_OURS = dict(  # of the synthetic cohort
    zip(
        _PARTS,
        ("eye_r_3", "eye_l_3", "eye_r_0", "eye_l_0", "nose_bridge", "nose_base", "ala_r", "ala_l", "jaw_r_0",
         "jaw_l_0"),
        strict=True,
    )
)  # fmt: skip
_FORMS = ("{axis}_{point}", "{axis}{point}", "{point}_{axis}")
_AXES = ("XYZ", "xyz", "xy")  # those in space first: they do not change where a head turns
DISTANCES = (("inner_r", "inner_l"), ("bridge", "base"), ("ala_r", "ala_l"), ("jaw_r", "jaw_l"))
# All our choices; docs/guide/xray.md has what one person and two persons reach.
_FACE = 0.8  # of the rows have eyes, nose and jaw where a face has them
_ROWS = 10  # on either side of a jump, at least
_LONGEST = 60
_EDGE = 5  # rows on either side between which the jump must happen
_TRIED = 200  # rows, those with the largest change from one row to the next


@dataclass(frozen=True)
class Jump:
    """The largest change of proportions: root mean square of their logarithms, from row `row` on.

    `spread` is how far they wander within the rows around it.
    """

    size: float
    spread: float
    row: int


def points_of(values: NDArray[Any], channels: Sequence[str]) -> NDArray[np.float64] | None:
    """The ten points (T, 10, 2 or 3) of `_PARTS`; None where the channels are no landmarks."""
    place = {name: number for number, name in enumerate(channels)}
    mesh = any(form.format(axis="x", point=477) in place for form in _FORMS)
    schemes: tuple[Mapping[str, object], ...] = (_MESH if mesh else _68, _OURS)
    for axes in _AXES:
        for form in _FORMS:
            for scheme in schemes:
                wanted = [form.format(axis=axis, point=point) for point in scheme.values() for axis in axes]
                if all(name in place for name in wanted):
                    taken = np.asarray(values[:, [place[name] for name in wanted]], dtype=np.float64)
                    return taken.reshape(len(taken), len(_PARTS), len(axes))
    return None


def proportions(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms (T, 4) of `DISTANCES` over that of the outer corners of the eyes; NaN without a face."""
    at = {name: points[:, number] for number, name in enumerate(_PARTS)}
    eyes = np.linalg.norm(at["outer_l"] - at["outer_r"], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.log(np.stack([np.linalg.norm(at[a] - at[b], axis=1) / eyes for a, b in DISTANCES], axis=1))
    across = (at["outer_l"] - at["outer_r"]) / np.maximum(eyes, 1e-12)[:, None]
    order = ("jaw_r", "outer_r", "inner_r", "inner_l", "outer_l", "jaw_l")
    along = np.stack([(at[name] * across).sum(axis=1) for name in order], axis=1)
    face = (np.diff(along[:, 1:-1], axis=1) > 0).all(axis=1) & (along[:, 0] < along[:, -1])
    face &= (np.abs(found) < 3).all(axis=1)
    return np.where(face[:, None], found, np.nan)


def largest_jump(shape: NDArray[np.float64], rows: NDArray[np.int64]) -> Jump | None:
    """Where proportions (T, 4) change most and for good; None where too few rows show a face.

    Args:
        shape: Of `proportions`.
        rows: Numbers of the rows (T,).
    """
    known = np.isfinite(shape).all(axis=1)
    if known.sum() < 4 * _ROWS or known.mean() < _FACE:
        return None
    shape, rows = shape[known], rows[known]
    reach = int(np.clip(len(shape) // 6, _ROWS, _LONGEST))
    windows = np.median(np.lib.stride_tricks.sliding_window_view(shape, _EDGE, axis=0), axis=-1)
    near = _size(windows[_EDGE:] - windows[:-_EDGE])  # of row _EDGE, _EDGE + 1, ...
    near[: _ROWS - _EDGE] = near[len(shape) - _ROWS - _EDGE + 1 :] = 0
    best = Jump(0.0, 0.0, 0)
    for place in np.argsort(-near, kind="stable")[:_TRIED]:
        row = int(place) + _EDGE
        before, after = shape[max(0, row - reach) : row], shape[row : row + reach]
        size = min(float(_size(_middle(after) - _middle(before))), float(near[place]))
        if size > best.size:
            best = Jump(size, float(np.hypot(_size(_spread(before)), _size(_spread(after)))), int(rows[row]))
    return best


def _size(shape: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt((shape**2).mean(axis=-1)))


def _middle(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.median(rows, axis=0), dtype=np.float64)


def _spread(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1.4826 * np.median(np.abs(rows - np.median(rows, axis=0)), axis=0), dtype=np.float64)
