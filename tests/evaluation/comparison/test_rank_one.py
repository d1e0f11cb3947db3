import numpy as np
import pytest
from scipy.stats import norm

from evaluation.comparison.rank_one import Scatter, true_values
from evaluation.comparison.winner import probabilities

SHARED = 0.6  # correlation of the noise of two trials


def scatter(values, *, noise=1.0, persons=40, seeds=1):
    """Trials whose noise over persons has one variance and one correlation; of a trial all seeds agree."""
    values = np.repeat(np.asarray(values, dtype=float), seeds)
    trial_of = np.repeat(np.arange(len(values) // seeds), seeds)
    covariance = noise**2 * np.where(trial_of[:, None] == trial_of, 1.0, SHARED)
    return Scatter(values, covariance, persons, trial_of)


def two_trials(lead, *, noise, points=600):
    """P(the first of two trials is better): integrated over quantiles of its half-Cauchy spreads."""
    own, y = noise**2 * (1 - SHARED), lead / np.sqrt(2)  # variance and value of their contrast
    even = (np.arange(points) + 0.5) / points
    cauchy = np.sqrt(own) * np.tan(np.pi / 2 * even)
    tau, omega = cauchy[:, None], 0.5 * cauchy
    known = own + omega**2
    evidence = norm.pdf(y, scale=np.sqrt(known + tau**2))
    kept = tau**2 / (known + tau**2)
    return np.average(norm.cdf(y * np.sqrt(kept / known)), weights=evidence)


@pytest.mark.parametrize(("lead", "noise"), [(0.5, 1.0), (2.0, 1.0), (2.0, 0.5)])
def test_two_trials_have_the_probability_of_a_numerical_integration(lead, noise):
    """The grid is coarse and has ends; the integral has neither."""
    found = true_values(scatter([lead, 0.0], noise=noise), draws=40_000)
    expected = two_trials(lead, noise=noise)
    assert probabilities(found.draws)[0] == pytest.approx(expected, abs=0.015)


def test_without_noise_the_winner_is_the_best():
    found = true_values(scatter([0.9, 0.7, 0.8], noise=1e-4))
    assert probabilities(found.draws)[0] > 0.99
    np.testing.assert_allclose(np.diff(found.draws.mean(axis=0)), [-0.2, 0.1], atol=0.002)


def test_values_within_the_noise_are_drawn_together():
    """James and Stein: of a spread that is all noise, next to nothing is left."""
    values = np.random.default_rng(0).standard_normal(30) * np.sqrt(1 - SHARED)
    found = true_values(scatter(values))
    assert found.draws.mean(axis=0).std() < 0.5 * values.std()
    assert probabilities(found.draws).max() < 0.4


def test_twice_the_noise_makes_less_sure_and_more_seeds_more_sure():
    def first(**how):
        return probabilities(true_values(scatter([1.5, 0.0, 0.2, -0.1], **how)).draws)[0]

    assert first(noise=2.0) < first(noise=1.0) < first(noise=0.5)
    assert first(seeds=1) < first(seeds=5)


def test_equal_values_share_the_first_place():
    found = true_values(scatter([0.8, 0.8, 0.8, 0.8]))
    np.testing.assert_allclose(probabilities(found.draws), 0.25, atol=0.025)


def test_a_common_shift_and_the_unit_change_nothing():
    values = np.array([1.0, 0.3, -0.4, 0.9])
    first = true_values(scatter(values), draws=20_000).draws
    shifted = true_values(scatter(values + 7), draws=20_000).draws
    scaled = true_values(scatter(100 * values, noise=100.0), draws=20_000).draws
    for other in (shifted, scaled / 100):
        np.testing.assert_allclose(other.mean(axis=0), first.mean(axis=0), atol=0.03)
        np.testing.assert_allclose(probabilities(other), probabilities(first), atol=0.02)


def test_more_trials_than_persons_leave_no_direction_without_noise():
    """A covariance of 8 persons has rank 7; the truth has 29 noisy directions."""
    rng = np.random.default_rng(3)
    sample = rng.standard_normal((8, 30))
    values = rng.standard_normal(30) / np.sqrt(8)
    found = true_values(Scatter(values, np.cov(sample.T) / 8, 8, np.arange(30)))
    assert probabilities(found.draws).max() < 0.2  # .26 where the covariance is taken as it is


def test_the_spread_of_seeds_is_found():
    rng = np.random.default_rng(1)
    trial_of = np.repeat(np.arange(30), 5)
    values = rng.standard_normal(30)[trial_of] + 0.5 * rng.standard_normal(150)
    covariance = 0.04 * np.eye(150)
    found = true_values(Scatter(values, covariance, 50, trial_of))
    assert found.seed_sd == pytest.approx(np.sqrt(0.5**2 - 0.04), abs=0.05)  # persons made .04 of it


def test_differences_without_noise_are_refused():
    with pytest.raises(ValueError, match="noise is not known"):
        true_values(scatter([0.5, 1.0], noise=0.0))


def test_trials_that_are_the_same_in_every_sample_share_all():
    found = true_values(scatter([0.7, 0.7, 0.7], noise=0.0))
    np.testing.assert_allclose(probabilities(found.draws), 1 / 3)
