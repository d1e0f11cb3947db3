"""The attribution page: what a network's output depends on, as one self-contained HTML file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.audit.attribution import THIRDS, TOLERANCE, Attributions, step_curves
from evaluation.report import attribution_figures
from evaluation.report.forest import panels
from evaluation.report.page import Section, write_page

SUBTITLE = (
    "Integrated gradients on the test split · means over persons with 95 % intervals over persons · "
    "the table behind it is tables/attribution.csv"
)
LIMITS = (
    "Attributions say what this network computes with, not what depression looks like: a channel that only "
    "follows the label in these data gets its share like any other, and two channels that say the same may "
    "share it in any way. They depend on the baseline, here the training mean. A context of other recordings "
    "is held fixed and gets no share. A look at the test split that changes the model calls for a test on "
    "other persons."
)
_MAX_ROWS = 24  # our choice: what one figure can show


def write_attribution(
    path: Path,
    *,
    found: Attributions,
    table: pd.DataFrame,
    complete: Mapping[str, Any],
    title: str,
    notes: Sequence[str] = (),
    record: Mapping[str, Any] | None = None,
) -> None:
    """Write `attribution.html`.

    Args:
        path: file to write.
        found: the attributions of the clips.
        table: what `attribution_table` made of them.
        complete: what `completeness` made of them.
        title: of the run.
        notes: warnings below the title.
        record: content of the run's `manifest.json`.
    """
    sections = [
        _regions(table, found.unit),
        _channels(table, found),
        _times(table, found),
        _completeness(complete, found.unit),
    ]
    given: Any = {"subtitle": SUBTITLE, "limits": LIMITS, "notes": notes, "record": record}
    write_page(path, title=f"Attribution of {title}", sections=sections, **given)


def _regions(table: pd.DataFrame, unit: str) -> Section:
    text = (
        "What each part adds to the output beyond that of the training mean. The mean can be near zero where "
        "a part speaks for depression in some persons and against it in others; the size cannot, and is "
        "above zero for noise too."
    )
    rows = _ranked(table, "region")
    return Section(
        "regions",
        "Which part of the face?",
        text,
        plot=_panels(rows, unit),
        **_table("Part", rows, unit),
    )


def _channels(table: pd.DataFrame, found: Attributions) -> Section:
    pixels = found.channels[0].startswith("cell_")
    title = "Where in the picture?" if pixels else "Which action unit or channel?"
    text = (
        "Pixels summed over the cells of a grid and over time, averaged over clips."
        if pixels
        else "Intensity, presence and probability of one action unit are summed; other channels stand alone."
    )
    ranked = _ranked(table, "unit")
    rows = ranked[:_MAX_ROWS]
    remarks = [f"The {len(rows)} largest of {len(ranked)}"] if len(rows) < len(ranked) else []
    return Section(
        "channels",
        title,
        text,
        plot=attribution_figures.picture(table, found.unit) if pixels else _panels(rows, found.unit),
        remarks=remarks,
        **_table("Channel", rows, found.unit),
    )


def _times(table: pd.DataFrame, found: Attributions) -> Section:
    text = "Thirds of the real steps of each clip, and the mean attribution at each step of a clip."
    rows = []
    for name in ("all", *found.regions):
        scope = "all" if name == "all" else "region"
        part = table[(table["scope"] == scope) & (table["name"] == name) & (table["third"] != "all")]
        label = "everything" if name == "all" else name
        rows.append((label, *(_mean(row) for _, row in part.iterrows())))  # in the order of THIRDS
    return Section(
        "times",
        "When in the clip?",
        text,
        plot=attribution_figures.over_time(step_curves(found), found.unit),
        columns=("Part", *(f"{third.capitalize()} ({found.unit})" for third in THIRDS)),
        rows=rows,
    )


def _completeness(complete: Mapping[str, Any], unit: str) -> Section:
    share = complete["unexplained"]
    verdict = "complete" if complete["complete"] else "NOT complete: read the numbers above with care"
    said = "undefined, as the output never leaves the baseline" if share is None else f"{share:.2%}"
    remarks = [
        f"Unexplained: {said}; at most {TOLERANCE:.0%} count as complete. The attributions are {verdict}"
    ]
    return Section(
        "completeness",
        "Do the attributions add up?",
        "Their sum should be the output minus that of the baseline; what is left is the error of the path's "
        "numerical integral.",
        columns=(
            "Clips",
            f"Mean difference ({unit})",
            f"Mean residual ({unit})",
            f"Largest residual ({unit})",
        ),
        rows=[
            (
                str(complete["clips"]),
                *(f"{complete[name]:.3g}" for name in ("mean_difference", "mean_residual", "max_residual")),
            )
        ],
        remarks=remarks,
    )


def _ranked(table: pd.DataFrame, scope: str) -> list[pd.Series]:
    rows = table[(table["scope"] == scope) & (table["third"] == "all")]
    return [row for _, row in rows.sort_values("strength", ascending=False, kind="stable").iterrows()]


def _panels(rows: Sequence[pd.Series], unit: str) -> str | None:
    mean, size = f"mean ({unit})", f"size ({unit})"
    lines = [(str(row["name"]), {mean: _mean(row), size: _size(row)}, False) for row in rows]
    return panels(lines, lines={mean: 0.0, size: 0.0})


def _table(first: str, rows: Sequence[pd.Series], unit: str) -> dict[str, Any]:
    """Columns and rows of a section: a name, its mean and its size."""
    return {
        "columns": (first, f"Mean ({unit})", f"Size ({unit})"),
        "rows": [(str(row["name"]), _mean(row), _size(row)) for row in rows],
    }


def _mean(row: pd.Series) -> dict[str, float | None]:
    return _estimate(row, ("value", "low", "high"))


def _size(row: pd.Series) -> dict[str, float | None]:
    return _estimate(row, ("strength", "strength_low", "strength_high"))


def _estimate(row: pd.Series, columns: Sequence[str]) -> dict[str, float | None]:
    numbers = [None if pd.isna(row[column]) else float(row[column]) for column in columns]
    return dict(zip(("value", "low", "high"), numbers, strict=True))
