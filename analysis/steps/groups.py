"""Comparison of two groups of persons, feature by feature."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.step_data import Finding, Material, feature_columns
from analysis.steps.cells import estimate, named_estimate
from analysis.steps.published_tables import flat, published_section
from biomarkers.groups.comparison import compare_groups
from biomarkers.groups.group_figures import effect_sizes, group_means
from biomarkers.groups.mixed import mixed_models
from biomarkers.groups.subject_means import Persons, one_group_each
from biomarkers.naming import label
from biomarkers.published.published_table import PublishedTable
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling

_ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class GroupComparison:
    """Two groups of persons, feature by feature, and visit by visit where persons come again.

    Tests are corrected over the features of one comparison, so each comparison is a question of its own.

    Args:
        name: Of the comparison, the beginning of the names of its sections and tables.
        title: Heading of the page's section.
        features: Ends of the names of the features to compare, such as `_mean`.
        table: Puts a published table beside ours: a function of `biomarkers.published`, or None.
    """

    name: str
    title: str
    features: Sequence[str]
    table: Callable[[Persons], PublishedTable] | None = None

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Test every feature, corrected for their number."""
        measured = feature_columns(material, *self.features)
        persons = one_group_each(measured, material.labels)
        found = compare_groups(persons, resampling)
        sections = [self._comparison(found, persons)]
        tables = {f"{self.name}_comparison": found}
        if material.labels["subject_id"].duplicated().any():
            visits = mixed_models(measured, material.labels[["recording_id", "binary"]], exposure="binary")
            sections.append(self._visits(visits))
            tables[f"{self.name}_mixed_models"] = visits
        if self.table is not None:
            published = self.table(persons)
            sections.append(published_section(published))
            tables["published_table"] = flat(published.cells)
        return Finding(sections, tables)

    def _comparison(self, found: pd.DataFrame, persons: Persons) -> Section:
        tested = found[np.isfinite(found["hedges_g"])]
        one_unit = [group_means(found)] if len(self.features) == 1 and len(tested) else []
        return Section(
            self.name,
            self.title,
            f"{int(persons.depressed.sum())} depressed persons and {int((~persons.depressed).sum())} "
            f"controls, each the mean of {persons.basis}. Effects are Hedges' g with 95 % intervals, "
            f"depressed minus control; p-values are Holm's over these {len(tested)} features.",
            plots=[*one_unit, effect_sizes(found)] if len(tested) else [],
            columns=("Feature", "Depressed", "Control", "Hedges' g", "Welch p", "Mann-Whitney p", "Differs"),
            rows=[_row(row) for row in tested.to_dict("records")],
            remarks=_remarks(found, persons),
        )

    def _visits(self, found: pd.DataFrame) -> Section:
        rows = [
            (
                label(str(row["feature"])),
                estimate(row["estimate"], row["low"], row["high"]),
                _p(row["p_holm"]),
            )
            for row in found.to_dict("records")
            if np.isfinite(row["estimate"])
        ]
        return Section(
            f"{self.name}_visits",
            f"{self.title} And from visit to visit?",
            "All visits, in a mixed model with a random intercept of the person: what differs when the label "
            "does. p-values are Holm's over these features.",
            columns=("Feature", "Difference", "p (Holm)"),
            rows=rows,
            remarks=_reasons(found),
        )


def _row(row: dict[str, float]) -> tuple[object, ...]:
    return (
        label(str(row["feature"])),
        f"{row['mean_depressed']:.3f}",
        f"{row['mean_control']:.3f}",
        named_estimate(row, "hedges_g"),
        _p(row["welch_p_holm"]),
        _p(row["u_p_holm"]),
        "yes" if row["welch_p_holm"] < _ALPHA else "no",
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _remarks(found: pd.DataFrame, persons: Persons) -> list[str]:
    """What was not tested, what some persons lack, and who is in neither group."""
    remarks = _reasons(found)
    seen = found["n_depressed"] + found["n_control"]
    lacking = [
        f"{label(str(name))} {count}"
        for name, count in zip(found["feature"], seen, strict=True)
        if 0 < count < persons.depressed.size
    ]
    if lacking:
        remarks.append(f"Not every one of {persons.depressed.size} persons has: {', '.join(lacking)}")
    if persons.left_out:
        person, reason = next(iter(persons.left_out.items()))
        remarks.append(f"{len(persons.left_out)} persons are in neither group, e.g. {person}: {reason}")
    return remarks


def _reasons(found: pd.DataFrame) -> list[str]:
    """The features of every reason that was given."""
    told = found[found["reason"] != ""]
    return [
        f"{', '.join(label(str(name)) for name in own['feature'])}: {reason}"
        for reason, own in told.groupby("reason", sort=False)
    ]
