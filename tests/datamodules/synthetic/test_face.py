import hashlib
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.behavior import behave
from datamodules.synthetic.face import LANDMARKS, Placement, landmarks, render, render_series
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort

LOOK = Appearance.draw(5)


def channels(**values):
    row = np.zeros(len(CHANNELS), dtype=np.float32)
    for name, value in {"pupil": 0.4, **values}.items():
        row[CHANNELS.index(name)] = value
    return row


def moved(size=64, look=LOOK, **values):
    """How far each landmark goes, in pixels, when channels leave rest."""
    shift = landmarks(look, channels(**values), size) - landmarks(look, channels(), size)
    return dict(zip(LANDMARKS, shift, strict=True))


def behavior(n=1, fps=15.0, duration_s=8.0):
    settings = LatentSettings(n, 1, fps, duration_s, confound=1.0, habit_visibility=0.1, seed=0)
    return [behave(visit, settings) for visit in draw_cohort(settings)]


# channel, value, landmark, axis (0 right, 1 down), expected sign, least movement in pixels at 64 x 64
MOVES = [
    ("au01", 1, "brow_l_0", 1, -1, 0.7),
    ("au02", 1, "brow_l_4", 1, -1, 0.7),
    ("au04", 1, "brow_l_0", 1, +1, 0.5),
    ("au04", 1, "brow_l_0", 0, -1, 0.3),
    ("au06", 1, "cheek_l", 1, -1, 0.4),
    ("au12", 1, "mouth_l", 1, -1, 0.7),
    ("au12", 1, "mouth_l", 0, +1, 0.5),
    ("au15", 1, "mouth_l", 1, +1, 0.7),
    ("au17", 1, "lip_lower", 1, -1, 0.2),
    ("au20", 1, "mouth_l", 0, +1, 0.6),
    ("au25", 1, "inner_lower", 1, +1, 0.3),
    ("au26", 1, "jaw", 1, +1, 0.6),
    ("au45", 5, "eye_l_1", 1, +1, 2.0),
    ("gaze_x", 0.2, "iris_l", 0, +1, 0.7),
    ("gaze_x", 0.2, "iris_r", 0, +1, 0.7),
    ("gaze_y", 0.2, "iris_l", 1, +1, 0.7),
    ("pose_yaw", 0.1, "nose_tip", 0, +1, 1.0),
    ("pose_pitch", 0.1, "nose_tip", 1, +1, 1.0),
    ("pose_roll", 0.1, "eye_l_3", 1, +1, 0.7),
    ("pose_roll", 0.1, "eye_r_3", 1, -1, 0.7),
]


@pytest.mark.parametrize(("channel", "value", "point", "axis", "sign", "least"), MOVES)
def test_channel_moves_its_landmark(channel, value, point, axis, sign, least):
    for seed in range(5):
        assert sign * moved(look=Appearance.draw(seed), **{channel: value})[point][axis] >= least


@pytest.mark.parametrize("channel", CHANNELS)
def test_channel_changes_pixels(channel):
    low, high = {"gaze": (-0.2, 0.2), "pose": (-0.2, 0.2), "pupil": (0.2, 0.6)}.get(
        channel.split("_")[0], (0, 3)
    )
    first, second = (render(LOOK, channels(**{channel: value}), 64).astype(int) for value in (low, high))
    strongest = np.sort(np.abs(first - second).max(axis=-1).ravel())[-8:]
    assert strongest.mean() > 20  # grey levels, in the eight pixels that change most


def test_channels_stay_local():
    assert abs(moved(au01=1)["brow_l_4"][1]) < 0.1
    assert abs(moved(au02=1)["brow_l_0"][1]) < 0.1
    assert abs(moved(au25=1)["jaw"][1]) < 0.1
    assert np.allclose(moved(au12=3)["brow_l_2"], 0)


def test_lids_meet_when_closed():
    points = dict(zip(LANDMARKS, landmarks(LOOK, channels(au45=5), 96), strict=True))
    assert points["eye_l_1"] == pytest.approx(points["eye_l_5"], abs=1e-4)


def test_yaw_shows_depth():
    shift = moved(pose_yaw=0.2)
    assert shift["nose_tip"][0] > 1.5 * shift["eye_l_3"][0] > 0


@pytest.mark.parametrize("channel", [c for c in CHANNELS if c not in ("gaze_x", "pose_yaw", "pose_roll")])
def test_left_mirrors_right(channel):
    row = channels(**{channel: 0.3})
    points = dict(zip(LANDMARKS, landmarks(LOOK, row, 96), strict=True))
    for name, (x, y) in points.items():
        other = points[re.sub(r"_l(?=_|$)", "_r", name)] if re.search(r"_l(_|$)", name) else None
        if other is not None:
            assert x + other[0] == pytest.approx(95, abs=1e-3)
            assert y == pytest.approx(other[1], abs=1e-3)
    picture = render(replace(LOOK, parting=0.0), row, 96).astype(int)
    assert np.abs(picture - picture[:, ::-1]).mean() < 2.0  # all but the glint in the eyes


def test_landmarks_lie_where_the_pixels_are():
    """The center of the lower half of a wide pupil, where no glint lies, is the iris landmark."""
    for gaze in (-0.25, 0.0, 0.25):
        row = channels(gaze_x=gaze, pupil=0.6)
        look = replace(LOOK, iris=(150.0, 150.0, 150.0))
        x, y = landmarks(look, row, 256)[LANDMARKS.index("iris_l")]
        window = render(look, row, 256)[round(y) : round(y) + 5, round(x) - 9 : round(x) + 10].max(axis=-1)
        dark = window < 40
        assert (np.nonzero(dark)[1].mean() + round(x) - 9) == pytest.approx(x, abs=0.7)


def test_placement_moves_scales_and_lights():
    view = Placement(light=0.8, shift_x=0.1, shift_y=-0.05, scale=0.9)
    base, other = landmarks(LOOK, channels(), 100), landmarks(LOOK, channels(), 100, view)
    center = 100 * 0.5 - 0.5
    assert np.allclose(other, 0.9 * (base - center) + center + [10, -5], atol=1e-3)
    dimmed = render(LOOK, channels(), 64, Placement(light=0.5)).mean() / render(LOOK, channels(), 64).mean()
    assert dimmed == pytest.approx(0.5, abs=0.02)


def test_smile_ramp_is_recovered_from_landmarks():
    series = behavior()[0]
    ramp = np.linspace(0, 4, len(series))
    series[:, CHANNELS.index("au12")] = ramp
    points = dict(zip(LANDMARKS, landmarks(LOOK, series, 96).transpose(1, 0, 2), strict=True))
    across = points["eye_l_3"] - points["eye_r_3"]  # undo the head's roll and size
    mouth = points["mouth_l"] - points["mouth_r"]
    width = (mouth * across).sum(1) / (across**2).sum(1)
    corners = 0.5 * (points["mouth_l"] + points["mouth_r"]) - points["nose_base"]
    down = np.stack([-across[:, 1], across[:, 0]], axis=1)
    height = -(corners * down).sum(1) / (across**2).sum(1)
    assert np.corrcoef(width + height, ramp)[0, 1] > 0.9


@pytest.mark.parametrize("channel", [name for name in CHANNELS if name != "pupil"])
def test_every_channel_is_readable_from_pixels(channel):
    """A linear reading of 64 x 64 pixels finds a channel in frames it was not fitted on, the rest at rest."""
    base = np.concatenate(behavior(n=8))
    series = np.repeat(np.median(base, axis=0, keepdims=True), 120, axis=0)
    j = CHANNELS.index(channel)
    low, high = np.quantile(base[:, j], [0.02, 0.98])
    series[:, j] = np.random.default_rng(j).uniform(low, high, 120)
    pixels = np.stack([frame.mean(axis=-1).ravel() for frame in render_series(LOOK, series, 64)])
    model = Ridge(alpha=1e3).fit(pixels[:80], series[:80, j])
    assert np.corrcoef(model.predict(pixels[80:]), series[80:, j])[0, 1] > 0.9


def test_frames_do_not_depend_on_order_or_company():
    series = behavior()[0][:6]
    together = list(render_series(LOOK, series, 48))
    apart = [render(LOOK, row, 48) for row in series[::-1]][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(together, apart, strict=True))


_HASH = """
import hashlib
import re
import numpy as np
from datamodules.synthetic.appearance import Appearance
from datamodules.synthetic.face import render_series
from datamodules.synthetic.latent import CHANNELS
series = np.linspace(0, 1, 20 * len(CHANNELS)).reshape(20, -1)
frames = render_series(Appearance.draw(7), series, 64)
print(hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest())
"""


@pytest.mark.slow
def test_another_process_draws_the_same_pixels():
    series = np.linspace(0, 1, 20 * len(CHANNELS)).reshape(20, -1)
    here = hashlib.sha256(
        b"".join(f.tobytes() for f in render_series(Appearance.draw(7), series, 64))
    ).hexdigest()
    there = subprocess.run([sys.executable, "-c", _HASH], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here


def test_identities_differ():
    faces = [render(Appearance.draw(seed), channels(), 64).astype(int) for seed in range(12)]
    gaps = [np.abs(a - b).mean() for i, a in enumerate(faces) for b in faces[:i]]
    assert min(gaps) > 3


def test_series_of_another_width_is_refused():
    with pytest.raises(ValueError, match=r"shape \(T, 17\)"):
        landmarks(LOOK, np.zeros((3, 4)), 64)
