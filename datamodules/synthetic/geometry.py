"""Where every line of the drawn face lies, given a person's proportions and the behavior channels.

Coordinates are half face heights: ``x`` to the right of the image, ``y`` down, ``z`` toward the camera; the
face runs from ``y = -1`` to ``1``. "Left" (``_l``) is the person's left, which the image shows on its right.
Angles are positive toward the right of the image (yaw, gaze), downward (pitch, gaze) and clockwise (roll).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from datamodules.synthetic.appearance import Shape
from datamodules.synthetic.latent import CHANNELS

FloatArray = npt.NDArray[np.float64]
Parts = dict[str, FloatArray]

# What one unit of intensity does, in half face heights (our choice: visible at 64 pixels, still a face at 5).
BROW_INNER_UP, BROW_OUTER_UP, BROW_DOWN, BROW_IN = 0.038, 0.036, 0.028, 0.018
CHEEK_UP, EYE_NARROW = 0.024, 0.11  # the second is a share of the lid opening
CORNER_OUT, CORNER_UP, CORNER_DOWN, STRETCH = 0.024, 0.034, 0.036, 0.030
CHIN_UP, LIPS_UP, LIPS_PART, JAW_DROP = 0.020, 0.019, 0.017, 0.026
GAZE_SHIFT = 0.20  # half face heights per unit sine of the gaze angle
IRIS_RADIUS = 0.066
_DEPTH = 0.72  # how far the middle of the face stands out of the plane of the ears
_PIVOT = np.array([0.0, 0.25, -0.15])  # the head turns around the top of the neck

_T5, _T9 = np.linspace(0, 1, 5), np.linspace(-1, 1, 9)


def face_parts(shape: Shape, series: npt.NDArray[np.floating], *, hairline: float, parting: float) -> Parts:
    """Lay out all drawn lines for every frame.

    Args:
        shape: the person's proportions.
        series: behavior channels in the order of ``CHANNELS``, ``(T, F)``.
        hairline: height of the hairline's middle.
        parting: sideways place of the hairline's highest point.

    Returns:
        Name of the line -> points ``(T, n, 2)`` after the head pose.
    """
    if series.ndim != 2 or series.shape[1] != len(CHANNELS):
        raise ValueError(f"a behavior series has shape (T, {len(CHANNELS)}), not {series.shape}")
    values = series.astype(np.float64)
    u = {name: values[:, j, None] for j, name in enumerate(CHANNELS)}
    parts: Parts = {}
    _skull(parts, shape, u)
    _hair(parts, shape, hairline, parting)
    _brows(parts, shape, u)
    _eyes(parts, shape, u)
    _cheeks(parts, shape, u)
    _nose(parts, shape)
    _mouth(parts, shape, u)
    return {name: _posed(points, u) for name, points in parts.items()}


def _points(shape: Shape, x: npt.ArrayLike, y: npt.ArrayLike, lift: float = 0.0) -> FloatArray:
    """Points on the curved front of the head, ``(T or 1, n, 3)``."""
    x, y = np.broadcast_arrays(np.atleast_2d(x), np.atleast_2d(y))
    z = _DEPTH * np.sqrt(np.clip(1 - (x / (1.05 * shape.width)) ** 2 - (y / 1.25) ** 2, 0, None)) + lift
    return np.stack([x, y, z], axis=-1).astype(np.float64)


def _both(parts: Parts, name: str, points: FloatArray) -> None:
    """File a line of the person's left side together with its mirror image."""
    parts[f"{name}_l"] = points
    parts[f"{name}_r"] = points * np.array([-1.0, 1.0, 1.0])


def _posed(points: FloatArray, u: Parts) -> FloatArray:
    """Turn by yaw, nod by pitch, tilt by roll, then drop the depth."""
    yaw, pitch, roll = (u[name] for name in ("pose_yaw", "pose_pitch", "pose_roll"))
    x, y, z = np.moveaxis(points - _PIVOT, -1, 0)
    x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
    y = y * np.cos(pitch) + z * np.sin(pitch)
    x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
    flat: FloatArray = np.stack([x, y], axis=-1) + _PIVOT[:2]
    return flat


def _jaw_shift(u: Parts, y: FloatArray) -> FloatArray:
    """How far the jaw's opening and the chin's raising move skin at height ``y``."""
    below = np.clip((y - 0.15) / 0.85, 0, 1)
    return below**1.5 * (JAW_DROP * u["au26"] - 0.5 * CHIN_UP * u["au17"])


def _skull(parts: Parts, shape: Shape, u: Parts) -> None:
    # from the left of the image over the crown, then under the chin
    angle = np.linspace(-np.pi, np.pi, 49)[:-1]
    up, side = np.sin(angle), np.cos(angle)
    taper = np.where(up > 0, 1 - (1 - shape.jaw) * np.sin(0.5 * np.pi * np.clip(1.35 * up, 0, 1)) ** 2, 1.0)
    x = shape.width * np.sign(side) * np.abs(side) ** 0.9 * taper
    moved = up + _jaw_shift(u, up[None])
    z = 0.35 * np.clip(up, 0, 1) ** 2 + 0.05
    parts["skull"] = np.stack(np.broadcast_arrays(x[None], moved, z[None]), axis=-1).astype(np.float64)
    parts["front"] = parts["skull"] * [0.86, 0.94, 1.0] + [0.0, 0.0, 0.2]
    ear = np.linspace(0, 2 * np.pi, 13)[:-1]
    ears = _points(shape, shape.width + 0.035 + 0.075 * np.cos(ear), 0.06 + 0.17 * np.sin(ear))
    _both(parts, "ear", ears * [1.0, 1.0, 0.0])


def _hair(parts: Parts, shape: Shape, hairline: float, parting: float) -> None:
    side = np.linspace(-1, 1, 15)
    crown = np.stack(
        [1.09 * shape.width * np.sin(0.5 * np.pi * side), -1.09 * np.cos(0.5 * np.pi * side)], axis=-1
    )
    crown[:, 1] -= 0.02
    x = np.linspace(1, -1, 15)
    # 0 at the parting, 1 at both temples
    away = np.abs(x - parting) / np.where(x > parting, 1 - parting, 1 + parting)
    fringe = np.stack([0.96 * shape.width * x, hairline + (-0.10 - hairline) * away**4], axis=-1)
    line = np.concatenate([crown, fringe])
    depth = np.concatenate([np.full(15, 0.0), np.full(15, 0.30) * (1 - x**2)])
    parts["hair"] = np.concatenate([line, depth[:, None]], axis=-1)[None]
    fall = np.array([[0.6, -0.8], [1.08, -0.2], [1.2, 0.1], [1.25, 0.7], [1.1, 1.25]])
    back = np.concatenate([fall * [-1.0, 1.0], fall[::-1]])
    parts["mane"] = np.concatenate([back * [shape.width, 1.0], np.full((len(back), 1), -0.3)], axis=-1)[None]


def _brows(parts: Parts, shape: Shape, u: Parts) -> None:
    t = _T5[None]  # 0 at the inner end, 1 at the outer end
    x = shape.eye_spacing - 0.19 + 0.40 * t - BROW_IN * u["au04"] * (1 - 0.6 * t)
    arch = 0.035 * np.sin(np.pi * np.clip(1.1 * t, 0, 1)) + shape.brow_tilt * t
    raised = (
        BROW_INNER_UP * u["au01"] * (1 - t) ** 1.3
        + BROW_OUTER_UP * u["au02"] * np.clip(1.25 * t, 0, 1) ** 1.3
    )
    y = shape.eye_y - shape.brow_height - arch - raised + BROW_DOWN * u["au04"] * (1 - 0.55 * t)
    _both(parts, "brow", _points(shape, x, y, lift=0.06))
    between = np.array([0.045, 0.055, 0.06])
    frown_y = shape.eye_y - shape.brow_height + np.array([-0.09, 0.0, 0.09]) + 0.4 * BROW_DOWN * u["au04"]
    _both(parts, "frown", _points(shape, between, frown_y, lift=0.04))
    for row, above in enumerate((0.13, 0.20)):
        wave = shape.eye_y - shape.brow_height - above - 0.9 * (BROW_INNER_UP * u["au01"] * (1 - t))
        _both(parts, f"forehead_inner_{row}", _points(shape, 0.24 * t, wave + 0.02 * t))
        wave = shape.eye_y - shape.brow_height - above - 0.9 * (BROW_OUTER_UP * u["au02"] * np.sin(np.pi * t))
        _both(parts, f"forehead_outer_{row}", _points(shape, 0.28 + 0.26 * t, wave + 0.05 * t))


def _eyes(parts: Parts, shape: Shape, u: Parts) -> None:
    t = _T9[None]  # -1 at the inner corner
    bow = np.cos(0.5 * np.pi * t)
    narrow = EYE_NARROW * u["au06"]
    closed = np.clip(u["au45"] / 5.0, 0, 1)
    lower = shape.eye_y + bow * shape.eye_open * (0.72 - 0.9 * narrow) + 0.006 * t**2
    upper = shape.eye_y - bow * shape.eye_open * (1 - 0.35 * narrow) - 0.010 * (t > 0) * t**2
    upper = upper + closed * (lower - upper)
    x = shape.eye_spacing + shape.eye_width * t
    _both(parts, "lid_upper", _points(shape, x, upper))
    _both(parts, "lid_lower", _points(shape, x, lower))
    rim_x = shape.eye_spacing + 1.12 * shape.eye_width * t
    rim = np.cos(0.5 * np.pi * t)
    _both(parts, "orbit_upper", _points(shape, rim_x, shape.eye_y - 0.145 * rim))
    _both(parts, "orbit_lower", _points(shape, rim_x, shape.eye_y + 0.135 * rim))
    _both(parts, "crease", _points(shape, x, upper - 0.040 * bow * (1 - 0.4 * closed) - 0.012))
    dx, dy = (GAZE_SHIFT * np.sin(u[name]) for name in ("gaze_x", "gaze_y"))
    for side, sign in (("l", 1.0), ("r", -1.0)):  # both eyes look the same way, so gaze is not mirrored
        center = _points(
            shape, sign * shape.eye_spacing + np.zeros((1, 1)), np.full((1, 1), shape.eye_y - 0.004)
        )
        offset = np.concatenate([dx, dy, np.zeros_like(dx)], axis=-1)[:, None]
        parts[f"iris_{side}"] = center + offset


def _cheeks(parts: Parts, shape: Shape, u: Parts) -> None:
    t = _T5[None]
    lift = CHEEK_UP * u["au06"] + 0.012 * u["au12"]
    x = shape.eye_spacing - 0.15 + 0.33 * t
    y = shape.eye_y + 0.165 + 0.05 * np.sin(np.pi * t) - 0.8 * lift
    _both(parts, "bag", _points(shape, x, y))
    ring = np.linspace(0, 2 * np.pi, 17)[:-1]
    x = shape.eye_spacing + 0.07 + 0.17 * np.cos(ring)
    _both(parts, "cheek", _points(shape, x, shape.eye_y + 0.35 - lift + 0.13 * np.sin(ring)))
    x = shape.eye_spacing + shape.eye_width + 0.035 + np.array([0.0, 0.09])
    for row, slope in enumerate((-0.06, 0.02, 0.09)):
        y = shape.eye_y + 0.015 * row + slope * np.array([0.0, 1.0])
        _both(parts, f"crow_{row}", _points(shape, x, y))


def _nose(parts: Parts, shape: Shape) -> None:
    base = shape.eye_y + shape.nose_length
    bridge_y = np.linspace(shape.eye_y + 0.02, base - 0.07, 4)
    forward = np.linspace(0.05, 0.2, 4)[None, :, None] * [0, 0, 1]
    parts["bridge"] = _points(shape, np.zeros(4), bridge_y) + forward
    parts["nose_base"] = _points(shape, [0.0], [base], lift=0.14)
    ring = np.linspace(0, 2 * np.pi, 13)[:-1]
    parts["tip"] = _points(
        shape, 0.75 * shape.nose_width * np.cos(ring), base - 0.055 + 0.060 * np.sin(ring), lift=0.18
    )
    side_x = shape.nose_width * np.array([0.38, 0.50, 0.92, 1.0, 0.72])
    side_y = base + np.array([-0.30, -0.18, -0.08, -0.03, 0.012])
    _both(parts, "ala", _points(shape, side_x, side_y, lift=0.10))
    side_x, side_y = shape.nose_width * np.array([0.28, 0.62]), base + np.array([0.008, 0.0])
    _both(parts, "nostril", _points(shape, side_x, side_y, lift=0.13))


def _mouth(parts: Parts, shape: Shape, u: Parts) -> None:
    t = _T9[None]
    middle, edge = 1 - np.abs(t) ** 2.2, np.abs(t)
    corner = shape.mouth_width + CORNER_OUT * u["au12"] + STRETCH * u["au20"] - 0.004 * u["au15"]
    x = corner * t
    line = 0.50 + 0.25 * (shape.nose_length - 0.36) - 0.010 * u["au12"] * (1 - edge)
    line = (
        line - (CORNER_UP * u["au12"]) * edge**1.6 + (CORNER_DOWN * u["au15"] + 0.004 * u["au20"]) * edge**3
    )
    push = LIPS_UP * u["au17"] * (1 - edge**2)
    thin = np.clip(1 - 0.07 * u["au20"] - 0.03 * u["au12"], 0.4, 1)
    gap = (LIPS_PART * u["au25"] + 0.75 * JAW_DROP * u["au26"]) * middle
    bow = 0.80 * shape.lip * thin * (middle - 0.22 * np.exp(-((t / 0.16) ** 2)))
    upper_in = line - 0.22 * gap - 0.8 * push
    lower_in = np.maximum(line + 0.78 * gap - push, upper_in)
    parts["lip_upper"] = _points(shape, x, upper_in - bow, lift=0.06)
    parts["inner_upper"] = _points(shape, x, upper_in, lift=0.05)
    parts["inner_lower"] = _points(shape, x, lower_in, lift=0.05)
    roll = shape.lip * thin * (1 + 0.08 * u["au17"])
    parts["lip_lower"] = _points(shape, x, lower_in + roll * middle, lift=0.06)
    _mouth_folds(parts, shape, u, corner, line[:, -1:])


def _mouth_folds(parts: Parts, shape: Shape, u: Parts, corner: FloatArray, corner_y: FloatArray) -> None:
    """Smile lines beside the mouth, lines under its corners, the chin's dimple."""
    t = _T5[None]
    wing_y = shape.eye_y + shape.nose_length - 0.04
    start_x, end_x = shape.nose_width + 0.035, corner + 0.055
    fold_x = start_x + (end_x - start_x) * t**0.8 + 0.01 * u["au12"] * np.sin(np.pi * t)
    _both(parts, "smile_line", _points(shape, fold_x, wing_y + (corner_y - wing_y) * t))
    down = np.linspace(0, 1, 3)[None]
    _both(
        parts,
        "sad_line",
        _points(shape, corner + 0.015 + 0.03 * down, corner_y + 0.03 + (0.05 + 0.024 * u["au15"]) * down),
    )
    chin_y = 0.80 + _jaw_shift(u, np.full((1, 1), 0.8)) - CHIN_UP * u["au17"]
    arc = np.linspace(-1, 1, 7)[None]
    parts["chin"] = _points(shape, (0.12 + 0.008 * u["au17"]) * arc, chin_y + 0.05 * arc**2, lift=0.05)
