import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, recall_score, roc_auc_score

from evaluation.audit.slices import age_bands, flatten, slices
from evaluation.uncertainty.table_estimates import estimates

SETTINGS = {"threshold": 0.5}


def facts(table, **columns):
    return table[["recording_id"]].assign(**columns)


def by_group(found, column):
    return {group["group"]: group for group in found[column]["groups"]}


def test_the_numbers_are_those_of_the_group(recordings):
    sex = np.repeat(["f", "m", "m"] * 10, 3)
    groups = by_group(slices(recordings, facts(recordings, sex=sex), **SETTINGS), "sex")
    for name in ("f", "m"):
        own = recordings[sex == name]
        y, p = own["binary_target"], own["binary_prediction"]
        assert groups[name]["auc"]["value"] == pytest.approx(roc_auc_score(y, p))
        assert groups[name]["sensitivity"]["value"] == pytest.approx(recall_score(y, p >= 0.5))
        mae = mean_absolute_error(own["score_target"], own["score_prediction"])
        assert groups[name]["mae"]["value"] == pytest.approx(mae)
        assert groups[name]["recordings"] == len(own)
        assert groups[name]["persons"] == own["subject_id"].nunique()
        assert groups[name]["positive"] == y.sum()
    difference = groups["f"]["difference"]["mae"]
    assert difference["value"] == pytest.approx(groups["f"]["mae"]["value"] - groups["m"]["mae"]["value"])
    assert difference["low"] < 0 < difference["high"]


def test_the_interval_agrees_with_a_bootstrap_of_the_group_alone(cohort):
    table = cohort(subjects=60)
    sex = np.repeat(["f", "m"] * 30, 3)
    found = by_group(slices(table, facts(table, sex=sex), **SETTINGS), "sex")["m"]["mae"]
    alone = estimates([table[sex == "m"]], [0.5])["mae"]
    # here the number of persons in the group varies too, which makes the interval a little wider
    assert found["high"] - found["low"] == pytest.approx(alone["high"] - alone["low"], rel=0.2)


def test_a_planted_weakness_is_found(recordings):
    sex = np.repeat(["f", "m"] * 15, 3)
    spoiled = recordings.assign(score_prediction=recordings["score_prediction"] + 12 * (sex == "f"))
    groups = by_group(slices(spoiled, facts(spoiled, sex=sex), **SETTINGS), "sex")
    assert groups["f"]["difference"]["mae"]["low"] > 2
    assert groups["m"]["difference"]["mae"]["high"] < -2


def test_a_task_shared_by_all_persons_is_compared_within_them(recordings):
    task = np.tile(["read", "talk", "talk"], 30)
    level = np.repeat(np.random.default_rng(0).normal(0, 15, 30), 3)  # persons whose errors differ much
    jitter = np.random.default_rng(1).uniform(0, 0.001, 90)  # without any spread there is no interval
    spoiled = recordings.assign(
        score_prediction=recordings["score_target"] + np.abs(level) + (task == "read") + jitter
    )
    found = by_group(slices(spoiled, facts(spoiled, task=task), **SETTINGS), "task")["read"]
    assert found["difference"]["mae"]["value"] == pytest.approx(1, abs=1e-3)
    assert found["mae"]["high"] - found["mae"]["low"] > 3
    assert found["difference"]["mae"]["high"] - found["difference"]["mae"]["low"] < 0.01


def test_small_groups_and_missing_columns_keep_a_reason(recordings):
    site = np.repeat(["a"] * 24 + ["b"] * 4 + [""] * 2, 3)
    found = slices(recordings, facts(recordings, site=site, sex="f"), **SETTINGS)
    groups = by_group(found, "site")
    assert groups["b"] == {
        "group": "b",
        "recordings": 12,
        "persons": 4,
        "positive": recordings[site == "b"]["binary_target"].sum(),
        "reason": "fewer than 5 persons",
    }
    assert found["site"]["without_value"] == 6
    assert groups["a"]["mae"]["value"] is not None
    assert groups["a"]["difference"] == {}
    assert groups["a"]["reason"] == "the others are fewer than 5 persons"
    assert found["sex"] == {"reason": "the tested recordings hold fewer than two groups"}
    assert found["age"] == {"reason": "not in the manifest"}
    assert [row["group"] for row in flatten(found)] == ["a", "b"]


def test_one_class_is_listed_with_its_reason(recordings):
    sex = np.repeat(["f", "m"] * 15, 3)
    table = recordings.assign(binary_target=recordings["binary_target"].where(sex == "m", 1.0))
    groups = by_group(slices(table, facts(table, sex=sex), **SETTINGS), "sex")
    assert groups["f"]["auc"]["value"] is None
    assert "one class" in groups["f"]["auc"]["reason"]
    assert "one class" in groups["m"]["difference"]["auc"]["reason"]
    assert groups["f"]["mae"]["value"] is not None


def test_age_bands_hold_a_third_of_the_persons_each():
    ages = pd.Series([20.0, 20, 20, 20, 20, 20, 30, 40, 50, 60, np.nan])
    persons = pd.Series(["a"] * 5 + list("bcdefg"))  # one person counts once
    bands = age_bands(ages, persons)
    edges = np.quantile([20, 20, 30, 40, 50, 60], [1 / 3, 2 / 3])
    assert bands.iloc[-1] == ""
    assert (bands == f"under {edges[0]:.1f}").sum() == (ages < edges[0]).sum() == 6
    assert (bands == f"{edges[1]:.1f} and over").sum() == 2
    given = age_bands(ages, persons, edges=[30, 50])
    assert given.tolist() == ["under 30"] * 6 + ["30 to 50"] * 2 + ["50 and over"] * 2 + [""]
