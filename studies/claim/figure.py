"""Figure of the claim study: test AUC over the stability of severity, a panel a kind of cohort."""

from itertools import groupby
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.claim.plan import Cell
from studies.claim.table import SCORES, Results

# Line of the figure: color, style, marker.
_DRAWN = {
    "depression_branch": ("tab:gray", "-", "o"),
    "abstract": ("tab:purple", "-", "v"),
    "enrolment": ("tab:blue", "-", "s"),
    "calibrated": ("tab:green", "-", "D"),
    "statistics": ("tab:orange", "--", "x"),
    "earlier score": ("tab:brown", "--", "+"),
    "oracle both": ("tab:red", ":", "."),
    "oracle both + earlier scores": ("black", ":", "."),
}


def draw_claim(results: Results, path: Path, *, title: str) -> None:
    """Draw the curves; of a family of lines its strongest reading, of earlier scores the stronger one."""
    kinds = [(name, list(cells)) for name, cells in groupby(sorted(results.cells, key=_kind), key=_kind)]
    figure = Figure(figsize=(1.2 + 3.4 * len(kinds), 4.6), layout="constrained")
    axes = figure.subplots(1, len(kinds), sharey=True, squeeze=False)[0]
    for ax, ((_, name), cells) in zip(axes, kinds, strict=True):
        _panel(ax, results, sorted(cells, key=lambda cell: cell.stability))
        ax.set_title(name, fontsize=9)
        ax.set_xlabel("share of severity between persons")
    axes[0].set_ylabel("test AUC")
    labels = {
        label: handle for ax in axes for handle, label in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        labels.values(),
        labels.keys(),
        loc="outside lower center",
        ncols=2 * len(kinds),  # more do not fit under one panel
        frameon=False,
        fontsize=8,
    )
    figure.suptitle(f"Input: {title}; bars: 95 % over seeds", fontsize=10)
    figure.savefig(path, dpi=150)


def _kind(cell: Cell) -> tuple[int, str]:
    if cell.movement:
        return 2, f"movement {cell.movement:g}, habits hide severity"
    return (0, "levels, habits hide severity") if cell.confound else (1, "levels, no confound")


def _panel(ax: Axes, results: Results, cells: list[Cell]) -> None:
    for name, (color, style, marker) in _DRAWN.items():
        found = [
            (cell.stability, results.interval(cell.name, _line(results, cell.name, name))) for cell in cells
        ]
        known = [(x, interval) for x, interval in found if interval is not None]
        if not known:
            continue
        x, means = [x for x, _ in known], [interval.mean for _, interval in known]
        ax.plot(x, means, ls=style, marker=marker, color=color, ms=5, lw=1.3, label=name.replace("_", " "))
        for place, interval in known:
            if interval.low is not None and interval.high is not None:
                ax.plot([place, place], [interval.low, interval.high], color=color, lw=1, alpha=0.5)
    ax.axhline(0.5, color="0.8", lw=1, zorder=0)
    ax.grid(axis="y", color="0.92")
    ax.spines[["top", "right"]].set_visible(False)


def _line(results: Results, cell: str, name: str) -> str:
    if name == "statistics":
        return results.strongest(cell, name) or name
    if name == "earlier score":
        means = results.means(cell)
        return max((score for score in SCORES if score in means), key=means.__getitem__, default=name)
    return name
