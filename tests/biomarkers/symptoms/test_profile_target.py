import numpy as np
import pytest
from sklearn.base import clone

from biomarkers.symptoms.profile_target import ProfileTarget, profile_targets
from tests.isolation import IsolationError, check_isolated


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def totals(rng):
    """Three planted profiles of 30 persons: severe, mild, none."""
    return np.repeat([[30, 28, 34], [12, 10, 14], [2, 2, 4]], 30, axis=0) + rng.uniform(-2, 2, (90, 3))


def test_keep_names_all_by_severity_and_drop_leaves_the_middle_out(totals):
    kept = ProfileTarget(middle="keep").fit(totals).transform(totals)
    assert kept.tolist() == [2] * 30 + [1] * 30 + [0] * 30
    dropped = ProfileTarget().fit(totals).transform(totals)
    np.testing.assert_array_equal(dropped, [1] * 30 + [np.nan] * 30 + [0] * 30)
    centers = ProfileTarget().fit(totals).centers_
    np.testing.assert_allclose(centers, [totals[60:].mean(0), totals[30:60].mean(0), totals[:30].mean(0)])


def test_others_belong_to_the_nearest_center_in_standard_scores(totals):
    target = ProfileTarget(middle="keep").fit(totals)
    others = np.array([[7.0, 6, 9], [7.2, 6.2, 9.5], [22, 20, 25]])
    scale = totals.std(axis=0)
    nearest = np.linalg.norm((others[:, None] - target.centers_[None]) / scale, axis=-1).argmin(axis=1)
    assert target.transform(others).tolist() == nearest.tolist()


def test_a_person_with_many_recordings_weighs_as_one(totals):
    often = np.concatenate([totals, np.repeat(totals[:1], 500, axis=0)])
    groups = np.r_[np.arange(90), np.zeros(500, dtype=int)]
    once, grouped = ProfileTarget().fit(totals), ProfileTarget().fit(often, groups=groups)
    np.testing.assert_allclose(grouped.centers_, once.centers_)
    assert np.abs(ProfileTarget().fit(often).centers_ - once.centers_).max() > 1


def test_targets_of_a_fold_know_the_training_persons_only(rng):
    x, y = 42 * rng.random((60, 3)), rng.random(60)
    train, test = np.arange(40), np.arange(40, 60)
    target = ProfileTarget(middle="keep")

    def proper(features, _, fit, held):
        made = profile_targets(target, features, np.arange(60), train=fit)
        return lambda other: made[: len(other)]

    def leaky(features, _, fit, held):
        return clone(target).fit(features).transform

    check_isolated(proper, x, y, train=train, test=test)
    with pytest.raises(IsolationError):
        check_isolated(leaky, x, y, train=train, test=test)


def test_what_cannot_be_dropped_is_refused(totals):
    with pytest.raises(ValueError, match="n_clusters=2, middle='drop'"):
        ProfileTarget(n_clusters=2).fit(totals)
    with pytest.raises(ValueError, match="middle='forget'"):
        ProfileTarget(middle="forget").fit(totals)
    assert ProfileTarget(n_clusters=2, middle="keep").fit(totals).centers_.shape == (2, 3)
