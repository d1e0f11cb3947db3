"""From a table of OpenFace to crops and series: 68 points go the whole way that the mesh goes."""

import numpy as np
import pytest

from datamodules.synthetic.latent import CHANNELS
from preprocessing.alignment.aligner import Aligner, in_crop
from preprocessing.faces.precomputed import PrecomputedFaces
from preprocessing.faces.topology import IBUG68
from preprocessing.quality.crop_facts import measure
from preprocessing.quality.gate import QualityGate
from preprocessing.series.face_series import face_series, summary
from preprocessing.tracking.follow import follow
from tests.preprocessing.tracked_video import FPS, LOST, ROWS, tracked


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    """A face with the table that follows it."""
    path = tmp_path_factory.mktemp("openface") / "a.csv"
    frames, points, series = tracked(path)
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
