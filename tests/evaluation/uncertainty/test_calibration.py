import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from evaluation.uncertainty.calibration import MAX_BINS, reliability


def test_bins_are_those_of_sklearn():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=400)
    y = (rng.uniform(size=400) < p).astype(float)
    table = reliability(y, p)
    observed, predicted = calibration_curve(y, p, n_bins=MAX_BINS, strategy="quantile")
    assert table["observed"].to_numpy() == pytest.approx(observed)
    assert table["predicted"].to_numpy() == pytest.approx(predicted)
    assert table["count"].sum() == 400
    assert ((table["low"] < table["observed"]) & (table["observed"] < table["high"])).all()


def test_interval_is_wilsons():
    table = reliability([1] * 8 + [0] * 2, [0.7] * 10)
    n, k, z = 10, 8, 1.959963984540054
    center, half = (k + z**2 / 2) / (n + z**2), z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    row = table.iloc[0]
    assert len(table) == 1
    assert (row["low"], row["high"]) == pytest.approx((center - half, center + half))


def test_small_and_constant_samples_make_one_bin():
    assert len(reliability([0, 1, 1], [0.2, 0.5, 0.9])) == 1
    assert len(reliability([0, 1] * 50, [0.4] * 100)) == 1
