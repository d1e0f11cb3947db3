import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import FactorAnalysis

from biomarkers.symptoms.reliability import alpha, omega, reliability
from evaluation.uncertainty.bootstrap import Resampling
from tests.biomarkers.symptoms.answers import partial_credit


def test_parallel_items_follow_spearman_and_brown():
    for items, correlation in ((3, 0.2), (7, 0.5), (21, 0.35)):
        covariance = np.full((items, items), correlation) + (1 - correlation) * np.eye(items)
        closed = items * correlation / (1 + (items - 1) * correlation)
        assert alpha(covariance) == pytest.approx(closed)
        assert omega(covariance) == pytest.approx(closed, abs=5e-4)  # an iterative fit


def test_omega_of_a_known_model_and_alpha_below_it():
    loading, unique = np.array([0.9, 1.4, 0.3, 0.6, 2.0]), np.array([0.5, 1.0, 0.4, 0.2, 1.5])
    covariance = np.outer(loading, loading) + np.diag(unique)
    closed = loading.sum() ** 2 / (loading.sum() ** 2 + unique.sum())
    assert omega(covariance) == pytest.approx(closed, abs=1e-3)
    assert alpha(covariance) < closed


def test_alpha_by_hand():
    answers = pd.DataFrame({"a": [0.0, 1, 2, 3], "b": [1.0, 1, 2, 2], "c": [0.0, 2, 1, 3]})
    # variances 5/3, 1/3, 5/3; totals 1, 4, 5, 8 of variance 25/3
    assert alpha(answers.cov().to_numpy()) == pytest.approx(1.5 * (1 - (11 / 3) / (25 / 3)))


def test_omega_is_that_of_a_fit_to_the_answers_themselves():
    items = partial_credit(2000)
    model = FactorAnalysis(1, svd_method="lapack", tol=1e-6, max_iter=2000).fit(items / items.std(ddof=0))
    loading = model.components_[0] * items.std(ddof=0)
    unique = model.noise_variance_ * items.var(ddof=0)
    expected = loading.sum() ** 2 / (loading.sum() ** 2 + unique.sum())
    assert omega(items.cov().to_numpy()) == pytest.approx(expected, abs=5e-4)


@pytest.mark.slow
def test_intervals_hold_the_values_and_narrow_with_persons():
    few, many = (reliability(partial_credit(n), Resampling(1000)) for n in (100, 1600))
    for name in ("alpha", "omega"):
        assert few[name]["low"] < few[name]["value"] < few[name]["high"]
        width = [one[name]["high"] - one[name]["low"] for one in (few, many)]
        assert 2.5 < width[0] / width[1] < 6.5  # the root of 16 is 4
    assert many["alpha"]["value"] == pytest.approx(alpha(partial_credit(1600).cov().to_numpy()))


def test_what_has_no_reliability_is_refused():
    items = partial_credit(50)
    with pytest.raises(ValueError, match="at least three"):
        reliability(items.iloc[:, :2], Resampling(1000))
    with pytest.raises(ValueError, match="everybody answers q1 alike"):
        reliability(items.assign(q1=0.0), Resampling(1000))
    with pytest.raises(ValueError, match="1 persons have gaps"):
        reliability(items.replace({"q2": {items["q2"][0]: np.nan}}).iloc[:1], Resampling(1000))
    assert np.isnan(omega(np.diag([1.0, 1.0, 0.0])))
