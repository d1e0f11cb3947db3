import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import gamma

from evaluation.forecast.labels import Labels


def draw_labels(*, persons=400, visits=1, stability=0.6, seed=0):
    """Totals of a skewed questionnaire from 0 to 27, positive from 10."""
    rng = np.random.default_rng(seed)
    own = np.sqrt(stability) * rng.standard_normal((persons, 1))
    severity = own + np.sqrt(1 - stability) * rng.standard_normal((persons, visits))
    score = np.clip(np.round(gamma.ppf(ndtr(severity), 1.5, scale=4.7)), 0, 27).ravel()
    person = np.repeat(np.arange(persons), visits)
    return Labels(person, (score >= 10).astype(float), score)


def draw_classes(positives, negatives, visits=1):
    """Classes of persons, all visits of one alike."""
    positive = np.repeat([1.0] * positives + [0.0] * negatives, visits)
    return Labels(np.repeat(np.arange(positives + negatives), visits), positive)


@pytest.fixture(scope="session")
def labels_of():
    return draw_labels


@pytest.fixture(scope="session")
def classes_of():
    return draw_classes
