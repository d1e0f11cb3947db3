"""Clocks beside the one that is read: a contradiction is told, agreement is silent."""

import re

import numpy as np
import pandas as pd
import pytest

from datamodules.series import read_series
from datamodules.series.checks.conflicting_clocks import clock_rate
from tests.datamodules.series.files import OPENFACE, csv, npz, openface, plain, text

ROWS = 120
I = np.arange(ROWS)  # noqa: E741


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.mark.parametrize("unit", [1, 1e3, 1e6, 1e9])
@pytest.mark.parametrize("fps", [1.5, 15, 29.97, 240])
def test_a_rate_is_read_in_any_unit(unit, fps):
    assert clock_rate((I / fps + 7) * unit, I) == pytest.approx(fps)


@pytest.mark.parametrize(
    "values", [I * 1.0, I[::-1] / 15, np.r_[I[:-1] / 15, np.nan], I / 500, 0 * I / 15, I[:8] / 15]
)
def test_what_is_no_clock_of_a_camera_tells_nothing(values):
    assert clock_rate(values, np.arange(len(values))) is None


def test_whole_seconds_of_a_long_table_tell_the_rate_roughly():
    assert clock_rate(np.arange(6000) // 15, np.arange(6000)) == pytest.approx(15, rel=0.02)


@pytest.mark.parametrize(
    ("column", "scale"),
    [("time", 1), ("Time (s)", 1), ("TIME", 1e3), ("timestamp_us", 1e6), ("time_in_seconds", 1),
     ("pts_time", 1), ("elapsed_ms", 1e3), ("frame_time", 1), ("unix_time", 1), ("t", 1)],
)  # fmt: skip
def test_an_unread_clock_that_contradicts_the_manifest_is_named(column, scale, tmp_path):
    slow = read_series(csv(plain(ROWS, **{column: I / 15 * scale}))(tmp_path), channels=None, fps=30.0)
    assert slow.channels == ("au04", "au12")
    (note,) = slow.notes
    assert f"s.csv: '{column}' tells 15 rows/s, but the series is read at 30" in note
    assert "'timestamp'" in note
    named = read_series(tmp_path / "s.csv", channels=["au04"], fps=30.0)
    assert named.notes == slow.notes  # named channels change nothing of it
    right = csv(plain(ROWS, **{column: I / 30 * scale}), "right.csv")(tmp_path)
    assert read_series(right, channels=None, fps=30.0).notes == ()


def test_two_clocks_a_rate_of_the_file_and_a_clock_without_any_other(tmp_path):
    both = csv(plain(ROWS, timestamp=I / 30, time_ms=I / 15 * 1e3))(tmp_path)
    assert (
        "'time_ms' tells 15 rows/s, but the series is read at 30" in read_series(both, channels=None).notes[0]
    )
    stated = csv(plain(ROWS, fps=15.0), "fps.csv")(tmp_path)
    assert "'fps' tells 15 rows/s" in read_series(stated, channels=None, fps=30.0).notes[0]
    alone = csv(plain(ROWS, time=I / 15), "alone.csv")(tmp_path)
    (note,) = read_series(alone, channels=None).notes
    assert "'time' tells 15 rows/s and is not read; call it 'timestamp'" in note
    archive = npz(values=np.column_stack([np.sin(I), I / 15]), channels=np.array(["a", "time"]), fps=30.0)
    assert "'time' tells 15 rows/s, but" in read_series(archive(tmp_path), channels=None).notes[0]


@pytest.mark.parametrize("start", [pd.Timedelta(0), pd.Timestamp("2021-01-05T09:59:58")])
def test_times_in_words_are_compared_too(start, tmp_path):
    words = [str(start + pd.Timedelta(seconds=i / 15)) for i in I]
    (note,) = read_series(csv(plain(ROWS, time=words))(tmp_path), channels=None, fps=30.0).notes
    assert "'time' tells 15 rows/s, but the series is read at 30" in note
    assert read_series(csv(plain(ROWS, time=words), "s2.csv")(tmp_path), channels=None, fps=15.0).notes == ()


def test_every_second_frame_of_a_video_and_words_for_times_are_no_contradiction(tmp_path):
    half = csv(plain(ROWS, frame=2 * I, timestamp=I / 15, time=I / 15, fps=30.0))(tmp_path)
    assert read_series(half, channels=None, fps=30.0).notes == ()
    words = csv(plain(ROWS, time=[f"00:{i // 30:02d}" for i in I]), "words.csv")(tmp_path)
    assert read_series(words, channels=None, fps=30.0).notes == ()


def _of(time, rows=600):
    return text("s.csv", openface(rows, time=time))


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (
            lambda i: i / 30 if i < 300 else 10 + (i - 300) / 15,
            "changes the rate: .* 15 rows/s in rows 300 to",
        ),
        (lambda i: i / 15 if i < 300 else 20 + (i - 300) / 30, "changes the rate: 15 rows/s in rows"),
        (
            lambda i: i / 30 if i < 400 else 400 / 30 + (i - 400) / 24,
            "changes the rate: (29|30).* and 24 rows/s",
        ),
        (
            lambda i: i // 3 / 6 + i % 3 / 30,
            "no equal steps of time: .* by the usual step and 18.* over the whole",
        ),
        (lambda i: i / 30 + 60 * (i >= 300), "60.03 s pass between rows 299 and 300"),
        (lambda i: i / 30 + 3 * (i >= 300) + 4 * (i >= 400), r"4.03\d* s pass .*\(2 such places\)"),
    ],
)
def test_a_clock_that_changes_or_stops_is_told(time, said, tmp_path):
    notes = read_series(_of(time)(tmp_path), channels=None, fps=30.0).notes
    assert any("s.csv" in note and re.search(said, note) for note in notes)
    assert any("data.module.source.fps" in note for note in notes)


@pytest.mark.parametrize(
    "write",
    [
        _of(lambda i: round(i / 240, 3)),
        _of(lambda i: round(i / 29.97, 2)),
        _of(lambda i: i / 30 + 0.008 * np.sin(i)),  # a camera that jitters
        text(
            "s.csv",
            openface(600, frame=lambda i: i + 1 + 90 * (i > 300), time=lambda i: (i + 90 * (i > 300)) / 30),
        ),
    ],
)
def test_rounding_jitter_and_frames_that_are_numbered_are_no_change(write, tmp_path):
    path = write(tmp_path)
    rate = read_series(path, channels=None).fps
    assert read_series(path, channels=None, fps=rate).notes == ()


@pytest.mark.parametrize("head", [OPENFACE, OPENFACE.replace(", ", ","), OPENFACE.upper()])
def test_two_tables_in_one_file_are_refused(head, tmp_path):
    lines = openface(300).splitlines()
    joined = text("s.csv", "\n".join([*lines, head, *lines[1:]]) + "\n")(tmp_path)
    with pytest.raises(ValueError, match=r"s\.csv: row 300 names the columns again: two tables in one file"):
        read_series(joined, channels=None)
    bare = text("t.csv", "\n".join([*lines, *lines[1:]]) + "\n")(tmp_path)
    with pytest.raises(ValueError, match=r"t\.csv: frame 1 in row 300 .*begins anew: two tables in one file"):
        read_series(bare, channels=None)
