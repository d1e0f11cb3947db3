"""The AUC with an interval over persons, against scikit-learn, counting and simulation."""

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import t
from sklearn.metrics import roc_auc_score

from evaluation.uncertainty.clustered_auc import clustered_auc, perfect_order

rng = np.random.default_rng(0)


def test_the_value_is_the_auc_ties_included():
    labels = rng.integers(0, 2, 60).astype(float)
    scores = np.round(rng.normal(size=60) + labels, 1)
    found = clustered_auc(labels, scores, np.arange(60) // 3, level=0.95)
    assert found.value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert found.low < found.value < found.high


def test_without_clusters_the_error_is_that_of_delong():
    labels = np.repeat([1.0, 0.0], [12, 20])
    scores = rng.normal(size=32) + labels
    wins = (scores[:12, None] > scores[None, 12:]).astype(float)
    a = wins.mean()
    # sums of squares without the classes' own degrees of freedom, with one for the persons
    error = np.sqrt(
        32 / 31 * (((wins.mean(1) - a) / 12) ** 2).sum() + 32 / 31 * (((wins.mean(0) - a) / 20) ** 2).sum()
    )
    found = clustered_auc(labels, scores, np.arange(32), level=0.95)
    center, reach = np.log(a / (1 - a)), t.ppf(0.975, 31) * error / (a * (1 - a))
    assert found.low == pytest.approx(1 / (1 + np.exp(reach - center)), abs=1e-9)
    assert found.high == pytest.approx(1 / (1 + np.exp(-reach - center)), abs=1e-9)


def test_copies_of_a_recording_do_not_narrow_the_interval():
    labels = np.repeat([1.0, 0.0], [12, 20])
    scores = rng.normal(size=32) + labels
    once = clustered_auc(labels, scores, np.arange(32), level=0.95)
    often = clustered_auc(np.tile(labels, 5), np.tile(scores, 5), np.tile(np.arange(32), 5), level=0.95)
    assert often == pytest.approx(once, abs=1e-9)


def test_a_perfect_order_of_few_persons_is_not_certain():
    low = [clustered_auc(np.repeat([1.0, 0.0], n), np.repeat([1.0, 0.0], n), np.arange(2 * n), level=0.95).low
           for n in (5, 10, 20)]  # fmt: skip
    assert low[0] < 0.75 < low[1] < 0.9 < low[2]
    # without any order (AUC .5) each of the C(9, 4) ways to choose who comes first is as likely
    ways = len(list(combinations(range(9), 4)))
    assert perfect_order(4, 5, tail=1 / ways) == pytest.approx(0.5, abs=1e-6)


def test_a_perfect_order_comes_as_often_as_it_says():
    bound = perfect_order(6, 8, tail=0.2)
    odds = bound / (1 - bound)
    draws = np.random.default_rng(1)
    # exponential times: P(positive later than negative) = odds / (1 + odds)
    positives, negatives = draws.exponential(odds, size=(40_000, 6)), draws.exponential(size=(40_000, 8))
    first = negatives.max(1) < positives.min(1)
    positives, negatives = draws.exponential(size=(40_000, 6)), draws.exponential(odds, size=(40_000, 8))
    second = positives.max(1) < negatives.min(1)
    assert max(first.mean(), second.mean()) == pytest.approx(0.2, abs=0.01)


def test_coverage_with_three_visits_a_person():
    inside, draws, truth = 0, np.random.default_rng(2), 0.76025  # Phi(1 / sqrt 2)
    for _ in range(300):
        persons = np.repeat(np.arange(40), 3)
        labels = draws.integers(0, 2, 120).astype(float)
        scores = (
            labels + np.sqrt(0.5) * draws.normal(size=40)[persons] + np.sqrt(0.5) * draws.normal(size=120)
        )
        found = clustered_auc(labels, scores, persons, level=0.95)
        inside += found.low <= truth <= found.high
    assert 0.91 < inside / 300 < 0.985


def test_what_has_no_auc_is_refused():
    with pytest.raises(ValueError, match="0 negatives"):
        clustered_auc(np.ones(3), np.arange(3.0), np.arange(3), level=0.95)
