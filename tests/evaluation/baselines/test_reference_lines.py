import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error

from evaluation.baselines.reference_lines import constant, identity, nuisance, reference_lines
from evaluation.uncertainty.table_estimates import paired_differences

HEADS = ("score", "binary")


def manifest(table, **columns):
    """Manifest rows behind a recording table."""
    names = {f"{h}_target": h for h in ("score", "binary", "band")}
    out = table[["recording_id", "subject_id", "session_id", *names]].rename(columns=names)
    return out.assign(**columns)


@pytest.fixture
def parts(cohort):
    train = manifest(cohort(seed=7, subjects=40, first=2000))
    val = manifest(cohort(seed=8, first=1000))
    test = cohort(seed=9)
    return train, val, manifest(test), test


def test_constant_is_the_training_mean(parts):
    train, _, rows, _ = parts
    line = constant(train, rows, heads=HEADS)
    assert set(line.predictions["score_prediction"]) == {train["score"].mean()}
    assert set(line.predictions["binary_prediction"]) == {train["binary"].mean()}
    assert line.told["prediction"] == train["score"].mean()


def test_identity_needs_shared_persons(parts):
    train, _, rows, _ = parts
    line = identity(train, rows, heads=HEADS)
    assert line.predictions is None
    assert "no person" in line.reason
    both = [t.assign(subject_id="unknown") for t in (train, rows)]
    assert identity(*both, heads=HEADS).predictions is None


def test_identity_looks_the_person_up():
    train = pd.DataFrame(
        {"recording_id": ["a", "b", "c"], "subject_id": ["1", "1", "2"], "score": [10.0, 20.0, 3.0]}
    )
    rows = pd.DataFrame({"recording_id": ["d", "e"], "subject_id": ["1", "9"], "score": [14.0, 8.0]})
    line = identity(train, rows, heads=("score",))
    assert line.predictions["score_prediction"].tolist() == [15.0, 11.0]  # a stranger gets the training mean
    assert line.told["note"].startswith("1 of 2 recordings")


def test_nuisance_finds_what_is_planted_and_names_its_columns(parts):
    train, val, rows, test = parts
    rng = np.random.default_rng(0)

    def plant(table):
        noise = rng.normal(0, 1, len(table))
        return table.assign(
            duration_s=10 + 0.3 * table["score"] + noise, fps=25.0, brightness=noise, score_item=1
        )

    train, val, rows = plant(train), plant(val), plant(rows)
    out = reference_lines(train, val, rows, test, threshold=0.5)
    assert out["nuisance"]["columns"] == ["duration_s", "brightness"]  # fps does not vary
    assert out["nuisance"]["auc"]["low"] > 0.8
    assert out["nuisance"]["uar"]["value"] > 0.8  # its own threshold, from validation
    assert out["identity"] is None
    assert "no person" in out["reasons"]["identity"]


def test_nuisance_without_information_is_near_chance(parts):
    train, val, rows, test = parts
    rng = np.random.default_rng(1)
    train, val, rows = (t.assign(brightness=rng.normal(size=len(t))) for t in (train, val, rows))
    out = reference_lines(train, val, rows, test, threshold=0.5)
    assert out["nuisance"]["auc"]["low"] < 0.5 < out["nuisance"]["auc"]["high"]
    gap = out["nuisance"]["difference"]["auc"]
    assert gap["low"] > 0
    assert gap["value"] > 0.2


def test_nuisance_is_the_ridge_it_claims_to_be(parts):
    train, _, rows, _ = parts
    rng = np.random.default_rng(2)
    train, rows = (t.assign(face_x=rng.normal(5, 2, len(t))) for t in (train, rows))
    train.loc[3, "face_x"] = np.nan
    line = nuisance(train, rows, heads=("score",))
    x = train["face_x"].fillna(train["face_x"].median()).to_numpy()
    z = (rows["face_x"].to_numpy() - x.mean()) / x.std()
    expected = Ridge().fit(((x - x.mean()) / x.std())[:, None], train["score"]).predict(z[:, None])
    assert line.predictions["score_prediction"].to_numpy() == pytest.approx(expected)


def test_nothing_varies(parts):
    train, _, rows, _ = parts
    line = nuisance(train.assign(fps=25.0), rows.assign(fps=30.0), heads=HEADS)
    assert line.predictions is None
    assert "varies" in line.reason


def test_constant_line_in_numbers(parts):
    train, val, rows, test = parts
    out = reference_lines(train, val, rows, test, threshold=None)
    line = out["constant"]
    assert line["auc"]["value"] == 0.5
    assert line["ccc"]["value"] == 0
    expected = mean_absolute_error(rows["score"], np.full(len(rows), train["score"].mean()))
    assert line["mae"]["value"] == pytest.approx(expected)
    own = mean_absolute_error(test["score_target"], test["score_prediction"])
    assert line["difference"]["mae"]["value"] == pytest.approx(own - expected)
    assert out["nuisance"] is None


def test_a_score_only_model_is_still_compared_by_auc(parts):
    train, val, rows, test = parts
    test = test.drop(columns=["binary_prediction", "band_prediction"])
    out = reference_lines(
        train.assign(fps=np.arange(len(train)) % 3),
        val.assign(fps=1),
        rows.assign(fps=2),
        test,
        threshold=None,
    )
    assert out["constant"]["difference"]["auc"]["value"] > 0.2


def test_the_difference_is_the_paired_one(parts):
    train, _, rows, model = parts
    line = constant(train, rows, heads=(*HEADS, "band")).predictions
    expected = paired_differences([model], [line], thresholds_a=[0.5], thresholds_b=[None])
    found = reference_lines(train, None, rows, model, threshold=0.5)["constant"]["difference"]
    assert found == expected
    assert found["mae"]["low"] <= found["mae"]["value"] <= found["mae"]["high"]
