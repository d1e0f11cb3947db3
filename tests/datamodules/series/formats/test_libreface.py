import numpy as np
import pytest

from datamodules.series import UnreadableSeries, channel_schema, read_series, series_size

ANGLES = ("pitch", "yaw", "roll")
DETECTED = (1, 2, 4, 6, 7, 10, 12, 14, 15, 17, 23, 24)
RATED = (1, 2, 4, 5, 6, 9, 12, 15, 17, 20, 25, 26)
COLUMNS = (
    "frame_idx", "frame_time_in_ms", *ANGLES, *(f"lm_mp_{k}_{axis}" for k in range(478) for axis in "xyz"),
    *(f"au_{k}" for k in DETECTED), *(f"au_{k}_intensity" for k in RATED), "facial_expression",
    "gaze_yaw", "gaze_pitch",
)  # fmt: skip
FRAMES = np.array([2, 3, 4, 7, 8, 9])  # frames 0, 1, 5 and 6 showed no face


@pytest.fixture
def table(tmp_path, write_table):
    def write(times, frames=FRAMES, columns=COLUMNS, **values):
        values = {"frame_idx": frames, "frame_time_in_ms": times} | values
        if "facial_expression" in columns:
            values["facial_expression"] = np.full(len(frames), "Neutral")
        return write_table(tmp_path / "a.csv", columns, len(frames), **values)

    return write


def test_columns_units_and_the_rows_without_a_face(tmp_path, table):
    raw = table(FRAMES / 25)
    series = read_series(tmp_path / "a.csv", channels=None)
    assert len(series.channels) == len(COLUMNS) - 3
    assert all(channel_schema.unit(name) != "unknown" for name in series.channels)
    assert np.flatnonzero(series.valid).tolist() == FRAMES.tolist()
    assert (series.values[~series.valid] == 0).all()
    np.testing.assert_allclose(series.seconds, np.arange(10) / 25, atol=1e-12)
    assert series_size(tmp_path / "a.csv") == (10, pytest.approx(25))
    found = dict(zip(series.channels, series.values[series.valid].T, strict=True))
    np.testing.assert_allclose(found["au01_present"], raw["au_1"], rtol=1e-6)
    np.testing.assert_allclose(found["au01"], raw["au_1_intensity"], rtol=1e-6)
    np.testing.assert_allclose(found["mesh_rel_z_477"], raw["lm_mp_477_z"], rtol=1e-6)
    for channel, column in {"pose_yaw": "yaw", "gaze_x": "gaze_yaw", "gaze_y": "gaze_pitch"}.items():
        np.testing.assert_allclose(found[channel], np.deg2rad(raw[column]), rtol=1e-6)


def test_the_common_action_units_are_there(tmp_path, table):
    table(FRAMES / 25)
    assert read_series(tmp_path / "a.csv", channels=channel_schema.COMMON_AUS).values.shape == (10, 12)


SMALL = ("frame_idx", "frame_time_in_ms", "au_1_intensity")


@pytest.mark.parametrize(("factor", "fps"), [(1.0, 30.0), (1000.0, 30.0), (1.0, 1.0), (1000.0, 240.0)])
def test_seconds_and_milliseconds_are_told_apart(tmp_path, table, factor, fps):
    table(FRAMES / fps * factor, columns=SMALL)
    series = read_series(tmp_path / "a.csv", channels=None)
    assert series.fps == pytest.approx(fps)
    np.testing.assert_allclose(series.seconds, np.arange(10) / fps, atol=1e-9)


@pytest.mark.parametrize("step", [2.0, 1e-4, 2000.0])
def test_a_clock_of_no_camera_stops(tmp_path, table, step):
    table(FRAMES * step, columns=SMALL)
    with pytest.raises(UnreadableSeries, match="neither in seconds nor in milliseconds"):
        read_series(tmp_path / "a.csv", channels=None)


def test_an_unknown_text_column_stops(tmp_path, table):
    table(FRAMES / 25, columns=(*SMALL, "mood"), mood=np.full(6, "fine"))
    with pytest.raises(UnreadableSeries, match=r"column 'mood' holds no number .*fine"):
        read_series(tmp_path / "a.csv", channels=None)
