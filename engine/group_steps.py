"""Steps of an analysis that describe groups of persons; each is called with the material."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from biomarkers.agreement import agreement
from biomarkers.choice_figures import indices_over_k, scree
from biomarkers.cluster_figures import components, silhouettes
from biomarkers.clusters import cluster_pipeline, embed, fitted_labels, indices, indices_by_k
from biomarkers.comparison import compare_groups
from biomarkers.emotions import EMOTIONS, emotion_intensities
from biomarkers.group_figures import effect_sizes, group_means, means_over_time
from biomarkers.mixed import mixed_models
from biomarkers.persons import Persons, person_means
from biomarkers.profiles import Profile, group_profiles
from biomarkers.stability import cluster_stability
from biomarkers.tables import PublishedTable
from engine.analysis import Finding, Material
from evaluation.page import Section

_ALPHA = 0.05
_KS = (2, 3, 4, 5, 6)  # numbers of clusters that are looked at; our choice


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """Mean intensity of emotions over the recording, by group.

    Args:
        emotions: Names of the emotions.
        bins: Bins of the recording's duration.
    """

    emotions: Sequence[str]
    bins: int

    def __call__(self, material: Material, *, n_boot: int, seed: int) -> Finding:
        """Average people, not recordings, in every bin."""
        labels = material.labels
        known = np.flatnonzero(labels["binary"].notna())
        table = {name: EMOTIONS[name] for name in self.emotions}
        sums = [
            emotion_intensities(material.series[row], missing="sum_available", table=table).series
            for row in known
        ]
        groups = np.where(labels["binary"].to_numpy()[known] == 1, "depressed", "other")
        subjects = labels["subject_id"].to_numpy()[known]
        found = group_profiles(
            sums, subjects.tolist(), groups.tolist(), bins=self.bins, n_boot=n_boot, seed=seed
        )
        return Finding([_profiles(found)], {"profiles": _long(found)})


@dataclass(frozen=True, kw_only=True)
class GroupComparison:
    """Two groups of persons, feature by feature, and visit by visit where people come again.

    Args:
        features: End of the names of the features to compare, such as `_mean`.
        table: Puts a published table beside ours: a function of `biomarkers.tables`, or None.
    """

    features: str
    table: Callable[[Persons], PublishedTable] | None = None

    def __call__(self, material: Material, *, n_boot: int, seed: int) -> Finding:
        """Test every feature, corrected for their number."""
        measured = _columns(material, self.features)
        persons = person_means(measured, material.labels)
        found = compare_groups(persons, n_boot=n_boot, seed=seed)
        sections = [_comparison(found, persons)]
        tables = {"group_comparison": found}
        if material.labels["subject_id"].duplicated().any():
            visits = mixed_models(measured, material.labels[["recording_id", "binary"]], exposure="binary")
            sections.append(_visits(visits))
            tables["mixed_models"] = visits
        if self.table is not None:
            published = self.table(persons)
            sections.append(_published(published))
            tables["published_table"] = _flat(published.cells)
        return Finding(sections, tables)


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
        persons = person_means(_columns(material, self.features), material.labels)
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


def _columns(material: Material, end: str) -> pd.DataFrame:
    table = material.features.table
    names = [name for name in table if str(name).endswith(end)]
    if not names:
        raise ValueError(
            f"no feature ends in {end!r}; the extractors give e.g. {', '.join(table.columns[3:8])}"
        )
    return table[["recording_id", "subject_id", "session_id", *names]]


def _profiles(found: Mapping[str, Profile]) -> Section:
    return Section(
        "profiles",
        "How do emotions run over the recording?",
        "Mean of the persons of each group in equal shares of their recordings, with 95 % bands.",
        plot=means_over_time(found),
    )


def _long(found: Mapping[str, Profile]) -> pd.DataFrame:
    parts = []
    for name, profile in found.items():
        for column, channel in enumerate(profile.channels):
            part = pd.DataFrame({k: getattr(profile, k)[:, column] for k in ("mean", "low", "high")})
            parts.append(part.assign(group=name, emotion=channel).rename_axis("bin").reset_index())
    return pd.concat(parts, ignore_index=True)


def _comparison(found: pd.DataFrame, persons: Persons) -> Section:
    rows = [
        (
            str(row["feature"]),
            f"{row['mean_depressed']:.3f}",
            f"{row['mean_control']:.3f}",
            {"value": row["hedges_g"], "low": row["hedges_g_low"], "high": row["hedges_g_high"]},
            f"{row['welch_p_holm']:.4f}",
            f"{row['u_p_holm']:.4f}",
            "yes" if row["welch_p_holm"] < _ALPHA else "no",
        )
        for row in found.to_dict("records")
        if np.isfinite(row["hedges_g"])
    ]
    untested = found[found["hedges_g"].isna()]
    remarks = [f"{row['feature']}: {row['reason']}" for row in untested.to_dict("records")]
    if persons.left_out:
        person, reason = next(iter(persons.left_out.items()))
        remarks.append(f"{len(persons.left_out)} persons are in neither group, e.g. {person}: {reason}")
    return Section(
        "groups",
        "Do the groups differ?",
        f"{int(persons.depressed.sum())} depressed and {int((~persons.depressed).sum())} other persons, each "
        "the mean of their recordings. Effects are Hedges' g with 95 % intervals, depressed minus other; "
        "p-values are Holm's over the features.",
        plots=[group_means(found), effect_sizes(found)],
        columns=("Feature", "Depressed", "Other", "Hedges' g", "Welch p", "Mann-Whitney p", "Differs"),
        rows=rows,
        remarks=remarks,
    )


def _visits(found: pd.DataFrame) -> Section:
    rows = [
        (
            str(row["feature"]),
            {"value": row["estimate"], "low": row["low"], "high": row["high"]},
            f"{row['p_holm']:.4f}",
        )
        for row in found.to_dict("records")
        if np.isfinite(row["estimate"])
    ]
    remarks = [f"{row['feature']}: {row['reason']}" for row in found.to_dict("records") if row["reason"]]
    return Section(
        "visits",
        "And from visit to visit?",
        "A mixed model with a random intercept of the person: what changes when the label does.",
        columns=("Feature", "Difference", "p (Holm)"),
        rows=rows,
        remarks=remarks[:12],
    )


def _published(table: PublishedTable) -> Section:
    flat = _flat(table.cells)
    rows = [tuple(_cell(value) for value in row) for row in flat.itertuples(index=False)]
    return Section(
        "published",
        table.title,
        "Ours beside what is printed.",
        columns=[str(name) for name in flat],
        rows=rows,
        remarks=table.notes,
    )


def _flat(cells: pd.DataFrame) -> pd.DataFrame:
    flat = cells.copy()
    flat.columns = pd.Index([" ".join(map(str, np.atleast_1d(name))) for name in cells.columns.tolist()])
    return flat.rename_axis("").reset_index()


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if np.isnan(value) else f"{value:.3f}"
    return str(value)
