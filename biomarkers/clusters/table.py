"""Table IV of Parikh et al. (2024): silhouettes of three clustering methods for two emotions."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from biomarkers.clusters.agglomerative import NearestCentroidAgglomerative
from biomarkers.clusters.agreement import agreement
from biomarkers.clusters.pipeline import cluster_pipeline, embed, fitted_labels, indices
from biomarkers.groups import published
from biomarkers.groups.tables import PublishedTable

Array = NDArray[np.float64]


def parikh_table_4(
    courses: Mapping[str, Array], depressed: NDArray[np.bool_], *, n_perm: int = 999, seed: int = 0
) -> PublishedTable:
    """Two clusters of persons by the course of an emotion, by three methods, beside the printed silhouettes.

    Added are the adjusted Rand index with the groups and its permutation p-value, which the paper lacks. The
    clusterings describe these persons: nothing is predicted from them.

    Args:
        courses: Intensities (S, B) of `happiness` and `sadness`, one row a person, without missing values.
        depressed: Group of each person (S,).
        n_perm: Permutations of the groups.
        seed: Of clusterings and permutations.

    Raises:
        ValueError: An emotion is missing, its rows are not the persons, or it has missing values.
    """
    k = published.PARIKH_CLUSTERS
    methods = {
        "K-means": KMeans(k, n_init=10, random_state=seed),
        "Agglomerative": NearestCentroidAgglomerative(n_clusters=k),
        "Gaussian mixture": GaussianMixture(k, n_init=5, reg_covar=1e-3, random_state=seed),
    }
    rows: dict[str, dict[tuple[str, str], float]] = {name: {} for name in methods}
    for emotion in ("happiness", "sadness"):
        values = _checked(courses, emotion, persons=depressed.size)
        for name, method in methods.items():
            fitted = cluster_pipeline(method).fit(values)
            labels = fitted_labels(fitted, values)
            met = agreement(labels, depressed, n_perm=n_perm, seed=seed)["adjusted_rand"]
            one = np.unique(labels).size < 2
            rows[name] |= {
                (emotion, "here"): np.nan if one else indices(embed(fitted, values), labels)["silhouette"],
                (emotion, "published"): published.PARIKH_TABLE_4[name][emotion],
                (emotion, "adjusted Rand with the groups"): met.value,
                (emotion, "p"): met.p_value,
            }
    return PublishedTable(
        title="Silhouettes of clusterings of emotion intensities (Parikh et al. 2024, Table IV)",
        cells=pd.DataFrame(rows).T,
        notes=published.PARIKH_CLUSTER_ISSUES,
    )


def _checked(courses: Mapping[str, Array], emotion: str, *, persons: int) -> Array:
    if emotion not in courses:
        raise ValueError(f"no course of {emotion}: there are {sorted(courses)}")
    values = courses[emotion]
    empty = np.flatnonzero(np.isnan(values).any(axis=1)).tolist()
    if len(values) != persons or empty:
        raise ValueError(
            f"{emotion} has {len(values)} rows for {persons} persons, and bins without a frame in rows "
            f"{empty[:5]}: give one row a person, use fewer bins or leave these persons out"
        )
    return values
