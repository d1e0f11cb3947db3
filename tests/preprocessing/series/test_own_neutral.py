import numpy as np
from scipy import stats

from preprocessing.series.own_neutral import STILL, from_own_neutral


def test_the_unit_is_the_robust_spread_of_usable_frames():
    rng = np.random.default_rng(0)
    values, usable = rng.normal(3.0, 0.5, 200), np.arange(200) < 150
    values[~usable] += 100
    own = stats.median_abs_deviation(values[usable], scale="normal")
    found = from_own_neutral({"au_proxy_12": values}, usable)
    expected = (values - np.median(values[usable])) / own
    np.testing.assert_allclose(found["au_proxy_12_rel"], expected, rtol=1e-5)


def test_a_still_face_stays_near_its_neutral():
    values = np.array([1.0, 1.0, 1.0, 1.0, 1.0 + STILL])
    found = from_own_neutral({"x": values}, np.ones(5, dtype=bool))["x_rel"]
    np.testing.assert_allclose(found, [0, 0, 0, 0, 1])
