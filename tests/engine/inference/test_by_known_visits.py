import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from engine.inference.by_known_visits import by_known_visits
from evaluation.report.report import write_report
from evaluation.summary import metrics_json, summarize
from evaluation.tables.predictions import read_predictions, write_predictions


@pytest.fixture
def table():
    """Forty persons of three predicted visits, after 9, 10 and 11 known ones."""
    rng = np.random.default_rng(0)
    visits = pd.DataFrame({"person": np.repeat(np.arange(40), 3), "known_visits": np.tile([9, 10, 11], 40)})
    score = rng.integers(0, 63, len(visits)).astype(float)
    return pd.DataFrame(
        {
            "recording_id": [f"p{p}_{k}" for p, k in visits.to_numpy()],
            "subject_id": "p" + visits["person"].astype(str),
            "session_id": visits["known_visits"].astype(str),
            "split": "test",
            "score_target": score,
            "score_prediction": score + rng.normal(0, 20, len(visits)),
            "binary_target": (score > 20).astype(float),
            "binary_prediction": 1 / (1 + np.exp(-(score - 20 + rng.normal(0, 20, len(visits))) / 20)),
            "known_visits": visits["known_visits"],
        }
    )


def test_metrics_are_those_of_the_predictions_with_so_many_visits(table):
    groups = by_known_visits(table, threshold=0.5)["known_visits"]["groups"]
    assert [group["group"] for group in groups] == ["9", "10", "11"]  # numbers, not words
    for group in groups:
        own = table[table["known_visits"] == int(group["group"])]
        assert (group["recordings"], group["persons"]) == (40, 40)
        expected = roc_auc_score(own["binary_target"], own["binary_prediction"])
        assert group["auc"]["value"] == pytest.approx(expected)
        assert group["mae"]["low"] < group["mae"]["value"] < group["mae"]["high"]


def test_one_number_of_visits_is_that_of_all(table):
    found = by_known_visits(table.assign(known_visits=2), threshold=0.5)["known_visits"]["groups"]
    assert found == [{"group": "2", "recordings": 120, "persons": 40, "reason": "these are all predictions"}]
    assert by_known_visits(table.drop(columns="known_visits"), threshold=0.5) == {}


def test_the_table_and_the_page_keep_the_number(table, tmp_path):
    lost = table.iloc[:1].assign(score_prediction=np.nan, binary_prediction=np.nan, unmeasured="no face")
    lost = lost.assign(recording_id="lost", valid_share=0.0).drop(columns="known_visits")
    write_predictions(tmp_path / "predictions.csv", table, unmeasured=lost)
    again = read_predictions(tmp_path / "predictions.csv")
    assert by_known_visits(again, threshold=0.5) == by_known_visits(
        table.sort_values("recording_id"), threshold=0.5
    )
    metrics = metrics_json(test=summarize([table], [0.5]), val=None, reference={})
    metrics |= by_known_visits(table, threshold=0.5)
    write_report(tmp_path / "report.html", metrics=metrics, predictions=table, manifest={})
    page = (tmp_path / "report.html").read_text()
    section = page[page.index('<section id="known-visits">') : page.index('<section id="plots">')]
    assert "<td>10</td>" in section
    assert section.count("<tr>") == 5  # the head, all, and three numbers
