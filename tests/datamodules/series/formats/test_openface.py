import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.series import UnreadableSeries, channel_schema, read_series, series_size
from datamodules.series.formats.openface import ORDER

TRACKING = ("frame", "face_id", "timestamp", "confidence", "success")
EDAIC = (
    "frame", "timestamp", "confidence", "success", *(f"pose_{k}{axis}" for k in "TR" for axis in "xyz"),
    "gaze_0_x", "gaze_0_y", "gaze_0_z", "gaze_1_x", "gaze_1_y", "gaze_1_z", "gaze_angle_x", "gaze_angle_y",
    *(name for name in ORDER if name.startswith("AU")),
)  # fmt: skip


def clock(rows: int, fps: float = 30.0, **changes) -> dict:
    """The columns of time and quality that OpenFace writes."""
    return {
        "frame": np.arange(1, rows + 1),
        "timestamp": np.round(np.arange(rows) / fps, 3),
        "confidence": np.full(rows, 0.98),
        "success": np.ones(rows, dtype=int),
    } | changes


@pytest.mark.parametrize("separator", [", ", ","])
def test_a_complete_file_of_either_separator(tmp_path, write_table, separator):
    assert len(ORDER) == 714
    assert ORDER[:5] == TRACKING
    raw = write_table(tmp_path / "a.csv", ORDER, separator=separator, **clock(12), face_id=np.zeros(12, int))
    series = read_series(tmp_path / "a.csv", channels=None)
    assert len(series.channels) == 709
    assert not set(series.channels) & set(TRACKING)
    assert all(channel_schema.unit(name) != "unknown" for name in series.channels)
    expected = {
        "au01": "AU01_r", "au45_present": "AU45_c", "gaze_x": "gaze_angle_x", "gaze_1_z": "gaze_1_z",
        "pose_pitch": "pose_Rx", "pose_yaw": "pose_Ry", "pose_roll": "pose_Rz", "pose_z": "pose_Tz",
        "x_0": "x_0", "Y_67": "Y_67", "eye_lmk_X_55": "eye_lmk_X_55", "p_33": "p_33",
    }  # fmt: skip
    for channel, column in expected.items():
        np.testing.assert_allclose(
            series.values[:, series.channels.index(channel)], raw[column], rtol=1e-6, err_msg=channel
        )
    assert series.fps == pytest.approx(30, rel=1e-3)  # one over the median of rounded steps is 30.3
    np.testing.assert_allclose(series.seconds, np.arange(12) / 30, atol=6e-4)


def test_the_columns_of_edaic(tmp_path, write_table):
    assert len(EDAIC) == 4 + 49
    write_table(tmp_path / "300_OpenFace2.1.0_Pose_gaze_AUs.csv", EDAIC, **clock(12))
    series = read_series(tmp_path / "300_OpenFace2.1.0_Pose_gaze_AUs.csv", channels=None)
    assert len(series.channels) == 49
    assert set(channel_schema.COMMON_AUS) < set(series.channels)


def test_confidence_success_and_text_decide_what_is_valid(tmp_path, write_table):
    confidence = np.full(12, 0.98)
    confidence[[2, 3]] = 0.79, 0.8
    success = np.ones(12, dtype=int)
    success[5] = 0
    faults = {
        (7, "AU01_r"): "-1.#IND",
        (8, "gaze_angle_x"): "-nan(ind)",
        (9, "success"): "no",
        (10, "x_0"): "",
    }
    columns = ("frame", "timestamp", "confidence", "success", "gaze_angle_x", "x_0", "AU01_r")
    table = clock(12, confidence=confidence, success=success)
    write_table(tmp_path / "a.csv", columns, cells=faults, **table)
    series = read_series(tmp_path / "a.csv", channels=None)
    assert np.flatnonzero(~series.valid).tolist() == [2, 5, 7, 8, 9, 10]
    assert (series.values[~series.valid] == 0).all()
    assert (series.values[series.valid] > 0).all()
    # What is not asked for cannot spoil a row.
    assert np.flatnonzero(~read_series(tmp_path / "a.csv", channels=["au01"]).valid).tolist() == [2, 5, 7, 9]


def test_a_column_without_any_number_stops_unless_left_out(tmp_path, write_table):
    columns = ("frame", "timestamp", "confidence", "success", "AU01_r", "AU02_r")
    write_table(tmp_path / "a.csv", columns, **clock(12), AU02_r=np.full(12, "off"))
    with pytest.raises(UnreadableSeries, match=r"a\.csv: column 'AU02_r' holds no number .*off"):
        read_series(tmp_path / "a.csv", channels=None)
    assert read_series(tmp_path / "a.csv", channels=["au01"]).valid.all()


def test_times_that_repeat_or_go_back_are_named(tmp_path, write_table):
    columns = ("frame", "timestamp", "confidence", "success", "AU01_r")
    times = np.arange(12) / 25
    times[6] = times[5]
    write_table(tmp_path / "a.csv", columns, **clock(12, timestamp=times))
    with pytest.raises(UnreadableSeries, match=r"a\.csv: time 0\.2 in row 6 comes after 0\.2"):
        read_series(tmp_path / "a.csv", channels=None)
    frames = np.arange(1, 13)
    frames[3] = 1
    write_table(tmp_path / "b.csv", columns, **clock(12, frame=frames))
    with pytest.raises(UnreadableSeries, match=r"b\.csv: frame 1 in row 3 comes after 3"):
        series_size(tmp_path / "b.csv")
    write_table(tmp_path / "c.csv", columns, **clock(12), cells={(4, "timestamp"): "-1.#IND"})
    with pytest.raises(UnreadableSeries, match=r"c\.csv: no time in row 4"):
        read_series(tmp_path / "c.csv", channels=None)


def test_of_several_faces_the_one_seen_most_often_is_kept(tmp_path, write_table, caplog):
    columns = (*TRACKING, "AU01_r")
    frames = np.array([1, 1, 2, 2, 3, 4, 5, 5])
    faces = np.array([0, 1, 0, 1, 1, 1, 0, 1])
    values = {
        "frame": frames,
        "face_id": faces,
        "timestamp": np.round((frames - 1) / 30, 3),
        "confidence": np.full(8, 0.9),
        "success": np.ones(8, dtype=int),
    }
    raw = write_table(tmp_path / "multi.csv", columns, 8, **values)
    series = read_series(tmp_path / "multi.csv", channels=None)
    assert "face_id 1, present in 5 of 8 rows" in caplog.text
    np.testing.assert_allclose(series.values[:, 0], raw["AU01_r"][faces == 1], rtol=1e-6)
    assert series.channels == ("au01",)
    assert series.fps == pytest.approx(30, rel=1e-2)
    write_table(tmp_path / "tie.csv", columns, 8, **values | {"face_id": np.array([0, 1, 0, 1, 0, 1, 0, 1])})
    with pytest.raises(
        UnreadableSeries, match=r"tie\.csv: faces 0 and 1 of 'face_id' are present in 4 frames"
    ):
        read_series(tmp_path / "tie.csv", channels=None)


def test_frames_that_a_file_lacks_are_invalid_rows(tmp_path, write_table):
    columns = ("frame", "timestamp", "confidence", "success", "AU01_r")
    frames = np.array([3, 4, 7])
    raw = write_table(tmp_path / "a.csv", columns, 3, **clock(3, frame=frames, timestamp=(frames - 1) / 25))
    series = read_series(tmp_path / "a.csv", channels=None)
    assert series.valid.tolist() == [False, False, True, True, False, False, True]
    np.testing.assert_allclose(series.values[series.valid, 0], raw["AU01_r"], rtol=1e-6)
    np.testing.assert_allclose(series.seconds, np.arange(7) / 25, atol=1e-12)
    assert series_size(tmp_path / "a.csv") == (7, pytest.approx(25))


def test_labels_and_tracking_columns_never_become_channels(tmp_path, write_table):
    columns = (*TRACKING, "AU01_r", "phq8_total")
    write_table(tmp_path / "a.csv", columns, **clock(12) | {"face_id": np.zeros(12, int)})
    with pytest.raises(LeakageError, match="phq8_total"):
        read_series(tmp_path / "a.csv", channels=None)
    assert read_series(tmp_path / "a.csv", channels=["au01"]).channels == ("au01",)
    for name in TRACKING:
        with pytest.raises(UnreadableSeries, match=f"no channel '{name}'"):
            read_series(tmp_path / "a.csv", channels=[name])


def test_action_units_without_quality_are_known_by_their_names(tmp_path, write_table):
    write_table(tmp_path / "a.csv", ("AU01_r", "AU01_c", "AU02_r"), cells={(3, "AU02_r"): ""})
    series = read_series(tmp_path / "a.csv", channels=None)
    assert series.channels == ("au01", "au01_present", "au02")
    assert np.flatnonzero(~series.valid).tolist() == [3]


def test_impossible_means_are_a_wrong_unit(tmp_path, write_table):
    columns = ("frame", "timestamp", "confidence", "success", "pose_Rx")
    write_table(tmp_path / "a.csv", columns, **clock(12), pose_Rx=np.full(12, 12.0))
    with pytest.raises(UnreadableSeries, match=r"'pose_pitch' has the mean 12, outside .* \(rad\)"):
        read_series(tmp_path / "a.csv", channels=None)


DATA = Path(os.environ.get("EUTHYMIA_DATA", "")) / "opendbm_sample"
real = pytest.mark.skipif(
    not os.environ.get("EUTHYMIA_DATA") or not DATA.is_dir(), reason="needs EUTHYMIA_DATA/opendbm_sample"
)


@real
def test_real_files_hold_what_their_text_says():
    # Cells read off with zcat: frame 1, frame 100 and the last, 158.
    series = read_series(DATA / "subj01_timepoint01_openface.csv.gz", channels=None)
    assert series.values.shape == (158, 709)
    assert series.valid.all()
    assert series.fps == pytest.approx(30, rel=1e-3)
    expected = {
        "gaze_0_x": (0.039066, 0.056458, 0.066572),
        "gaze_y": (0.293, 0.333, 0.319),
        "pose_z": (414.8, 420.2, 415.1),
        "pose_pitch": (0.116, 0.161, 0.145),
        "pose_yaw": (0.065, 0.065, 0.081),
        "x_0": (444.8, 447.7, 447.2),
        "y_67": (413.0, 407.4, 425.3),
        "X_30": (16.6, 18.1, 15.9),
        "au04": (1.44, 1.50, 1.58),
        "p_scale": (1.891, 1.871, 1.892),
    }
    for name, cells in expected.items():
        found = series.values[[0, 99, 157], series.channels.index(name)]
        np.testing.assert_allclose(found, cells, rtol=1e-6, err_msg=name)
    assert series.seconds[[0, 99, 157]].tolist() == [0.0, 3.3, 5.233]


@real
def test_real_files_agree_with_a_parser_of_their_own():
    for path in sorted(DATA.glob("*_openface.csv.gz")):
        with gzip.open(path, "rt") as stream:
            names = [name.strip() for name in stream.readline().split(",")]
            raw = np.array([[float(cell) for cell in line.split(",")] for line in stream])
        assert names == list(ORDER)
        series = read_series(path, channels=None)
        np.testing.assert_allclose(series.values, raw[:, 5:], rtol=1e-6)
