"""Among pupils, totals follow the published histogram and the order of persons stays."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import norm

from datamodules.synthetic.prevalence import SCHOOL, school_trait, total_distribution
from datamodules.synthetic.questionnaire import answer, totals

SUBSCALES = {"depression": "DASS-21-D", "anxiety": "DASS-21-A", "stress": "DASS-21-S"}
SLOPES = np.linspace(1.6, 2.6, 7)
STEPS = np.array([0.25, 1.1, 1.8]) + np.linspace(-0.3, 0.3, 7)[:, None]


def test_total_distribution_is_the_sum_over_all_answers():
    theta, slopes, steps = np.array([-0.5, 1.2]), SLOPES[:2], STEPS[:2]
    found = total_distribution(theta, slopes, steps)
    assert found.shape == (2, 7)
    for row, trait in enumerate(theta):
        expected = np.zeros(7)
        for answers in product(range(4), repeat=2):
            chance = 1.0
            for item, value in enumerate(answers):
                reached = [1.0, *(1 / (1 + np.exp(-slopes[item] * (trait - steps[item])))), 0.0]
                chance *= reached[value] - reached[value + 1]
            expected[sum(answers)] += chance
        np.testing.assert_allclose(found[row], expected, rtol=1e-9)


@pytest.mark.parametrize("subscale", SCHOOL)
def test_counts_are_of_all_pupils_and_expected_totals_follow_them(subscale):
    counts = np.array(SCHOOL[subscale])
    assert (len(counts), counts.sum()) == (22, 11_427)
    trait = norm.ppf((np.arange(4000) + 0.5) / 4000)
    theta = school_trait(trait, subscale, SLOPES, STEPS)
    assert (np.diff(theta) >= 0).all()
    share = total_distribution(theta, SLOPES, STEPS).mean(axis=0)
    # Half the sum of differences is the share of pupils with another total.
    assert 0.5 * np.abs(share - counts / counts.sum()).sum() < 0.02


def test_answers_of_pupils_follow_the_histograms_at_any_heterogeneity():
    rng = np.random.default_rng(0)
    found = [
        totals(
            answer(rng.standard_normal(), rng.standard_normal(5), rng, heterogeneity=h, prevalence="school")
        )
        for h in (0.0, 0.7)
        for _ in range(1500)
    ]
    for subscale, scale in SUBSCALES.items():
        raw = np.array([row[scale] for row in found]).reshape(2, -1) / 2
        expected = np.cumsum(SCHOOL[subscale]) / 11_427
        for half in raw:
            below = np.searchsorted(np.sort(half), np.arange(22), side="right") / len(half)
            assert np.abs(below - expected).max() < 0.05  # Kolmogorov-Smirnov: 0.042 at p = .01


def test_an_unknown_prevalence_is_refused():
    with pytest.raises(ValueError, match="standard or school"):
        answer(0.0, np.zeros(5), np.random.default_rng(0), prevalence="clinic")
