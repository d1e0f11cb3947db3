"""Two groups of persons compared, feature by feature."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from biomarkers.groups.comparison import compare_groups
from biomarkers.groups.figures import effect_sizes, group_means
from biomarkers.groups.mixed import mixed_models
from biomarkers.groups.persons import Persons, person_means
from biomarkers.groups.tables import PublishedTable
from engine.material import Finding, Material, feature_columns
from engine.steps.published import flat, published_section
from evaluation.page import Section

_ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class GroupComparison:
    """Two groups of persons, feature by feature, and visit by visit where people come again.

    Args:
        features: End of the names of the features to compare, such as `_mean`.
        table: Puts a published table beside ours: a function of `biomarkers.groups.tables`, or None.
    """

    features: str
    table: Callable[[Persons], PublishedTable] | None = None

    def __call__(self, material: Material, *, n_boot: int, seed: int) -> Finding:
        """Test every feature, corrected for their number."""
        measured = feature_columns(material, self.features)
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
            sections.append(published_section(published))
            tables["published_table"] = flat(published.cells)
        return Finding(sections, tables)


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
