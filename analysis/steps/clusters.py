"""Clusters of persons, and how they relate to the groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.step_data import Finding, Material, feature_columns
from analysis.steps.cells import estimate
from biomarkers.clusters.agglomerative import NearestCentroidAgglomerative
from biomarkers.clusters.agreement import agreement
from biomarkers.clusters.cluster_count_figures import indices_over_k, scree, stability_over_k
from biomarkers.clusters.cluster_pipeline import (
    cluster_pipeline,
    embed,
    explained_variance,
    fitted_labels,
    indices,
    indices_by_k,
    with_clusters,
)
from biomarkers.clusters.clustering_figures import components, silhouettes, tree
from biomarkers.clusters.stability import cluster_stability
from biomarkers.groups.subject_means import one_group_each
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling

Array = NDArray[np.float64]

_KS = (2, 3, 4, 5, 6)  # numbers of clusters that are looked at; our choice


@dataclass(frozen=True, kw_only=True)
class Clusters:
    """Persons clustered on standardized features and principal components, and what the clusters mean.

    Args:
        features: End of the names of the features to cluster on.
        clusterers: name -> clustering with `predict`; how many clusters is looked at with the first.
        rounds: Pairs of subsamples behind every stability.
    """

    features: str
    clusterers: Mapping[str, Any]
    rounds: int

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Cluster everybody; this describes and predicts nobody."""
        persons = one_group_each(feature_columns(material, self.features), material.labels)
        values, depressed, lacking = persons.complete()
        choice, by_k = self._choice(values, seed=resampling.seed)
        found = [self._clustering(name, values, depressed, seed=resampling.seed) for name in self.clusterers]
        remark = f"{len(values)} persons with all features, each the mean of {persons.basis}"
        if lacking:
            remark += f"; {lacking} persons lack one and are left out"
        section = Section(
            "clusters",
            "Do persons fall into clusters?",
            "Standardized features, components that keep 95 % of the variance, clusters of persons. "
            "Silhouette and Calinski-Harabasz grow and Davies-Bouldin falls with better separation; "
            "stability is the adjusted Rand index between subsamples. Any data can be cut in two: look at "
            "stability and agreement.",
            columns=(
                "Clustering",
                "Silhouette",
                "Calinski-Harabasz",
                "Davies-Bouldin",
                "Stability",
                "With groups",
            ),
            rows=[row for row, _ in found],
            remarks=(remark,),
        )
        return Finding([section, choice, *(shown for _, shown in found)], {"clusters_by_k": by_k})

    def _choice(self, values: Array, *, seed: int) -> tuple[Section, pd.DataFrame]:
        """How many components and clusters; the table is of all clusterings, the figures of the first."""
        pipelines = {name: cluster_pipeline(clusterer) for name, clusterer in self.clusterers.items()}
        tables = [
            indices_by_k(pipeline, values, _KS).assign(clustering=name)
            for name, pipeline in pipelines.items()
        ]
        first, pipeline = next(iter(pipelines.items()))
        stable = {
            k: cluster_stability(with_clusters(pipeline, k), values, rounds=self.rounds, seed=seed)
            for k in _KS
        }
        tables[0]["stability"] = [stable[k].mean for k in tables[0]["k"]]
        section = Section(
            "cluster_choice",
            "How many components, how many clusters?",
            f"Variance of the components, indices and stability of {first} against the number of clusters. "
            "Indices alone always name a best number; only a stable one means something.",
            plots=[scree(explained_variance(values)), stability_over_k(stable), indices_over_k(tables[0])],
        )
        return section, pd.concat(tables, ignore_index=True)

    def _clustering(
        self, name: str, values: Array, depressed: NDArray[np.bool_], *, seed: int
    ) -> tuple[tuple[Any, ...], Section]:
        """Its row of the table, and its figures."""
        pipeline = cluster_pipeline(self.clusterers[name]).fit(values)
        labels, scores = fitted_labels(pipeline, values), embed(pipeline, values)
        stable = cluster_stability(pipeline, values, rounds=self.rounds, seed=seed)
        match = agreement(labels, depressed, seed=seed)
        row = (
            name,
            *(f"{value:.3g}" for value in indices(scores, labels).values()),
            estimate(stable.mean, stable.low, stable.high),
            f"{match.value:.3f} (null {match.null_95:.3f}, p {match.p_value:.3f})",
        )
        explained = pipeline["components"].explained_variance_ratio_
        plots = [components(scores, labels, depressed, explained=explained), silhouettes(scores, labels)]
        if isinstance(self.clusterers[name], NearestCentroidAgglomerative):
            plots.append(tree(scores, labels, depressed))
        return row, Section(f"clusters_{name.replace(' ', '_')}", f"Clusters by {name}", "", plots=plots)
