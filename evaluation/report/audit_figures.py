"""Plots of the audit page; each returns a data URI, or `None` when its data do not exist."""

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.report.style import BLUE, GRAY, INK, VERMILION, canvas, svg

_WIDE = 9.8  # inches: the width of the page
_ROW = 0.3
_MAX_ROWS = 60  # our choice: sites can be many


def forest(
    lines: Sequence[tuple[str, Mapping[str, Any]]], *, label: str, line: float | None = None
) -> str | None:
    """Estimates one below the other, with their intervals.

    Args:
        lines: name and estimate of each row.
        label: what is estimated, with its unit.
        line: where chance or "no effect" lies.
    """
    return panels([(name, {label: estimate}, False) for name, estimate in lines], lines={label: line})


def panels(
    rows: Sequence[tuple[str, Mapping[str, Mapping[str, Any]], bool]],
    *,
    lines: Mapping[str, float | None],
) -> str | None:
    """One panel per quantity over the same rows.

    Args:
        rows: name, estimate of each quantity, and whether the row is flagged.
        lines: quantity -> where "no effect" lies; gives the order of the panels.
    """
    known = [q for q in lines if any((r.get(q) or {}).get("value") is not None for _, r, _ in rows)]
    if not known:
        return None
    rows = rows[:_MAX_ROWS]
    with canvas(_WIDE, 0.8 + _ROW * len(rows)) as figure:
        grid = figure.subplots(1, len(known), sharey=True, squeeze=False)[0]
        for axes, quantity in zip(grid, known, strict=True):
            for place, (_, estimates, flagged) in enumerate(rows):
                _draw(axes, place, estimates.get(quantity) or {}, color=VERMILION if flagged else BLUE)
            if (at := lines[quantity]) is not None:
                axes.axvline(at, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
            axes.set_xlabel(quantity)
            axes.margins(x=0.12)
            axes.grid(axis="y", visible=False)
        grid[0].set_yticks(range(len(rows)), [name for name, _, _ in rows])
        grid[0].set_ylim(len(rows) - 0.4, -0.6)
        return svg(figure)


def slice_forest(groups: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> str | None:
    """Up to three metrics of every group; a group without numbers keeps its row."""
    rows = [(f"{g['column']}: {g['group']}", g, False) for g in groups]
    return panels(rows, lines=dict.fromkeys([*metrics[:1], *metrics[-2:]])) if rows else None


def _draw(axes: Any, place: int, estimate: Mapping[str, Any], *, color: str) -> None:
    value = estimate.get("value")
    if value is None:
        axes.annotate(
            "not defined",
            (0.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=7,
            color=GRAY,
        )
        return
    if estimate.get("low") is not None:
        axes.hlines(place, estimate["low"], estimate["high"], color=color, linewidth=2)
    axes.scatter([value], [place], s=26, color=color, zorder=4)
