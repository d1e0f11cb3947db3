"""Forest plots: estimates with their intervals, one row each, in one panel or several; each a data URI."""

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
                color = VERMILION if flagged else BLUE
                mark_estimate(axes, place, estimates.get(quantity) or {}, color=color)
            if (at := lines[quantity]) is not None:
                mark_line(axes, at)
            axes.set_xlabel(quantity)
            axes.margins(x=0.12)
            axes.grid(axis="y", visible=False)
        name_rows(grid[0], [name for name, _, _ in rows])
        return svg(figure)


def mark_estimate(
    axes: Any,
    place: int,
    estimate: Mapping[str, Any],
    *,
    color: str,
    width: float = 2.0,
    size: float = 26.0,
    marker: str = "o",
) -> None:
    """One row: the interval as a line and the value on it, or the words "not defined"."""
    value = estimate.get("value")
    if value is None:
        where = ("axes fraction", "data")
        axes.annotate("not defined", (0.02, place), xycoords=where, va="center", fontsize=7, color=GRAY)
        return
    if estimate.get("low") is not None:
        axes.hlines(place, estimate["low"], estimate["high"], color=color, linewidth=width)
    axes.scatter([value], [place], s=size, color=color, zorder=4, marker=marker)


def mark_line(axes: Any, at: float) -> None:
    """A vertical line where chance or "no effect" lies."""
    axes.axvline(at, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)


def name_rows(axes: Any, names: Sequence[str], *, room: float = 0.6) -> None:
    """Names of the rows, the first one on top, with some room above it."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -room)
