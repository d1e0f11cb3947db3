import os

import numpy as np
import pandas as pd
import pytest

from datamodules.feature_leakage.channels import LeakageError
from datamodules.series import UnreadableSeries, read_series

CHANNELS = ("au04", "au12", "gaze_x")


def test_archive_and_tables_agree(tmp_path, write_series):
    values = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    valid = np.arange(30) % 7 > 0
    archive = read_series(write_series(tmp_path / "s.npz", values, valid=valid), channels=None)
    table = pd.DataFrame(values, columns=[f" {name}" for name in CHANNELS])
    table["valid"], table["timestamp"] = valid, np.arange(30) / 25
    table.to_csv(tmp_path / "s.csv", index=False)
    table.to_parquet(tmp_path / "s.parquet")
    for name in ("s.csv", "s.parquet"):
        series = read_series(tmp_path / name, channels=None)
        np.testing.assert_allclose(series.values, archive.values, rtol=1e-6)
        assert series.channels == archive.channels == CHANNELS
        assert np.array_equal(series.valid, valid)
        assert series.fps == pytest.approx(25)
    assert (archive.values[~valid] == 0).all()


def test_channels_are_selected_in_the_asked_order(tmp_path, write_series):
    path = write_series(tmp_path / "s.npz", np.arange(6.0).reshape(2, 3))
    assert read_series(path, channels=["gaze_x", "au04"]).values.tolist() == [[2, 0], [5, 3]]
    with pytest.raises(UnreadableSeries, match=r"no channel 'gaze_z'; did you mean 'gaze_x'"):
        read_series(path, channels=["gaze_z"])


def test_a_file_of_another_kind_is_refused_in_one_line_with_a_remedy(tmp_path):
    table = pd.DataFrame({f"brow_{n}": [0.5, 0.25] for n in range(20)} | {"timestamp": [0.0, 0.04]})
    table.to_csv(tmp_path / "s.csv", index=False)
    match = r"no channel 'au01'.*brow_9 and 10 more\); give only files that hold the 1 channels asked for"
    with pytest.raises(UnreadableSeries, match=match):
        read_series(tmp_path / "s.csv", channels=["au01"])


def test_missing_values_belong_into_invalid_rows(tmp_path, write_series):
    values = np.ones((4, 3))
    values[2, 1] = np.nan
    with pytest.raises(UnreadableSeries, match=r"bad\.npz: channel 'au12' is nan in row 2"):
        read_series(write_series(tmp_path / "bad.npz", values), channels=None)
    valid = np.array([True, True, False, True])
    series = read_series(write_series(tmp_path / "good.npz", values, valid=valid), channels=None)
    assert series.values[2].tolist() == [0, 0, 0]
    assert not series.valid[2]


def test_a_label_among_the_channels_stops_unless_left_out(tmp_path, write_series):
    path = write_series(tmp_path / "s.npz", np.ones((4, 3)), channels=("au04", "item_bdi_09", "au12"))
    with pytest.raises(LeakageError, match="item_bdi_09"):
        read_series(path, channels=None)
    assert read_series(path, channels=["au04", "au12"]).values.shape == (4, 2)


def test_damaged_files_are_named(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 not an archive")
    (tmp_path / "b.txt").write_text("")
    (tmp_path / "c.csv").write_text("au04\nx\n")
    np.savez(tmp_path / "d.npz", values=np.ones((4, 2)), channels=np.asarray(CHANNELS))
    np.savez(tmp_path / "e.npz", values=np.ones((0, 3)), channels=np.asarray(CHANNELS))
    (tmp_path / "f.npz").write_bytes(b"")
    np.savez_compressed(tmp_path / "g.npz", values=np.random.default_rng(0).normal(size=(99, 3)))
    content = bytearray((tmp_path / "g.npz").read_bytes())
    content[200:900] = bytes(700)
    (tmp_path / "g.npz").write_bytes(content)
    with (tmp_path / "h.npz").open("wb") as stream:
        np.save(stream, np.ones((4, 3)))
    for name in ("f.npz", "g.npz", "h.npz", "a.npz", "b.txt", "c.csv", "d.npz", "e.npz", "gone.npz"):
        with pytest.raises(UnreadableSeries, match=name):
            read_series(tmp_path / name, channels=None)


def test_a_rewritten_file_is_read_again(tmp_path, write_series):
    path = write_series(tmp_path / "s.npz", np.ones((4, 3)))
    assert read_series(path, channels=None).values.max() == 1
    write_series(path, np.full((4, 3), 2.0))
    os.utime(path, ns=(5, 5))
    assert read_series(path, channels=None).values.max() == 2
