"""Channels follow what was drawn: one movement at a time, through the networks."""

import cv2
import numpy as np
import pytest

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import Placement, render_series
from datamodules.synthetic.latent import CHANNELS
from preprocessing.series.face_series import face_series

SIZE, FRAMES = 256, 24
SECONDS = np.arange(FRAMES) / 30
PHASE = np.linspace(0, 2 * np.pi, FRAMES)
# drawn channel: its amplitude, the channel that follows it, and a correlation well below what was measured
DRAWN = {
    "pose_pitch": (0.3, "pose_pitch", 0.95),
    "pose_yaw": (-0.35, "pose_yaw", 0.95),  # drawn to the right
    "pose_roll": (0.3, "pose_roll", 0.98),
    "gaze_x": (0.35, "gaze_head_x", 0.95),
    "gaze_y": (0.3, "gaze_head_y", 0.85),
    "au12": (4.0, "au_proxy_12", 0.85),
    "au15": (4.0, "au_proxy_15", 0.85),
    "au20": (4.0, "au_proxy_20", 0.5),
    "au26": (4.0, "au_proxy_26", 0.7),
    "au45": (5.0, "au_proxy_45", 0.85),
}


@pytest.fixture(scope="module")
def networks(face_models):
    """The backend on the CPU."""
    from preprocessing.faces.litert import LitertFaces

    return LitertFaces(models=face_models)


@pytest.fixture
def series_of(networks, make_track, make_verdict):
    """Facial series of frames, in each of which a face is found."""

    def build(frames, *, size):
        found = list(networks.faces(frames))
        assert all(len(faces.confidence) for faces in found)
        track = make_track([faces.landmarks[0] for faces in found], width=size, height=size)
        return face_series(track, make_verdict(np.ones(len(found))), SECONDS)

    return build


@pytest.mark.parametrize("drawn", DRAWN)
def test_a_drawn_movement_is_followed(series_of, drawn):
    amplitude, name, floor = DRAWN[drawn]
    wave = (1 - np.cos(PHASE)) / 2 if drawn.startswith("au") else np.sin(PHASE)
    behavior = np.zeros((FRAMES, len(CHANNELS)), dtype=np.float32)
    behavior[:, CHANNELS.index("pupil")] = 0.4
    behavior[:, CHANNELS.index(drawn)] = abs(amplitude) * wave
    frames = render_series(Appearance.draw(100), behavior, SIZE, Placement(scale=0.7))
    found = series_of(frames, size=SIZE)[name]
    assert np.corrcoef(found, np.sign(amplitude) * wave)[0, 1] > floor


def test_raised_brows_of_a_real_face_are_followed(series_of):
    picture = pytest.importorskip("skimage.data").astronaut()[:256, 80:336]
    picture = cv2.resize(picture, (512, 512), interpolation=cv2.INTER_CUBIC)
    raised = (1 - np.cos(PHASE)) / 2
    brows = [(270, 176), (251, 172), (312, 178), (332, 176)]  # inner halves, in pixels
    y, x = np.mgrid[:512, :512].astype(np.float32)
    near = np.max([np.exp(-((x - a) ** 2 + (y - b) ** 2) / 2 / 7.0**2) for a, b in brows], axis=0)
    maps = [(y + 14 * step * near).astype(np.float32) for step in raised]
    frames = [cv2.remap(picture, x, down, cv2.INTER_LINEAR) for down in maps]
    found = series_of(frames, size=512)
    assert np.corrcoef(found["au_proxy_01"], raised)[0, 1] > 0.7
