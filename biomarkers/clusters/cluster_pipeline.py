"""The clustering pipeline (scaling, principal components, clusters) and indices of its quality.

Letters: `S` persons, `F` features, `K` clusters.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

VARIANCE = 0.95  # share of the variance that the components keep (Parikh et al., arXiv 2407.13753, IV-D1)


def cluster_pipeline(clusterer: BaseEstimator) -> Pipeline:
    """Standardize, keep the components that explain `VARIANCE`, cluster; fit it on training persons only.

    Args:
        clusterer: With `predict` for other persons: `KMeans`, `GaussianMixture` or
            `NearestCentroidAgglomerative`. Fix its `random_state`.

    Raises:
        ValueError: `clusterer` cannot predict.
    """
    if not hasattr(clusterer, "predict"):
        raise ValueError(
            f"{type(clusterer).__name__} has no predict, so unseen persons get no cluster: "
            "use NearestCentroidAgglomerative for a tree"
        )
    components = PCA(n_components=VARIANCE, svd_solver="full")
    return Pipeline([("scale", StandardScaler()), ("components", components), ("clusters", clusterer)])


def with_clusters(pipeline: Pipeline, k: int) -> Pipeline:
    """An unfitted copy of a pipeline that makes `k` clusters."""
    model = clone(pipeline)
    name = "n_components" if "n_components" in model[-1].get_params() else "n_clusters"
    return model.set_params(**{f"clusters__{name}": k})


def embed(pipeline: Pipeline, values: ArrayLike) -> Array:
    """Component scores (S, components) of `values` (S, F) under a fitted pipeline."""
    return np.asarray(pipeline[:-1].transform(values), dtype=np.float64)


def explained_variance(values: ArrayLike) -> Array:
    """Share of the variance of every component of standardized `values` (S, F), largest first."""
    scaled = StandardScaler().fit_transform(values)
    return np.asarray(PCA(svd_solver="full").fit(scaled).explained_variance_ratio_, dtype=np.float64)


def fitted_labels(pipeline: Pipeline, values: ArrayLike) -> Labels:
    """Clusters (S,) of the persons a pipeline was fitted on: those of the tree where there is one."""
    labels = getattr(pipeline[-1], "labels_", None)
    return np.asarray(pipeline.predict(values) if labels is None else labels, dtype=np.int64)


def indices(scores: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """Three internal indices of a clustering of component scores (S, components).

    `silhouette` (Rousseeuw, 1987) -1 to 1 and `calinski_harabasz` (1974) grow, `davies_bouldin` (1979) falls
    with better separation. They need 2 to S - 1 clusters.

    Raises:
        ValueError: There are fewer or more clusters.
    """
    x, found = np.asarray(scores), np.asarray(labels)
    count = np.unique(found).size
    if not 2 <= count < len(x):
        raise ValueError(f"{count} clusters of {len(x)} persons: indices need 2 to {len(x) - 1}")
    return {
        "silhouette": float(silhouette_score(x, found)),
        "calinski_harabasz": float(calinski_harabasz_score(x, found)),
        "davies_bouldin": float(davies_bouldin_score(x, found)),
    }


def indices_by_k(pipeline: Pipeline, values: ArrayLike, ks: Sequence[int]) -> pd.DataFrame:
    """The indices for each number of clusters, on the persons a clone of the pipeline is fitted on.

    Columns `k, clusters` and the indices, which are missing where a mixture left all but one component empty.
    """
    rows = []
    for k in ks:
        model = with_clusters(pipeline, k).fit(values)
        labels = fitted_labels(model, values)
        row: dict[str, float] = {"k": k, "clusters": np.unique(labels).size}
        rows.append(row | (indices(embed(model, values), labels) if row["clusters"] > 1 else {}))
    return pd.DataFrame(rows)
