"""Drawn faces with landmarks of the 68 points that are true, so that nothing depends on a network."""

import numpy as np

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import LANDMARKS, Placement, landmarks, render_series
from datamodules.synthetic.latent import CHANNELS
from preprocessing.faces.topology import IBUG68
from preprocessing.tracking.track import Track

_PLACES = {
    **{17 + i: f"brow_r_{4 - i}" for i in range(5)},
    **{22 + i: f"brow_l_{i}" for i in range(5)},
    **{27: "nose_bridge", 30: "nose_tip", 33: "nose_base"},
    **{36 + i: f"eye_r_{j}" for i, j in enumerate((3, 2, 1, 0, 5, 4))},
    **{42 + i: f"eye_l_{i}" for i in range(6)},
    **{48: "mouth_r", 54: "mouth_l", 62: "inner_upper", 66: "inner_lower", 51: "lip_upper", 57: "lip_lower"},
}
_JAW = ("jaw_r_0", "jaw_r_1", "jaw_r_2", "jaw_r_3", "jaw", "jaw_l_3", "jaw_l_2", "jaw_l_1", "jaw_l_0")


def behavior(total, **channels):
    """Channels ``(T, F)`` of a neutral face, but for those that are given, ``(T,)`` or a number each."""
    series = np.zeros((total, len(CHANNELS)))
    series[:, CHANNELS.index("pupil")] = 0.38
    for name, values in channels.items():
        series[:, CHANNELS.index(name)] = values
    return series


def wander(rng, total, spread, *, frames=20):
    """A smooth random walk around 0."""
    steps = np.convolve(rng.standard_normal(total + frames), np.hanning(frames), mode="same")[:total]
    return spread * steps / np.std(steps)


def points_of(appearance, series, size, placement=None):
    """Landmarks ``(T, 68, 3)`` in pixels, depth unknown; points that are not drawn lie on the nose."""
    drawn = landmarks(appearance, series, size, placement)
    at = {name: drawn[:, index] for index, name in enumerate(LANDMARKS)}
    points = np.repeat(at["nose_tip"][:, None], 68, axis=1)
    for number, name in _PLACES.items():
        points[:, number] = at[name]
    jaw = np.stack([at[name] for name in _JAW], axis=1)
    points[:, 0:17:2] = jaw
    points[:, 1:16:2] = (jaw[:, 1:] + jaw[:, :-1]) / 2
    third = (at["nose_tip"] - at["nose_bridge"]) / 3
    points[:, 28], points[:, 29] = at["nose_bridge"] + third, at["nose_bridge"] + 2 * third
    return np.concatenate([points, np.full_like(points[..., :1], np.nan)], axis=2).astype(np.float32)


def track_of(points, *, topology=IBUG68, size=(640, 480), absent=(), jumped=()):
    """A track of landmarks ``(T, P, 3)``."""
    points = np.array(points, dtype=np.float32)
    points[list(absent)] = np.nan
    confidence = np.ones(len(points), np.float32)
    confidence[list(absent)] = 0
    jumps = np.zeros(len(points), bool)
    jumps[list(jumped)] = True
    boxes = np.concatenate([points[..., :2].min(axis=1), points[..., :2].max(axis=1)], axis=1)
    return Track(
        topology=topology,
        boxes=boxes,
        landmarks=points,
        confidence=confidence,
        n_faces=(confidence > 0).astype(np.int64),
        jumped=jumps,
        height=size[1],
        width=size[0],
    )


def drawn_video(seed, series, *, size=160, placement=None):
    """Frames and landmarks of a drawn person."""
    look = Appearance.draw(seed)
    placement = placement or Placement()
    frames = list(render_series(look, series, size, placement))
    return frames, points_of(look, series, size, placement)
