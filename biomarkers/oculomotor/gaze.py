"""Gaze direction: mean, spread, and how often the eyes leave the recording's own median.

Gaze of an extractor is that of the eyes in the camera's coordinates, so a turned head turns it, too. Its
signs are the extractor's own: in OpenFace a lowered gaze is positive, in others negative, and the features
are called `above` and `below` the median of the *number*, not up and down. Angles are in degrees. Letters:
`T` rows.
"""

import numpy as np

from biomarkers.features.extractor import Array, Measured, no_features, require_valid, with_gaps
from biomarkers.oculomotor.blinks import too_few_open
from datamodules.series import Series
from datamodules.series.blinks import eyes_open
from datamodules.series.series import column

AVERTED_DEG = 10.0  # our choice: about what extractors err by, so a smaller turn cannot be told from error
_VECTORS = tuple(f"gaze_{eye}_{axis}" for eye in (0, 1) for axis in "xyz")
_FEATURES = (
    "gaze_horizontal", "gaze_vertical", "gaze_dispersion", "gaze_averted_share", "gaze_vertical_above_share",
    "gaze_vertical_below_share",
)  # fmt: skip


def gaze_angles(series: Series) -> Array | None:
    """Horizontal and vertical angle (T, 2) in radians, or None where the series tells no gaze.

    From `gaze_x` and `gaze_y`, else from the unit vectors of both eyes by OpenFace's formula: atan2(mean x,
    minus mean z) and atan2(mean y, minus mean z).
    """
    angles = [column(series, name) for name in ("gaze_x", "gaze_y")]
    if angles[0] is not None and angles[1] is not None:
        return np.stack([angles[0], angles[1]], axis=1)
    if not set(_VECTORS) <= set(series.channels):
        return None
    vectors = series.values[:, [series.channels.index(name) for name in _VECTORS]].astype(np.float64)
    mean = vectors.reshape(-1, 2, 3).mean(axis=1)
    return np.asarray(np.arctan2(mean[:, :2], -mean[:, 2:]))


def directions(angles: Array) -> Array:
    """Unit vectors (T, 3) of angles (T, 2), the inverse of OpenFace's formula up to their length."""
    ahead = -np.ones((len(angles), 1))
    vectors = np.concatenate([np.tan(angles), ahead], axis=1)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def degrees_between(a: Array, b: Array) -> Array:
    """Angle (T,) between unit vectors (T, 3), exact for small ones, where the arc cosine is not."""
    cross = np.linalg.norm(np.cross(a, b), axis=-1)
    return np.asarray(np.degrees(np.arctan2(cross, (a * b).sum(axis=-1))))


class GazeDirection:
    """Mean direction, spread around it, and shares of time away from the median direction.

    `gaze_horizontal` and `gaze_vertical` are the angles of the mean vector; `gaze_dispersion` is the root
    mean square of the angle to it. `gaze_averted_share` is the share of frames more than `averted_deg` from
    the recording's own median direction, `gaze_vertical_above_share` and `_below_share` those whose vertical
    angle is that much larger or smaller. Frames with closed eyes do not count.

    Args:
        averted_deg: Angle from the median that counts as averted.
    """

    group = "gaze"
    names = _FEATURES

    def __init__(self, *, averted_deg: float = AVERTED_DEG) -> None:
        if averted_deg <= 0:
            raise ValueError(f"averted_deg={averted_deg} must be an angle above 0")
        self.averted_deg = averted_deg

    def measure(self, series: Series, *, recording: str) -> Measured:
        """Measure one recording.

        Raises:
            Unmeasurable: It has too few valid frames.
        """
        require_valid(series, recording=recording)
        angles, seen = gaze_angles(series), eyes_open(series)
        if angles is None:
            return no_features(self.names, "no gaze angles and no gaze vectors")
        if reason := too_few_open(seen):
            return no_features(self.names, reason)
        return with_gaps(self.names, self._found(angles[seen]), {})

    def _found(self, angles: Array) -> dict[str, float]:
        looks = directions(angles)
        mean = looks.mean(axis=0)
        mean /= np.linalg.norm(mean)
        horizontal, vertical = np.degrees(np.arctan2(mean[:2], -mean[2]))
        middle = np.median(angles, axis=0)
        away = degrees_between(looks, directions(middle[None]))
        lifted = np.degrees(angles[:, 1] - middle[1])
        shares = (away > self.averted_deg, lifted > self.averted_deg, lifted < -self.averted_deg)
        dispersion = float(np.sqrt(np.mean(degrees_between(looks, mean[None]) ** 2)))
        numbers = (float(horizontal), float(vertical), dispersion, *(float(share.mean()) for share in shares))
        return dict(zip(_FEATURES, numbers, strict=True))
