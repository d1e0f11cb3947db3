"""Planted clusters come back, and at their number; clusters of noise do not."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from biomarkers.clusters.agglomerative import NearestCentroidAgglomerative
from biomarkers.clusters.cluster_pipeline import cluster_pipeline
from biomarkers.clusters.stability import cluster_stability


def stable(x, k):
    return cluster_stability(
        cluster_pipeline(NearestCentroidAgglomerative(n_clusters=k)), x, rounds=30, seed=0
    )


@pytest.mark.slow
def test_planted_clusters_are_stable_at_their_number():
    x, _ = make_blobs(80, n_features=6, centers=2, cluster_std=1.5, random_state=1)
    found = {k: stable(x, k) for k in (2, 3, 4)}
    assert found[2].mean > 0.95
    assert max(found, key=lambda k: found[k].mean) == 2
    assert found[2].low > found[4].high


def test_clusters_of_noise_are_not_stable():
    found = stable(np.random.default_rng(0).standard_normal((80, 6)), 3)
    assert found.mean < 0.6
    assert found.low < found.mean < found.high


def test_stability_needs_a_pair_of_subsamples():
    with pytest.raises(ValueError, match="rounds=0"):
        cluster_stability(cluster_pipeline(NearestCentroidAgglomerative()), np.zeros((10, 2)), rounds=0)
