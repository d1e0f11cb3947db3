"""What the features lack, and what must be known about them."""

import pandas as pd

from engine.material import Finding, Material
from evaluation.page import Section

_SHOWN = 20  # reasons that the page lists; the table has all


def measured(material: Material) -> Finding:
    """Features and their report as tables, and the most frequent reasons of the report as a section."""
    report = material.features.report
    tables = {"features": material.features.table, "feature_report": report}
    if report.empty:
        return Finding([], tables)
    counted = (
        report.groupby(["kind", "group", "reason"], sort=False)["recording_id"]
        .nunique()
        .rename("recordings")
        .reset_index()
        .sort_values(["kind", "recordings"], ascending=[False, False], kind="stable")
    )
    section = Section(
        "measured",
        "What was not measured?",
        "Notes are about numbers that are there, such as sums that lack a member; gaps are features without a "
        "number. No recording was dropped and nothing was filled in.",
        columns=("Reason", "Kind", "Features", f"Recordings of {len(material.recordings)}"),
        rows=[
            (str(row["reason"]), str(row["kind"]), str(row["group"]), str(row["recordings"]))
            for row in counted.head(_SHOWN).to_dict("records")
        ],
        remarks=_rest(counted),
    )
    return Finding([section], tables)


def _rest(counted: pd.DataFrame) -> list[str]:
    more = len(counted) - _SHOWN
    return [f"{more} rarer reasons are in tables/feature_report.csv"] if more > 0 else []
