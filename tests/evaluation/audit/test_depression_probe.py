import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from evaluation.audit.depression_probe import probe_depression


def test_planted_depression_is_read_and_noise_is_not(cohort):
    rng = np.random.default_rng(0)
    train, test = cohort(seed=1, first=500), cohort(seed=2)

    def features(table):
        noise = rng.normal(size=(len(table), 4))
        score = table["score_target"].to_numpy()[:, None] / 8
        return {"knows": np.hstack([score + 0.5 * noise[:, :1], noise[:, 1:]]), "noise": noise}

    found = probe_depression(features(train), train, features(test), test)
    assert found["knows"]["auc"]["low"] > 0.8
    assert found["knows"]["pearson"]["low"] > 0.8
    assert found["noise"]["auc"]["low"] < 0.5 < found["noise"]["auc"]["high"]
    assert found["knows"]["mae"]["value"] < found["noise"]["mae"]["value"]


def test_a_single_feature_reads_as_its_own_ranking(cohort):
    train, test = cohort(seed=1, first=500), cohort(seed=2)
    rng = np.random.default_rng(3)
    x_train, x = (
        t["score_target"].to_numpy()[:, None] + 6 * rng.normal(size=(len(t), 1)) for t in (train, test)
    )
    found = probe_depression({"x": x_train}, train, {"x": x}, test)["x"]
    assert found["auc"]["value"] == pytest.approx(roc_auc_score(test["binary_target"], x[:, 0]))
    assert found["pearson"]["value"] == pytest.approx(pearsonr(test["score_target"], x[:, 0])[0])
    line = Ridge(alpha=1e-6).fit(x_train, train["score_target"]).predict(x)
    assert found["mae"]["value"] == pytest.approx(np.abs(line - test["score_target"]).mean(), rel=0.02)


def test_a_label_that_training_cannot_teach_has_a_reason(cohort):
    train, test = cohort(seed=1, first=500).assign(binary_target=0.0), cohort(seed=2)
    features = [np.random.default_rng(0).normal(size=(len(t), 2)) for t in (train, test)]
    found = probe_depression({"x": features[0]}, train, {"x": features[1]}, test)["x"]
    assert found["binary"] == {"reason": "the training persons show one binary only"}
    assert set(found) == {"binary", "pearson", "mae"}
