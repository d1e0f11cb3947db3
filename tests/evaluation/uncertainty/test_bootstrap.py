import numpy as np
import pytest

from evaluation.metrics import resampled as weighted
from evaluation.metrics.applicable import subject_codes
from evaluation.uncertainty.bootstrap import Resampling, percentile_interval, subject_weights


def test_whole_persons_are_drawn():
    subjects = ["a", "b", "a", "c", "b", "a"]
    weights = np.concatenate(list(subject_weights(subjects, Resampling(1000))))
    assert weights.shape == (1000, 6)
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 0] == weights[:, 5]).all()
    assert (weights[:, 1] == weights[:, 4]).all()
    assert (weights[:, [0, 1, 3]].sum(axis=1) == 3).all()  # as many persons as there are
    assert weights[:, 0].mean() == pytest.approx(1, abs=0.1)


def test_unknown_persons_are_not_one_person():
    codes = subject_codes(["unknown", "a", "unknown", "a"])
    assert len(set(codes)) == 3
    assert codes[1] == codes[3]


def test_too_few_resamples_are_refused():
    with pytest.raises(ValueError, match="at least 1000"):
        Resampling(100)


@pytest.mark.slow
def test_interval_covers_the_truth_as_often_as_it_says():
    """Errors share a part within a person; an interval that ignores it is far too narrow."""
    rng = np.random.default_rng(0)
    subjects, visits, runs = 40, 5, 200
    person = np.repeat(np.arange(subjects), visits)
    hits = {"persons": 0, "recordings": 0}
    for run in range(runs):
        error = np.repeat(rng.exponential(3.0, subjects), visits) + rng.exponential(1.0, person.size)
        for name, clusters in (("persons", person), ("recordings", np.arange(person.size))):
            weights = np.concatenate(list(subject_weights(clusters, Resampling(1000, run))))
            low, high, _ = percentile_interval(weighted.mae(np.zeros(person.size), error, weights))
            hits[name] += low <= 4.0 <= high
    assert 0.88 <= hits["persons"] / runs <= 0.98
    assert hits["recordings"] / runs < 0.8


def test_mostly_undefined_resamples_give_no_interval():
    draws = np.where(np.arange(1000) < 850, 0.5, np.nan)
    low, high, reason = percentile_interval(draws)
    assert (low, high) == (None, None)
    assert "85% of the resamples" in reason


def test_resamples_are_seeded(recordings):
    first, second, other = (
        np.concatenate(list(subject_weights(recordings["subject_id"], Resampling(1000, seed))))
        for seed in (3, 3, 4)
    )
    assert (first == second).all()
    assert (first != other).any()
    assert first.shape == (1000, len(recordings))
