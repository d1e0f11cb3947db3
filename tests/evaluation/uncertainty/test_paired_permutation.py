import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, roc_auc_score

from evaluation.metrics.applicable import measurements, subject_codes
from evaluation.uncertainty.paired_permutation import paired_permutation


def other(table, seed=5, noise=3.0):
    """Another model on the same recordings, a little worse."""
    rng = np.random.default_rng(seed)
    worse = table.copy()
    for name, scale in (("score_prediction", noise), ("binary_prediction", noise / 20)):
        worse[name] = table[name] + rng.normal(0, scale, len(table))
    worse["binary_prediction"] = worse["binary_prediction"].clip(0, 1)
    return worse


def bound(table, name, threshold=None):
    return {m.name: m for m in measurements(table, threshold=threshold)}[name]


def test(a, b, name, **options):
    persons = subject_codes(a["subject_id"])
    return paired_permutation([(bound(a, name), bound(b, name))], persons, **options)


test.__test__ = False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "statistic", "head"),
    [("mae", mean_absolute_error, "score"), ("auc", roc_auc_score, "binary")],
)
def test_exact_p_values_are_those_of_scipy(cohort, name, statistic, head):
    a = cohort(subjects=8, visits=1)
    b = other(a)
    y = a[f"{head}_target"].to_numpy()
    exchanged = [table[f"{head}_prediction"].to_numpy() for table in (a, b)]
    if name == "auc":
        exchanged = [stats.rankdata(values) for values in exchanged]
    expected = stats.permutation_test(
        tuple(exchanged),
        lambda p, q: statistic(y, p) - statistic(y, q),
        permutation_type="samples",
        n_resamples=np.inf,
        vectorized=False,
    )
    found = test(a, b, name)
    assert (found.permutations, found.exact) == (256, True)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_persons_are_exchanged_whole(cohort):
    a = cohort(subjects=6, visits=3)
    b = other(a)
    gaps = np.abs(a["score_prediction"] - a["score_target"]) - np.abs(
        b["score_prediction"] - b["score_target"]
    )
    sums = gaps.groupby(a["subject_id"]).sum().to_numpy()  # the difference of two MAE is a sum over persons
    signs = 1 - 2 * ((np.arange(64)[:, None] >> np.arange(6)) & 1)
    expected = (np.abs(signs @ sums) >= np.abs(sums.sum()) - 1e-9).mean()
    assert test(a, b, "mae").p_value == pytest.approx(expected)
    assert test(a, b, "pearson_within").permutations == 64


def test_drawn_exchanges_approach_the_paired_test_and_never_reach_zero(cohort):
    a = cohort(subjects=60, visits=1)
    b = other(a, noise=2.0)
    errors = [((t["score_prediction"] - t["score_target"]).abs()) for t in (a, b)]
    expected = stats.ttest_rel(*errors).pvalue  # close to the permutation test for 60 differences
    found = test(a, b, "mae", n_perm=4000)
    assert not found.exact
    assert found.p_value == pytest.approx(expected, abs=0.03)
    assert found == test(a, b, "mae", n_perm=4000)
    far = other(a, noise=80.0)
    assert test(a, far, "mae", n_perm=999).p_value == 1 / 1000


SQUEEZED = {
    "auc": ("binary_prediction", lambda p: 0.9 + 0.01 * p**3),
    "average_precision": ("binary_prediction", lambda p: 0.9 + 0.01 * p**3),
    "pearson": ("score_prediction", lambda p: 40 + 0.1 * p),
    "pearson_within": ("score_prediction", lambda p: 40 + 0.1 * p),
    "change_pearson": ("score_prediction", lambda p: 40 + 0.1 * p),
}


@pytest.mark.parametrize("name", sorted(SQUEEZED))
def test_a_scale_that_the_metric_does_not_see_changes_nothing(recordings, name):
    column, scale = SQUEEZED[name]
    worse = other(recordings, noise=8.0)
    worse["binary_prediction"] = recordings["binary_prediction"] + np.random.default_rng(2).normal(
        0, 2.0, len(recordings)
    )
    scaled = worse.assign(**{column: scale(worse[column])})
    plain, found = (test(recordings, table, name, n_perm=199) for table in (worse, scaled))
    assert found == plain
    assert plain.p_value < 0.2


def test_errors_are_tested_on_the_values(recordings):
    shifted = recordings.assign(score_prediction=recordings["score_prediction"] + 30)
    assert test(recordings, shifted, "mae", n_perm=199).p_value == 1 / 200
    assert test(recordings, shifted, "ccc", n_perm=199).p_value == 1 / 200


def test_equal_models_do_not_differ(recordings):
    assert test(recordings, recordings, "auc", n_perm=99).p_value == 1.0


@pytest.mark.slow
def test_under_the_null_small_p_values_are_rare(cohort):
    table = cohort(subjects=9, visits=1)
    values = [test(other(table, s), other(table, s + 100), "mae").p_value for s in range(40)]
    assert np.mean(np.array(values) <= 0.1) < 0.3
    assert np.mean(values) == pytest.approx(0.5, abs=0.2)
