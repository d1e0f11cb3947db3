"""What tells how the tracking went is no channel unless somebody names it; what a face does always is."""

import numpy as np
import pytest

from datamodules.series import read_series
from datamodules.series.channel_schema import CHANNELS
from datamodules.series.checks.tracking_columns import is_bookkeeping
from datamodules.series.read import FORMATS
from tests.datamodules.series.files import CLOCK, ROWS, csv, npz, plain

NOISE = np.random.default_rng(8).uniform(0, 1, ROWS)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    "name",
    ["quality", "missing", "n_faces", "nFaces", "num_faces", "AU_confidence", "au12_confidence", "face_score",
     "FaceScore", "det_score", "tracking_quality", "landmark_error", "track_id", "visibility_3", "is_missing",
     "Tracking", "face_count", "blur", "brightness", "interpolated", "detection_prob",
     "good", "no_face", "face_bad", "nfaces", "numfaces", "facecount", "detscore", "trackquality", "p_face",
     "is_face", "n_detections", "dropouts", "rmse", "reproj_err", "fail", "failed", "nan_share", "gap",
     "lost_rows", "bad_frames", "iou", "tracker", "trackerstate"],
)  # fmt: skip
def test_bookkeeping_by_name(name, tmp_path):
    assert is_bookkeeping(name)
    path = csv(plain(**{name: NOISE}))(tmp_path)
    read = read_series(path, channels=None, fps=25.0)
    assert read.channels == ("au04", "au12")
    (note,) = read.notes
    assert f"'{name}' tell how the tracking went and are no channels" in note
    assert str(tmp_path) in note
    if name.endswith(("_score", "_id")):  # may hide a label or a person, so nobody can ask for it
        return
    named = read_series(path, channels=["au04", name], fps=25.0)  # whoever names it, gets it
    np.testing.assert_allclose(named.values[:, 1], NOISE, rtol=1e-5)
    assert not named.notes


@pytest.mark.parametrize(
    "name",
    ["smile_level", "face_width", "mouth_open", "au12_probability", "gaze_x", "eye_tracking_x",
     "head_detection_x", "asymmetry", "lid_lag", "p_scale", "nod_count", "video_energy", "idle", "flagellum",
     "mode", "smile_detected", "blink_detected", "voice_quality", "face_emotion_prob", "face_state_smiling",
     "speech_flag", "face_happy", "prob", "eyelid_gap", "lip_gap", "nose", "idol", "countenance",
     "frame_energy"],
)  # fmt: skip
def test_what_a_face_does_is_a_channel(name, tmp_path):
    assert not is_bookkeeping(name)
    read = read_series(csv(plain(**{name: NOISE}))(tmp_path), channels=None, fps=25.0)
    assert (name in read.channels, read.notes) == (True, ())


def test_no_channel_and_no_column_of_a_format_is_bookkeeping():
    columns = {column.channel for known in FORMATS for column in known.columns.values()}
    assert not [name for name in {*CHANNELS, *columns} if is_bookkeeping(name)]


def test_an_archive_is_held_to_the_same(tmp_path):
    values = np.column_stack([NOISE, NOISE[::-1]])
    path = npz(values=values, channels=np.array(["au04", "quality"]))(tmp_path)
    assert read_series(path, channels=None).channels == ("au04",)
    assert read_series(path, channels=["quality"]).channels == ("quality",)


@pytest.mark.parametrize(
    "name", ["is_valid", "Face Detected", "tracked", "face_success", "detected", "has_face", "face_present"]
)
def test_a_mark_under_another_name_loses_its_rows(name, tmp_path):
    path = csv(plain(**{name: (CLOCK != 7).astype(int)}))(tmp_path)
    for channels in (None, ["au04"]):
        read = read_series(path, channels=channels, fps=25.0)
        assert np.flatnonzero(~read.valid).tolist() == [7]
        assert f"'{name}' is taken for 1 for a row with a measurement; 1 of {ROWS} rows" in read.notes[0]
        assert name not in read.channels
    whole = csv(plain(**{name: True}), "whole.csv")(tmp_path)
    assert read_series(whole, channels=None, fps=25.0).notes == ()


@pytest.mark.parametrize("name", ["face_confidence", "confidence"])
@pytest.mark.parametrize("lost", [-1.0, 0.0, 0.5, np.nan])
def test_a_confidence_may_say_by_minus_one_that_there_was_no_face(name, lost, tmp_path):
    path = csv(plain(**{name: np.where(CLOCK == 7, lost, 0.95)}))(tmp_path)
    read = read_series(path, channels=None, fps=25.0)
    assert np.flatnonzero(~read.valid).tolist() == [7]


def test_what_is_no_mark_is_no_matter_to_who_names_channels(tmp_path):
    path = csv(plain(detected=NOISE * 7))(tmp_path)
    assert read_series(path, channels=["au04"], fps=25.0).valid.all()
