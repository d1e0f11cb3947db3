"""Ceilings against Monte Carlo of two kinds: the model itself, and a questionnaire made item by item."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, mean_absolute_error, roc_auc_score, root_mean_squared_error

from biomarkers.symptoms.reliability import omega
from evaluation.forecast.ceiling import ceiling
from evaluation.forecast.labels import Labels
from evaluation.metrics.definitions import ccc, pearson

PERSONS = 200_000


def perfect_reader(severity, score, positive):
    """Best values that a function of severity has, from 400 groups of equal severity."""
    group = np.argsort(np.argsort(severity)) * 400 // len(severity)
    count = np.bincount(group)
    mean = (np.bincount(group, score) / count)[group]
    order = np.lexsort((score, group))
    median = score[order][np.cumsum(count) - count + count // 2][group]
    likely = (np.bincount(group, positive) / count)[group]
    stretched = score.mean() + (mean - mean.mean()) * score.std() / mean.std()
    return {
        "correlation": pearson(score, mean).value,
        "ccc": ccc(score, stretched).value,
        "mae": mean_absolute_error(score, median),
        "rmse": root_mean_squared_error(score, mean),
        "auc": roc_auc_score(positive, severity),
        "accuracy": accuracy_score(positive, likely >= 0.5),
    }


@pytest.mark.parametrize("loading", [0.6, 0.9])
def test_ceilings_are_what_severity_reaches(loading):
    rng = np.random.default_rng(0)
    severity = rng.standard_normal(PERSONS)
    answered = np.sqrt(loading) * severity + np.sqrt(1 - loading) * rng.standard_normal(PERSONS)
    score = np.minimum(np.floor(np.exp(answered + 1.5)), 27.0)
    positive = (score >= 10).astype(float)
    best = perfect_reader(severity, score, positive)
    reliability = best["correlation"] ** 2  # share of severity in the variance of totals
    found = ceiling(Labels(np.arange(PERSONS), positive, score), reliability)
    for name, value in best.items():
        assert getattr(found, name) == pytest.approx(value, abs=0.02 * max(1, value)), name
        assert getattr(found, name) == pytest.approx(value, rel=0.015), name


def test_ceilings_of_a_questionnaire_of_items_follow_from_its_omega():
    """Nine answers 0 to 3, thresholds of their own: omega of the items, and what severity then reaches."""
    rng = np.random.default_rng(1)
    severity = rng.standard_normal(PERSONS)
    answers = []
    for _ in range(9):
        loading, cuts = rng.uniform(0.5, 0.8), np.sort(rng.normal([0.2, 1.0, 1.8], 0.3))
        seen = loading * severity + np.sqrt(1 - loading**2) * rng.standard_normal(PERSONS)
        answers.append(np.digitize(seen, cuts))
    items = np.stack(answers, axis=1).astype(float)
    score = items.sum(axis=1)
    positive = (score >= 10).astype(float)
    found = ceiling(Labels(np.arange(PERSONS), positive, score), omega(np.cov(items, rowvar=False)))
    best = perfect_reader(severity, score, positive)
    for name, value in best.items():
        # another form of noise than the model's: what it moves is the error, by 4 %
        assert getattr(found, name) == pytest.approx(value, rel=0.05 if name == "mae" else 0.01), name


def test_more_reliable_questionnaires_allow_more(labels_of):
    labels = labels_of()
    low, high = ceiling(labels, 0.7), ceiling(labels, 0.9)
    assert (low.mae, low.rmse) > (high.mae, high.rmse)
    assert (low.auc, low.accuracy, low.ccc) < (high.auc, high.accuracy, high.ccc)
    assert high.correlation == pytest.approx(np.sqrt(0.9))
    assert high.rmse == pytest.approx(labels.score.std() * np.sqrt(0.1))


def test_without_classes_there_are_no_ceilings_of_classes(labels_of):
    labels = labels_of()
    found = ceiling(Labels(labels.person, score=labels.score), 0.8)
    assert (found.auc, found.accuracy) == (None, None)
    one = ceiling(Labels(labels.person, np.ones(len(labels.person)), labels.score), 0.8)
    assert (one.auc, one.accuracy) == (None, None)
    assert one.mae == found.mae


def test_what_is_no_reliability_is_refused(labels_of):
    labels = labels_of()
    for value in (0.0, 1.0, 1.3):
        with pytest.raises(ValueError, match=f"reliability={value:g}"):
            ceiling(labels, value)
    with pytest.raises(ValueError, match="whole points allow"):
        ceiling(labels, 0.99999)
    with pytest.raises(ValueError, match="totals that differ"):
        ceiling(Labels(labels.person, labels.positive), 0.8)
