import numpy as np
import pytest
from sklearn.metrics import roc_curve

from evaluation.metrics import definitions as metrics
from evaluation.metrics import resampled as weighted

SCORES = ["mae", "rmse", "pearson", "ccc"]
CLASSES = ["auc", "average_precision", "brier"]
DECISIONS = ["sensitivity", "specificity", "uar", "f1", "macro_f1", "precision", "accuracy"]


def sample(name, n=40):
    rng = np.random.default_rng(4)
    if name in SCORES:
        y = rng.normal(1000, 5, n)  # a large offset must not cost digits
        return y, y + rng.normal(2, 4, n)
    if name == "quadratic_kappa":
        return rng.integers(0, 4, n).astype(float), rng.uniform(0, 3, n)
    if name == "item_kappa":
        answers = rng.integers(0, 4, (n, 3)).astype(float)
        return np.where(rng.random((n, 3)) < 0.2, np.nan, answers), rng.uniform(0, 3, (n, 3))
    y = rng.integers(0, 2, n).astype(float)
    p = np.round(np.clip(0.3 * y + rng.uniform(0, 0.7, n), 0, 1), 1)
    return y, (p > 0.5).astype(float) if name in DECISIONS else p


@pytest.mark.parametrize("name", [*SCORES, *CLASSES, *DECISIONS, "quadratic_kappa", "item_kappa"])
def test_weights_mean_repetition(name):
    y, p = sample(name)
    weights = np.random.default_rng(5).integers(0, 4, (6, len(y))).astype(float)
    fast = getattr(weighted, name)(y, p, weights)
    slow = [
        getattr(metrics, name)(*(np.repeat(v, w.astype(int), axis=0) for v in (y, p))).value for w in weights
    ]
    assert fast == pytest.approx(np.array(slow, dtype=float), rel=1e-9)


@pytest.mark.parametrize("name", ["auc", "average_precision", "uar", "f1", "macro_f1", "sensitivity"])
def test_a_resample_without_positives_is_nan(name):
    y, p = np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0])
    out = getattr(weighted, name)(y, p, np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]))
    assert np.isnan(out[0])
    assert np.isfinite(out[1])


def test_no_variance_is_nan_or_zero():
    y, p = np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.1, 0.1])
    ones = np.ones((1, 3))
    assert np.isnan(weighted.pearson(y, p, ones))[0]
    assert weighted.ccc(y, p, ones)[0] == 0
    assert np.isnan(weighted.ccc(p, y, ones))[0]


def test_roc_against_sklearn():
    y, p = sample("auc")
    alarms, hits = weighted.roc_points(y, p, np.ones((1, y.size)))
    fpr, tpr, _ = roc_curve(y, p, drop_intermediate=False)
    assert alarms[0] == pytest.approx(fpr)
    assert hits[0] == pytest.approx(tpr)
    assert weighted.roc(y, p, np.ones((2, y.size)), np.array([1.0]))[:, 0].tolist() == [1, 1]
