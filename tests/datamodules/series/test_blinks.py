import numpy as np

from datamodules.series.blinks import closure, eyes_open, find_blinks, lid_closure


def test_short_falls_of_the_lids_are_blinks_and_long_ones_closures(make_series):
    seconds = np.arange(120) / 30
    ratio = np.full(120, 0.3)
    ratio[20:26] = 0.1  # 0.2 s
    ratio[60:90] = 0.05  # 1 s
    ratio[100:103] = 0.24  # a fifth: too little
    signal = lid_closure(ratio, np.ones(120, dtype=bool))
    np.testing.assert_allclose(signal[[0, 20, 60, 100]], [0, 2 / 3, 5 / 6, 0.2])
    blinks, long = find_blinks(signal, np.ones(120, dtype=bool), seconds, "eye_aspect_ratio")
    assert [event.rows for event in blinks] == [slice(20, 26)]
    assert [event.rows for event in long] == [slice(60, 90)]
    series = make_series(fps=30.0, eye_aspect_ratio=ratio)
    np.testing.assert_allclose(closure(series, "eye_aspect_ratio"), signal, atol=1e-6)
    closed = np.zeros(120, dtype=bool)
    closed[[*range(20, 26), *range(60, 90), *range(100, 103)]] = True
    assert (eyes_open(series) == ~closed).all()


def test_the_median_is_that_of_valid_rows_and_no_row_gives_no_signal():
    ratio = np.array([0.3, 0.3, 0.15, 9.0, 9.0, 9.0, 9.0])
    valid = np.array([1, 1, 1, 0, 0, 0, 0], dtype=bool)
    np.testing.assert_allclose(lid_closure(ratio, valid)[:3], [0, 0, 0.5])
    assert not lid_closure(ratio, np.zeros(7, dtype=bool)).any()
