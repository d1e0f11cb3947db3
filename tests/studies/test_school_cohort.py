"""Curves of pupils by total, and pupils who answer evenly."""

import numpy as np
import pandas as pd
import pytest

from biomarkers.published.faces_of_the_mind import MEAN_BY_TOTAL
from datamodules.manifests.questionnaires import subscale
from datamodules.synthetic.prevalence import SCHOOL
from studies.school_cohort import SCALES, curve, evened, misfit, pupils


@pytest.fixture(scope="module")
def items():
    return pupils(0.3, persons=400)[list(subscale("DASS-21-D").columns)]


def test_published_curves_have_a_value_a_total():
    for name in SCALES:
        assert len(MEAN_BY_TOTAL[SCALES[name]]) == len(SCHOOL[name]) == 22
        assert MEAN_BY_TOTAL[SCALES[name]][0] == MEAN_BY_TOTAL[SCALES[name]][21] == 0  # all answers alike
        assert misfit(np.array(MEAN_BY_TOTAL[SCALES[name]]), name) == 0
        # A constant error is its own root mean square, whatever the weights.
        assert misfit(np.array(MEAN_BY_TOTAL[SCALES[name]]) + 0.1, name) == pytest.approx(0.1)


def test_a_curve_is_the_mean_distance_to_persons_of_the_same_total():
    items = pd.DataFrame({"a": [0, 1, 0, 2], "b": [0, 0, 1, 3]})
    mean, _ = curve(items)
    # Total 1 is answered as (1, 0) and (0, 1): both are as far from their midpoint, and nobody else differs.
    assert mean[[0, 1, 5]].tolist() == [0.0, 1.0, 0.0]
    assert np.isnan(mean[[2, 3, 4, 6]]).all()


def test_even_answers_keep_totals_and_differ_by_one_at_most(items):
    even = evened(items, 1.0)
    np.testing.assert_array_equal(even.sum(axis=1), items.sum(axis=1))
    spread = even.max(axis=1) - even.min(axis=1)
    assert spread.max() == 1
    assert (spread[items.sum(axis=1) % 7 == 0] == 0).all()
    pd.testing.assert_frame_equal(evened(items, 0.0), items, check_dtype=False)
    changed = (evened(items, 0.5) != items).any(axis=1) | (even == items).all(axis=1)
    assert 0.4 < changed.mean() < 0.95
