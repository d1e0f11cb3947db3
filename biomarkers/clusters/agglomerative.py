"""Agglomerative clustering that assigns unseen persons to the nearest centroid."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import pairwise_distances_argmin
from sklearn.utils.validation import check_is_fitted, validate_data


class NearestCentroidAgglomerative(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Merge the training rows by Ward's criterion; others go to the cluster with the nearest centroid.

    A tree of merged rows has no rule for new ones. The nearest centroid is our choice; on the training rows
    `labels_` are those of the tree, and `predict` may differ from them where clusters are not compact.

    Attributes:
        labels_: Cluster of each training row, int64 (S,).
        cluster_centers_: Means of the clusters, (K, F).
    """

    def __init__(self, *, n_clusters: int = 2) -> None:
        self.n_clusters = n_clusters

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster the rows of `X` (S, F); `y` is ignored."""
        x = validate_data(self, X, dtype=np.float64)
        tree = AgglomerativeClustering(n_clusters=self.n_clusters, linkage="ward").fit(x)
        self.labels_: NDArray[np.int64] = tree.labels_.astype(np.int64)
        self.cluster_centers_ = np.stack([x[self.labels_ == k].mean(axis=0) for k in range(self.n_clusters)])
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Cluster with the nearest centroid, int64 (S,), for each row of `X` (S, F)."""
        check_is_fitted(self)
        x = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(pairwise_distances_argmin(x, self.cluster_centers_), dtype=np.int64)
