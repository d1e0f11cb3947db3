import numpy as np
import pandas as pd
import pytest
from scipy.stats import mannwhitneyu, pearsonr, permutation_test
from sklearn.metrics import mean_absolute_error, roc_auc_score

from evaluation.uncertainty.label_permutation import block_permutations, permute_labels


@pytest.fixture
def independent(cohort):
    """One recording a person, and predictions that are only a little right."""
    table = cohort(subjects=60, visits=1)
    rng = np.random.default_rng(3)
    weak = 0.2 * table["score_target"] + rng.normal(0, 8, len(table)) + 12
    return table.drop(columns=["binary_prediction"]).assign(score_prediction=weak)


def test_the_values_are_those_of_scikit_learn(recordings):
    found = permute_labels(recordings, seed=0, n_permutations=99)
    y, p = recordings["score_target"], recordings["score_prediction"]
    assert found["mae"]["value"] == pytest.approx(mean_absolute_error(y, p))
    assert found["pearson"]["value"] == pytest.approx(pearsonr(y, p).statistic)
    auc = roc_auc_score(recordings["binary_target"], recordings["binary_prediction"])
    assert found["auc"]["value"] == pytest.approx(auc)
    assert found["auc"]["p"] == 1 / 100
    assert found["auc"]["null"][0] < 0.5 < found["auc"]["null"][1] < auc


@pytest.mark.parametrize(
    ("name", "metric", "alternative"),
    [
        ("pearson", lambda y, p: np.corrcoef(y, p)[0, 1], "greater"),
        ("mae", lambda y, p: np.abs(y - p).mean(), "less"),
    ],
)
def test_independent_recordings_give_the_p_value_of_scipy(independent, name, metric, alternative):
    y, p = (independent[f"score_{side}"].to_numpy() for side in ("target", "prediction"))
    expected = permutation_test(
        (y,), lambda y: metric(y, p), permutation_type="pairings", n_resamples=1500,
        alternative=alternative, rng=np.random.default_rng(0),
    ).pvalue  # fmt: skip
    found = permute_labels(independent, seed=1)[name]
    assert 0.01 < found["p"] < 0.6
    assert found["p"] == pytest.approx(expected, abs=4 * (expected * (1 - expected) / 1500) ** 0.5)
    assert found["fixed_persons"] == 0


def test_the_ranking_of_independent_recordings_gives_the_exact_p_value_of_a_rank_test(independent):
    positive = independent["binary_target"] == 1
    p = independent["score_prediction"]
    exact = mannwhitneyu(p[positive], p[~positive], alternative="greater", method="exact").pvalue
    found = permute_labels(independent, seed=1)["auc"]
    assert 0.01 < exact < 0.6
    assert found["p"] == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 2000) ** 0.5)


def test_a_persons_labels_stay_together_and_in_the_order_of_visits():
    subjects = pd.Series(["a", "a", "b", "b", "c", "d", "e", "e", "e"])
    orders, fixed = block_permutations(subjects, seed=0, count=50)
    assert fixed == 1  # e is alone with three recordings
    assert {tuple(row[:4]) for row in orders} == {(0, 1, 2, 3), (2, 3, 0, 1)}
    assert {tuple(row[4:6]) for row in orders} == {(4, 5), (5, 4)}
    assert (orders[:, 6:] == [6, 7, 8]).all()
    assert (np.sort(orders, axis=1) == np.arange(9)).all()


def test_persons_are_the_units(cohort):
    """Predictions that vary by person alone and know no label: recordings would call them significant."""
    rng = np.random.default_rng(0)
    p_blocks, p_rows = [], []
    for seed in range(24):
        table = cohort(subjects=20, visits=8, seed=seed)
        table["score_target"] = table.groupby("subject_id")["score_target"].transform("mean")
        table["score_prediction"] = np.repeat(rng.normal(17, 8, 20), 8)
        loose = table.assign(subject_id=table["recording_id"])
        p_blocks.append(permute_labels(table, seed=0, n_permutations=99)["pearson"]["p"])
        p_rows.append(permute_labels(loose, seed=0, n_permutations=99)["pearson"]["p"])
    assert np.mean(np.array(p_blocks) < 0.05) <= 0.17
    assert np.mean(np.array(p_rows) < 0.05) > 0.2


def test_nothing_to_permute_has_a_reason(recordings):
    flat = recordings.assign(score_target=5.0, binary_target=0.0)
    assert "nothing to permute" in permute_labels(flat, seed=0)["reason"]
