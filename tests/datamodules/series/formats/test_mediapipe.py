import numpy as np
import pytest

from datamodules.series import UnreadableSeries, channel_schema, read_series

MESH = tuple(f"{axis}_{k}" for k in range(478) for axis in "xyz")


def test_blendshapes_and_landmarks(tmp_path, write_table):
    columns = ("frame", "timestamp_ms", *channel_schema.BLENDSHAPES, *MESH)
    frames = np.array([0, 1, 2, 4, 5])
    raw = write_table(tmp_path / "a.csv", columns, 5, frame=frames, timestamp_ms=frames * 40)
    series = read_series(tmp_path / "a.csv", channels=None)
    assert len(series.channels) == 52 + 3 * 478
    assert {channel_schema.group(name) for name in series.channels} == {"blendshape", "mesh_rel"}
    assert series.valid.tolist() == [True, True, True, False, True, True]
    assert series.fps == pytest.approx(25)
    found = dict(zip(series.channels, series.values[series.valid].T, strict=True))
    np.testing.assert_allclose(found["jawOpen"], raw["jawOpen"], rtol=1e-6)
    np.testing.assert_allclose(found["mesh_rel_x_0"], raw["x_0"], rtol=1e-6)


def test_a_table_of_blendshapes_alone(tmp_path, write_table):
    columns = ("timestamp", *channel_schema.BLENDSHAPES[1:])
    empty = {(2, name): "" for name in columns[1:]}
    write_table(tmp_path / "a.csv", columns, 6, timestamp=np.arange(6) / 30, cells=empty)
    series = read_series(tmp_path / "a.csv", channels=["eyeBlinkLeft"])
    assert series.valid.tolist() == [True, True, False, True, True, True]
    assert series.fps == pytest.approx(30)


def test_a_confidence_does_not_make_it_openface(tmp_path, write_table):
    confidence = np.array([0.9, 0.7, 0.9])
    write_table(tmp_path / "a.csv", ("confidence", *MESH), 3, confidence=confidence)
    series = read_series(tmp_path / "a.csv", channels=None)
    assert set(map(channel_schema.group, series.channels)) == {"mesh_rel"}
    assert series.valid.tolist() == [True, False, True]


def test_landmarks_in_pixels_and_two_clocks_stop(tmp_path, write_table):
    pixels = {name: np.full(4, 300.0) for name in MESH if name.startswith("x")}
    write_table(tmp_path / "a.csv", MESH, 4, **pixels)
    with pytest.raises(UnreadableSeries, match=r"'mesh_rel_x_0' has the mean 300, .*share of the image"):
        read_series(tmp_path / "a.csv", channels=None)
    columns = ("timestamp", "timestamp_ms", *channel_schema.BLENDSHAPES)
    write_table(tmp_path / "b.csv", columns, 4)
    with pytest.raises(UnreadableSeries, match="both tell the time"):
        read_series(tmp_path / "b.csv", channels=None)
