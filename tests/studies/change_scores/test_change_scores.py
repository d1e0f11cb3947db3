"""Small runs of the study of change scores."""

import numpy as np
import pandas as pd
import pytest

from studies.change_scores.__main__ import TAUGHT, false_alarms, learned, main
from studies.change_scores.persons import VISITS, draw, last_changed
from studies.change_scores.predictors import made_up, questionnaire_noise, readers, table


@pytest.fixture(scope="module")
def stable():
    return draw(12, seed=1, stability=0.8, stable=True)


def test_stable_persons_keep_their_severity_and_answer_anew(stable):
    assert np.ptp(stable.true, axis=1).max() == 0
    assert np.ptp(stable.scores, axis=1).min() >= 0 < np.ptp(stable.scores, axis=1).max()
    assert np.ptp(draw(12, seed=1, stability=0.8).true, axis=1).min() > 0
    assert stable.items.sum(axis=2) == pytest.approx(stable.scores)


def test_changed_persons_differ_at_the_last_visit_by_the_points_asked_for(stable):
    changed = last_changed(stable, seed=1, points=10.0)
    steps = changed.true - stable.true
    assert np.abs(steps[:, :-1]).max() == 0
    assert np.abs(steps[:, -1]) == pytest.approx(10.0, abs=1.0)
    assert (changed.features[:, :-1] == stable.features[:, :-1]).all()


def test_a_reader_that_knows_earlier_scores_sees_neither_its_own_nor_later_ones(stable):
    alone, knows = readers(stable)
    found = table(stable, knows)
    assert found["session_id"].unique().tolist() == [f"V{visit}" for visit in range(2, VISITS + 1)]
    assert found["known_score"].iloc[1] == pytest.approx(stable.scores[0, :2].mean())
    later = stable.scores.copy()
    later[:, 3:] += 50
    altered = type(stable)(stable.features, later, stable.items, stable.true)
    assert knows.predict(altered)[:, 1:4] == pytest.approx(knows.predict(stable)[:, 1:4])
    assert not np.allclose(knows.predict(altered)[:, 4], knows.predict(stable)[:, 4])
    assert "known_visits" not in table(stable, alone)


def test_alarms_are_counted_over_comparisons(stable):
    predictor = made_up(0)[1]
    rules = learned(predictor, draw(40, seed=2, stability=0.15), 20)
    found = false_alarms(predictor, stable, rules)
    assert found["rules"] == 2
    assert found["alarms"] == pytest.approx(np.mean(found["visits"]))
    assert false_alarms(predictor, stable, []) == {"rules": 0}
    assert 5 < questionnaire_noise(draw(40, seed=2, stability=0.15)) < 15


@pytest.mark.slow
def test_the_page_has_a_row_a_predictor_stability_and_number_of_persons(tmp_path):
    main(tested=20, pool=max(TAUGHT), train=30, docs=tmp_path)
    text = (tmp_path / "change_scores.md").read_text()
    rows = [line for line in text.splitlines() if " | 0.15 | " in line or " | 0.8 | " in line]
    assert len(rows) == 2 * 6 * len(TAUGHT) + 2 * 2 * (VISITS - 1)
    assert (tmp_path / "images" / "change_scores.png").stat().st_size > 10_000
    assert "python -m studies.change_scores tested=20 pool=80 train=30" in text
    assert pd.Series(rows).is_unique
