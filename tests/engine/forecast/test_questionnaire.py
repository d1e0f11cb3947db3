import numpy as np
import pandas as pd
import pytest

from biomarkers.symptoms.reliability import alpha, omega
from datamodules.manifests.scales import SCALES
from engine.forecast.questionnaire import FEWEST, reliability_of
from evaluation.change.questionnaire_noise import RELIABILITY


def answered(persons, *, recordings=1, seed=0):
    """Answers to eight questions; all recordings of a visit have the same."""
    rng = np.random.default_rng(seed)
    items = np.digitize(rng.normal(size=(persons, 1)) + rng.normal(size=(persons, 8)), (0, 1, 2))
    table = pd.DataFrame(items, columns=[f"item_phq8_{one}" for one in range(1, 9)]).loc[
        np.repeat(np.arange(persons), recordings)
    ]
    names = np.repeat([f"p{one}" for one in range(persons)], recordings)
    ids = [f"r{row}" for row in range(len(table))]
    return table.reset_index(drop=True).assign(subject_id=names, session_id="1", recording_id=ids), items


def test_answers_of_a_visit_count_once():
    table, items = answered(120, recordings=3)
    found = reliability_of(SCALES["PHQ-8"], table)
    covariance = np.cov(items, rowvar=False)
    assert found.value == pytest.approx(omega(covariance))
    assert found.source == f"omega of 120 questionnaires (PHQ-8); alpha {alpha(covariance):.2f}"


def test_incomplete_answers_and_questions_that_nobody_affirms_are_left_out():
    table, items = answered(120)
    table.loc[:9, "item_phq8_1"] = np.nan
    table["item_phq8_8"] = 0
    found = reliability_of(SCALES["PHQ-8"], table)
    assert found.value == pytest.approx(omega(np.cov(items[10:, :7], rowvar=False)))


def test_few_answers_give_way_to_what_is_published():
    table, _ = answered(FEWEST - 1)
    found = reliability_of(SCALES["PHQ-8"], table)
    assert found.value is None
    assert found.source == "none is known of the PHQ-8: give reliability="
    assert reliability_of(SCALES["BDI-II"], table).value == RELIABILITY["BDI-II"]
    assert reliability_of(SCALES["PHQ-8"], table, given=0.8) == (0.8, "as given")
