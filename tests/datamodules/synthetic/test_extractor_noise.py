from dataclasses import replace

import numpy as np
import pytest

from datamodules.series import Series
from datamodules.synthetic.extractor_noise import as_extracted

CHANNELS = ("au12", "gaze_x", "au04", "pupil", "au12_present")


def latent(rows=20_000, fps=30.0):
    values = np.tile(np.array([2.5, 0.1, 0.0, 0.4, 1.0], dtype=np.float32), (rows, 1))
    return Series(
        values=values,
        channels=CHANNELS,
        valid=np.ones(rows, dtype=bool),
        fps=fps,
        seconds=np.arange(rows) / fps,
    )


def extract(series, **changes):
    return as_extracted(series, **({"noise": 0.0, "drop": 0.0, "missing": (), "seed": 0} | changes))


def runs(lost):
    """Lengths of the runs of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost.astype(int), [0]])))
    return edges[1::2] - edges[::2]


def test_without_noise_loss_and_missing_units_nothing_changes():
    series = latent(rows=50)
    found = extract(series)
    np.testing.assert_array_equal(found.values, series.values)
    assert (found.channels, found.fps, found.valid.all()) == (CHANNELS, 30.0, True)


def test_noise_is_of_its_size_on_intensities_only_and_stays_in_their_range():
    series = latent()
    found = extract(series, noise=0.4)
    error = found.values - series.values
    assert error[:, 0].std() == pytest.approx(0.4, rel=0.03)
    assert error[:, 0].mean() == pytest.approx(0, abs=0.02)
    assert np.abs(error[:, [1, 3, 4]]).max() == 0
    assert found.values[:, 2].min() == 0  # rests at 0: half of the noise is clipped
    assert (found.values[:, 2] == 0).mean() == pytest.approx(0.5, abs=0.02)
    assert extract(series, noise=9.0).values[:, 0].max() == 5
    assert abs(np.corrcoef(error[:, 0], error[:, 2])[0, 1]) < 0.03


@pytest.mark.parametrize(("drop", "fps"), [(0.05, 30.0), (0.3, 12.0), (0.9, 2.0)])
def test_frames_are_lost_in_runs_that_fill_the_share(drop, fps):
    found = extract(latent(rows=60_000, fps=fps), drop=drop)
    lost = ~found.valid
    assert lost.mean() == pytest.approx(drop, rel=0.1)
    assert runs(lost).mean() == pytest.approx(max(0.5 * fps, drop / (1 - drop)), rel=0.1)
    assert not found.values[lost].any()


def test_missing_channels_are_gone_and_the_others_unchanged():
    series = latent(rows=300)
    full = extract(series, noise=0.4, drop=0.2)
    part = extract(series, noise=0.4, drop=0.2, missing=("gaze_x", "au12"))
    assert part.channels == ("au04", "pupil", "au12_present")
    np.testing.assert_array_equal(part.values, full.values[:, [2, 3, 4]])
    np.testing.assert_array_equal(part.valid, full.valid)


def test_frames_that_were_invalid_stay_invalid_and_empty():
    series = latent(rows=10)
    valid = np.arange(10) != 3
    found = extract(replace(series, valid=valid), noise=0.4)
    assert found.valid.tolist() == valid.tolist()
    assert not found.values[3].any()


def test_the_seed_decides_and_losses_do_not_depend_on_the_noise():
    series = latent(rows=300)
    one, again, other = (extract(series, noise=0.4, drop=0.3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.values, again.values)
    assert (one.values != other.values).any()
    np.testing.assert_array_equal(one.valid, extract(series, drop=0.3, seed=1).valid)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": -1.0}, "noise=-1"),
        ({"drop": 1.0}, "drop=1.0"),
        ({"missing": ("au99",)}, "missing names 'au99'"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        extract(latent(rows=10), **changes)
    with pytest.raises(ValueError, match="no frame rate"):
        extract(replace(latent(rows=10), fps=None))
