"""Symptom discrepancy of persons of equal total or severity, its null, and reliability of the items."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.step_data import Finding, Material
from biomarkers.groups.subject_means import require_order
from biomarkers.published import faces_of_the_mind as published
from biomarkers.symptoms.discrepancy import Grouping, SymptomDiscrepancy, index
from biomarkers.symptoms.discrepancy_figures import discrepancy_by_total
from biomarkers.symptoms.discrepancy_uncertainty import Null, interval, null
from biomarkers.symptoms.reliability import reliability
from datamodules.manifests.identity import person_keys
from datamodules.manifests.questionnaires import subscale
from datamodules.manifests.scales import SCALES
from datamodules.manifests.visits import place_of_visits
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Estimate, Resampling

Row = tuple[str | Estimate, ...]

_GROUPINGS: tuple[Grouping, ...] = ("score", "severity")
_COLUMNS = ("Scale and groups", "SDI", "Shuffled", "Effect", "p", "Published SDI", "Alone")


@dataclass(frozen=True, kw_only=True)
class SymptomDiscrepancies:
    """Index by score and by severity of several scales, beside shuffled answers and published values.

    Everybody is described, with the first complete questionnaire; nothing is predicted.

    Args:
        scales: Names of `datamodules.manifests.scales.SCALES` whose items the manifest has.
        draws: Shuffled tables behind each null.
    """

    scales: Sequence[str]
    draws: int

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Measure every scale."""
        rows: list[Row] = []
        reliable: list[Row] = []
        groups, persons = [], []
        curves: dict[str, pd.DataFrame] = {}
        remarks = []
        for name in self.scales:
            items, left_out = first_answers(material.manifest.table, name)
            remarks.append(f"{name}: {len(items)} persons, {left_out} without a complete questionnaire")
            for grouping in _GROUPINGS:
                estimator = SymptomDiscrepancy(grouping=grouping, scale=name)
                told = estimator.fit(items).per_person(items)
                whole = index(told)
                groups.append(whole.groups.assign(scale=name, grouping=grouping))
                persons.append(told.assign(scale=name, grouping=grouping))
                value = interval(items, estimator, resampling)
                shuffled = null(items, estimator, draws=self.draws, seed=resampling.seed)
                rows.append(_row(estimator, value, shuffled, whole.singletons))
            sample = null(
                items, SymptomDiscrepancy(), within="sample", draws=self.draws, seed=resampling.seed
            )
            curves[name] = sample.groups
            reliable.append((name, *reliability(items, resampling).values()))
        tables = {
            "symptom_groups": pd.concat(groups, ignore_index=True),
            "symptom_persons": pd.concat(persons).rename_axis("recording_id").reset_index(),
            "symptom_curves": pd.concat(
                [own.assign(scale=name) for name, own in curves.items()], ignore_index=True
            ),
        }
        sections = [
            _summary(rows, curves, [*remarks, *published.ISSUES]),
            _groups(tables["symptom_groups"]),
            _reliability(reliable),
        ]
        return Finding(sections, tables)


def _row(estimator: SymptomDiscrepancy, value: Estimate, shuffled: Null, alone: int) -> Row:
    printed = published.SDI.get((str(estimator.scale), estimator.grouping))
    return (
        f"{estimator.scale}, same {estimator.grouping}",
        value,
        f"{shuffled.mean:.3f} ± {shuffled.spread:.3f}",
        f"{shuffled.effect:.1f}",
        f"{shuffled.p_value:.3f}",
        "none" if printed is None else f"{printed:.3f}",
        str(alone),
    )


def first_answers(table: pd.DataFrame, scale: str) -> tuple[pd.DataFrame, int]:
    """First complete answers (persons, J) to a scale by recording id, and how many persons have none.

    Raises:
        ItemError: Items are missing from the table or out of their range.
        ValueError: Nobody has a complete questionnaire, or nobody can know which one was first.
    """
    answers = subscale(scale).within(table).answers(table)
    keys = np.array(person_keys(table))
    complete = answers.notna().all(axis=1).to_numpy()
    places = place_of_visits(table[complete].assign(subject_id=keys[complete]))
    require_order(table[complete], places)
    order = np.flatnonzero(complete)[np.argsort(places, kind="stable")]
    rows = np.sort(order[~pd.Series(keys[order]).duplicated()])
    if not rows.size:
        raise ValueError(f"nobody has complete answers to {scale}; choose a scale whose items are there")
    return answers.iloc[rows].set_axis(table["recording_id"].iloc[rows], axis=0), len(set(keys)) - len(rows)


def _summary(rows: Sequence[Row], curves: dict[str, pd.DataFrame], remarks: Sequence[str]) -> Section:
    return Section(
        "symptoms",
        "Do persons of the same score have the same symptoms?",
        "The symptom discrepancy index is the mean distance of answers to those of the own group plus their "
        "spread, as a share of the largest distance (Xu et al., arXiv 2405.20072), with a 95 % interval over "
        "persons. Shuffled: answers exchanged between persons of the same total, so that totals and the "
        "frequency of every answer at every total stay; effects above 0 mean symptom profiles beyond "
        "chance. The dashed curves keep totals and the frequencies of the whole sample only: what the totals "
        "alone imply, with zero at both ends.",
        plot=discrepancy_by_total(curves, published.MEAN_BY_TOTAL),
        columns=_COLUMNS,
        rows=rows,
        remarks=remarks,
        faces=False,
    )


def _groups(groups: pd.DataFrame) -> Section:
    rows = [
        (
            f"{row['scale']}, {_name(row['scale'], row['grouping'], row['group'])}",
            str(row["n"]),
            *(
                "undefined" if np.isnan(row[name]) else f"{row[name]:.3f}"
                for name in ("mean", "spread", "gdi")
            ),
        )
        for row in groups.to_dict("records")
    ]
    return Section(
        "symptom_groups",
        "Discrepancy by group",
        "Totals are raw sums of answers. A group of one person has no spread and is left out of the index.",
        columns=("Group", "Persons", "Mean", "Spread", "GDI"),
        rows=rows,
        faces=False,
    )


def _name(scale: str, grouping: str, group: float) -> str:
    return SCALES[scale].band_names[int(group)] if grouping == "severity" else f"total {group:g}"


def _reliability(rows: Sequence[Row]) -> Section:
    return Section(
        "reliability",
        "How reliable are the items?",
        "Cronbach's alpha, and McDonald's omega of one factor, with 95 % intervals over persons.",
        columns=("Scale", "Alpha", "Omega"),
        rows=rows,
        faces=False,
    )
