"""Clusters of persons, and what they have to do with the groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from biomarkers.clusters.agreement import agreement
from biomarkers.clusters.choice_figures import indices_over_k, scree
from biomarkers.clusters.figures import components, silhouettes
from biomarkers.clusters.pipeline import cluster_pipeline, embed, fitted_labels, indices, indices_by_k
from biomarkers.clusters.stability import cluster_stability
from biomarkers.groups.persons import one_group_each
from engine.material import Finding, Material, feature_columns
from evaluation.page import Section

_KS = (2, 3, 4, 5, 6)  # numbers of clusters that are looked at; our choice


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Persons clustered on standardized features and principal components, and what the clusters mean.

    Args:
        features: End of the names of the features to cluster on.
        clusterers: name -> clustering with `predict`.
        rounds: Subsamples behind the stability.
    """

    features: str
    clusterers: Mapping[str, Any]
    rounds: int

    def __call__(self, material: Material, *, n_boot: int, seed: int) -> Finding:
        """Cluster everybody; this describes and predicts nobody."""
        persons = one_group_each(feature_columns(material, self.features), material.labels)
        complete = persons.values.notna().all(axis=1).to_numpy()
        values = persons.values[complete].to_numpy(dtype=np.float64)
        rows: list[tuple[Any, ...]] = []
        by_k: list[pd.DataFrame] = []
        plots: list[str] = []
        for name, clusterer in self.clusterers.items():
            pipeline = cluster_pipeline(clusterer).fit(values)
            labels = fitted_labels(pipeline, values)
            stable = cluster_stability(pipeline, values, rounds=self.rounds, seed=seed)
            match = agreement(labels, persons.depressed[complete], seed=seed)["adjusted_rand"]
            quality = indices(embed(pipeline, values), labels)
            rows.append(
                (
                    name,
                    *(f"{quality[index]:.3g}" for index in quality),
                    {"value": stable.mean, "low": stable.low, "high": stable.high},
                    f"{match.value:.3f} (null {match.null_95:.3f}, p {match.p_value:.3f})",
                )
            )
            by_k.append(indices_by_k(pipeline, values, _KS).assign(clustering=name))
            scores, explained = embed(pipeline, values), pipeline["components"].explained_variance_ratio_
            plots += [] if plots else [scree(explained), indices_over_k(by_k[0])]
            plots.append(components(scores, labels, persons.depressed[complete], explained=explained))
            plots.append(silhouettes(scores, labels))
        section = Section(
            "clusters",
            "Do persons fall into clusters?",
            "Standardized features, components that keep 95 % of the variance, clusters of persons: scree "
            "and indices of the first clustering, then components and silhouettes of each. Silhouette and "
            "Calinski-Harabasz grow and Davies-Bouldin falls with better separation; stability is the "
            "adjusted Rand index between subsamples. Any data can be cut in two: look at stability and "
            "agreement.",
            plots=plots,
            columns=(
                "Clustering",
                "Silhouette",
                "Calinski-Harabasz",
                "Davies-Bouldin",
                "Stability",
                "With groups",
            ),
            rows=rows,
            remarks=(f"{int(complete.sum())} persons with all features; {int((~complete).sum())} without",),
        )
        return Finding([section], {"clusters_by_k": pd.concat(by_k, ignore_index=True)})
