"""Figures of group comparisons: courses over time, means, effect sizes; each returns a data URI."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from biomarkers.groups.profiles import MIN_BAND, Profile
from biomarkers.naming import label
from evaluation.report.style import BLUE, GRAY, GREEN, INK, ORANGE, PURPLE, VERMILION, canvas, svg
from evaluation.uncertainty.bootstrap import LEVEL

_WIDE = 9.8  # inches, the width of a page
_COLUMNS = 3
_COLORS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE)
_GROUPS = {"control": BLUE, "depressed": VERMILION}
_P, _ALPHA = "welch_p_holm", 0.05  # the p-value that is printed, bold below 0.05


def means_over_time(profiles: Mapping[str, Profile]) -> str:
    """The mean course of each group with its 95 % band, one panel a channel, and its overall mean, dashed.

    After Figures 5 to 9 of Parikh et al. (2024), whose bands are standard deviations; ours are of the mean.

    Args:
        profiles: Course of each group by its name; the first is drawn blue, the second vermilion.

    Raises:
        ValueError: There are no groups, or too many.
    """
    if not 0 < len(profiles) <= len(_COLORS):
        raise ValueError(f"{len(profiles)} groups: courses are drawn of 1 to {len(_COLORS)}")
    shown = next(iter(profiles.values())).channels
    columns = min(_COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    with canvas(_WIDE, 0.8 + 2.2 * lines) as figure:
        grid = figure.subplots(lines, columns, sharex=True, squeeze=False)
        for axes in grid.flat[len(shown) :]:
            axes.set_axis_off()
        for j, (axes, channel) in enumerate(zip(grid.flat, shown, strict=False)):
            for (name, profile), color in zip(profiles.items(), _COLORS, strict=False):
                _course(axes, profile, j, name=name, color=color)
            axes.set_title(label(channel))
            axes.set_xlim(0, 100)
        for j in range(columns):  # the last panel of a column may not lie in the last line
            last = grid[(len(shown) - 1 - j) // columns, j]
            last.set_xlabel("share of the recording (%)")
            last.tick_params(labelbottom=True)
        figure.supylabel("mean of the persons", fontsize=8.5)
        figure.legend(
            *grid[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2 * len(profiles)
        )
        return svg(figure)


def _course(axes: Any, profile: Profile, j: int, *, name: str, color: str) -> None:
    bins = len(profile.mean)
    time = (np.arange(bins) + 0.5) / bins * 100
    seen = profile.persons
    count = f"{seen.min()}" if seen.min() == seen.max() else f"{seen.min()}\N{EN DASH}{seen.max()}"
    axes.fill_between(time, profile.low[:, j], profile.high[:, j], color=color, alpha=0.18, linewidth=0)
    band = "95 % band" if seen.max() >= MIN_BAND else "too few for a band"
    axes.plot(time, profile.mean[:, j], color=color, label=f"{name} ({count} persons), {band}")
    overall = float(np.nanmean(profile.mean[:, j]))
    axes.axhline(overall, color=color, linewidth=1, linestyle=(0, (4, 3)), label="its mean over time")


def group_means(comparison: pd.DataFrame) -> str:
    """Both groups' means with 95 % t-intervals, one row a feature, and the p-value at the right.

    The features should share a unit, as action units do; `effect_sizes` shows any. Rows without a test are
    left to the table.

    Args:
        comparison: Of `comparison.compare_groups`.

    Raises:
        ValueError: No feature was tested.
    """
    rows = _tested(comparison)
    with canvas(_WIDE * 0.72, 1.1 + 0.3 * len(rows)) as figure:
        axes = figure.add_subplot()
        for shift, (name, color) in zip((-0.14, 0.14), _GROUPS.items(), strict=True):
            n, mean = rows[f"n_{name}"].to_numpy(), rows[f"mean_{name}"].to_numpy()
            half = stats.t.ppf((1 + LEVEL) / 2, n - 1) * rows[f"sd_{name}"].to_numpy() / np.sqrt(n)
            place = np.arange(len(rows)) + shift
            axes.errorbar(mean, place, xerr=half, fmt="o", color=color, markersize=5, capsize=2, label=name)
        axes.set_xlabel("mean over persons, with 95 % interval")
        _rows(axes, rows)
        figure.legend(loc="outside upper left", ncols=2)
        return svg(figure)


def effect_sizes(comparison: pd.DataFrame) -> str:
    """Hedges' g of every tested feature with its 95 % interval, from the largest to the smallest.

    Raises:
        ValueError: No feature was tested.
    """
    rows = _tested(comparison).sort_values("hedges_g", ascending=False, ignore_index=True)
    with canvas(_WIDE * 0.72, 0.9 + 0.24 * len(rows)) as figure:
        axes = figure.add_subplot()
        axes.axvline(0, color=INK, linewidth=0.8)
        for place, (_, row) in enumerate(rows.iterrows()):
            color = GRAY if row[_P] >= _ALPHA else VERMILION if row["hedges_g"] > 0 else BLUE
            axes.hlines(place, row["hedges_g_low"], row["hedges_g_high"], color=color, linewidth=2)
            axes.scatter([row["hedges_g"]], [place], color=color, s=30, zorder=3)
        axes.set_xlabel("Hedges' g: lower in the depressed \N{LEFTWARDS ARROW} 0 \N{RIGHTWARDS ARROW} higher")
        _rows(axes, rows)
        return svg(figure)


def _tested(comparison: pd.DataFrame) -> pd.DataFrame:
    rows = comparison[comparison[_P].notna()].reset_index(drop=True)
    if rows.empty:
        raise ValueError(f"none of {len(comparison)} features was tested: see the reasons in the table")
    return rows


def _rows(axes: Any, rows: pd.DataFrame) -> None:
    """Name of each feature at the left, its p-value at the right, the first row on top."""
    axes.set_yticks(range(len(rows)), [label(name) for name in rows["feature"]])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    for place, value in enumerate(rows[_P]):
        axes.annotate(
            "p < 0.001" if value < 0.001 else f"p = {value:.3f}", (1.02, place),
            xycoords=("axes fraction", "data"), va="center", fontsize=8,
            fontweight="bold" if value < _ALPHA else "normal", color=INK if value < _ALPHA else GRAY,
        )  # fmt: skip
    axes.set_title("Welch's test, after Holm", pad=8)
