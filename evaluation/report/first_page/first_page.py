"""First page of a report, from the same numbers and tables as the rest of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from evaluation.report.few_persons import without_doubtful_intervals
from evaluation.report.first_page.asked import asked, opening, sides
from evaluation.report.first_page.by_group import groups
from evaluation.report.first_page.found import findings
from evaluation.report.first_page.interval_bar import IntervalBar, interval_bars
from evaluation.report.first_page.limits import not_for, weaknesses
from evaluation.report.first_page.people import origin, people_table
from evaluation.report.first_page.plain_title import plain_title
from evaluation.report.run_facts import trial
from evaluation.uncertainty.confidence_intervals import MIN_PERSONS

_TRIAL = (
    "No result: this run was cut short on purpose, to see that every stage works. Its numbers stand in the "
    "technical part for who checks that, and say nothing."
)


@dataclass(frozen=True)
class FirstPage:
    """The page in the order in which it is read; lists are of sentences."""

    title: str
    opening: str
    asked: Sequence[str]
    columns: Sequence[str]
    people: Sequence[Sequence[str]]
    origin: Sequence[str]
    found: Sequence[str]
    bars: Sequence[IntervalBar]
    not_for: Sequence[str]
    weaknesses: Sequence[str]


def first_page(
    *,
    metrics: Mapping[str, Any],
    predictions: pd.DataFrame,
    record: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    threshold: Mapping[str, Any] | None,
    by_group: Mapping[str, Any] | None,
    remarks: Sequence[str] = (),
) -> FirstPage:
    """Put the page together.

    Args:
        metrics: Content of `metrics.json`.
        predictions: As of `write_report`: their columns say what was predicted.
        record: Content of the run's `manifest.json`.
        rows: Of the data section, see `sections.data_section.data_rows`.
        threshold: `Threshold.as_dict()`.
        by_group: `evaluation.audit.slices.slices`, where an audit was asked for.
        remarks: What of the training speaks against its result, see `learning_curves.remarks_on_training`.
    """
    metrics = without_doubtful_intervals(metrics)
    test, words, whole = metrics["test"], sides(record), trial(record) is None
    columns, people = people_table(rows, record, above=words.column)
    measured = whole and not test.get("reason")
    found = findings(metrics, words=words, threshold=threshold) if whole else [_TRIAL]
    return FirstPage(
        title=plain_title(record, predictions.columns),
        opening=opening(record),
        asked=asked(record, predictions.columns),
        columns=columns,
        people=people,
        origin=origin(record, tested=test["counts"]["recordings"]) + _over(test, measured),
        found=[*found, *([groups(by_group)] if measured else [])],
        bars=interval_bars(metrics) if measured else [],
        not_for=not_for(record),
        weaknesses=[*weaknesses(metrics, record), *remarks],
    )


def _over(test: Mapping[str, Any], measured: bool) -> list[str]:
    """What is counted below, and what an interval is."""
    if not measured:
        return []
    counted = _counted(test["counts"])
    persons = test["counts"].get("subjects", 0)
    if 0 < persons < MIN_PERSONS:
        return [counted] if counted else []
    over = test.get("intervals_over") or ("persons" if persons else "recordings, as if each were of another")
    return [
        f"{counted} Of 100 studies like this one, about 95 would have the number of all such people inside "
        f"their 95 % interval; intervals are over {over}.".lstrip()
    ]


def _counted(counts: Mapping[str, int]) -> str:
    """Why recordings are counted and not persons, as far as it is known."""
    unknown, persons = counts.get("unknown_subject", 0), counts.get("subjects", 0)
    several = counts["recordings"] - unknown > persons
    if unknown == counts["recordings"]:
        return "Whose recordings these are is not known, so that recordings are counted below, not persons."
    if unknown:
        again = "some persons came more than once, and " if several else ""
        return f"Recordings are counted below: {again}of {unknown} recordings it is not known whose they are."
    return "Some came more than once, so that recordings are counted below." if several else ""
