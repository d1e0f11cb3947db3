import numpy as np
import pytest

from biomarkers.features.extractor import Unmeasurable
from biomarkers.features.synchrony import Synchrony, windowed


def pair(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=rows)
    return {"au06": shared + rng.normal(size=rows), "au12": shared + rng.normal(size=rows)}


def test_correlation_is_that_of_numpy_in_every_window(make_series):
    series = make_series(**pair())
    x, y = series.values.astype(float).T
    values = Synchrony(pairs=[("au06", "au12")], window_s=4.0).measure(series, recording="r").values
    expected = [np.corrcoef(x[at : at + 40], y[at : at + 40])[0, 1] for at in range(0, 161, 20)]
    assert values["au06_au12_corr"] == pytest.approx(np.mean(expected), rel=1e-9)


def test_the_best_lag_is_the_largest_of_numpys_correlations():
    x, y = pair(rows=41).values()
    x, y = x[1:], y[:-1]
    at = {lag: np.corrcoef(x[: 40 - lag], y[lag:])[0, 1] for lag in range(6)} | {
        -lag: np.corrcoef(x[lag:], y[: 40 - lag])[0, 1] for lag in range(1, 6)
    }
    best = max(at, key=lambda lag: at[lag])
    assert best != 0
    found = windowed(np.stack([x, x, 0 * x]), np.stack([y, y, y]), 5)
    for row in (0, 1):
        assert [part[row] for part in found] == pytest.approx([at[0], at[best], best], rel=1e-9)
    assert np.isnan([found[0][2], found[1][2]]).all()


def test_a_delayed_copy_is_found_at_its_delay(make_series):
    x = np.random.default_rng(0).normal(size=203)
    series = make_series(au06=x[3:], au12=x[:-3])  # au12 shows 0.3 s later what au06 showed
    values = Synchrony(pairs=[("au06", "au12")]).measure(series, recording="r").values
    assert values["au06_au12_lag"] == pytest.approx(0.3)
    assert values["au06_au12_lagcorr"] == pytest.approx(1.0, abs=1e-6)
    assert abs(values["au06_au12_corr"]) < 0.2


def test_windows_with_an_invalid_frame_do_not_count(make_series):
    channels = pair()
    valid = np.ones(200, dtype=bool)
    valid[90] = False
    channels["au12"][60:120] = channels["au06"][60:120]  # would raise the mean if it counted
    series = make_series(**channels, valid=valid)
    x, y = series.values.astype(float).T
    values = Synchrony(pairs=[("au06", "au12")]).measure(series, recording="r").values
    starts = [at for at in range(0, 161, 20) if not at <= 90 < at + 40]
    assert len(starts) == 7
    expected = [np.corrcoef(x[at : at + 40], y[at : at + 40])[0, 1] for at in starts]
    assert values["au06_au12_corr"] == pytest.approx(np.mean(expected), rel=1e-9)


def test_what_cannot_be_correlated_is_a_gap_or_refused(make_series):
    extractor = Synchrony(pairs=[("au06", "au12"), ("au06", "au23"), ("au06", "au09")])
    measured = extractor.measure(make_series(**pair(), au09=np.zeros(200)), recording="r")
    assert np.isfinite(measured.values["au06_au12_corr"])
    assert measured.gaps["au06_au23_lag"] == "no channel 'au23'"
    assert measured.gaps["au06_au09_corr"] == "'au06' or 'au09' is constant in each of 9 windows"
    assert len(measured.gaps) == 6
    with pytest.raises(Unmeasurable, match="recording 'r': none of 0 windows of 4 s"):
        extractor.measure(make_series(**pair(rows=30)), recording="r")
    with pytest.raises(ValueError, match="max_lag_s=2"):
        Synchrony(pairs=[("au06", "au12")], window_s=4.0, max_lag_s=2.0)


def test_names():
    assert Synchrony(pairs=[("au06", "au12")]).names == (
        "au06_au12_corr",
        "au06_au12_lagcorr",
        "au06_au12_lag",
    )
