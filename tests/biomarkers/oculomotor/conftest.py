"""Eyes drawn from circles: landmarks whose diameters and openings are known."""

import numpy as np
import pytest


def _eye(center, iris, pupil, opening, width):
    """28 points of an eye in mm: iris ring, lids between two corners, pupil ring, in one plane."""
    ring = np.arange(8) * np.pi / 4
    circle = np.stack([np.cos(ring), np.sin(ring)], axis=1)
    along = np.linspace(-width / 2, width / 2, 7)
    upper = np.stack([along, np.r_[0, np.full(5, opening / 2), 0]], axis=1)
    lids = np.concatenate([upper, upper[5:0:-1] * [1, -1]])
    flat = np.concatenate([iris / 2 * circle, lids, pupil / 2 * circle]) + center
    return np.column_stack([flat, np.full(28, 500.0)])


@pytest.fixture
def eye_channels():
    """Channels `eye_lmk_X_0 ...` from diameters of pupils (T, 2) in mm, rounded as in files."""

    def build(pupils, *, iris=12.0, openings=None, decimals=1):
        openings = np.full(len(pupils), 8.0) if openings is None else openings
        frames = [
            np.concatenate([_eye([-30, 0], iris, a, o, 25.0), _eye([30, 0], iris, b, o, 25.0)])
            for (a, b), o in zip(pupils, openings, strict=True)
        ]
        points = np.round(np.stack(frames), decimals)
        return {f"eye_lmk_{axis}_{k}": points[:, k, j] for j, axis in enumerate("XYZ") for k in range(56)}

    return build
