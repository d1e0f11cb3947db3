"""Tables III and IV of Parikh et al.: ours by hand, theirs as printed."""

import numpy as np
import pytest
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from biomarkers.published import parikh2024
from biomarkers.published.parikh2024 import standardized, table_3, table_4
from tests.biomarkers.published.test_sun2023 import persons

DEPRESSED = np.arange(40) % 2 == 0


def courses():
    rng = np.random.default_rng(0)
    happy = rng.standard_normal((40, 30)) + 3.0 * DEPRESSED[:, None]
    return {"happiness": happy, "sadness": rng.standard_normal((40, 30))}


def test_clusters_that_are_the_groups_are_told_from_those_of_noise():
    cells = table_4(courses(), DEPRESSED, n_perm=99).cells
    assert cells.shape == (3, 8)
    assert (cells["happiness", "adjusted Rand with the groups"] == 1).all()
    assert (cells["happiness", "p"] == 0.01).all()
    assert (cells["sadness", "p"] > 0.05).all()
    assert cells.loc["Agglomerative", ("sadness", "published")] == 0.709


def test_the_silhouette_is_that_of_the_components():
    values = courses()["happiness"]
    scores = PCA(0.95, svd_solver="full").fit_transform(StandardScaler().fit_transform(values))
    expected = silhouette_score(scores, KMeans(2, n_init=10, random_state=0).fit_predict(scores))
    cells = table_4(courses(), DEPRESSED, n_perm=9).cells
    assert cells.loc["K-means", ("happiness", "here")] == pytest.approx(expected)


def test_gaps_and_missing_emotions_are_refused():
    gap = courses()
    gap["sadness"][3, 2] = np.nan
    with pytest.raises(ValueError, match=r"sadness has 40 rows for 40 persons.*\[3\]"):
        table_4(gap, DEPRESSED, n_perm=9)
    with pytest.raises(ValueError, match=r"no course of sadness: there are \['happiness'\]"):
        table_4({"happiness": gap["happiness"]}, DEPRESSED, n_perm=9)


def test_parikh_means_are_standardized_over_the_persons():
    cohort = persons(1, 6, 15)
    table = table_3(cohort)
    z = stats.zscore(cohort.values["au06_mean"])
    own = table.cells["AU6", "here"]
    groups = z[cohort.depressed], z[~cohort.depressed]
    assert own["Depressed"] == pytest.approx(groups[0].mean())
    assert own["Depressed"] == pytest.approx(-own["Healthy"])  # equal groups
    interval = stats.ttest_ind(*groups, equal_var=False).confidence_interval()
    assert own["Difference, 95 % from"] == pytest.approx(interval.low)
    assert own["Difference, 95 % to"] == pytest.approx(interval.high)
    p = [table.cells[f"AU{u}", "here"]["p (Welch, Holm)"] for u in (1, 6, 15)]
    z_all = standardized(cohort).values
    raw = stats.ttest_ind(z_all[cohort.depressed], z_all[~cohort.depressed], equal_var=False).pvalue
    assert min(p) == pytest.approx(3 * min(raw))
    assert table.cells["AU15", "published"]["Difference"] == 0.192
    assert "1 persons without one group are left out." in table.notes


def test_the_issues_of_parikh_are_those_of_the_printed_numbers():
    assert parikh2024.DEPRESSED + parikh2024.SUBCLINICAL == 55
    table = parikh2024.TABLE_3
    wrong = [
        u for u, v in table.items() if round(v["mean_depressed"] - v["mean_control"], 3) != v["difference"]
    ]
    assert wrong == ["au01"]
    ratios = [-v["mean_control"] / v["mean_depressed"] for v in table.values()]
    assert 0.915 < min(ratios) < max(ratios) < 0.935
    assert 55 / parikh2024.HEALTHY > 1.2
