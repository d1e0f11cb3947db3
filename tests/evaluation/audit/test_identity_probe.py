import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from evaluation.audit.identity_probe import deal_visits, probe_identity


def probed(features, table, **settings):
    return probe_identity(features, table, deal_visits(table, seed=0), **settings)


def cohort(persons=12, visits=4):
    return pd.DataFrame(
        {
            "subject_id": np.repeat([f"p{i:02d}" for i in range(persons)], visits),
            "session_id": np.tile([f"v{i}" for i in range(visits)], persons),
        }
    )


def planted(table, *, strength, seed=0, dim=8):
    rng = np.random.default_rng(seed)
    codes = table["subject_id"].astype("category").cat.codes.to_numpy()
    return strength * rng.normal(size=(codes.max() + 1, dim))[codes] + rng.normal(size=(len(table), dim))


def test_planted_identity_is_found_and_noise_gives_chance():
    table = cohort()
    features = {"person": planted(table, strength=5), "noise": planted(table, strength=0)}
    found = probed(features, table)
    assert found["chance"] == pytest.approx(1 / 12)
    assert found["accuracy"]["person"]["low"] > 0.7
    noise = found["accuracy"]["noise"]
    assert noise["low"] <= found["chance"] <= noise["high"]
    assert found["difference"]["noise"]["low"] > 0.6
    assert found["difference"]["noise"]["value"] == pytest.approx(
        found["accuracy"]["person"]["value"] - noise["value"]
    )


def test_the_number_is_that_of_scikit_learn_with_the_visits_as_folds():
    table = cohort(persons=5)
    features = planted(table, strength=1)
    halves = deal_visits(table, seed=0)
    folds = [(np.flatnonzero(halves != half), np.flatnonzero(halves == half)) for half in (0, 1)]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    expected = cross_val_predict(model, features, table["subject_id"], cv=folds) == table["subject_id"]
    found = probed({"x": features}, table)["accuracy"]["x"]
    assert 0.2 < found["value"] < 1
    assert found["value"] == pytest.approx(expected.mean())
    by_person = expected.groupby(table["subject_id"]).mean()
    expected_width = 2 * stats.t.ppf(0.975, 4) * stats.sem(by_person)  # Wilson's is a little less
    assert found["high"] - found["low"] == pytest.approx(expected_width, rel=0.2)


def test_a_visit_is_never_on_both_sides():
    table = pd.concat([cohort(persons=3, visits=3)] * 2, ignore_index=True)  # two recordings a visit
    table["halves"] = deal_visits(table, seed=1)
    assert table.groupby(["subject_id", "session_id"])["halves"].nunique().eq(1).all()
    assert table.groupby("subject_id")["halves"].nunique().eq(2).all()


def test_a_feature_of_the_visit_does_not_name_the_person():
    table = pd.concat([cohort(visits=2)] * 3, ignore_index=True)
    rng = np.random.default_rng(0)
    visit = table.groupby(["subject_id", "session_id"]).ngroup().to_numpy()
    found = probed({"visit": rng.normal(size=(24, 16))[visit] * 5}, table)
    assert found["accuracy"]["visit"]["value"] < 0.3  # with visits on both sides it would be 1


def test_who_cannot_be_probed_is_counted():
    table = pd.concat(
        [
            cohort(persons=4, visits=2),
            pd.DataFrame({"subject_id": ["once", "unknown", "unknown"], "session_id": ["v0", "v0", "v1"]}),
        ],
        ignore_index=True,
    )
    found = probed({"x": planted(table, strength=1)}, table)
    assert (found["persons"], found["recordings"]) == (4, 8)
    assert found["left_out"] == {"persons_with_one_visit": 1, "recordings_of_unknown_persons": 2}
    alone = probed({"x": np.ones((3, 2))}, table.iloc[-3:].reset_index(drop=True))
    assert "two visits" in alone["reason"]
    assert "accuracy" not in alone


def test_wrong_features_are_refused():
    table = cohort(persons=2, visits=2)
    with pytest.raises(ValueError, match=r"plain: features \(3, 2\) for 4 recordings"):
        probed({"plain": np.ones((3, 2))}, table)
    with pytest.raises(ValueError, match="plain: features are not finite"):
        probed({"plain": np.full((4, 2), np.nan)}, table)


def test_halves_that_share_a_context_hide_identity_that_is_there():
    table = cohort(persons=20, visits=6)
    rng = np.random.default_rng(1)
    person = 2 * np.repeat(rng.normal(size=(20, 12)), 6, axis=0)
    values = person + rng.normal(size=person.shape)
    halves = deal_visits(table, seed=0)

    def relieved(groups, share):
        """Take away a share of the mean of the person's other visits in the same group."""
        frame = pd.DataFrame(values)
        total, count = (frame.groupby(groups).transform(how).to_numpy() for how in ("sum", "count"))
        return values - share * (total - values) / (count - 1)

    together = relieved(table["subject_id"], 0.7)
    apart = relieved([table["subject_id"], halves], 0.7)
    found = probed({"together": together, "apart": apart}, table)["accuracy"]
    assert found["apart"]["low"] > 1 / 20  # a part of the habit is left
    assert found["together"]["value"] < found["apart"]["value"] - 0.05
    gone = probed({"gone": relieved([table["subject_id"], halves], 1.0)}, table)["accuracy"]["gone"]
    assert gone["low"] <= 1 / 20 <= gone["high"]
