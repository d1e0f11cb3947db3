"""Clusters are fitted on training persons, and indices find the number that was planted."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import AgglomerativeClustering, KMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

from biomarkers.clusters.agglomerative import NearestCentroidAgglomerative
from biomarkers.clusters.cluster_pipeline import (
    VARIANCE,
    cluster_pipeline,
    embed,
    fitted_labels,
    indices,
    indices_by_k,
)
from tests.isolation import check_isolated

METHODS = [
    KMeans(2, n_init=2, random_state=0),
    NearestCentroidAgglomerative(n_clusters=2),
    GaussianMixture(2, random_state=0),
]


def blobs(k=2, persons=90):
    return make_blobs(persons, n_features=6, centers=k, cluster_std=1.0, random_state=4)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_planted_clusters_are_found_and_given_to_other_persons(method):
    x, truth = blobs()
    fitted = cluster_pipeline(clone(method)).fit(x[:60])
    assert adjusted_rand_score(truth[:60], fitted_labels(fitted, x[:60])) == 1
    assert adjusted_rand_score(truth[60:], fitted.predict(x[60:])) == 1


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_nothing_is_learned_from_other_persons(method):
    x, _ = blobs()

    def procedure(features, target, train, test):
        fitted = cluster_pipeline(clone(method)).fit(features[train])
        return lambda rows: embed(fitted, rows)[:, 0] + 100.0 * fitted.predict(rows)

    check_isolated(procedure, x, np.zeros(len(x)), train=np.arange(60), test=np.arange(60, 90))


def test_components_keep_the_share_of_the_variance():
    x = np.random.default_rng(0).standard_normal((80, 10))
    fitted = cluster_pipeline(KMeans(2, n_init=1, random_state=0)).fit(x)
    share = np.cumsum(fitted["components"].explained_variance_ratio_)
    assert share[-1] >= VARIANCE
    assert (share[:-1] < VARIANCE).all()


def test_a_tree_has_centroids_for_the_others_and_its_own_labels_for_its_rows():
    x, _ = blobs(3)
    fitted = NearestCentroidAgglomerative(n_clusters=3).fit(x)
    assert adjusted_rand_score(AgglomerativeClustering(3).fit_predict(x), fitted.labels_) == 1
    assert fitted.predict(fitted.cluster_centers_).tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="AgglomerativeClustering has no predict"):
        cluster_pipeline(AgglomerativeClustering(2))


def test_indices_find_the_planted_number():
    x, _ = blobs(3)
    table = indices_by_k(cluster_pipeline(METHODS[0]), x, range(2, 7)).set_index("k")
    assert table["silhouette"].idxmax() == 3
    assert table["calinski_harabasz"].idxmax() == 3
    assert table["davies_bouldin"].idxmin() == 3
    mixture = indices_by_k(cluster_pipeline(METHODS[2]), x, [3])
    assert mixture["silhouette"].iloc[0] == pytest.approx(table.loc[3, "silhouette"])


def test_silhouette_by_hand():
    scores = np.array([[0.0], [1.0], [10.0], [11.0]])
    ratios = [1 - 1 / 10.5, 1 - 1 / 9.5, 1 - 1 / 9.5, 1 - 1 / 10.5]
    assert indices(scores, [0, 0, 1, 1])["silhouette"] == pytest.approx(np.mean(ratios))
    with pytest.raises(ValueError, match="1 clusters of 4 persons"):
        indices(scores, [0, 0, 0, 0])
