import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score

from evaluation.metrics import definitions as metrics
from evaluation.summary import mean_prediction, metrics_json, summarize, with_reasons
from evaluation.uncertainty.table_estimates import paired_differences


def test_summary_of_a_split(recordings):
    out = summarize([recordings], [0.5])
    assert (
        out["auc"]["value"] == metrics.auc(recordings["binary_target"], recordings["binary_prediction"]).value
    )
    decisions = recordings["binary_prediction"] >= 0.5
    assert out["uar"]["value"] == metrics.uar(recordings["binary_target"], decisions).value
    for name, estimate in out.items():
        if name not in ("counts", "by_subject"):
            assert {"value", "low", "high"} <= set(estimate)
    assert out["counts"]["recordings"] == 90
    assert out["counts"]["subjects"] == 30
    assert out["counts"]["positive"] == recordings["binary_target"].sum()
    assert out["counts"]["negative"] == 90 - out["counts"]["positive"]
    for side, label in (("positive", 1), ("negative", 0)):
        own = recordings[recordings["binary_target"] == label]
        assert out["counts"][f"{side}_subjects"] == own["subject_id"].nunique()


def test_persons_are_summarized_apart(recordings):
    out = summarize([recordings], [0.5])["by_subject"]
    means = recordings.groupby("subject_id")[["score_target", "score_prediction"]].mean()
    assert out["mae"]["value"] == pytest.approx(
        (means["score_target"] - means["score_prediction"]).abs().mean()
    )
    assert "uar" not in out


def test_unlabeled_rows_are_left_out_and_counted(recordings):
    table = recordings.copy()
    table.loc[:9, "score_target"] = np.nan
    out = summarize([table])
    known = recordings.iloc[10:]
    assert out["mae"]["value"] == metrics.mae(known["score_target"], known["score_prediction"]).value
    assert out["counts"]["labeled_score"] == 80
    assert out["counts"]["labeled_binary"] == 90


def test_a_missing_prediction_is_not_left_out(recordings):
    table = recordings.copy()
    table.loc[3, "score_prediction"] = np.nan
    with pytest.raises(ValueError, match="1 of 90 predictions are not finite"):
        summarize([table])


def test_without_a_threshold_decisions_are_undefined_with_a_reason(recordings):
    out = summarize([recordings])
    assert out["uar"]["value"] is None
    assert "threshold" in out["uar"]["reason"]


def test_unknown_persons_are_counted(recordings):
    out = summarize([recordings.assign(subject_id="unknown")])
    assert out["counts"]["unknown_subject"] == 90
    assert out["mae"]["low"] is not None
    assert "by_subject" not in out


def test_bad_tables_are_refused(recordings):
    with pytest.raises(ValueError, match="split is empty"):
        summarize([recordings.iloc[:0]])
    with pytest.raises(ValueError, match=r"\['r0000'\] appear twice"):
        summarize([pd.concat([recordings, recordings.iloc[:1]])])


def test_metrics_json_has_the_agreed_shape(recordings):
    one = summarize([recordings.assign(binary_target=1.0)])
    out = metrics_json(
        test=one,
        val=None,
        reference={
            "constant": one,
            "identity": None,
            "nuisance": one,
            "reasons": {"identity": "no shared person", "constant": "unused"},
        },
    )
    assert list(out) == ["test", "val", "reference"]
    assert {"constant", "identity", "nuisance", "oracle"} <= set(out["reference"])
    assert out["reference"]["identity"] is None
    assert out["reference"]["reasons"] == {"identity": "no shared person"}
    text = json.dumps(out, allow_nan=False)  # no NaN hides in it, no numpy type either
    assert json.loads(text)["test"]["auc"]["value"] is None


def test_what_is_not_finite_is_null_with_its_reason():
    nan, inf = float("nan"), np.float64("inf")
    found = with_reasons(
        {
            "auc": {"value": nan, "low": None, "high": None},
            "mae": {"value": 2.0, "low": inf, "high": 3.0},
            "ccc": {"value": None, "low": None, "high": None, "reason": "all targets are equal"},
            "folds": [1, nan, "x", True],
        }
    )
    json.dumps(found, allow_nan=False)
    assert found["auc"]["value"] is None
    assert "finite" in found["auc"]["reason"]
    assert found["mae"] == {"value": 2.0, "low": None, "high": 3.0, "reason": found["auc"]["reason"]}
    assert found["ccc"]["reason"] == "all targets are equal"
    assert found["folds"] == [1, None, "x", True]


@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")  # meant here
def test_a_metric_that_overflows_has_a_reason(recordings):
    summary = summarize([recordings.assign(score_prediction=1e200)])
    assert summary["rmse"]["value"] is None
    assert "finite" in summary["rmse"]["reason"]


def noisy(table, seed, noise=4.0):
    rng = np.random.default_rng(seed)
    return table.assign(score_prediction=table["score_prediction"] + rng.normal(0, noise, len(table)))


@pytest.mark.slow
def test_metrics_are_averaged_and_not_predictions(recordings):
    tables = [noisy(recordings, seed).sample(frac=1, random_state=seed) for seed in range(4)]
    errors = [mean_absolute_error(t["score_target"], t["score_prediction"]) for t in tables]
    found = summarize(tables)
    assert found["mae"]["value"] == pytest.approx(np.mean(errors))
    assert found["mae"]["low"] < np.mean(errors) < found["mae"]["high"]
    assert found["auc"]["value"] == pytest.approx(
        np.mean([roc_auc_score(t["binary_target"], t["binary_prediction"]) for t in tables])
    )
    ensemble = mean_prediction(tables)
    expected = np.mean(
        [t.set_index("recording_id")["score_prediction"].loc[ensemble["recording_id"]] for t in tables],
        axis=0,
    )
    assert ensemble["score_prediction"].tolist() == pytest.approx(expected.tolist())
    flattering = mean_absolute_error(ensemble["score_target"], ensemble["score_prediction"])
    assert flattering < found["mae"]["value"]
    gap = paired_differences(tables, [recordings])["mae"]
    base = mean_absolute_error(recordings["score_target"], recordings["score_prediction"])
    assert gap["value"] == pytest.approx(np.mean(errors) - base)
    assert gap["low"] > 0


@pytest.mark.slow
def test_what_one_table_leaves_undefined_is_undefined(recordings):
    flat = recordings.assign(score_prediction=3.0)
    found = summarize([recordings, flat])
    assert found["pearson"]["value"] is None
    assert found["pearson"]["reason"]
    assert found["mae"]["value"] is not None
    assert paired_differences([recordings], [flat])["pearson"]["value"] is None
    with pytest.raises(ValueError, match="same recordings"):
        paired_differences([recordings], [recordings.iloc[1:]])


def test_a_part_without_labels_says_so_and_has_no_number():
    table = pd.DataFrame(
        {
            **{"recording_id": ["a", "b"], "subject_id": ["p", "q"], "session_id": "1", "split": "test"},
            **{"score_target": np.nan, "score_prediction": [1.0, 2.0], "binary_target": np.nan},
        }
    )
    found = summarize([table], [0.5])
    assert found["reason"] == "no recording of this part has a label: they are hidden, or missing"
    assert set(found) == {"reason", "counts", "by_subject"}
    assert found["by_subject"] == {}
    assert "reason" not in summarize([table.assign(score_target=[1.0, np.nan])])
