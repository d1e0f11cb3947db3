"""One wild value in a long table is refused with its row and value, or told where it may be right."""

import logging

import numpy as np
import pandas as pd
import pytest

from datamodules.series import UnreadableSeries, read_series
from tests.datamodules.series.files import npz

ROWS, AT = 2_000, 1_234
I = np.arange(ROWS)  # noqa: E741
rng = np.random.default_rng(10)
TRACKED = {"frame": I + 1, "timestamp": np.round(I / 30, 3), "confidence": 0.98, "success": 1}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def with_one(value, usual):
    return np.where(I == AT, value, usual)


def read(tmp_path, **columns):
    pd.DataFrame(TRACKED | {"AU12_r": rng.uniform(0, 3, ROWS)} | columns).to_csv(
        tmp_path / "s.csv", index=False
    )
    return read_series(tmp_path / "s.csv", channels=None, fps=30.0)


SMALL = rng.normal(0, 0.1, ROWS)
USUAL = {
    "AU01_r": rng.uniform(0, 5, ROWS), "AU01_c": rng.integers(0, 2, ROWS), "gaze_angle_x": SMALL,
    "pose_Rx": SMALL, "gaze_0_x": SMALL, "x_0": 500 + 9 * SMALL, "pose_Tz": 600 + 9 * SMALL, "p_rx": SMALL,
}  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("AU01_r", 1e6, "'au01' is 1e.06 in row 1234, outside 0 to 5 .*in 1 of 2000 measured rows"),
        ("AU01_r", 50, "'au01' is 50 in row 1234"),
        ("AU01_r", -99, "'au01' is -99 in row 1234"),
        ("AU01_c", 9, "'au01_present' is 9 in row 1234, outside 0 to 1"),
        ("gaze_angle_x", 57.0, r"'gaze_x' is 57 in row 1234, outside .* \(rad\)"),
        ("pose_Rx", -90.0, r"'pose_pitch' is -90 in row 1234, outside .* \(rad\)"),
        ("gaze_0_x", 12.0, "'gaze_0_x' is 12 in row 1234, outside -1 to 1"),
        ("x_0", 1e7, "'x_0' is 1e.07 in row 1234, outside -100000 to 100000 .px"),
        ("pose_Tz", -1e7, "'pose_z' is -1e.07 in row 1234"),
        ("p_rx", 400.0, "'p_rx' is 400 in row 1234"),
    ],
)
def test_a_wild_value_is_refused_with_channel_row_and_value(column, value, said, tmp_path):
    with pytest.raises(UnreadableSeries, match=rf"s\.csv: {said}.*mark such rows as not measured"):
        read(tmp_path, **{column: with_one(value, USUAL[column])})
    assert read(tmp_path, **{column: USUAL[column]}).notes == ()


def test_a_wild_value_in_a_lost_row_is_no_measurement(tmp_path):
    found = read(tmp_path, AU01_r=with_one(1e6, 1.0), success=(I != AT).astype(int))
    assert (found.notes, found.valid.sum()) == ((), ROWS - 1)


def test_what_leaves_its_range_by_a_little_is_told(tmp_path):
    (note,) = read(tmp_path, AU01_r=with_one(7.0, USUAL["AU01_r"])).notes
    assert "'au01' is 7 in row 1234, outside 0 to 5" in note
    assert read(tmp_path, AU01_r=with_one(5.1, USUAL["AU01_r"])).notes == ()  # a regression that overshoots


def archive(tmp_path, values, name):
    return read_series(npz(values=values[:, None], channels=np.array([name]))(tmp_path), channels=None)


def test_our_own_files_may_have_units_of_their_own(tmp_path):
    with pytest.raises(UnreadableSeries, match=r"s\.npz: 'au01' is 1e\+06 in row 1234"):
        archive(tmp_path, with_one(1e6, USUAL["AU01_r"]), "au01")
    assert archive(tmp_path, with_one(9.0, rng.normal(size=ROWS)), "au01").notes == ()  # z-scores
    rare = np.where(I % 200 == 0, 1.0, 0.0) + 0.01 * rng.random(ROWS)
    scored = (rare - rare.mean()) / rare.std()  # events of a rare unit in z-scores: told, not refused
    assert scored.max() > 10
    assert "outside 0 to 5" in archive(tmp_path, scored, "au01").notes[0]


def test_many_wild_values_of_our_own_files_are_told(tmp_path):
    (note,) = archive(tmp_path, np.where(I % 20 == 0, 100.0, USUAL["AU01_r"]), "au01").notes
    assert "'au01' is 100 in row 0, outside 0 to 5 (intensity 0-5), in 100 of 2000 measured rows" in note
    assert len(archive(tmp_path, 20 * USUAL["AU01_r"], "au01").notes) == 1  # in percent: its mean tells


@pytest.mark.parametrize("name", ["au25_present", "au25_probability", "jawOpen"])
@pytest.mark.parametrize("events", [1, 2, 4])
def test_a_rare_presence_in_z_scores_is_told_and_not_refused(name, events, tmp_path):
    rare = np.r_[np.ones(events), np.zeros(ROWS - events)]
    (note,) = archive(tmp_path, (rare - rare.mean()) / rare.std(), name).notes
    assert f"s.npz: '{name}' is " in note
    with pytest.raises(UnreadableSeries, match=f"'{name}' is 44 in row 0"):  # nothing was scored here
        archive(tmp_path, 44 * rare, name)


@pytest.mark.parametrize("rows", [300, 900, 1900, 5000])
def test_a_few_wild_values_of_an_unknown_channel_are_told(rows, tmp_path):
    values = np.random.default_rng(rows).normal(size=rows)
    assert archive(tmp_path, values, "lid_lag").notes == ()
    values[[5, 7]] = 1e12
    (note,) = archive(tmp_path, values, "lid_lag").notes
    assert "'lid_lag' is 1e+12 in row 5" in note


def test_a_wild_value_among_zeros_is_told_and_an_event_is_not(tmp_path):
    (note,) = archive(tmp_path, with_one(1e9, 0.0), "lid_lag").notes
    assert "'lid_lag' is 1e+09 in row 1234 and within 0 of its median" in note
    assert archive(tmp_path, with_one(1000.0, 0.0), "lid_lag").notes == ()


def test_an_unknown_channel_is_told_and_read(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        found = archive(tmp_path, with_one(1e6, rng.normal(size=ROWS)), "lid_lag")
    assert found.valid.all()
    assert "'lid_lag' is 1e+06 in row 1234 and within" in caplog.text


@pytest.mark.parametrize(
    "values",
    [
        rng.standard_t(2, ROWS),
        np.exp(rng.normal(0, 2, ROWS)),
        with_one(1.0, 0.0),
        np.where(I < 20, 1e6, SMALL),
    ],
    ids=["heavy tails", "log-normal", "one event", "a level of its own"],
)
def test_tails_and_rare_events_of_unknown_channels_are_silent(values, tmp_path):
    assert archive(tmp_path, values, "lid_lag").notes == ()
