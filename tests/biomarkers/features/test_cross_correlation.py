import numpy as np
import pytest
from scipy.stats import pearsonr

from biomarkers.features.cross_correlation import CrossCorrelation
from datamodules.series import Series


def series(values, valid=None, fps=12.0):
    values = np.asarray(values, dtype=np.float32)
    valid = np.ones(len(values), dtype=bool) if valid is None else valid
    values = np.where(valid[:, None], values, 0)
    return Series(values=values, channels=("a", "b", "c")[: values.shape[1]], valid=valid, fps=fps)


def test_each_number_is_pearsons_r_of_rows_a_lag_apart():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3)).astype(np.float32)
    found = CrossCorrelation(channels=("a", "b", "c")).measure(series(x), recording="r").values
    assert len(found) == 3 + 3 * 6
    assert found["a_b_at0"] == pytest.approx(pearsonr(x[:, 0], x[:, 1])[0], abs=1e-6)
    assert found["a_c_at0.25"] == pytest.approx(pearsonr(x[:-3, 0], x[3:, 2])[0], abs=1e-6)
    assert found["c_a_at1"] == pytest.approx(pearsonr(x[:-12, 2], x[12:, 0])[0], abs=1e-6)


def test_who_follows_whom_shows():
    rng = np.random.default_rng(1)
    lead = rng.normal(size=103)
    x = np.column_stack([lead[3:], lead[:-3]])  # b repeats a three rows later
    found = CrossCorrelation(channels=("a", "b")).measure(series(x), recording="r").values
    assert found["a_b_at0.25"] == pytest.approx(1, abs=1e-6)
    assert abs(found["b_a_at0.25"]) < 0.3


def test_gaps_constants_and_short_recordings():
    rng = np.random.default_rng(2)
    x = np.column_stack([rng.normal(size=40), rng.normal(size=40), np.full(40, 0.3)])
    valid = np.ones(40, dtype=bool)
    valid[[4, 20]] = False
    own = CrossCorrelation(channels=("a", "b", "c", "lacking"))
    found = own.measure(series(x, valid), recording="r").values
    assert found["a_b_at0"] == pytest.approx(pearsonr(x[valid, 0], x[valid, 1])[0], abs=1e-6)
    both = valid[:-3] & valid[3:]
    assert found["a_b_at0.25"] == pytest.approx(pearsonr(x[:-3][both, 0], x[3:][both, 1])[0], abs=1e-6)
    assert found["a_c_at0"] == found["lacking_a_at0.5"] == 0
    short = own.measure(series(x[:20]), recording="r")
    assert {name.rpartition("_at")[2] for name in short.gaps} == {"1"}
    assert all("8 pairs of rows 1 s apart" in reason for reason in short.gaps.values())


@pytest.mark.parametrize("wrong", [{"channels": ("a",)}, {"lags": (-1.0,)}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match=r"two or more|0 or later"):
        CrossCorrelation(**({"channels": ("a", "b")} | wrong))
