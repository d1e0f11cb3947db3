import numpy as np
import pandas as pd
import pytest

from biomarkers.estimators.boosting import BoostingClassifier
from biomarkers.importance.family_importance import ALL, explain_fold, importance_table
from biomarkers.importance.shap_values import shap_values
from evaluation.metrics import resampled as weighted
from evaluation.uncertainty.bootstrap import Resampling, subject_weights

PERSONS = np.repeat(np.arange(300), 2)
CHANNELS = ("au04", "au12", "pose_yaw", "p_3")


def cohort(seed=0):
    """`au12` carries the label in two statistics; the other channels are noise with habits."""
    rng = np.random.default_rng(seed)
    y = np.repeat(rng.random(300) < 0.4, 2).astype(int)
    habits = np.repeat(rng.standard_normal((300, 8)), 2, axis=0)
    x = habits + 0.3 * rng.standard_normal((600, 8))
    x[:, 2:4] += 1.5 * y[:, None]
    return pd.DataFrame(x, columns=[f"{c}_{s}" for c in CHANNELS for s in ("mean", "std")]), y


@pytest.fixture(scope="module")
def folds():
    x, y = cohort()
    found = []
    for number in range(3):
        held = number == PERSONS % 3
        model = BoostingClassifier(trees=40, patience=None, learning_rate=0.1)
        model.fit(x[~held], y[~held], PERSONS[~held])
        found.append(
            explain_fold(
                model, x[held], target=y[held], persons=PERSONS[held], repeats=4, shap_persons=60, seed=number
            )
        )
        values = shap_values(model, x[held])[0]
        own = found[-1].attributions
        drawn = np.isfinite(own[:, 0])
        assert np.unique(PERSONS[held][drawn]).size == 60
        assert drawn.sum() == 120
        place = list(found[-1].families).index(("channel", "au12"))
        np.testing.assert_allclose(own[drawn, place], values[drawn, 2:4].sum(1), atol=1e-5)
    return found


def test_the_channel_that_carries_the_label_is_first_and_the_others_cover_zero(folds):
    table = importance_table(folds, Resampling(1000))
    own = table[table["by"] == "channel"].set_index("family")
    assert own["auc_lost"].idxmax() == own["shap"].idxmax() == "au12"
    assert own.loc["au12", "auc_lost_low"] > 0.2
    assert own.loc["au12", "fold_low"] > 0.2
    others = own.drop(index="au12")
    assert (others["auc_lost_low"] <= 0).all()
    assert (others["auc_lost_high"] >= 0).all()
    assert others["auc_lost"].abs().max() < 0.02
    assert own["identity"].to_dict() == {"au04": False, "au12": False, "pose_yaw": False, "p_3": True}
    regions = table[table["by"] == "region"].set_index("family")
    assert regions["auc_lost"].idxmax() == "mouth"
    whole = table[table["family"] == ALL].iloc[0]
    assert whole["auc_lost"] == pytest.approx(own.loc["au12", "auc_lost"], abs=0.04)
    assert whole["features"] == 8


def test_the_interval_is_that_of_the_exact_auc_of_every_resample(folds):
    table = importance_table(folds, Resampling(1000))
    target, persons, plain = (
        np.concatenate([getattr(f, n) for f in folds]) for n in ("target", "persons", "plain")
    )
    permuted = np.concatenate([f.permuted for f in folds], axis=2)
    weights = np.concatenate(list(subject_weights(persons, Resampling(1000))))
    for g in (0, 2):
        before = weighted.auc(target, plain, weights)
        after = np.mean([weighted.auc(target, p, weights) for p in permuted[g]], axis=0)
        low, high = np.quantile(before - after, [0.025, 0.975])
        assert table.loc[g, "auc_lost_low"] == pytest.approx(low, abs=0.005)
        assert table.loc[g, "auc_lost_high"] == pytest.approx(high, abs=0.005)
