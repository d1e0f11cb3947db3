"""Scores beside the constant guess of each fold's training part."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error

from analysis.steps.estimators import Estimator
from analysis.steps.severity import SeverityTable, constant_guess
from evaluation.uncertainty.bootstrap import Resampling
from tests.analysis.steps.test_estimators import Fixed, Mean


def test_errors_are_compared_with_the_mean_of_the_training_part(material):
    step = SeverityTable(
        estimators={"mean": Estimator(reads="features", model=Mean(), head="score")},
        networks={"LSTM": Fixed(0)},
    )
    found = step(material, Resampling(1000))
    (section,) = found.sections
    rows = {row[0]: row[1:] for row in section.rows}
    assert list(rows) == ["mean", "LSTM", "constant guess"]
    table = found.tables["severity_predictions"]
    errors = {
        name: mean_absolute_error(own["score_target"], own["score_prediction"])
        for name, own in table.groupby("estimator")
    }
    for name, (mae, against, _, _) in rows.items():
        assert mae["value"] == pytest.approx(errors[name])
        if name != "constant guess":
            assert against["value"] == pytest.approx(errors[name] - errors["constant guess"], abs=1e-12)
    assert rows["mean"][1]["low"] == rows["mean"][1]["high"] == pytest.approx(0)
    assert rows["LSTM"][1]["low"] < rows["LSTM"][1]["value"] < rows["LSTM"][1]["high"]
    assert "BDI-II" in section.text


def test_the_guess_ignores_scores_of_validation_and_test(material):
    guess = constant_guess(material).set_index("recording_id")["score_prediction"]
    split = material.splits[0]
    table = material.manifest.table.copy()
    table.loc[~table["recording_id"].isin(set(split.train)), "score"] = 63.0
    other = replace(material, manifest=replace(material.manifest, table=table), splits=[split])
    changed = constant_guess(other).set_index("recording_id")["score_prediction"]
    assert changed.tolist() == guess[changed.index].tolist()


def test_recordings_without_a_score_are_not_measured(material):
    table = material.manifest.table.copy()
    table.loc[table.index[:3], "score"] = np.nan
    other = replace(material, manifest=replace(material.manifest, table=table))
    found = SeverityTable(estimators={}, networks={"LSTM": Fixed(0)})(other, Resampling(1000))
    assert found.tables["severity_predictions"].groupby("estimator").size().tolist() == [13, 13]


def test_without_any_score_the_section_says_so(material):
    other = replace(
        material, manifest=replace(material.manifest, table=material.manifest.table.assign(score=np.nan))
    )
    found = SeverityTable(estimators={}, networks={"LSTM": Fixed(0)})(other, Resampling(1000))
    assert "No recording has a score" in found.sections[0].text
    assert not found.tables
