"""Faces without pixels: a head of known points, turned and moved as a camera would see it."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from preprocessing.faces.topology import MESH
from preprocessing.quality.gate import REASONS, Verdict
from preprocessing.tracking.track import Track

WIDTH, HEIGHT, UNIT = 640, 480, 30.0  # pixels, and pixels from one inner corner of the eyes to the other


def still_head():
    """A front view ``(478, 3)`` in distances of the inner corners: what the channels read has its place."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (478, 3)) * [2, 2.5, 0.5]
    places = {
        10: (0, -1.6, -0.1), 151: (0, -1.2, -0.3), 9: (0, -0.8, -0.4), 8: (0, -0.55, -0.4),
        168: (0, -0.3, -0.4), 6: (0, 0, -0.5), 197: (0, 0.1, -0.7), 195: (0, 0.3, -0.9),
        127: (-2, 0.1, 1.5), 356: (2, 0.1, 1.5), 33: (-1.3, 0, 0.2), 133: (-0.5, 0, 0), 362: (0.5, 0, 0),
        263: (1.3, 0, 0.2), 160: (-1.1, -0.12, 0), 158: (-0.7, -0.12, 0), 153: (-0.7, 0.12, 0),
        144: (-1.1, 0.12, 0), 385: (0.7, -0.12, 0), 387: (1.1, -0.12, 0), 373: (1.1, 0.12, 0),
        380: (0.7, 0.12, 0), 107: (-0.4, -0.7, -0.2), 66: (-0.5, -0.75, -0.2), 336: (0.4, -0.7, -0.2),
        296: (0.5, -0.75, -0.2), 70: (-1.5, -0.5, 0), 63: (-1.3, -0.6, 0), 300: (1.5, -0.5, 0),
        293: (1.3, -0.6, 0), 1: (0, 0.8, -1.1), 2: (0, 1.1, -0.8), 61: (-0.7, 1.9, -0.3),
        291: (0.7, 1.9, -0.3), 13: (0, 1.85, -0.6), 14: (0, 1.9, -0.6), 0: (0, 1.6, -0.7),
        17: (0, 2.2, -0.6), 152: (0, 3.0, -0.4),
    }  # fmt: skip
    for point, place in places.items():
        points[point] = place
    for center, x in ((468, -0.9), (473, 0.9)):
        points[center : center + 5] = [x, 0, 0.1] + 0.18 * np.array(
            [[0, 0, 0], [1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 1, 0]]
        )
    return points


@pytest.fixture
def head():
    """A copy of the still head ``(478, 3)``."""
    return still_head()


@pytest.fixture
def seen():
    """Landmarks ``(T, P, 3)`` in pixels of heads ``(T, P, 3)``: `seen(heads, angles, at=(x, y))`.

    Angles are pitch, yaw and roll ``(T, 3)``, turned by SciPy; the view is along the camera's axis.
    """

    def project(heads, angles=(0, 0, 0), *, at=(WIDTH / 2, HEIGHT / 2), unit=UNIT):
        heads = np.asarray(heads, dtype=float)
        angles = np.broadcast_to(angles, (len(heads), 3))
        turned = np.stack(
            [Rotation.from_euler("XYZ", a).apply(h) for a, h in zip(angles, heads, strict=True)]
        )
        return (
            turned * unit
            + np.column_stack([np.broadcast_to(at, (len(heads), 2)), np.zeros(len(heads))])[:, None]
        )

    return project


@pytest.fixture
def make_track():
    """A track of landmarks ``(T, P, 3)``; frames without a face are NaN."""

    def build(landmarks, *, topology=MESH, found=None, width=WIDTH, height=HEIGHT):
        landmarks = np.array(landmarks, dtype=np.float32)
        found = np.ones(len(landmarks), dtype=bool) if found is None else np.asarray(found, dtype=bool)
        landmarks[~found] = np.nan
        flat = landmarks[..., :2]
        return Track(
            topology=topology,
            boxes=np.concatenate([flat.min(axis=1), flat.max(axis=1)], axis=1),
            landmarks=landmarks,
            confidence=np.where(found, 0.9, 0).astype(np.float32),
            n_faces=found.astype(np.int64),
            jumped=np.zeros(len(found), dtype=bool),
            height=height,
            width=width,
        )

    return build


@pytest.fixture
def make_verdict():
    """A verdict that speaks against the frames that are not `usable` ``(T,)``."""

    def build(usable):
        usable = np.asarray(usable, dtype=bool)
        against = {reason: np.zeros(len(usable), dtype=bool) for reason in REASONS}
        return Verdict(reasons=against | {"blurred": ~usable})

    return build
