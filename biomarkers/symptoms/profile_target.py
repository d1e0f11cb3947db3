"""The emotion profile as a prediction target: clusters of training persons, the nearest one for others.

After the target "Cluster 3C" of Faces of the Mind (github.com/njnklab/FACES), whose clusters were made of
everybody before the folds: there a test person moves the border between the classes.
"""

from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from biomarkers.clusters.agglomerative import NearestCentroidAgglomerative

Array = NDArray[np.float64]

Middle = Literal["drop", "keep"]
"""Clusters between the mildest and the most severe: without a target, as in the source, or classes."""


class ProfileTarget(BaseEstimator):  # type: ignore[misc]
    """Clusters of standardized totals, numbered from the mildest to the most severe.

    Everybody, training persons included, belongs to the nearest centroid, so that one rule makes all targets.

    Attributes:
        centers_: Mean totals of the clusters in the units of the totals, (K, D), by rising mean of z-scores.

    Args:
        n_clusters: K, 2 or more.
        middle: `drop` makes the mildest 0, the most severe 1 and the others NaN; `keep` makes K classes.
    """

    def __init__(self, *, n_clusters: int = 3, middle: Middle = "drop") -> None:
        self.n_clusters = n_clusters
        self.middle = middle

    def fit(self, X: ArrayLike, y: object = None, groups: ArrayLike | None = None) -> Self:
        """Cluster training persons by their totals `X` (N, D); recordings of one group are averaged first.

        Raises:
            ValueError: There is nothing between the clusters to drop, no such rule, or fewer persons than K.
        """
        if self.middle not in ("drop", "keep") or (self.middle == "drop" and self.n_clusters < 3):
            raise ValueError(
                f"n_clusters={self.n_clusters}, middle={self.middle!r}: 'keep' all clusters, or 'drop' "
                "those in between of three or more"
            )
        x = np.asarray(X, dtype=np.float64)
        if groups is not None:
            x = pd.DataFrame(x).groupby(np.asarray(groups, dtype=np.str_)).mean().to_numpy()
        self.pipeline_ = state_pipeline(self.n_clusters).fit(x)
        scaled = self.pipeline_[-1].cluster_centers_
        self.order_ = np.argsort(scaled.mean(axis=1), kind="stable")
        self.centers_ = self.pipeline_[0].inverse_transform(scaled[self.order_])
        return self

    def transform(self, X: ArrayLike) -> Array:
        """Target (N,) of totals `X` (N, D): number of the nearest cluster, NaN where that was dropped."""
        check_is_fitted(self)
        found = self.pipeline_.predict(np.asarray(X, dtype=np.float64))
        place = np.argsort(self.order_)[found].astype(np.float64)
        if self.middle == "keep":
            return np.asarray(place)
        last = self.n_clusters - 1
        return np.where(place == last, 1.0, np.where(place == 0, 0.0, np.nan))


def state_pipeline(n_clusters: int) -> Pipeline:
    """Standardize totals and merge persons by Ward's criterion; fit it on the persons it may know."""
    clusters = NearestCentroidAgglomerative(n_clusters=n_clusters)
    return Pipeline([("scale", StandardScaler()), ("clusters", clusters)])


def profile_targets(
    target: ProfileTarget, totals: ArrayLike, persons: ArrayLike, *, train: ArrayLike
) -> Array:
    """Targets (N,) of all recordings of a fold, from the training persons alone.

    Args:
        target: Cloned, not changed.
        totals: (N, D).
        persons: Person of each recording (N,).
        train: Rows of the training part.
    """
    x, rows = np.asarray(totals, dtype=np.float64), np.asarray(train, dtype=np.int_)
    fitted: ProfileTarget = clone(target).fit(x[rows], groups=np.asarray(persons)[rows])
    return fitted.transform(x)
