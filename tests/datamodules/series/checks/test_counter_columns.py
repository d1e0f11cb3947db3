"""Columns that count rows or tell the time are no channels: a date would tell when a person was recorded."""

import numpy as np
import pytest

from datamodules.series import UnreadableSeries, read_series
from datamodules.series.checks.counter_columns import is_clock, is_counting
from tests.datamodules.series.files import csv, npz, plain

ROWS = 300
I = np.arange(ROWS)  # noqa: E741
T = I / 30
NOISE = np.random.default_rng(13).normal(size=ROWS)
LOST = (I >= 100) & (I < 110)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize(
    "name",
    ["ts", "ts_ms", "epoch", "unixtime", "unix_ts", "datetime", "date_time", "date", "posix_time",
     "wall_clock", "frametime", "utc"],
)  # fmt: skip
def test_names_of_clocks_and_dates(name):
    assert is_clock(name)


@pytest.mark.parametrize(
    "name", ["update", "tsne_1", "epochs_of_smiling", "smile_ts_ratio", "candidate", "unixlike"]
)
def test_names_of_no_clock(name):
    assert not is_clock(name)


@pytest.mark.parametrize(
    "values",
    [1.61e9 + T, 1.61e12 + 1000 * T, 1.61e18 + 1e9 * T, 44_000.4 + T / 86_400, T / 60, T / 3600,
     np.floor(1.61e9 + T), (1.61e9 + T).astype(np.float32), 1.61e9 + np.cumsum(1 + NOISE**2) / 30,
     I / (ROWS - 1), 7 - 0.3 * I, np.round(44_000.4 + T / 86_400, 6), I // 2],
    ids=["seconds", "milliseconds", "nanoseconds", "days", "minutes", "hours", "whole seconds", "float32",
         "an uneven clock", "a share of the video", "a line down",
         "rounded days", "every row twice"],
)  # fmt: skip
def test_times_of_any_unit_are_found_by_their_values(values, tmp_path):
    assert all(is_counting(values, np.ones(ROWS, dtype=bool), I, fps) for fps in (30.0, None))
    path = csv(plain(ROWS, zeit=values))(tmp_path)
    assert read_series(path, channels=None, fps=30.0).channels == ("au04", "au12")
    with pytest.raises(UnreadableSeries, match=r"s\.csv: 'zeit' counts rows or time"):
        read_series(path, channels=["au12", "zeit"], fps=30.0)
    stored = npz(values=np.column_stack([NOISE, values]), channels=np.array(["au12", "zeit"]))(tmp_path)
    assert read_series(stored, channels=None).channels == ("au12",)
    with pytest.raises(UnreadableSeries, match=r"s\.npz: 'zeit' counts rows or time"):
        read_series(stored, channels=["zeit"])


@pytest.mark.parametrize("filler", [np.nan, 0.0, -1.0])
def test_a_counter_with_lost_rows_is_a_counter(filler, tmp_path):
    table = plain(ROWS, valid=(~LOST).astype(int), frame_x=np.where(LOST, filler, I))
    read = read_series(csv(table)(tmp_path), channels=None, fps=30.0)
    assert (read.channels, int(read.valid.sum())) == (("au04", "au12"), ROWS - LOST.sum())
    assert "'frame_x' counts rows or time" in read.notes[0]


@pytest.mark.parametrize(
    "values",
    [1.61e9 + NOISE, np.cumsum(NOISE**2), np.where(I < 16, I, NOISE), np.exp(T / 30), np.full(ROWS, 3.0),
     5 + I + 0.2 * NOISE, np.cumsum(NOISE > 0.3)],
    ids=["large and up and down", "growth", "a counter in its first rows", "a curve", "constant", "a drift",
         "events so far"],
)  # fmt: skip
@pytest.mark.parametrize("fps", [30.0, None])
def test_what_grows_unevenly_is_no_counter(values, fps):
    assert not is_counting(values, np.ones(ROWS, dtype=bool), I, fps)
