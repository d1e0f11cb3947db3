"""Report of missing features and of notes on those that are there."""

import pandas as pd

from analysis.step_data import Finding, Material
from evaluation.report.page import Section

_SHOWN = 20  # reasons that the page lists; the table has all


def measured(material: Material) -> Finding:
    """Features and their report as tables, and the most frequent reasons of the report as a section."""
    report = material.features.report
    tables = {"features": material.features.table, "feature_report": report}
    if report.empty:
        return Finding([], tables)
    section = Section(
        "measured",
        "What was not measured?",
        "Notes are about numbers that are there, such as sums that lack a member; gaps are features without "
        "a number. No recording was dropped and nothing was filled in.",
        remarks=_told(report, total=len(material.recordings)),
    )
    return Finding([section], tables)


def _told(report: pd.DataFrame, *, total: int) -> list[str]:
    """Every reason with the number of its recordings, notes first, then from the most frequent."""
    names = [f"recording {name!r}: " for name in report["recording_id"]]
    reasons = [reason.removeprefix(name) for reason, name in zip(report["reason"], names, strict=True)]
    counted = report.assign(reason=reasons).groupby(["kind", "group", "reason"], sort=False)["recording_id"]
    table = counted.nunique().reset_index(name="count")
    table = table.sort_values(["kind", "count"], ascending=False, kind="stable")
    lines = [
        f"{kind.capitalize()} in {count} of {total} recordings ({group}): {reason}"
        for kind, group, reason, count in table.head(_SHOWN).itertuples(index=False)
    ]
    more = len(table) - _SHOWN
    return lines + [f"{more} rarer reasons are in tables/feature_report.csv"] * (more > 0)
