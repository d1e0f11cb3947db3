import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from evaluation.metrics.applicable import measurements
from evaluation.uncertainty.jackknife import leave_one_out, left_out, left_out_mean, mean, minus

DEFINITIONS = {
    "auc": ("binary", sk.roc_auc_score),
    "average_precision": ("binary", sk.average_precision_score),
    "brier": ("binary", sk.brier_score_loss),
    "mae": ("score", sk.mean_absolute_error),
    "rmse": ("score", sk.root_mean_squared_error),
    "pearson": ("score", lambda y, p: stats.pearsonr(y, p).statistic),
    "sensitivity": ("binary", lambda y, p: sk.recall_score(y, p >= 0.5)),
    "uar": ("binary", lambda y, p: sk.balanced_accuracy_score(y, p >= 0.5)),
    "f1": ("binary", lambda y, p: sk.f1_score(y, p >= 0.5)),
    "quadratic_kappa": (
        "band",
        lambda y, p: sk.cohen_kappa_score(y, np.floor(p + 0.5).astype(int), weights="quadratic"),
    ),
}


def found(table):
    return left_out(measurements(table, threshold=0.5), leave_one_out(table["subject_id"]))


def test_each_person_is_left_out_with_all_recordings(recordings):
    metrics = found(recordings)
    persons = sorted(recordings["subject_id"].unique())
    for name, (head, definition) in DEFINITIONS.items():
        expected = []
        for person in persons:
            rest = recordings[recordings["subject_id"] != person]
            expected.append(definition(rest[f"{head}_target"], rest[f"{head}_prediction"]))
        assert metrics[name].values == pytest.approx(expected), name
        spread = metrics[name].spread()
        count = len(persons)
        assert spread.error**2 == pytest.approx((count - 1) * np.var(expected), rel=1e-6), name
        assert 5 <= spread.df <= count - 1


def test_of_a_mean_it_is_the_standard_error(cohort):
    table = cohort(subjects=25, visits=1)
    errors = np.abs(table["score_target"] - table["score_prediction"])
    spread = found(table)["mae"].spread()
    assert spread.error == pytest.approx(stats.sem(errors))
    kurtosis = ((errors - errors.mean()) ** 4).mean() / np.var(errors) ** 2
    assert spread.df == pytest.approx(min(24, max(5, 2 * 25 / (kurtosis - 1))))
    shared = left_out_mean(errors.to_numpy(), leave_one_out(table["subject_id"]))
    assert shared.spread() == pytest.approx(spread)


def placements(y, p):
    """Placement values of positives and negatives, pair by pair."""
    wins = [[(a > b) + 0.5 * (a == b) for b in p[y == 0]] for a in p[y == 1]]
    return np.mean(wins, axis=1), np.mean(wins, axis=0)


def test_for_independent_persons_it_is_delong_with_one_person_less(cohort):
    table = cohort(subjects=40, visits=1)
    y, p = (table[f"binary_{side}"].to_numpy() for side in ("target", "prediction"))
    of_positives, of_negatives = placements(y, p)
    m, n = len(of_positives), len(of_negatives)
    s10, s01 = np.var(of_positives, ddof=1), np.var(of_negatives, ddof=1)
    expected = 39 / 40 * (s10 / (m - 1) + s01 / (n - 1))
    assert found(table)["auc"].spread().error ** 2 == pytest.approx(expected)
    assert expected > s10 / m + s01 / n  # DeLong, DeLong and Clarke-Pearson 1988


def test_for_persons_of_several_visits_it_is_close_to_obuchowski_1997(cohort):
    table = cohort(subjects=60, visits=4)
    y, p = (table[f"binary_{side}"].to_numpy() for side in ("target", "prediction"))
    persons = table["subject_id"].to_numpy()
    of_positives, of_negatives = placements(y, p)
    auc, m, n = of_positives.mean(), len(of_positives), len(of_negatives)
    total = 0.0
    for person in set(persons):
        cases, others = of_positives[persons[y == 1] == person], of_negatives[persons[y == 0] == person]
        total += ((cases.sum() - len(cases) * auc) / m + (others.sum() - len(others) * auc) / n) ** 2
    assert found(table)["auc"].spread().error ** 2 == pytest.approx(60 / 59 * total, rel=0.12)


def test_means_and_differences_leave_the_same_person_out(recordings):
    one, other = found(recordings), found(recordings.assign(score_prediction=3.0))
    gap = minus(one["mae"], other["mae"])
    assert gap.value == pytest.approx(one["mae"].value - other["mae"].value)
    assert gap.values == pytest.approx(one["mae"].values - other["mae"].values)
    assert mean([one["mae"], other["mae"]]).values == pytest.approx(
        (one["mae"].values + other["mae"].values) / 2
    )


def test_a_metric_that_rests_on_one_person_has_no_spread(recordings):
    alone = recordings.assign(binary_target=(recordings["subject_id"] == "p000").astype(float))
    assert found(alone)["auc"].spread() is None
    assert found(alone)["auc"].fewest == 1
    assert found(alone)["mae"].fewest == recordings["subject_id"].nunique()


def test_a_large_table_is_worked_off_in_blocks(cohort, monkeypatch):
    table = cohort(subjects=30, visits=3)
    whole = found(table)
    monkeypatch.setattr("evaluation.uncertainty.jackknife._BLOCK", 4 * len(table))
    assert [block.shape for block in leave_one_out(table["subject_id"]).weights()] == [
        *[(4, len(table))] * 7,
        (2, len(table)),
    ]
    assert {name: one.values.tolist() for name, one in found(table).items()} == {
        name: one.values.tolist() for name, one in whole.items()
    }
