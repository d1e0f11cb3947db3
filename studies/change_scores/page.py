"""Page and picture of the study of change scores."""

from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.command_line import spelled
from evaluation.report.style import BLUE, GRAY, GREEN, INK, ORANGE, PURPLE, VERMILION, canvas

_COLORS = (GRAY, PURPLE, BLUE, GREEN, ORANGE, VERMILION)

_PAGE = """# Change between visits: false alarms and power

A change score ([evaluation.md](../guide/evaluation.md#change-between-visits)) flags a visit where the
predicted change is beyond what predictions move without a change. Here the truth is known: {tested} persons
whose severity is the same at six visits, and the same persons with a last visit that lies 5 to 30 points
away. Faces, habits, days and the answers to the BDI-II are drawn anew at each visit as in the [synthetic
cohort](../guide/cohort.md) (8 s, confound on, stability: share of severity between persons). Readers are
ridge regressions on the true statistics of a recording, learned on {train} persons. *Knows earlier scores*:
it also sees the recording minus the habit that earlier visits show beyond their scores, and those scores; its
baseline is the mean of the known scores. Made-up predictors are a shrunken true score plus an error of the
person and one of the visit.

    {command}

## False alarms, nominal 5 %

Share of flagged comparisons of persons who do not change (visit 2 to 6 with all visits before it), mean over
studies of 20, 40 and 80 validation persons, who do change and of whom {pool} are dealt out. *Of studies*: 5
and 95 % of the studies lie below. *Low to high*: thirds of the tested persons by severity. *Smallest change*
in points, after 1 and 5 visits. The Monte-Carlo error of a share on {tested} persons is {error:.3f} (one
standard error of one comparison a person). Where fewer studies than were made teach a rule, the others say
that predictions do not follow the changes.

{columns}
{rows}

## Power

Share of flagged last visits by the size of the true change in expected points (columns) and the number of
earlier visits, 40 validation persons; in brackets the share of intervals that hold the true change.

![Power by number of earlier visits](images/change_scores.png)

| predictor | stability | earlier visits | {sizes} |
|---|---|---|{rule}|
{power}

## Reading

{reading}

Written by `{command}`.
"""

_COLUMNS = (
    "predictor", "stability", "validation persons", "false alarms", "of studies", "after 1 to 5 visits",
    "low to high", "smallest change", "studies",
)  # fmt: skip
_READING = """- Over all lines the share of false alarms is {least:.1%} to {most:.1%};
  {inside} of {lines} lines lie within 3 to 7 %.
- Lines above 7 % flag too often, lines below 3 % too rarely; neither is settled.
- Most false alarms has *close* at stability .8: its error (3 points) is as small as that of the
  questionnaire, which is taken out of the noise by an estimate; what is left is small and uncertain. More
  persons draw the rule closer to that estimate, and the share rises. Readers that learn from faces are far
  from there.
- Intervals of large changes (under Power, in brackets) are too narrow where they hold less than 95 %.
- Few validation persons make the single study uncertain, not the mean: compare the range over studies.
- Where errors grow with severity, 5 % holds for all persons together and not at each severity (low to high).
- More earlier visits make the smallest change smaller, towards the noise of the one later visit."""


def write_page(
    docs: Path, rows: pd.DataFrame, power: pd.DataFrame, *, tested: int, pool: int, train: int
) -> None:
    """Write docs/results/change_scores.md and docs/results/images/change_scores.png."""
    known = rows[rows["rules"] > 0]
    words = spelled(tested=tested, pool=pool, train=train)
    sizes = sorted(power["points"].unique())
    alarms = known["alarms"]
    reading = _READING.format(
        least=alarms.min(), most=alarms.max(), lines=len(known), inside=int(alarms.between(0.03, 0.07).sum())
    )
    text = _PAGE.format(
        tested=tested, train=train, pool=pool, error=(0.05 * 0.95 / tested) ** 0.5,
        command=f"python -m studies.change_scores {words}".strip(),
        columns=f"| {' | '.join(_COLUMNS)} |\n|{'---|' * len(_COLUMNS)}",
        rows="\n".join(_row(row) for row in rows.to_dict("records")),
        sizes=" | ".join("none" if size == 0 else f"{size:g}" for size in sizes), rule="---|" * (len(sizes) -
        1) + "---", power="\n".join(_powers(power, sizes)), reading=reading,
    )  # fmt: skip
    (docs / "images").mkdir(parents=True, exist_ok=True)
    (docs / "change_scores.md").write_text(text, encoding="utf-8")
    _picture(power, sizes, docs / "images" / "change_scores.png")


def _row(row: dict[Any, Any]) -> str:
    head = f"| {row['predictor']} | {row['stability']:g} | {row['persons']} |"
    if not row["rules"]:
        return f"{head} - | - | - | - | - | 0 of {row['studies']} |"
    visits, thirds = (", ".join(f"{value:.3f}" for value in row[name]) for name in ("visits", "thirds"))
    smallest = ", ".join(f"{value:.1f}" for value in row["smallest"])
    return (
        f"{head} **{row['alarms']:.3f}** | {row['low']:.3f} to {row['high']:.3f} | {visits} | {thirds} | "
        f"{smallest} | {row['rules']} of {row['studies']} |"
    )


def _powers(power: pd.DataFrame, sizes: list[float]) -> list[str]:
    lines = []
    for (name, stability, visits), own in power.groupby(["predictor", "stability", "visits"], sort=False):
        found = own.set_index("points")
        cells = " | ".join(f"{found['flagged'][size]:.2f} ({found['held'][size]:.2f})" for size in sizes)
        lines.append(f"| {name} | {stability:g} | {visits} | {cells} |")
    return lines


def _picture(power: pd.DataFrame, sizes: list[float], path: Path) -> None:
    """Power over the number of earlier visits, a line a size of change, a panel a predictor and stability."""
    panels = list(power.groupby(["predictor", "stability"], sort=False))
    with canvas(9.8, 3.2) as figure:
        grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
        for axes, ((name, stability), own) in zip(grid, panels, strict=True):
            for size, color in zip(sizes, _COLORS, strict=False):
                line = own[own["points"] == size]
                label = "no change" if size == 0 else f"{size:g} points"
                axes.plot(
                    line["visits"], line["flagged"], color=color, marker="o", markersize=3.5, label=label
                )
            axes.axhline(0.05, color=INK, linewidth=0.8, linestyle=":")
            axes.set_title(f"{str(name).removeprefix('reader ')}\nstability {stability:g}")
            axes.set(xlabel="earlier visits", ylim=(0, 1.02), xticks=range(1, 6))
        grid[0].set_ylabel("share flagged")
        figure.legend(*grid[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(sizes))
        figure.savefig(path, dpi=150, metadata={"Software": None})
