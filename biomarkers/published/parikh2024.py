"""Tables III and IV of Parikh, Sadeghi and Eskofier (2024): as printed, and ours beside them.

"Exploring Facial Biomarkers for Depression through Temporal Analysis of Action Units", arXiv 2407.13753.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from biomarkers.clusters.agglomerative import NearestCentroidAgglomerative
from biomarkers.clusters.agreement import agreement
from biomarkers.clusters.cluster_pipeline import cluster_pipeline, embed, fitted_labels, indices
from biomarkers.groups.subject_means import Persons
from biomarkers.naming import label
from biomarkers.published.published_table import PublishedTable, tested_units, unit_notes

Array = NDArray[np.float64]

TABLE_3 = {  # of standardized action units
    "au01": {"mean_depressed": 0.087, "mean_control": -0.081, "difference": 0.167},
    "au06": {"mean_depressed": -0.077, "mean_control": 0.071, "difference": -0.148},
    "au15": {"mean_depressed": 0.100, "mean_control": -0.092, "difference": 0.192},
}
_TABLE_3_ROWS = {
    "mean_depressed": "Depressed",
    "mean_control": "Healthy",
    "difference": "Difference",
    "low": "Difference, 95 % from",
    "high": "Difference, 95 % to",
    "p_holm": "p (Welch, Holm)",
    "n_depressed": "Persons, depressed",
    "n_control": "Persons, healthy",
}
TABLE_4 = {  # silhouettes of two clusters, section IV-D3
    "K-means": {"happiness": 0.478, "sadness": 0.417},
    "Agglomerative": {"happiness": 0.446, "sadness": 0.709},
    "Gaussian mixture": {"happiness": 0.437, "sadness": 0.431},
}
CLUSTERS = 2  # section IV-D2
DEPRESSED, SUBCLINICAL, HEALTHY = 46, 9, 43  # persons, Figure 4

TABLE_3_ISSUES = (
    "The printed means are negative, so the action units are standardized; over what is not stated.",
    "If the units were standardized over all persons, both groups' means times their sizes would cancel: the "
    "printed means then say 0.92 to 0.93 depressed persons for a healthy one, Figure 4 says 55 to 43.",
    "46 depressed and 9 sub-clinical persons are 55; the text says 57.",
    "The difference of AU1 is printed as 0.167; the printed means give 0.168.",
    "The text has AU6 higher in depression and calls it brow lowering; in the table it is lower.",
    "The text compares AU1, AU4 and AU15; table and figures show AU1, AU6 and AU15.",
    "Differences are called significant without a test, a p-value or an interval.",
)
TABLE_4_ISSUES = (
    "What is clustered are emotion intensities whose first 20 components hold 95 % of the variance; "
    "length and smoothing of the series are not stated. Here it is each person's course over the recording.",
    "Whether the silhouettes are those of the components or of the series is not stated; ours are of the "
    "components.",
    "For happiness K-means has the highest printed silhouette, the text names agglomerative clustering best.",
    "The paragraph on Gaussian mixtures calls them agglomerative.",
    "Clusters are said to hold healthy and depressed patients; no agreement with the groups is reported.",
)


def standardized(persons: Persons) -> Persons:
    """Every feature with mean 0 and standard deviation 1 over all persons, both groups together.

    This uses every person and belongs in a description of groups, never before a split. A feature without
    spread becomes missing.
    """
    spread = persons.values.std(ddof=0)
    return replace(persons, values=(persons.values - persons.values.mean()) / spread.where(spread > 0))


def table_3(persons: Persons) -> PublishedTable:
    """Table III of Parikh et al.: means of standardized AU1, AU6, AU15, and the differences of the groups.

    Standardized over persons, our reading of the negative means. Added to the printed rows are the 95 %
    interval of the difference and Welch's p, after Holm over the units of the table.

    Args:
        persons: Both groups, features as measured.
    """
    here, lost = tested_units(standardized(persons), list(TABLE_3))
    columns = {
        (label(unit), source): numbers[unit]
        for unit in TABLE_3
        for source, numbers in (("here", here), ("published", TABLE_3))
    }
    return PublishedTable(
        title="Overall mean intensity of dominant action units, standardized (Parikh et al. 2024, Table III)",
        cells=pd.DataFrame(columns).reindex(list(_TABLE_3_ROWS)).rename(index=_TABLE_3_ROWS),
        notes=(*unit_notes(persons, lost), *TABLE_3_ISSUES),
    )


def table_4(
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
    methods = {
        "K-means": KMeans(CLUSTERS, n_init=10, random_state=seed),
        "Agglomerative": NearestCentroidAgglomerative(n_clusters=CLUSTERS),
        "Gaussian mixture": GaussianMixture(CLUSTERS, n_init=5, reg_covar=1e-3, random_state=seed),
    }
    rows: dict[str, dict[tuple[str, str], float]] = {name: {} for name in methods}
    for emotion in ("happiness", "sadness"):
        values = _checked(courses, emotion, persons=depressed.size)
        for name, method in methods.items():
            fitted = cluster_pipeline(method).fit(values)
            labels = fitted_labels(fitted, values)
            met = agreement(labels, depressed, n_perm=n_perm, seed=seed)
            one = np.unique(labels).size < 2
            rows[name] |= {
                (emotion, "here"): np.nan if one else indices(embed(fitted, values), labels)["silhouette"],
                (emotion, "published"): TABLE_4[name][emotion],
                (emotion, "adjusted Rand with the groups"): met.value,
                (emotion, "p"): met.p_value,
            }
    return PublishedTable(
        title="Silhouettes of clusterings of emotion intensities (Parikh et al. 2024, Table IV)",
        cells=pd.DataFrame(rows).T,
        notes=TABLE_4_ISSUES,
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
