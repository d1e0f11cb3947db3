import numpy as np
import pytest

from datamodules.series import UnreadableSeries, read_series, series_size
from datamodules.series.formats.openface import COLUMNS, ORDER


def jaw(rows: int = 5) -> np.ndarray:
    """Landmarks (rows, 68, 2) whose jaw runs from left to right, as a face in an image does."""
    points = np.random.default_rng(0).uniform(100, 200, (rows, 68, 2))
    points[:, :17, 0] = np.linspace(100, 200, 17)
    points[:, :17, 1] = 200 - 0.01 * (np.linspace(100, 200, 17) - 150) ** 2
    return points


def test_landmarks_of_dvlog(tmp_path):
    points = jaw()
    points[3] = 0  # no face
    np.save(tmp_path / "12_visual.npy", points.reshape(5, 136))
    series = read_series(tmp_path / "12_visual.npy", channels=["y_3", "x_67"])
    np.testing.assert_allclose(series.values[:, 0], points[:, 3, 1], rtol=1e-6)
    np.testing.assert_allclose(series.values[:, 1], points[:, 67, 0], rtol=1e-6)
    assert series.valid.tolist() == [True, True, True, False, True]
    assert series_size(tmp_path / "12_visual.npy") == (5, 1.0)
    assert series.seconds.tolist() == [0, 1, 2, 3, 4]


def test_landmarks_with_all_x_first_are_not_taken_for_pairs(tmp_path):
    np.save(tmp_path / "12_visual.npy", jaw().transpose(0, 2, 1).reshape(5, 136))
    with pytest.raises(UnreadableSeries, match=r"12_visual\.npy: .* all x before all y"):
        read_series(tmp_path / "12_visual.npy", channels=None)


def test_openface_features_of_mpdd(tmp_path):
    values = np.random.default_rng(1).uniform(0, 1, (6, 709)).astype(np.float32)
    np.save(tmp_path / "001_A_1.npy", values)
    series = read_series(tmp_path / "001_A_1.npy", channels=None)
    assert series.channels == tuple(COLUMNS[name].channel for name in ORDER[5:])
    assert series.channels[-18:][0] == "au01_present"
    assert np.array_equal(series.values, values)
    assert series.fps is None
    assert read_series(tmp_path / "001_A_1.npy", channels=["au12"], fps=30).fps == 30


def test_other_arrays_are_refused(tmp_path):
    for name, shape in {"a.npy": (5, 136), "b_visual.npy": (5, 68, 2), "c.npy": (512,)}.items():
        np.save(tmp_path / name, np.ones(shape))
        with pytest.raises(UnreadableSeries, match=rf"{name}: an array .* write it as \.npz"):
            read_series(tmp_path / name, channels=None)
    (tmp_path / "d_visual.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(UnreadableSeries, match=r"d_visual\.npy"):
        read_series(tmp_path / "d_visual.npy", channels=None)
