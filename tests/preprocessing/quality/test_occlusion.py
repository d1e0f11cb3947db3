"""What hides a drawn face: found where there is a thing, and not where there is light, talk or a blink."""

import numpy as np
import pytest

from datamodules.synthetic.face import Placement
from preprocessing.alignment.aligner import Aligner, in_crop
from preprocessing.quality.crop_facts import measure
from preprocessing.quality.occlusion import hidden_shares
from preprocessing.quality.texture import unroll
from tests.preprocessing.drawn_faces import behavior, drawn_video, track_of, wander

TOTAL = 90
SEEDS = (0, 1, 4)


def _series(rng):
    channels = {
        name: np.clip(1.8 + wander(rng, TOTAL, 1.2), 0, 5) for name in ("au01", "au04", "au12", "au15")
    }
    channels |= {name: wander(rng, TOTAL, 0.1) for name in ("pose_yaw", "pose_pitch", "gaze_x")}
    shut, talk = np.full(TOTAL, 0.5), np.zeros(TOTAL)
    shut[20:24] = shut[50:62] = 5
    talk[65:85] = 2.5 + 2.5 * np.sin(np.arange(20))
    return behavior(TOTAL, **channels, au45=shut, au25=talk, au26=talk)


def _shares(seed, change):
    """Shares that are found hidden in a video whose frames `change(frame, points, t)` altered."""
    rng = np.random.default_rng(seed)
    frames, points = drawn_video(seed, _series(rng), size=200, placement=Placement(scale=0.8))
    aligner = Aligner(size=112)
    matrices = aligner.matrices(track_of(points, size=(200, 200)), np.arange(TOTAL) / 25)
    textures = []
    for t, (frame, row, matrix) in enumerate(zip(frames, points, matrices, strict=True)):
        frame = change(frame.astype(float), row, t) + rng.normal(0, 2, frame.shape)
        crop = aligner.crop(np.clip(frame, 0, 255).astype(np.uint8), matrix, row)
        textures.append(measure(crop, in_crop(row, matrix)).thumbnail)
    return hidden_shares(np.stack(textures), unroll(68).inside)


def _cover(share, color):
    """Hide a share of the height of the face in frames 30 to 44, from the chin up."""

    def change(frame, points, t):
        if 30 <= t < 45:
            top, bottom = points[17:27, 1].mean(), points[8, 1]
            frame = frame.copy()
            frame[int(bottom - share * (bottom - top)) : int(bottom) + 12] = color
        return frame

    return change


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("color", [(230, 230, 225), (40, 60, 120)], ids=["paper", "cloth"])
def test_a_thing_before_half_of_the_face_is_found_in_its_frames_only(seed, color):
    shares = _shares(seed, _cover(0.55, color))
    held = np.zeros(TOTAL, bool)
    held[30:45] = True
    assert shares[held].min() > 0.3
    assert shares[~held].max() < 0.2
    assert np.median(shares[held]) == pytest.approx(0.5, abs=0.15)  # the chin is narrower than the brows


@pytest.mark.parametrize("seed", SEEDS)
def test_a_thing_at_the_chin_is_not(seed):
    assert _shares(seed, _cover(0.15, (230, 230, 225))).max() < 0.3


@pytest.mark.parametrize("seed", SEEDS)
def test_light_from_elsewhere_a_blink_and_talk_hide_nothing(seed):
    across = np.linspace(-1, 1, 200)[None, :, None]

    def change(frame, points, t):
        gain = 0.6 if 25 <= t < 45 else 1.0
        slant = 0.35 * np.sin(t / 15)
        return frame * gain * (1 + slant * across) * np.array([1, 1, 0.8 if t > 60 else 1.0])

    assert _shares(seed, change).max() < 0.2


def test_few_frames_are_their_own_look():
    rng = np.random.default_rng(0)
    textures = rng.integers(60, 200, (1, 34, 28, 3)).astype(np.uint8)
    for total in (1, 2, 3):
        assert hidden_shares(np.repeat(textures, total, axis=0), unroll(478).inside).max() == 0
