"""The mixed model against the closed form of a balanced design, and its refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM

from biomarkers.groups.mixed import mixed_models


def visits(*, persons=24, each=4, effect=1.0, spread=1.5, within=0.0, seed=0):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(persons), each)
    group = (person % 2).astype(float)
    score = rng.standard_normal(len(person))
    y = effect * group + within * score + spread * rng.standard_normal(persons)[person]
    y += rng.standard_normal(len(person))
    ids = [f"r{i}" for i in range(len(person))]
    features = pd.DataFrame({"recording_id": ids, "subject_id": [f"s{p}" for p in person], "x": y})
    labels = pd.DataFrame({"recording_id": ids, "binary": group, "score": score})
    return features, labels


def test_where_gradients_fail_the_fit_goes_on_without(monkeypatch):
    methods = []

    def fit(self, *, reml, method, original=MixedLM.fit):
        methods.append(method)
        if len(methods) == 1:
            raise np.linalg.LinAlgError("Singular matrix")
        return original(self, reml=reml, method=method)

    direct = mixed_models(*visits(), exposure="binary").iloc[0]
    monkeypatch.setattr("biomarkers.groups.mixed.MixedLM.fit", fit)
    found = mixed_models(*visits(), exposure="binary").iloc[0]
    assert methods == [["bfgs", "lbfgs", "cg"], "powell"]
    assert found["p"] == pytest.approx(direct["p"], rel=1e-3)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e3])
def test_a_balanced_comparison_is_the_t_test_of_person_means(scale):
    features, labels = visits()
    features["x"] *= scale
    found = mixed_models(features, labels, exposure="binary").iloc[0]
    means = features.groupby("subject_id")["x"].mean()
    group = labels["binary"].groupby(features["subject_id"]).first()
    expected = stats.ttest_ind(means[group == 1], means[group == 0])
    interval = expected.confidence_interval()
    assert found["converged"]
    assert found["estimate"] == pytest.approx(means[group == 1].mean() - means[group == 0].mean(), rel=1e-6)
    assert found["p"] == pytest.approx(expected.pvalue, rel=1e-3)
    assert [found["low"], found["high"]] == pytest.approx([interval.low, interval.high], rel=1e-3)
    within = features.groupby("subject_id")["x"].var().mean()
    assert found["var_residual"] == pytest.approx(within, rel=1e-3)


def test_an_effect_within_persons_is_found_beside_a_covariate():
    found = mixed_models(*visits(persons=80, within=0.5), exposure="score", covariates=["binary"]).iloc[0]
    assert found["low"] < 0.5 < found["high"]
    assert found["p"] < 1e-6
    assert found["n_persons"] == 80
    assert found["n_recordings"] == 320


@pytest.mark.slow
def test_the_slopes_of_the_cohort_are_recovered(latent_tables):
    features, labels = latent_tables(persons=60, visits=4)
    slopes = {"au01": 0.50, "au04": 0.62, "au15": 0.62, "au02": 0.0, "pose_yaw": 0.0}
    names = [f"{name}_mean" for name in slopes]
    table = mixed_models(features[["recording_id", "subject_id", *names]], labels, exposure="score")
    assert table["converged"].all()
    for slope, (_, found) in zip(slopes.values(), table.iterrows(), strict=True):
        # values are cut off at the ends of the scale, which flattens a slope by up to a fifth
        assert found["low"] < slope
        assert found["high"] > 0.8 * slope
    moved = table["p_holm"] < 0.05
    assert moved.tolist() == [True, True, True, False, False]


def test_the_corrections_count_the_features_that_were_fitted():
    features, labels = visits()
    features["flat"], features["noise"] = 2.0, np.random.default_rng(1).standard_normal(len(features))
    table = mixed_models(features, labels, exposure="binary").set_index("feature")
    assert not table.loc["flat", "converged"]
    assert table.loc["flat", "reason"] == "constant"
    assert np.isnan(table.loc["flat", "p_holm"])
    assert table.loc["x", "p_holm"] == pytest.approx(min(1, 2 * table.loc["x", "p"]), rel=1e-9)


def test_a_person_variance_of_zero_is_said():
    features, labels = visits(spread=0.0, seed=5)
    person = features["subject_id"]
    features["x"] -= features.groupby(person)["x"].transform("mean") - labels["binary"]
    found = mixed_models(features, labels, exposure="binary").iloc[0]
    assert "variance is zero" in found["reason"]
    assert found["estimate"] == pytest.approx(1.0, abs=1e-3)


def test_a_fit_that_did_not_converge_has_no_numbers(monkeypatch):
    class Stuck:
        converged, fe_params, bse_fe = False, np.array([0.0, 1.0]), np.array([1.0, 1.0])

    monkeypatch.setattr("biomarkers.groups.mixed.MixedLM.fit", lambda self, **_: Stuck())
    found = mixed_models(*visits(), exposure="binary").iloc[0]
    assert not found["converged"]
    assert "did not converge" in found["reason"]
    assert found[["estimate", "p", "low", "high"]].isna().all()


def test_missing_labels_are_counted():
    features, labels = visits()
    labels.loc[:2, "binary"] = np.nan
    found = mixed_models(features, labels, exposure="binary").iloc[0]
    assert found["n_missing"] == 3
    assert found["n_recordings"] == 93


@pytest.mark.parametrize(
    ("keep", "reason"),
    [
        (lambda f: f.groupby("subject_id").head(1), "one recording a person"),
        (lambda f: f[f["subject_id"].isin(["s0", "s1"])], "2 persons for 2 fixed effects"),
        (lambda f: f[f["subject_id"].str[1:].astype(int) % 2 == 0], "constant or collinear"),
    ],
)
def test_designs_without_an_answer_say_why(keep, reason):
    features, labels = visits()
    found = mixed_models(keep(features), labels, exposure="binary").iloc[0]
    assert not found["converged"]
    assert reason in found["reason"]


def test_bad_columns_are_refused():
    features, labels = visits()
    with pytest.raises(ValueError, match=r"no \['severity'\]"):
        mixed_models(features, labels, exposure="severity")
    with pytest.raises(ValueError, match="code them"):
        mixed_models(features, labels.assign(sex="F"), exposure="binary", covariates=["sex"])
    with pytest.raises(ValueError, match="needs to know the persons"):
        mixed_models(features.assign(subject_id="unknown"), labels, exposure="binary")
