"""Courses over normalized time, by hand."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from biomarkers.groups.profiles import course, group_profiles
from datamodules.series.read import read_series
from datamodules.series.series import Series
from evaluation.uncertainty.bootstrap import Resampling

DATA = Path(os.environ.get("EUTHYMIA_DATA", "")) / "opendbm_sample"


def series(values, *, valid=None, seconds=None, channels=("au01",)):
    values = np.asarray(values, dtype=np.float32).reshape(-1, len(channels))
    valid = np.ones(len(values), dtype=bool) if valid is None else np.asarray(valid, dtype=bool)
    return Series(values=values, channels=channels, valid=valid, fps=10.0, seconds=seconds)


def test_bins_hold_the_mean_of_their_valid_frames():
    one = series([1, 2, 0, 4, 5, 6, 7, 9], valid=[1, 1, 0, 0, 1, 1, 1, 1])
    np.testing.assert_allclose(course(one, bins=4)[:, 0], [1.5, np.nan, 5.5, 8])


def test_time_is_read_off_the_seconds_where_rows_were_dropped():
    gap = series([1, 2, 8], seconds=np.array([0.0, 0.1, 1.0]))
    np.testing.assert_allclose(course(gap, bins=2)[:, 0], [1.5, 8])


def test_one_frame_is_a_course_of_one_bin():
    np.testing.assert_allclose(course(series([3]), bins=3)[:, 0], [3, np.nan, np.nan])


def test_a_recording_without_a_valid_frame_is_refused():
    with pytest.raises(ValueError, match="none of 2 frames is valid"):
        course(series([1, 2], valid=[0, 0]), bins=2)


def test_persons_count_once_whatever_their_recordings_and_lengths():
    rows = [series([1] * 10), series([3] * 20), series([6] * 4), series([100] * 5)]
    found = group_profiles(rows, ["a", "a", "b", "c"], ["0", "0", "0", "1"], Resampling(1000), bins=2)
    np.testing.assert_allclose(found["0"].mean, [[4], [4]])  # (2 + 6) / 2
    assert found["0"].persons.tolist() == [2, 2]
    assert found["1"].mean.shape == (2, 1)
    assert np.isnan(found["0"].low).all()  # two persons have no band


def test_the_band_is_that_of_a_mean_of_persons():
    rng = np.random.default_rng(0)
    level = rng.standard_normal(200)
    rows = [series(np.full((6, 2), [v, -v]), channels=("au01", "au12")) for v in level]
    persons = [f"s{i}" for i in range(200)]
    found = group_profiles(rows, persons, ["all"] * 200, Resampling(2000), bins=3)["all"]
    half = stats.sem(level) * 1.96
    np.testing.assert_allclose(found.high[:, 0] - found.mean[:, 0], half, rtol=0.1)
    np.testing.assert_allclose(found.mean[:, 1] - found.low[:, 1], half, rtol=0.1)


def test_other_channels_or_lengths_are_refused():
    pair = [series([1, 2]), series([1, 2], channels=("au12",))]
    with pytest.raises(ValueError, match=r"recording of b has other channels.*au01.*au12"):
        group_profiles(pair, ["a", "b"], ["0", "1"], Resampling(1000))
    with pytest.raises(ValueError, match="2 series, 1 subjects"):
        group_profiles(pair, ["a"], ["0", "1"], Resampling(1000))


@pytest.mark.skipif(
    not os.environ.get("EUTHYMIA_DATA") or not DATA.is_dir(), reason="needs EUTHYMIA_DATA/opendbm_sample"
)
def test_real_recordings_have_a_course():
    files = sorted(DATA.glob("*_openface.csv.gz"))
    series = [read_series(file, channels=["au01", "au12"]) for file in files]
    for file, one in zip(files, series, strict=True):
        table = pd.read_csv(file, skipinitialspace=True)
        expected = table.loc[table["success"] == 1, ["AU01_r", "AU12_r"]].mean()
        np.testing.assert_allclose(course(one, bins=1)[0], expected, rtol=1e-5)
    found = group_profiles(
        series, [f.name[:6] for f in files], [f.name[7:18] for f in files], Resampling(2000), bins=20
    )
    assert [profile.persons.tolist() for profile in found.values()] == [[2] * 20, [2] * 20]


def test_a_group_with_such_a_recording_is_refused():
    rng = np.random.default_rng(0)
    made = [series(rng.uniform(0, 1, 40)), series(np.zeros(40), valid=np.zeros(40))]
    with pytest.raises(
        ValueError, match="none of 40 frames of a recording of P1 is valid: drop the recording"
    ):
        group_profiles(made, ["P0", "P1"], ["low", "low"], Resampling(1000), bins=4)
