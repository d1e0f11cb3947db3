"""Page and figure of the scale study."""

import platform
from datetime import date
from pathlib import Path

import pandas as pd
from joblib import cpu_count
from matplotlib.axes import Axes

from evaluation.report.style import BLUE, GRAY, GREEN, INK, ORANGE, PURPLE, VERMILION, canvas
from studies.scale.cells import SELECTED, models

_COLORS = dict(zip((*models(), SELECTED), (BLUE, VERMILION, GREEN, ORANGE, PURPLE), strict=True))
_GAPS = {
    "training": ("training part", VERMILION),
    "test": ("one fifth as test part", BLUE),
    "cross_validated": ("5-fold cross-validation", GREEN),
}
_SELECTED_LABEL, _LOW, _HIGH = "best of 20 on one fifth", 0.05, 0.95


def write(cells: pd.DataFrame, docs: Path, *, command: str, seconds: float) -> None:
    """Write `scale_study.md` and `images/scale_study.png`.

    Args:
        cells: A row per condition, size, draw and model, with AUC in `training, test, cross_validated, true`.
        docs: Folder.
        command: That made them.
        seconds: It took.
    """
    (docs / "images").mkdir(parents=True, exist_ok=True)
    _picture(cells, docs / "images" / "scale_study.png")
    machine = f"{platform.system()} {platform.machine()}, {cpu_count()} cores, no GPU"
    (docs / "scale_study.md").write_text(
        f"""# Performance and its optimism against the number of persons

{_INTRODUCTION}
![True AUC, and reported minus true AUC, against the number of persons](images/scale_study.png)

Above: AUC on unseen persons, mean over draws with the 5-95 % range; dotted, the AUC of the true severity.
Below: what is reported minus the true AUC, over draws and models.

{_summary(cells)}
{_WHY}
Written by `{command}` on {date.today()}: {machine}; the last call took {seconds / 60:.0f} min beside
what earlier ones had kept.
""",
        encoding="utf-8",
    )


_INTRODUCTION = """Persons of the [synthetic cohort](../guide/cohort.md), one recording of 12 s each, twelve
statistics of 15 channels; the label is a BDI-II total of 14 or more. Every model is fitted on a
random part of the persons and judged twice: as a paper would, by what these persons allow, and on the
same 2,000 persons that nothing else sees. Draws of the large sizes overlap. Models have usual
settings and are not tuned; the network is a small perceptron on the statistics, because one on series
does not fit the budget. *Best of 20* fits 20 linear classifiers (four subsets of features, five
penalties) on four fifths and reports the one that does best on the other fifth.
"""

_WHY = """## Why

- **The test part is small.** A fifth of 50 persons is ten: its AUC scatters by tenths around the
  truth, in both directions. Alone that is noise, not optimism.
- **Somebody chooses.** Of several settings the luckiest is reported, and of several studies the
  luckiest is published. *Best of 20* shows the first, *luckiest draw* in the table the second. With
  shuffled labels, where nothing can be found, the same choice reports what looks like a finding.
- **Training numbers say nothing.** Models that can remember persons have a large gap to the truth; it
  shrinks with their number and is still there at 11,000.
- **More persons do help.** The true AUC of every model rises from 50 to 1,000 and little after: what a
  large study reports is lower than the best small ones, and truer.
- **The ceiling is another matter.** The dotted line is what the true severity would reach. It falls with
  h, since a total then mixes symptoms that a face shows with others; what models reach falls by less.
  What keeps them below it, however many persons they see, is habits of faces: scale cannot tell a
  habit from a symptom in one recording (see [the claim](claim/README.md)).

The 2,000 unseen persons are one sample: a difference that stays the same from 1,000 persons on, as with
shuffled labels, is their luck.

These are simulated persons: sizes of effects are our choice, the mechanism is not.
"""


def _summary(cells: pd.DataFrame) -> str:
    lines = [
        "| condition | persons | draws | training | cross-validated | test part | its range | true "
        "| best of 20 reported | its true | luckiest draw |",
        "|" + "---|" * 11,
    ]
    order = {name: place for place, name in enumerate(dict.fromkeys(cells["condition"]))}
    rows = cells.groupby(["condition", "size"])
    for (condition, size), group in sorted(rows, key=lambda row: (order[row[0][0]], row[0][1])):
        own, chosen = group[group["model"] != SELECTED], group[group["model"] == SELECTED]
        mean = own[["training", "cross_validated", "test", "true"]].mean()
        low, high = own["test"].quantile([_LOW, _HIGH])
        lines.append(
            f"| {condition} | {size:,} | {group['draw'].nunique()} | {mean['training']:.2f} "
            f"| {mean['cross_validated']:.2f} | {mean['test']:.2f} | {low:.2f}-{high:.2f} "
            f"| {mean['true']:.2f} "
            f"| {chosen['test'].mean():.2f} | {chosen['true'].mean():.2f} | {chosen['test'].max():.2f} |"
        )
    return "\n".join(lines) + "\n"


def _picture(cells: pd.DataFrame, path: Path) -> None:
    conditions = list(dict.fromkeys(cells["condition"]))
    with canvas(2.2 * len(conditions) + 1.2, 5.6) as figure:
        grid = figure.subplots(2, len(conditions), sharex=True, sharey="row", squeeze=False)
        for (above, below), condition in zip(grid.T, conditions, strict=True):
            own = cells[cells["condition"] == condition]
            above.set_title(condition)
            _performance(above, own)
            _gaps(below, own)
            below.set_xlabel("persons")
        grid[0, 0].set_ylabel("AUC on unseen persons")
        grid[1, 0].set_ylabel("reported minus true AUC")
        for row in grid:
            handles, labels = row[0].get_legend_handles_labels()
            row[-1].legend(handles, labels, loc="center left", bbox_to_anchor=(1.02, 0.5))
        figure.savefig(path, dpi=150)


def _performance(axes: Axes, own: pd.DataFrame) -> None:
    for name, rows in own.groupby("model", sort=False):
        label = str(name).replace(" on the test part", "")
        _band(axes, rows["true"], rows["size"], label=label, color=_COLORS[str(name)])
    ceiling = 0.5 if own["condition"].iloc[0].startswith("shuffled") else own["ceiling"].iloc[0]
    axes.axhline(ceiling, color=INK, linestyle=":", linewidth=1)


def _gaps(axes: Axes, own: pd.DataFrame) -> None:
    plain, chosen = own[own["model"] != SELECTED], own[own["model"] == SELECTED]
    for column, (label, color) in _GAPS.items():
        _band(axes, plain[column] - plain["true"], plain["size"], label=label, color=color)
    _band(axes, chosen["test"] - chosen["true"], chosen["size"], label=_SELECTED_LABEL, color=PURPLE)
    axes.axhline(0, color=GRAY, linewidth=0.8)


def _band(axes: Axes, values: pd.Series, sizes: pd.Series, *, label: str, color: str) -> None:
    """Mean by size, and the range of nine of ten draws."""
    grouped = values.groupby(sizes)
    mean, low, high = grouped.mean(), grouped.quantile(_LOW), grouped.quantile(_HIGH)
    axes.fill_between(mean.index, low, high, color=color, alpha=0.13, linewidth=0)
    axes.plot(mean.index, mean, color=color, marker="o", markersize=3, label=label)
    axes.set_xscale("log")
    axes.set_xticks(mean.index, [f"{size / 1000:g}k" if size >= 1000 else str(size) for size in mean.index])
    axes.minorticks_off()
