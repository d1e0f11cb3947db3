import warnings

import numpy as np
import pandas as pd
import pytest

from biomarkers.features.extractor import Unmeasurable
from biomarkers.features.statistics import STATISTICS, SummaryStatistics


def by_pandas(x):
    x = pd.Series(np.asarray(x, dtype=np.float64))
    q25, q75 = x.quantile(0.25), x.quantile(0.75)
    return [
        x.mean(), x.median(), x.max(), x.min(), x.std(), x.var(), x.max() - x.min(),
        q25, q75, q75 - q25, x.skew(), x.kurtosis(),
    ]  # fmt: skip


def test_the_twelve_are_those_of_pandas_over_valid_frames(make_series):
    rng = np.random.default_rng(0)
    valid = rng.random(200) < 0.7
    series = make_series(au12=rng.gamma(1.0, 1.0, 200), pose_z=900 + 1e-2 * rng.normal(size=200), valid=valid)
    extractor = SummaryStatistics(channels=("pose_z", "au12"))
    assert extractor.names[0] == "pose_z_mean"
    assert extractor.names[-1] == "au12_kurtosis"
    assert len(extractor.names) == 24
    measured = extractor.measure(series, recording="r1")
    assert not measured.gaps
    for channel in extractor.channels:
        x = series.values[valid, series.channels.index(channel)]
        found = [measured.values[f"{channel}_{name}"] for name in STATISTICS]
        np.testing.assert_allclose(found, by_pandas(x), rtol=1e-6, atol=1e-9)


def test_a_constant_channel_has_no_shape_and_says_so(make_series):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        measured = SummaryStatistics(channels=("au12",)).measure(
            make_series(au12=np.full(40, 0.1)), recording="r1"
        )
    assert measured.gaps == dict.fromkeys(("au12_skew", "au12_kurtosis"), "'au12' is constant")
    assert np.isnan([measured.values[name] for name in measured.gaps]).all()
    assert measured.values["au12_std"] == measured.values["au12_var"] == 0
    assert measured.values["au12_mean"] == pytest.approx(0.1)


def test_a_missing_channel_is_a_gap_in_a_table_of_the_same_names(make_series):
    rng = np.random.default_rng(0)
    extractor = SummaryStatistics(channels=("au12", "au23"))
    measured = extractor.measure(make_series(au12=rng.random(40)), recording="r1")
    assert set(measured.values) == set(extractor.names)
    assert measured.gaps == {f"au23_{name}": "no channel 'au23'" for name in STATISTICS}


def test_too_few_valid_frames_are_refused_with_their_count(make_series):
    series = make_series(au12=np.arange(50.0), valid=np.arange(50) < 29)
    with pytest.raises(Unmeasurable, match="recording 'r1': 29 of 50 frames are valid, 30 are needed"):
        SummaryStatistics(channels=("au12",)).measure(series, recording="r1")
    assert SummaryStatistics(channels=("au12",), min_frames=29).measure(series, recording="r1").values


def test_channels_and_frames_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="each once"):
        SummaryStatistics(channels=("au12", "au12"))
    with pytest.raises(ValueError, match="min_frames=3"):
        SummaryStatistics(channels=("au12",), min_frames=3)
