"""Pose, gaze and blinks of two real recordings against OpenFace's; needs the folder EUTHYMIA_DATA names."""

import os
from pathlib import Path

import numpy as np
import pytest

from datamodules.series import read_series
from preprocessing.series.face_series import face_series

DATA = Path(os.environ.get("EUTHYMIA_DATA", "")) / "opendbm_sample"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("EUTHYMIA_DATA") or not DATA.is_dir(), reason="needs EUTHYMIA_DATA/opendbm_sample"
    ),
]
ANGLES = ("pose_pitch", "pose_yaw", "pose_roll", "gaze_x", "gaze_y", "au45")


@pytest.fixture(scope="module", params=["subj01", "subj02"])
def both(request, face_models):
    """OpenFace's series and landmarks of the same frames."""
    av = pytest.importorskip("av")
    from preprocessing.faces.litert import LitertFaces

    theirs = read_series(DATA / f"{request.param}_timepoint01_openface.csv.gz", channels=ANGLES)
    with av.open(str(DATA / f"{request.param}_timepoint01.mp4")) as file:
        frames = (frame.to_ndarray(format="rgb24") for frame in file.decode(video=0))
        found = list(LitertFaces(models=face_models).faces(frames))
    assert len(found) == len(theirs.values)
    assert all(len(faces.confidence) for faces in found)
    return theirs, np.stack([faces.landmarks[0] for faces in found])


def test_pose_is_openfaces(both, make_track, make_verdict):
    theirs, landmarks = both
    track = make_track(landmarks, width=1080, height=720)
    ours = face_series(track, make_verdict(theirs.valid), theirs.seconds)
    for name in ("pose_pitch", "pose_yaw", "pose_roll"):
        a, b = ours[name].to_numpy(), theirs.values[:, theirs.channels.index(name)]
        if b.std() > 0.03:
            assert np.corrcoef(a, b)[0, 1] >= 0.9, name
        else:
            assert np.degrees(np.std(a - b)) <= 1, name
    gaze = theirs.values[:, theirs.channels.index("gaze_y")]
    assert np.corrcoef(ours["gaze_y"], gaze)[0, 1] > 0.4
    closed = theirs.values[:, theirs.channels.index("au45")] > 1
    assert ours["blink"][closed].all()
    assert ours["blink"][~closed].sum() <= 2
