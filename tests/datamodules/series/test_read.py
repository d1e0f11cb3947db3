import os

import numpy as np
import pandas as pd
import pytest

from datamodules.series import UnreadableSeries, is_series, read_series, series_size
from datamodules.series.read import recognise


def test_formats_are_recognised_by_their_columns(tmp_path, write_table):
    cases = {
        "OpenFace": ("frame", "timestamp", "confidence", "success", "AU01_r"),
        "LibreFace": ("frame_idx", "frame_time_in_ms", "au_1"),
        "py-feat": ("FaceRectX", "FaceScore", "AU01", "frame"),
        "OpenDBM": ("fac_AU01int",),
        "table": ("au01", "gaze_x"),
    }
    for name, columns in cases.items():
        write_table(tmp_path / "a.csv", columns)
        assert recognise(tmp_path / "a.csv").name == name
    write_table(tmp_path / "a.txt", ("frame", "au01"))
    with pytest.raises(UnreadableSeries, match=r"a\.txt: the columns are of no known format \(frame, au01"):
        read_series(tmp_path / "a.txt", channels=None)


def test_a_rewritten_table_is_read_again_whatever_was_asked_for(tmp_path, write_table):
    path = tmp_path / "a.csv"
    columns = ("frame", "timestamp", "confidence", "success", "AU01_r", "AU02_r")
    clock = {"frame": np.arange(1, 7), "timestamp": np.arange(6) / 25}
    clock |= {"confidence": np.ones(6), "success": np.ones(6, int)}
    for level in (1.0, 2.0):
        write_table(path, columns, 6, **clock, AU01_r=np.full(6, level), AU02_r=np.full(6, level + 1))
        os.utime(path, ns=(int(level), int(level)))
        assert read_series(path, channels=["au01"]).values.max() == level
        assert read_series(path, channels=["au02"]).values.max() == level + 1
        assert read_series(path, channels=["au02", "au01"]).values[0].tolist() == [level + 1, level]
        assert series_size(path) == (6, pytest.approx(25))
        assert read_series(path, channels=None).values.shape == (6, 2)
    assert read_series(path, channels=["au01"]) is read_series(path, channels=["au01"])
    write_table(path, columns[:-1], 5, **{name: values[:5] for name, values in clock.items()})
    os.utime(path, ns=(2, 2))  # the same time, another size
    assert series_size(path)[0] == 5


def test_plain_tables_know_frames_and_quality_but_no_labels_of_them(tmp_path):
    table = pd.DataFrame({"frame": [3, 4, 6], "success": [1, 0, 1], "au01": [1.0, 2.0, 3.0]})
    table.to_csv(tmp_path / "a.csv")  # with pandas' nameless row numbers
    series = read_series(tmp_path / "a.csv", channels=None)
    assert series.channels == ("au01",)
    assert series.values[:, 0].tolist() == [1, 0, 0, 3]
    assert series.valid.tolist() == [True, False, False, True]
    table["valid"] = [True, True, False]
    table.to_parquet(tmp_path / "a.parquet")
    assert read_series(tmp_path / "a.parquet", channels=["au01"]).valid.tolist() == [
        True,
        False,
        False,
        False,
    ]
    table["au01"] = [1.0, 2.0, None]
    table.to_csv(tmp_path / "b.csv", index=False)
    assert not read_series(tmp_path / "b.csv", channels=None).valid[3]
    table["valid"] = True
    table.to_csv(tmp_path / "c.csv", index=False)
    with pytest.raises(UnreadableSeries, match=r"c\.csv: channel 'au01' is nan in row 3"):
        read_series(tmp_path / "c.csv", channels=None)


def test_headers_that_name_nothing_or_something_twice(tmp_path):
    (tmp_path / "a.csv").write_text("au01, au01\n1, 2\n")
    with pytest.raises(UnreadableSeries, match=r"a\.csv: column 'au01' appears twice"):
        read_series(tmp_path / "a.csv", channels=None)
    (tmp_path / "b.csv").write_text("fac_AU01int,AU01_r\n1,2\n")
    with pytest.raises(UnreadableSeries, match="columns 'fac_AU01int' and 'AU01_r' both hold 'au01'"):
        read_series(tmp_path / "b.csv", channels=None)
    (tmp_path / "c.csv").write_text("au01,au02\n1,2\n3,4,5\n")
    with pytest.raises(UnreadableSeries, match=r"c\.csv: row 1 has more cells than the header"):
        read_series(tmp_path / "c.csv", channels=["au01"])
    (tmp_path / "d.csv").write_text("au01,au02\n")
    (tmp_path / "e.csv.gz").write_bytes(b"\x1f\x8b damaged")
    for name in ("d.csv", "e.csv.gz"):
        with pytest.raises(UnreadableSeries, match=name):
            read_series(tmp_path / name, channels=None)


def test_names_of_series(tmp_path):
    for name in ("a.npz", "a.npy", "a.csv", "a.csv.gz", "a.txt", "a.parquet"):
        assert is_series(tmp_path / name)
    for name in ("a.mp4", "a.gz", "a.xlsx"):
        assert not is_series(tmp_path / name)
