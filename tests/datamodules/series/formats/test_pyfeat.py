import numpy as np
import pytest

from datamodules.series import UnreadableSeries, channel_schema, read_series

AUS = (1, 2, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 17, 20, 23, 24, 25, 26, 28, 43)
EMOTIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
FACE = ("FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight", "FaceScore")
POINTS = tuple(f"{axis}_{k}" for axis in "xy" for k in range(68))
POSE = ("Pitch", "Roll", "Yaw", "X", "Y", "Z")
MESH = tuple(f"mesh_{axis}_{k}" for axis in "xyz" for k in range(478))
END = ("FrameHeight", "FrameWidth", "input", "frame", "approx_time")
IDENTITY = ("Identity", *(f"Identity_{k}" for k in range(1, 513)))
V2 = (
    *FACE, *POINTS, *POSE, *(f"AU{k:02d}" for k in AUS), *EMOTIONS, "valence", "arousal",
    "gaze_pitch", "gaze_yaw", "gaze_angle", *channel_schema.BLENDSHAPES, *IDENTITY, *MESH, *END,
)  # fmt: skip
SMALL = ("FaceRectX", "FaceScore", "AU01", "frame", "Identity")


def text(rows: int, **more) -> dict:
    return {
        "frame": np.arange(rows),
        "input": np.full(rows, "/videos/a.mp4"),
        "approx_time": np.full(rows, "00:00"),
        "Identity": np.full(rows, "Person_0"),
    } | more


def test_columns_of_detectorv2(tmp_path, write_table):
    raw = write_table(tmp_path / "a.csv", V2, 6, **text(6))
    series = read_series(tmp_path / "a.csv", channels=None, fps=25)
    found = dict(zip(series.channels, series.values.T, strict=True))
    assert {name for name in found if channel_schema.unit(name) == "unknown"} == {
        *FACE[:4], "X", "Y", "Z", "gaze_angle", "FrameHeight", "FrameWidth",
    }  # fmt: skip
    assert not [name for name in found if "Identity" in name or name in ("frame", "FaceScore", "input")]
    np.testing.assert_allclose(found["au01_probability"], raw["AU01"], rtol=1e-6)
    assert not set(channel_schema.COMMON_AUS) & set(found)  # a probability is no intensity
    np.testing.assert_allclose(found["pose_pitch"], np.deg2rad(raw["Pitch"]), rtol=1e-6)
    np.testing.assert_allclose(found["gaze_x"], raw["gaze_yaw"], rtol=1e-6)
    np.testing.assert_allclose(found["emotion_sadness"], raw["sadness"], rtol=1e-6)
    np.testing.assert_allclose(found["mesh_y_477"], raw["mesh_y_477"], rtol=1e-6)
    np.testing.assert_allclose(found["x_67"], raw["x_67"], rtol=1e-6)
    assert series.fps == 25
    np.testing.assert_allclose(series.seconds, np.arange(6) / 25)


def test_interleaved_points_of_mpdetector_are_the_mesh(tmp_path, write_table):
    points = tuple(f"{axis}_{k}" for k in range(478) for axis in "xyz")
    raw = write_table(tmp_path / "a.csv", (*FACE, *points, "frame"), 6, frame=np.arange(6))
    series = read_series(tmp_path / "a.csv", channels=["mesh_x_5", "mesh_z_477"])
    np.testing.assert_allclose(series.values, np.stack([raw["x_5"], raw["z_477"]], 1), rtol=1e-6)
    with pytest.raises(UnreadableSeries, match="no channel 'x_5'"):
        read_series(tmp_path / "a.csv", channels=["x_5"])


def test_without_a_rate_there_is_no_time(tmp_path, write_table):
    write_table(tmp_path / "a.csv", SMALL, 6, frame=np.arange(6), Identity=np.full(6, "Person_0"))
    series = read_series(tmp_path / "a.csv", channels=None)
    assert series.fps is None
    assert series.seconds is None


def test_a_score_of_zero_shows_no_face(tmp_path, write_table):
    score = np.array([0.9, 0.0, 0.9, 0.9, 0.9, 0.9])
    frames = np.array([0, 10, 20, 30, 50, 60])  # every tenth frame was analysed, and 40 is missing
    write_table(tmp_path / "a.csv", SMALL, 6, **{k: v for k, v in text(6).items() if k in SMALL}
                | {"frame": frames, "FaceScore": score}, cells={(3, "AU01"): ""})  # fmt: skip
    series = read_series(tmp_path / "a.csv", channels=["au01_probability"], fps=30)
    assert np.flatnonzero(~series.valid).tolist() == [1, 3, 4]
    assert series.fps == pytest.approx(3)
    np.testing.assert_allclose(series.seconds, np.arange(7) / 3)


def test_of_several_people_the_one_seen_most_often_is_kept(tmp_path, write_table, caplog):
    who = np.array(["Person_0", "Person_1", "Person_1", "Person_0", "Person_1"])
    frames = np.array([0, 0, 1, 2, 2])
    raw = write_table(tmp_path / "a.csv", SMALL, 5, frame=frames, Identity=who)
    series = read_series(tmp_path / "a.csv", channels=["au01_probability"])
    np.testing.assert_allclose(series.values[:, 0], raw["AU01"][who == "Person_1"], rtol=1e-6)
    assert "Person_1" in caplog.text
    columns = [name for name in SMALL if name != "Identity"]
    write_table(tmp_path / "b.csv", columns, 5, frame=frames)
    with pytest.raises(UnreadableSeries, match="frame 0 shows several faces"):
        read_series(tmp_path / "b.csv", channels=None)
