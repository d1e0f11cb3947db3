import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from biomarkers.estimators.series_array import SeriesPanel
from datamodules.series import Series


def series(values, *, channels=("au01", "au12"), valid=None, fps=10.0, seconds=None):
    values = np.asarray(values, dtype=np.float32)
    valid = np.ones(len(values), dtype=bool) if valid is None else np.asarray(valid, dtype=bool)
    return Series(values=values, channels=channels, valid=valid, fps=fps, seconds=seconds)


def panel(**options):
    return SeriesPanel(**({"channels": ("au01",), "length": 5, "scaling": "none"} | options))


def one(values, **options):
    """The steps of a recording with the one channel au01."""
    known = {name: options.pop(name) for name in ("valid", "fps", "seconds", "channels") if name in options}
    recording = series(np.c_[values], **({"channels": ("au01",)} | known))
    return panel(**options).fit_transform([recording])[0, 0]


def test_unequal_lengths_become_one_array_of_the_named_channels_in_their_order():
    long, short = series(np.c_[np.arange(9), 10 * np.arange(9)]), series([[0, 7], [4, 7]])
    steps = panel(channels=("au12", "au01")).fit_transform([long, short])
    assert steps.shape == (2, 2, 5)
    np.testing.assert_allclose(steps[0], [[0, 20, 40, 60, 80], [0, 2, 4, 6, 8]])
    np.testing.assert_allclose(steps[1], [[7] * 5, [0, 1, 2, 3, 4]])


def test_a_short_gap_is_interpolated_and_its_zeros_are_not_read():
    np.testing.assert_allclose(one([0, 1, 0, 0, 4], valid=[1, 1, 0, 0, 1], max_gap_s=0.2), [0, 1, 2, 3, 4])


def test_a_long_gap_holds_the_nearest_measurement():
    held = one([0, 1, 0, 0, 4], valid=[1, 1, 0, 0, 1], max_gap_s=0.1)
    np.testing.assert_allclose(held, [0, 1, 1, 4, 4])


def test_edges_are_held():
    np.testing.assert_allclose(one([0, 0, 3, 5, 0], valid=[0, 0, 1, 1, 0]), [3, 3, 3, 5, 5])


def test_a_value_that_is_not_finite_is_a_gap_of_its_channel_alone():
    values = np.c_[[0, np.nan, 2, 3, 4], [5, 6, 7, 8, 9]]
    steps = panel(channels=("au01", "au12")).fit_transform([series(values)])
    np.testing.assert_allclose(steps[0], [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]])


def test_a_presence_is_never_in_between():
    recording = series(np.c_[[0, 1, 1, 0]], channels=("au12_present",))
    steps = panel(channels=("au12_present",), length=8).fit_transform([recording])
    assert set(np.unique(steps)) == {0.0, 1.0}


def test_a_rate_pads_short_recordings_with_their_mean_and_cuts_long_ones():
    rated = SeriesPanel(channels=("au01",), length=4, fps=5.0, scaling="none")
    short = series(np.c_[[0, 1, 2]], channels=("au01",))
    long = series(np.c_[np.arange(20)], channels=("au01",))
    np.testing.assert_allclose(rated.fit_transform([short, long])[:, 0], [[0, 2, 1, 1], [0, 2, 4, 6]])


def test_known_times_count_and_not_the_rows():
    seconds = np.array([0, 0.1, 0.4])
    np.testing.assert_allclose(one([0, 1, 4], seconds=seconds), [0, 1, 2, 3, 4])


def test_training_scaling_is_that_of_sklearn_on_the_training_steps():
    rng = np.random.default_rng(0)
    train, test = (
        [series(3 + 2 * rng.standard_normal((n, 2))) for n in lengths] for lengths in ((20, 30), (25,))
    )
    options = {"channels": ("au01", "au12"), "length": 12}
    raw = panel(**options).fit(train)
    scaled = panel(**options, scaling="training").fit(train)
    rows = np.moveaxis(raw.transform(train), 1, 2).reshape(-1, 2)
    expected = StandardScaler().fit(rows).transform(raw.transform(test)[0].T).T
    np.testing.assert_allclose(scaled.transform(test)[0], expected)


def test_recording_scaling_leaves_the_shape_and_a_constant_at_zero():
    steps = panel(channels=("au01", "au12"), scaling="recording").fit_transform(
        [series(np.c_[np.arange(5), np.full(5, 3)])]
    )
    np.testing.assert_allclose(steps[0, 0], (np.arange(5) - 2) / np.sqrt(2))
    np.testing.assert_array_equal(steps[0, 1], 0)


def test_what_cannot_be_read_is_an_error_that_names_it():
    empty = series([[1, 1], [1, 1]], valid=[0, 0])
    with pytest.raises(ValueError, match="channel 'au01' of recording 1 has no measurement in 2 rows"):
        panel().fit_transform([series(np.ones((3, 2))), empty])
    with pytest.raises(ValueError, match="recording 0 has no channel 'au04'"):
        panel(channels=("au04",)).fit_transform([empty])
    with pytest.raises(ValueError, match="recording 0 has no rows"):
        panel().fit_transform([series(np.zeros((0, 2)))])
    with pytest.raises(ValueError, match="neither times nor a rate"):
        one([1, 2], fps=None)
    with pytest.raises(ValueError, match="scaling='fold'"):
        panel(scaling="fold").fit_transform([empty])
    with pytest.raises(ValueError, match="no recordings"):
        panel().fit_transform([])


def test_it_is_an_estimator_of_sklearn():
    original = panel(fps=4.0)
    assert clone(original).get_params() == original.get_params()
