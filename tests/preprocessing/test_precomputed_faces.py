"""From a table of OpenFace to crops and series: 68 points go the whole way that the mesh goes."""

import numpy as np
import pandas as pd
import pytest

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import LANDMARKS, landmarks, render_series
from datamodules.synthetic.latent import CHANNELS
from preprocessing.alignment.aligner import Aligner, in_crop
from preprocessing.faces.precomputed import PrecomputedFaces
from preprocessing.faces.topology import IBUG68
from preprocessing.quality.crop_facts import measure
from preprocessing.quality.gate import QualityGate
from preprocessing.series.face_series import face_series, summary
from preprocessing.tracking.follow import follow

ROWS, SIZE, FPS = 48, 320, 24
LOST = [30, 31]


def along(points, count):
    """Points ``(T, n, 2)`` at `count` equal steps of the line through them."""
    places = np.linspace(0, points.shape[1] - 1, count)
    low = np.minimum(places.astype(int), points.shape[1] - 2)
    share = (places - low)[:, None]
    return points[:, low] * (1 - share) + points[:, low + 1] * share


def ibug68(drawn):
    """The 68 points of drawn landmarks ``(T, K, 2)``; those not drawn lie between their neighbors."""
    p = {name: drawn[:, [number]] for number, name in enumerate(LANDMARKS)}
    one, other = ("r", "l") if p["iris_r"][0, 0, 0] < p["iris_l"][0, 0, 0] else ("l", "r")

    def line(*names):
        return np.concatenate([p[name] for name in names], axis=1)

    def eye(side):
        upper = line(*(f"eye_{side}_{k}" for k in range(4)))
        lower = line(*(f"eye_{side}_{k}" for k in (4, 5)))
        if upper[0, 0, 0] > upper[0, 3, 0]:
            upper, lower = upper[:, ::-1], lower[:, ::-1]
        return [upper, lower]

    def brow(side):
        points = line(*(f"brow_{side}_{k}" for k in range(5)))
        return points if points[0, 0, 0] < points[0, -1, 0] else points[:, ::-1]

    jaw = [f"jaw_{one}_{k}" for k in range(4)] + ["jaw"] + [f"jaw_{other}_{k}" for k in (3, 2, 1, 0)]
    corners = f"mouth_{one}", f"mouth_{other}"
    outer = along(line(corners[0], "lip_upper", corners[1], "lip_lower", corners[0]), 13)[:, :12]
    inner = along(line(corners[0], "inner_upper", corners[1], "inner_lower", corners[0]), 9)[:, :8]
    nose = [
        along(line("nose_bridge", "nose_tip"), 4),
        along(line(f"ala_{one}", "nose_base", f"ala_{other}"), 5),
    ]
    return np.concatenate(
        [along(line(*jaw), 17), brow(one), brow(other), *nose, *eye(one), *eye(other), outer, inner], axis=1
    )


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A face that nods sideways, blinks once, and is carried to the right by a pixel a frame."""
    series = np.zeros((ROWS, len(CHANNELS)), np.float32)
    series[:, CHANNELS.index("pose_roll")] = 0.15 * np.sin(np.arange(ROWS) / 6)
    series[12:18, CHANNELS.index("au45")] = [0.5, 1, 1, 1, 1, 0.5]
    look = Appearance.draw(3)
    frames = [np.roll(frame, t, axis=1) for t, frame in enumerate(render_series(look, series, SIZE))]
    points = ibug68(landmarks(look, series, SIZE)) + np.array([1, 0]) * np.arange(ROWS)[:, None, None]
    table = {"frame": np.arange(1, ROWS + 1), "timestamp": np.arange(ROWS) / FPS, "confidence": 0.98}
    table |= {"success": np.where(np.isin(np.arange(ROWS), LOST), 0, 1)}
    table |= {f"{axis}_{k}": points[:, k, number] for number, axis in enumerate("xy") for k in range(68)}
    path = tmp_path_factory.mktemp("openface") / "a.csv"
    pd.DataFrame(table).to_csv(path, index=False)
    return frames, path, points, series


def test_openface_becomes_crops_and_series(recording):
    frames, path, points, drawn = recording
    seconds = np.arange(ROWS) / FPS
    track = follow(iter(frames), PrecomputedFaces(), tracked=path)
    assert track.topology is IBUG68
    assert np.flatnonzero(~track.found).tolist() == LOST

    aligner = Aligner(size=128, smooth_s=0)
    matrices = aligner.matrices(track, seconds)
    crops = [aligner.crop(*each) for each in zip(frames, matrices, track.landmarks, strict=True)]
    seen = [in_crop(one, matrix) for one, matrix in zip(points, matrices, strict=True)]
    middles = np.stack([one[36:48].mean(axis=0) for row, one in enumerate(seen) if row not in LOST])
    tilts = [np.subtract(*one[[45, 36]]) for row, one in enumerate(seen) if row not in LOST]
    assert np.ptp(middles, axis=0).max() < 4  # the face goes 48 pixels, its crop stands still
    assert max(abs(np.arctan2(y, x)) for x, y in tilts) < 0.05  # and upright, while it rolls by .15
    assert crops[0].shape == (128, 128, 3)

    facts = [None if row in LOST else measure(crops[row], seen[row]) for row in range(ROWS)]
    verdict = QualityGate()(track, facts, seconds)
    series = face_series(track, verdict, seconds)
    found = track.found
    assert verdict.reasons["no face"].tolist() == (~found).tolist()
    assert series["valid"].to_numpy()[found].mean() > 0.7
    roll, lids = (drawn[found, CHANNELS.index(name)] for name in ("pose_roll", "au45"))
    assert abs(np.corrcoef(series["pose_roll"][found], roll)[0, 1]) > 0.98
    assert np.corrcoef(series["eye_aspect_ratio"][found], lids)[0, 1] < -0.95
    assert not any(name.startswith("gaze") for name in series)  # the 68 points have no irises
    assert summary(track, verdict, facts, series)["usable"] == pytest.approx(verdict.usable.mean())
