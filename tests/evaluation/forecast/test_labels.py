import numpy as np
import pytest
from scipy.stats import f_oneway

from evaluation.forecast.labels import FEWEST_WITH_SEVERAL, Labels


def test_what_a_reader_sees_has_the_order_of_scores_and_unit_variance(labels_of):
    labels = labels_of()
    kinds = labels.kinds
    assert kinds.share.sum() == pytest.approx(1)
    assert kinds.share @ kinds.seen == pytest.approx(0, abs=1e-12)
    assert kinds.share @ kinds.seen**2 == pytest.approx(1)
    assert (np.diff(kinds.seen) > 0).all()
    assert (np.diff(kinds.points) > 0).all()
    np.testing.assert_array_equal(kinds.positive[kinds.of], labels.positive)
    np.testing.assert_allclose(kinds.points[kinds.of], labels.score - labels.score.mean())


def test_classes_alone_are_seen_as_two_levels(classes_of):
    kinds = classes_of(3, 7).kinds
    assert kinds.points is None
    np.testing.assert_allclose(np.diff(kinds.seen), 1 / np.sqrt(0.3 * 0.7))


def test_the_intraclass_correlation_is_that_of_the_analysis_of_variance(labels_of):
    labels = labels_of(persons=60, visits=4, stability=0.7)
    ratio = f_oneway(*labels.score.reshape(60, 4)).statistic
    assert labels.icc() == pytest.approx((ratio - 1) / (ratio + 3))


def test_unequal_numbers_of_visits_are_no_bias():
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 7, 4000)
    person = np.repeat(np.arange(4000), sizes)
    score = np.sqrt(0.4) * rng.standard_normal(4000)[person] + np.sqrt(0.6) * rng.standard_normal(len(person))
    assert Labels(person, score=score).icc() == pytest.approx(0.4, abs=0.02)


def test_few_persons_with_several_visits_tell_no_correlation():
    person = np.concatenate([np.arange(50), np.arange(FEWEST_WITH_SEVERAL - 1)])
    assert Labels(person, score=np.arange(len(person), dtype=float)).icc() is None
    person = np.append(person, FEWEST_WITH_SEVERAL - 1)
    assert Labels(person, score=np.arange(len(person), dtype=float)).icc() is not None
    assert Labels(person, score=np.ones(len(person))).icc() is None


def test_no_labels_are_refused():
    with pytest.raises(ValueError, match="no labels"):
        Labels(np.arange(3))
