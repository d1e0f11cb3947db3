"""Three clusterings of two emotions beside the printed silhouettes."""

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from biomarkers.clusters.table import parikh_table_4

DEPRESSED = np.arange(40) % 2 == 0


def courses():
    rng = np.random.default_rng(0)
    happy = rng.standard_normal((40, 30)) + 3.0 * DEPRESSED[:, None]
    return {"happiness": happy, "sadness": rng.standard_normal((40, 30))}


def test_clusters_that_are_the_groups_are_told_from_those_of_noise():
    cells = parikh_table_4(courses(), DEPRESSED, n_perm=99).cells
    assert cells.shape == (3, 8)
    assert (cells["happiness", "adjusted Rand with the groups"] == 1).all()
    assert (cells["happiness", "p"] == 0.01).all()
    assert (cells["sadness", "p"] > 0.05).all()
    assert cells.loc["Agglomerative", ("sadness", "published")] == 0.709


def test_the_silhouette_is_that_of_the_components():
    values = courses()["happiness"]
    scores = PCA(0.95, svd_solver="full").fit_transform(StandardScaler().fit_transform(values))
    expected = silhouette_score(scores, KMeans(2, n_init=10, random_state=0).fit_predict(scores))
    cells = parikh_table_4(courses(), DEPRESSED, n_perm=9).cells
    assert cells.loc["K-means", ("happiness", "here")] == pytest.approx(expected)


def test_gaps_and_missing_emotions_are_refused():
    gap = courses()
    gap["sadness"][3, 2] = np.nan
    with pytest.raises(ValueError, match=r"sadness has 40 rows for 40 persons.*\[3\]"):
        parikh_table_4(gap, DEPRESSED, n_perm=9)
    with pytest.raises(ValueError, match=r"no course of sadness: there are \['happiness'\]"):
        parikh_table_4({"happiness": gap["happiness"]}, DEPRESSED, n_perm=9)
