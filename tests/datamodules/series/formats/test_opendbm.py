import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from datamodules.series import UnreadableSeries, channel_schema, read_series, series_size

INTENSITIES = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 17, 20, 23, 25, 26, 45)
PRESENCES = (*INTENSITIES[:-1], 28, 45)
AUS = (*(f"fac_AU{k:02d}int" for k in INTENSITIES), *(f"fac_AU{k:02d}pres" for k in PRESENCES))
TRACKING = ("frame", "face_id", "timestamp", "confidence", "success")


def test_action_units_with_and_without_time(tmp_path, write_table):
    assert len(AUS) == 17 + 18
    raw = write_table(tmp_path / "a.csv", AUS)
    series = read_series(tmp_path / "a.csv", channels=None)
    assert series.fps is None
    assert series_size(tmp_path / "a.csv") == (12, None)
    assert read_series(tmp_path / "a.csv", channels=None, fps=30).seconds[3] == pytest.approx(0.1)
    np.testing.assert_allclose(series.values[:, series.channels.index("au45")], raw["fac_AU45int"], rtol=1e-6)
    confidence = np.full(12, 0.9)
    confidence[4] = 0.5
    clock = {
        "frame": np.arange(1, 13),
        "face_id": np.zeros(12, int),
        "timestamp": np.arange(12) / 25,
        "confidence": confidence,
        "success": np.ones(12, int),
        "dbm_master_url": np.full(12, "/videos/a.mp4"),
    }
    write_table(tmp_path / "b.csv", (*AUS, *TRACKING, "dbm_master_url"), **clock)
    series = read_series(tmp_path / "b.csv", channels=None)
    assert len(series.channels) == 35
    assert np.flatnonzero(~series.valid).tolist() == [4]
    assert series.fps == pytest.approx(25)


def test_head_pose_and_gaze(tmp_path, write_table):
    pose = ("mov_hposepitch", "mov_hposeyaw", "mov_hposeroll", "mov_hposedist", "error_reason")
    raw = write_table(
        tmp_path / "pose.csv", pose, error_reason=np.full(12, "Pass"), cells={(0, "mov_hposedist"): ""}
    )
    series = read_series(tmp_path / "pose.csv", channels=None)
    assert series.channels == ("pose_pitch", "pose_yaw", "pose_roll", "mov_hposedist")
    np.testing.assert_allclose(series.values[1:, 1], raw["mov_hposeyaw"][1:], rtol=1e-6)
    assert np.flatnonzero(~series.valid).tolist() == [0]
    assert read_series(tmp_path / "pose.csv", channels=["pose_yaw"]).valid.all()
    gaze = (*(f"mov_{side}eye{axis}" for side in ("left", "right") for axis in "xyz"), "mov_leyedisp")
    raw = write_table(tmp_path / "gaze.csv", gaze)
    series = read_series(tmp_path / "gaze.csv", channels=["gaze_1_z"])
    np.testing.assert_allclose(series.values[:, 0], raw["mov_righteyez"], rtol=1e-6)


def test_exports_of_head_velocity_count_frames_from_zero_and_blinks_are_no_series(tmp_path, write_table):
    write_table(tmp_path / "a.csv", ("Frames", "mov_headvel"), 3, Frames=np.array([1, 2, 4]))
    assert read_series(tmp_path / "a.csv", channels=None).valid.tolist() == [False, True, True, False, True]
    write_table(tmp_path / "b.csv", ("mov_blink_ear", "vid_dur", "fps", "mov_blinkframes", "mov_blinkdur"))
    with pytest.raises(UnreadableSeries, match="a row of this export is a blink"):
        read_series(tmp_path / "b.csv", channels=None)


def test_expressivity_is_gated_by_its_own_confidence(tmp_path, write_table):
    columns = ("AU12_r", "AU12_c", "s_confidence", "fac_hapintsoft", "fac_happres")
    confidence = np.where(np.arange(12) == 7, 0.7, 0.9)
    write_table(tmp_path / "a.csv", columns, s_confidence=confidence)
    series = read_series(tmp_path / "a.csv", channels=None)
    assert series.channels == ("au12", "au12_present", "fac_hapintsoft", "fac_happres")
    assert np.flatnonzero(~series.valid).tolist() == [7]
    assert channel_schema.is_presence("fac_happres")
    assert not channel_schema.is_presence("fac_hapintsoft")


DATA = Path(os.environ.get("EUTHYMIA_DATA", "")) / "opendbm_sample"


@pytest.mark.skipif(
    not os.environ.get("EUTHYMIA_DATA") or not DATA.is_dir(), reason="needs EUTHYMIA_DATA/opendbm_sample"
)
def test_real_exports_hold_what_their_text_says():
    # Cells read off with zcat in the first row of both files.
    units = read_series(
        DATA / "action_unit.csv.gz", channels=["au07", "au12", "au14", "au45", "au04_present"]
    )
    assert len(units.values) == 2638
    np.testing.assert_allclose(units.values[0], [0.32, 0.41, 1.17, 0.67, 0.0], rtol=1e-6)
    faces = read_series(DATA / "expressivity.csv.gz", channels=None)
    assert faces.values.shape == (2638, 72)
    with gzip.open(DATA / "expressivity.csv.gz", "rt") as stream:
        names = [name.strip() for name in stream.readline().split(",")]
        raw = np.array([[float(cell) for cell in line.split(",")] for line in stream])
    np.testing.assert_allclose(faces.values[:, 0], raw[:, names.index("AU01_r")], rtol=1e-6)
    np.testing.assert_allclose(
        faces.values[:, faces.channels.index("neu_exp")], raw[:, names.index("neu_exp")], rtol=1e-6
    )
    assert faces.valid.all()
