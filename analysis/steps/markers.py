"""Rank correlations of eye features with the totals of questionnaires."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.step_data import Finding, Material, scale_totals
from analysis.steps.cells import estimate
from biomarkers.groups.correlation import correlate
from biomarkers.groups.correlation_figures import correlation_forest
from biomarkers.naming import label
from biomarkers.oculomotor.pupil import UNREADABLE
from datamodules.schema import IDS
from evaluation.report.page import Section
from evaluation.uncertainty.bootstrap import Resampling

_REMARKS = 12  # reasons shown on the page; the table holds all


@dataclass(frozen=True, kw_only=True)
class Markers:
    """Rank correlations of some features with the totals of scales, corrected for all of them.

    Args:
        scales: Names of scales whose items the manifest holds.
        features: How the names of the features begin.
        n_perm: Permutations behind every p-value.
    """

    scales: Sequence[str]
    features: Sequence[str]
    n_perm: int

    def __call__(self, material: Material, resampling: Resampling) -> Finding:
        """Correlate over everybody; this describes and predicts nobody."""
        table = material.features.table
        names = [name for name in table if str(name).startswith(tuple(self.features))]
        if not names:
            raise ValueError(
                f"no feature begins with one of {', '.join(self.features)}; the extractors give e.g. "
                f"{', '.join(table.columns[3:8])}"
            )
        scores = scale_totals(material, self.scales)
        found = correlate(table[[*IDS, *names]], scores, resampling, n_perm=self.n_perm)
        return Finding([_section(found, material)], {"markers": found})


def _section(found: pd.DataFrame, material: Material) -> Section:
    tested = found[found["rho"].notna()]
    rows = [
        (
            label(str(row["feature"])),
            str(row["score"]),
            estimate(row["rho"], row["low"], row["high"]),
            *(f"{row[name]:.4f}" for name in ("p", "p_holm", "p_bh")),
            f"{row['n_persons']:,}",
        )
        for row in tested.to_dict("records")
    ]
    return Section(
        "markers",
        "Do the eyes go with what persons report?",
        "Spearman's correlation of every feature with every total. Intervals are over resampled persons, "
        "p-values exchange the totals of persons; Holm's and Benjamini and Hochberg's corrections count all "
        "rows. Colored are those below 0.05 after Holm's. A correlation is no marker of a person: look at "
        "its size.",
        plot=correlation_forest(found) if len(tested) else None,
        columns=("Feature", "Total", "Correlation", "p", "p (Holm)", "p (BH)", "Persons"),
        rows=rows,
        remarks=[*_untested(found), *_verdicts(material)],
    )


def _untested(found: pd.DataFrame) -> list[str]:
    """Why pairs were not tested, features with the same reason together."""
    missing = found[found["rho"].isna()]
    return [
        f"not tested, {reason}: {', '.join(dict.fromkeys(label(str(name)) for name in own['feature']))}"
        for reason, own in missing.groupby("reason", sort=False)
    ][:_REMARKS]


def _verdicts(material: Material) -> list[str]:
    """What the pupil's verdicts say, counted: no recording's number may be read as more than it is."""
    report = material.features.report
    notes = report.loc[(report["group"] == "pupil") & (report["kind"] == "note"), "reason"].astype(str)
    unfit = notes[notes.str.startswith(UNREADABLE)]
    if unfit.empty:
        return []
    return [
        f"the ratio {UNREADABLE} in {len(unfit):,} of {len(material.recordings):,} recordings, "
        f"e.g. {unfit.iloc[0].removeprefix(UNREADABLE + ': ')}"
    ]
