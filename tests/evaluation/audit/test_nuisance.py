import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from evaluation.audit.nuisance import audit_nuisance
from evaluation.uncertainty.bootstrap import Resampling

RESAMPLING = Resampling(1000)


@pytest.fixture
def planted(cohort):
    """Brightness moves predictions, face size moves labels, the place of the face does nothing."""
    rng = np.random.default_rng(0)
    table = cohort(subjects=50)
    noise = {name: rng.normal(size=len(table)) for name in ("brightness", "face_size", "face_x", "face_y")}
    table["score_prediction"] += 4 * noise["brightness"]
    facts = table[["recording_id"]].assign(**noise, fps=25.0, width=np.nan)
    facts["face_size"] += 0.1 * table["score_target"]
    return table, facts


def test_a_planted_shortcut_is_flagged_and_an_innocent_column_is_not(planted):
    found = audit_nuisance(*planted, RESAMPLING)
    assert found["head"] == "score"
    assert found["flagged"]["prediction"] == ["brightness"]
    assert found["flagged"]["label"] == found["flagged"]["label_auc"] == ["face_size"]
    assert found["columns"]["brightness"]["prediction"]["corrected"][0] > 0
    innocent = found["columns"]["face_x"]["prediction"]
    assert innocent["corrected"][0] < 0 < innocent["corrected"][1]
    assert innocent["corrected"][0] <= innocent["low"]
    assert innocent["corrected"][1] >= innocent["high"]


def test_the_numbers_are_those_of_scipy_and_scikit_learn(planted):
    table, facts = planted
    found = audit_nuisance(table, facts, RESAMPLING)["columns"]["face_size"]
    auc = roc_auc_score(table["binary_target"], facts["face_size"])
    assert found["label_auc"]["value"] == pytest.approx(auc)
    rank = spearmanr(facts["face_size"], table["score_target"]).statistic
    assert found["label"]["value"] == pytest.approx(rank)
    error = (table["score_prediction"] - table["score_target"]).abs()
    assert found["error"]["value"] == pytest.approx(spearmanr(facts["face_size"], error).statistic)


def test_what_the_label_explains_is_no_shortcut(planted):
    table, facts = planted
    raw = spearmanr(facts["face_size"], table["score_prediction"]).pvalue
    assert raw < 1e-4  # through the label alone
    found = audit_nuisance(table, facts, RESAMPLING)["columns"]["face_size"]["prediction"]
    assert not found["flagged"]


def test_an_error_that_grows_with_a_column_is_flagged(planted):
    table, facts = planted
    sign = np.random.default_rng(1).choice([-1, 1], len(table))
    wrong = sign * np.exp(facts["face_y"]) * 4
    found = audit_nuisance(table.assign(score_prediction=table["score_target"] + wrong), facts, RESAMPLING)
    assert found["flagged"]["error"] == ["face_y"]


def test_columns_that_cannot_be_audited_have_a_reason(planted):
    table, facts = planted
    facts.loc[12:, "face_y"] = np.nan
    reasons = audit_nuisance(table, facts, RESAMPLING)["reasons"]
    assert reasons["fps"] == "the same for all tested recordings"
    assert reasons["width"] == "empty for the tested recordings"
    assert reasons["height"] == "not in the manifest"
    assert reasons["face_y"] == "known for fewer than 5 persons"
    bare = table.drop(columns=[name for name in table if name.endswith("_target")])
    assert "no recording has a label" in audit_nuisance(bare, facts, RESAMPLING)["reason"]


def test_few_false_alarms_over_many_innocent_cohorts(cohort):
    rng = np.random.default_rng(5)
    alarms = 0
    for seed in range(12):
        table = cohort(subjects=40, seed=seed)
        facts = table[["recording_id"]].assign(
            **{name: np.repeat(rng.normal(size=40), 3) for name in ("brightness", "face_x", "face_y", "fps")}
        )  # constant in a person, so that recordings are far from independent
        alarms += bool(audit_nuisance(table, facts, RESAMPLING)["flagged"]["label"])
    assert alarms <= 3  # of 12 at 5 %, percentile intervals being a little narrow
