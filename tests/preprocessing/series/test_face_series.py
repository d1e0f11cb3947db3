import numpy as np
import pytest

from biomarkers.oculomotor.blinks import BlinkFeatures
from biomarkers.oculomotor.gaze import GazeDirection
from biomarkers.oculomotor.movements import EyeMovements
from datamodules.series import read_series
from datamodules.series.channel_schema import CHANNELS, FACE_SERIES
from preprocessing.faces.topology import IBUG68
from preprocessing.quality.crop_facts import CropFacts
from preprocessing.series.face_series import face_series, summary
from tests.preprocessing.series.conftest import HEIGHT, WIDTH

FPS, FRAMES = 30, 240
OWN = ["frame", "timestamp", "confidence", "valid"]


@pytest.fixture
def moving(head, seen):
    """Landmarks (240, 478, 3): noise, four blinks of 0.2 s, and a look to the side at 4 s."""
    heads = np.stack([head] * FRAMES) + np.random.default_rng(0).normal(0, 0.003, (FRAMES, 478, 3))
    for start in (30, 75, 150, 200):
        closed = slice(start, start + 6)
        for upper, lower in ((160, 144), (158, 153), (385, 380), (387, 373)):
            heads[closed, upper, 1] = heads[closed, lower, 1] - 0.02
    heads[120:, 468:, 0] += 0.1
    return seen(heads)


@pytest.fixture
def made(moving, make_track, make_verdict):
    """Track and verdict: no face in ten frames, and twenty more that are not usable."""
    found = np.ones(FRAMES, dtype=bool)
    found[100:110] = False
    usable = found.copy()
    usable[220:] = False
    return make_track(moving, found=found), make_verdict(usable)


def test_every_frame_has_a_row_and_every_channel_is_known(made):
    track, verdict = made
    table = face_series(track, verdict, np.arange(FRAMES) / FPS)
    assert list(table.columns[:4]) == OWN
    assert set(table.columns[4:]) <= CHANNELS.keys()
    assert set(FACE_SERIES) <= set(table.columns[4:])
    assert table["frame"].tolist() == list(range(FRAMES))
    assert (table["valid"].to_numpy() == verdict.usable).all()
    empty = table[table.columns[4:]].isna().all(axis=1)
    assert np.flatnonzero(empty).tolist() == list(range(100, 110))
    assert not table[~empty].isna().any().any()


def test_what_was_written_is_read_back_with_its_clock_and_its_verdict(made, tmp_path):
    track, verdict = made
    seconds = np.arange(FRAMES) / FPS
    track.confidence[50:60] = 0.3  # a detector that is unsure of a frame that the verdict uses
    track.confidence[220:] = 1.0  # and sure of those that it refuses
    table = face_series(track, verdict, seconds)
    table.to_parquet(tmp_path / "a.parquet")
    series = read_series(tmp_path / "a.parquet", channels=None)
    assert (series.valid == verdict.usable).all()
    assert series.fps == pytest.approx(FPS)
    np.testing.assert_allclose(series.seconds, seconds)
    assert series.channels == tuple(table.columns[4:])
    assert series.notes == ()
    np.testing.assert_array_equal(
        series.values[verdict.usable], table.loc[verdict.usable, table.columns[4:]].to_numpy(np.float32)
    )
    named = read_series(tmp_path / "a.parquet", channels=FACE_SERIES)
    assert named.channels == FACE_SERIES


def test_biomarkers_read_eyes_from_it(made, tmp_path):
    track, verdict = made
    face_series(track, verdict, np.arange(FRAMES) / FPS).to_parquet(tmp_path / "a.parquet")
    series = read_series(tmp_path / "a.parquet", channels=None)
    measured = BlinkFeatures().measure(series, recording="a")
    assert measured.notes == ("blinks from eye_aspect_ratio",)
    assert measured.values["blink_rate"] == pytest.approx(4 / (verdict.usable.sum() / FPS) * 60)
    assert measured.values["blink_duration"] == pytest.approx(0.2)
    blink = series.values[:, series.channels.index("blink")]
    assert np.flatnonzero(blink[series.valid]).size == 24
    assert not GazeDirection().measure(series, recording="a").gaps
    assert EyeMovements().measure(series, recording="a").values


def test_other_landmarks_have_what_they_can_tell(moving, made, make_track, make_verdict):
    track, verdict = made
    full = face_series(track, verdict, np.arange(FRAMES) / FPS)
    cut = face_series(make_track(moving[:, :468], found=track.found), verdict, np.arange(FRAMES) / FPS)
    lost = {name for name in full if name.startswith(("gaze", "iris", "mm_"))}
    assert set(full) - set(cut) == lost
    assert lost > {"gaze_x", "gaze_y_rel", "iris_diameter", "mm_per_px"}
    flat = np.random.default_rng(1).uniform(100, 200, (3, 68, 3))
    flat[..., 2] = np.nan
    few = face_series(make_track(flat, topology=IBUG68), make_verdict([1, 1, 1]), np.arange(3) / FPS)
    assert set(few) == set(cut)
    assert not few.isna().any().any()


def test_what_cannot_be_is_refused(made, head, seen, make_track, make_verdict):
    track, _ = made
    with pytest.raises(ValueError, match=r"frame 2 is at 0.1 s and the frame before it at 0.1 s"):
        face_series(make_track(seen([head] * 3)), make_verdict([1, 1, 1]), np.array([0, 0.1, 0.1]))
    with pytest.raises(ValueError, match="frame 100 counts as usable and has no face"):
        face_series(track, make_verdict(np.ones(FRAMES)), np.arange(FRAMES) / FPS)
    heads = np.stack([head] * 3)
    heads[1, 33] = heads[1, 133]  # an eye without a width
    with pytest.raises(ValueError, match="frame 1 counts as usable, and its landmarks give no 'gaze_x'"):
        face_series(make_track(seen(heads)), make_verdict([1, 1, 1]), np.arange(3) / FPS)
    spared = face_series(make_track(seen(heads)), make_verdict([1, 0, 1]), np.arange(3) / FPS)
    assert np.isnan(spared["eye_aspect_ratio"][1])


def test_without_any_face_there_are_no_channels(head, seen, make_track, make_verdict):
    track = make_track(seen([head] * 3), found=[0, 0, 0])
    table = face_series(track, make_verdict([0, 0, 0]), np.arange(3) / FPS)
    assert list(table) == OWN
    with pytest.raises(ValueError, match="no frame has a face"):
        summary(track, make_verdict([0, 0, 0]), [None] * 3, table)


def test_the_summary_is_that_of_usable_frames(made):
    track, verdict = made
    table = face_series(track, verdict, np.arange(FRAMES) / FPS)
    tiny = np.zeros((2, 2, 3), dtype=np.uint8)
    facts = [
        CropFacts(sharpness=10.0 if used else 99.0, luminance=0.5 if used else 0.9, burnt=0.0, thumbnail=tiny)
        if found
        else None
        for found, used in zip(track.found, verdict.usable, strict=True)
    ]
    row = summary(track, verdict, facts, table)
    assert (row["brightness"], row["blur"]) == (0.5, 10.0)
    left, top, right, bottom = np.median(track.boxes[verdict.usable], axis=0)
    assert row["face_x"] == pytest.approx((left + right) / 2 / WIDTH, abs=2e-3)
    assert row["face_y"] == pytest.approx((top + bottom) / 2 / HEIGHT, abs=2e-3)
    assert row["face_size"] == pytest.approx((bottom - top) / HEIGHT, abs=2e-3)
    assert row["yaw"] == pytest.approx(table["pose_yaw"][verdict.usable].median(), abs=1e-6)
    assert row["usable"] == pytest.approx(210 / 240)
