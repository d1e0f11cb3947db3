"""Clocks of feature sets: seconds and microseconds are told from sparse and fast sets."""

import re
from pathlib import Path

import numpy as np
import pytest

from datamodules.series import UnreadableSeries
from datamodules.series.checks.set_clock import check_set_rate, check_spans

FILE = Path("sets/a.npz")


def clock(fps, seconds=60.0):
    return np.arange(int(seconds * fps)) / fps


@pytest.mark.parametrize("fps", [1, 5, 25, 30, 100])
def test_seconds_are_refused(fps):
    told = re.escape(f"{fps * 1000:.4g}")
    with pytest.raises(
        UnreadableSeries, match=rf"^sets/a\.npz: .*gives {told} rows/s.*seconds: multiply it by"
    ):
        check_set_rate(FILE, clock(fps) / 1000)


@pytest.mark.parametrize(
    ("fps", "seconds"), [(1, 60), (5, 60), (25, 4), (30, 4), (50, 12), (100, 12), (400, 12)]
)
def test_microseconds_are_refused(fps, seconds):
    with pytest.raises(UnreadableSeries, match=r"^sets/a\.npz: .*like microseconds: divide it by 1000;"):
        check_set_rate(FILE, clock(fps, seconds) * 1000)


def test_nanoseconds_are_refused():
    with pytest.raises(UnreadableSeries, match="like nanoseconds: divide it by 1000000"):
        check_set_rate(FILE, clock(30) * 1e6)


@pytest.mark.parametrize("fps", [0.05, 0.1, 0.5, 1, 2, 29.97, 120, 240, 400])
def test_sparse_and_fast_sets_pass(fps):
    check_set_rate(FILE, clock(fps, 3600.0))


def test_one_row_has_no_rate_and_irregular_rows_have_one():
    check_set_rate(FILE, np.array([1e9]))
    check_set_rate(FILE, np.array([0.0, 2.0, 12.0]))
    check_set_rate(FILE, np.array([0.0, 20.0]))


def test_spans_of_one_recording_that_differ_by_a_thousand_are_refused():
    sparse = clock(0.5, 300.0)
    with pytest.raises(
        UnreadableSeries, match=r"^b\.npz: its times span 0\.298 s, and .*a\.npz.* not in mill"
    ):
        check_spans({Path("a.npz"): clock(25, 300.0), Path("b.npz"): sparse / 1000})
    with pytest.raises(UnreadableSeries, match=r"^a\.npz: its times span 5\.96 s"):
        check_spans({Path("a.npz"): clock(25, 6.0), Path("b.npz"): clock(25, 6.0) * 1000})
    check_spans({Path("a.npz"): clock(25, 300.0), Path("b.npz"): sparse, Path("c.npz"): clock(25, 2.0)})
