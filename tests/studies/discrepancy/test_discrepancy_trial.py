"""The trial's numbers are what they say, and its report reads them back."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from datamodules.feature_leakage.channels import LeakageError
from datamodules.feature_leakage.repeated_answers import check_features
from studies.discrepancy import cells as discrepancy_cells
from studies.discrepancy.cells import OURS, RECIPE, cells, measured
from studies.discrepancy.cohort import SETTINGS, draw
from studies.discrepancy.report import FACTORS, LEVELS, by_seed, increment, write_report
from studies.discrepancy.work import compute
from tests.isolation import check_isolated

KEYS = ["procedure", "leak", "train_share", "test_share", "part"]


@pytest.fixture(scope="module")
def cohort():
    return draw(SETTINGS["noise"], persons=300, seed=3)


@pytest.fixture(scope="module")
def table(cohort):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(discrepancy_cells, "models", lambda seed: {"logistic": LogisticRegression(C=0.01)})
        return pd.DataFrame(cells(cohort, seed=3)).assign(setting="noise", seed=3, persons=300)


def test_f1_is_that_of_balanced_data():
    rng = np.random.default_rng(0)
    target = np.r_[np.ones(40), np.zeros(160)]
    decision = (rng.random(200) < np.where(target == 1, 0.7, 0.2)).astype(float)
    weights = np.where(target == 1, 1 / 40, 1 / 160)
    found = measured(target, rng.random(200), decision)
    assert found["f1"] == pytest.approx(f1_score(target, decision, sample_weight=weights))
    assert measured(target, rng.random(200), np.ones(200))["f1"] == pytest.approx(2 / 3)


@pytest.mark.slow
def test_every_cell_that_the_report_needs_is_there_once(table):
    counted = table.groupby(KEYS).size()
    assert (counted == 1).all()
    needed = {*LEVELS.values(), *(key for f in FACTORS for key in (f.plus, f.minus))}
    assert needed <= set(counted.index)


@pytest.mark.slow
def test_noise_predicts_nothing_until_the_items_are_among_it(table):
    of = table.set_index(KEYS)["auc"]
    assert abs(of[OURS, False, 0.0, 0.0, "all"] - 0.5) < 0.15
    assert of[OURS, True, 0.0, 0.0, "all"] > 0.75
    assert of[RECIPE, True, 0.1, 0.1, "retained"] > 0.62  # few persons against many components of noise


@pytest.mark.slow
def test_the_filter_never_changes_who_is_tested(table):
    whole = table[(table["procedure"] == OURS) & (table["part"] == "all")]
    assert whole["tested"].nunique() == 1
    halves = table[(table["procedure"] == OURS) & (table["part"] != "all") & ~table["leak"]]
    sums = halves.groupby(["train_share", "test_share"])["tested"].sum()
    assert (sums == whole["tested"].iloc[0]).all()


def test_the_leak_is_refused_unless_asked_for(cohort):
    leaky = cohort.features.assign(au01_mean=cohort.manifest.table["item_bdi2_03"])
    with pytest.raises(LeakageError, match="au01_mean"):
        check_features(leaky, cohort.manifest.table)


def test_the_reader_is_fitted_on_training_rows_alone():
    x = np.random.default_rng(0).standard_normal((80, 6))
    y = (x[:, 0] > 0).astype(float)

    def procedure(features, target, train, test):
        reader = discrepancy_cells.Reader(LogisticRegression(), components=0.99)
        fitted = reader.fit(features[train], target[train].astype(int))
        return lambda new: fitted.predict_proba(new)[:, 1]

    check_isolated(procedure, x, y, train=np.arange(60), test=np.arange(60, 80))


@pytest.mark.slow
def test_increments_are_paired_means_over_models(table, tmp_path):
    two = pd.concat([table, table.assign(seed=4, f1=table["f1"] + 0.1 * table["leak"])])
    leak = next(f for f in FACTORS if f.name == "item leak")
    of = table.set_index(KEYS)["f1"]
    one = of[leak.plus] - of[leak.minus]
    found = increment(by_seed(two), "noise", leak, "f1")
    assert found.mean == pytest.approx(one + 0.05)
    text = write_report(two, folder=tmp_path, command="python -m studies.discrepancy")
    assert f"| item leak | {one + 0.05:+.3f} [" in text
    assert (tmp_path / "discrepancy_trial.png").stat().st_size > 10_000


def test_a_finished_cohort_is_not_drawn_again(tmp_path):
    path = tmp_path / "none-50-0.csv"
    path.write_text("kept")
    assert compute("none", 0, persons=50, folder=tmp_path) == path
    assert path.read_text() == "kept"
