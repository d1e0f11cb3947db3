import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.baselines.linear_probe import WIDE_PENALTIES, penalty_folds
from evaluation.baselines.other_visits import mean_of_others
from evaluation.baselines.series_lines import looked_up, series_lines

HEADS = ("score", "binary")

MSE = "neg_mean_squared_error"


@pytest.fixture(scope="module")
def cohort():
    """Forty persons of four visits: one feature is severity and a large habit, nine are noise."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(40), 4)
    severity, habit = rng.normal(size=160), 3 * rng.normal(size=40)
    table = pd.DataFrame(
        {
            "recording_id": [f"r{i}" for i in range(160)],
            "subject_id": [f"p{i}" for i in person],
            "session_id": np.tile(["a", "b", "c", "d"], 40),
            "person": person,
            "place": np.tile(np.arange(4.0), 40),
            "known": np.tile([True, True, False, False], 40),
            "score": 20 + 5 * severity,
            "binary": (severity > 0).astype(float),
        }
    )
    values = rng.normal(size=(160, 10))
    values[:, 0] = severity + habit[person] + 0.3 * rng.normal(size=160)
    return table, pd.DataFrame(values, index=table["recording_id"])


def parts(table):
    return (table["recording_id"][mask].tolist() for mask in (table["person"] < 25, table["person"] >= 25))


def auc(reference, table):
    found = reference.predictions.set_index("recording_id")["binary_prediction"]
    return roc_auc_score(table.set_index("recording_id").loc[found.index, "binary"], found)


def test_subtracting_other_visits_takes_the_habit_out(cohort):
    table, features = cohort
    train, asked = parts(table)
    lines = series_lines("x", features, table, train, asked, heads=("binary",))
    assert auc(lines["raw"], table) < 0.65
    assert auc(lines["enrolment"], table) > 0.75
    assert auc(lines["both"], table) > 0.75
    assert [line.by_subject for line in lines.values()] == [True, False, True]  # differences add up to zero
    ridge = series_lines("x", features, table, train, asked, heads=("binary",), reader="ridge")[
        "both"
    ].predictions
    assert roc_auc_score(ridge["binary_target"], ridge["binary_prediction"]) > 0.75
    assert ridge["binary_prediction"].between(0, 1).all()


def test_a_reading_is_ridge_regression_on_training_persons(cohort):
    table, features = cohort
    train, asked = parts(table)
    found = series_lines("x", features, table, train, asked, heads=("score",))["both"].predictions
    x = features.to_numpy()
    others = (pd.DataFrame(x).groupby(table["person"]).transform("sum").to_numpy() - x) / 3
    x = np.hstack([x, x - others])
    own = table["recording_id"].isin(train).to_numpy()
    folds = penalty_folds("score", table["score"][own].to_numpy(), table["person"][own].astype(str))
    model = make_pipeline(StandardScaler(), RidgeCV(alphas=1 / WIDE_PENALTIES, cv=folds, scoring=MSE))
    expected = model.fit(x[own], table["score"][own]).predict(x[~own])
    bounds = table["score"][own].min(), table["score"][own].max()
    assert found["score_prediction"].to_numpy() == pytest.approx(np.clip(expected, *bounds))


def test_scores_do_not_run_on_beyond_those_of_training(cohort):
    table, features = cohort
    train, asked = parts(table)
    far = features.copy()
    far.loc[asked, 0] *= 1e9
    found = series_lines("x", far, table, train, asked, heads=("score",))["raw"].predictions
    scores = table["score"][table["recording_id"].isin(train)]
    assert found["score_prediction"].min() == scores.min()
    assert found["score_prediction"].max() == scores.max()


def test_labels_and_features_of_tested_persons_teach_nothing(cohort):
    table, features = cohort
    train, asked = parts(table)
    one = asked[:4]  # a person
    plain = series_lines("x", features, table, train, one, heads=HEADS)
    table = table.assign(score=table["score"].where(table["person"] < 25, 0.0))
    features = features.mul(np.where(table["person"] > 25, 100.0, 1.0), axis=0)
    other = series_lines("x", features, table, train, one, heads=HEADS)
    for reading, line in plain.items():
        for head in HEADS:
            name = f"{head}_prediction"
            assert line.predictions[name].tolist() == other[reading].predictions[name].tolist()


def test_who_stands_alone_is_read_by_the_raw_line_and_it_is_said(cohort):
    table, features = cohort
    train, asked = parts(table)
    single = table["person"].where(table["recording_id"] != asked[0], 999)
    lines = series_lines("x", features, table.assign(person=single), train, asked, heads=("score",))
    raw, both = (lines[name].predictions.set_index("recording_id") for name in ("raw", "both"))
    assert both.loc[asked[0], "score_prediction"] == raw.loc[asked[0], "score_prediction"]
    assert both.loc[asked[1], "score_prediction"] != raw.loc[asked[1], "score_prediction"]
    assert "1 of 60 recordings stand alone" in lines["both"].told["note"]
    everybody = series_lines("x", features, table.assign(person=range(160)), train, asked, heads=("score",))
    assert list(everybody) == ["raw"]
    assert "nothing to subtract" in everybody["raw"].told["note"]


def test_gaps_take_the_training_median_and_constants_do_no_harm(cohort):
    table, features = cohort
    train, asked = parts(table)
    gappy = features.assign(constant=1.0, never=np.nan)
    gappy.iloc[[3, 150], 5] = np.nan
    lines = series_lines("x", gappy, table, train, asked, heads=("score",))
    assert lines["both"].predictions.notna().all(axis=None)
    assert lines["both"].told["note"] == "1 recordings lack some features and take the training median"
    filled = features.assign(constant=1.0)
    median = features.iloc[[row for row in range(100) if row != 3], 5].median()
    filled.iloc[[3, 150], 5] = median
    expected = series_lines("x", filled, table, train, asked, heads=("score",))["both"].predictions
    assert lines["both"].predictions["score_prediction"].tolist() == expected["score_prediction"].tolist()
    with pytest.raises(ValueError, match="no features of 1 recordings"):
        series_lines("x", features.drop(asked[0]), table, train, asked, heads=("score",))


def test_what_stands_beside_a_recording(cohort):
    table, features = cohort
    x, own = features.to_numpy()[:, :1], table[:8]
    train = np.array([True, True, True, False] * 2)
    others = mean_of_others(x[:8], own, train=train)
    assert others[0, 0] == pytest.approx(x[1:3].mean())  # a training recording: training ones alone
    assert others[3, 0] == pytest.approx(x[0:3].mean())
    earlier = mean_of_others(x[:8], own, train=train, earlier=True)
    assert np.isnan(earlier[[0, 4]]).all()
    assert earlier[1, 0] == pytest.approx(x[0, 0])
    assert earlier[3, 0] == pytest.approx(x[0:2].mean())  # the third visit is not known


def test_predictions_that_are_made_are_looked_up_in_the_order_asked_for(cohort):
    table, features = cohort
    train, asked = parts(table)
    raw = series_lines("x", features, table, train, asked, heads=("score",))["raw"]
    rows = table[table["recording_id"].isin(asked[5:9])].iloc[::-1]
    found = looked_up(raw)(None, rows, heads=("score",)).predictions
    assert found["recording_id"].tolist() == asked[5:9][::-1]
