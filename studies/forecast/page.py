"""Page of the forecast study."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.forecast.reader import METRICS
from evaluation.metrics.catalog import METRICS as CATALOG
from studies.forecast.cells import AUC, CORPUS, EXCHANGES
from studies.forecast.figure import draw
from studies.forecast.simulated import HABIT, RELIABILITY, SHARED, STABILITY, Setting

Widths = Mapping[str, float]

_WITHIN = 0.10  # of the realized width: what a forecast is held to
_POWER = (0.75, 0.85)

_TOP = """# Do forecasts say what reports then print?

`python -m engine.forecast` says before training how wide the interval of a report will be, and which
difference of two models a comparison will see. Here both are held against simulated studies. A forecast knows
how a setting was made (persons, visits, how labels are spread and correlate, the true value of a metric, how
disturbances correlate) and no simulated table.

The made-up questionnaire is PHQ-9-like: a skewed total of 0 to 27, {prevalence:.0f} % of the visits at 10 or
more, reliability {reliability}. {stability:.0f} % of severity stays with a person from visit to visit, and
{habit:.0f} % of what disturbs a prediction. The model has an AUC of {auc}.

![Widths](forecast.png)

## Widths

{studies:,} simulated studies a setting (persons x visits): mean width of the intervals that the report makes
of them, then the forecast, then the forecast over that mean. Monte-Carlo error of a mean: {error:.1f} % or
less. **{good} of {cells} forecasts are within 10 %**; the worst is off by {worst:.0f} %{missed}.

| setting | {names} |
|---|{rule}|
"""
_OFF = """
## Where an assumption is off

Forecast over mean realized width of AUC / MAE. *AUC*: .05 less or more is assumed than the model then has.
*icc*: it is assumed that nothing, or nearly all, of what disturbs a prediction stays with the person, where
{habit:.0f} % do; with one visit it does not matter. *100 persons*: the labels of {corpora} corpora of 100
persons each in the place of those of {corpus:,}; lowest and highest. MAE follows from AUC in all of these.

| setting | AUC - .05 | AUC + .05 | icc 0 | icc .9 | 100 persons, AUC | 100 persons, MAE |
|---|---|---|---|---|---|---|
"""
_OTHERS = """
A forecast takes the severity behind a total as normal. *Points*: a world in which a model sees the skewed
points themselves, so that the few severe persons stand far out. *Drawn blindly*: the number of positive
persons is left to chance, where a holdout and folds deal by label; a table with one class only, or one person
of a class, has no interval of AUC and does not count.

| setting | {names} |
|---|{rule}|
"""
_POWER_TOP = """
## Differences

Two models as far apart as the forecast says is seen in 80 of 100 studies, and what the permutation test of
`evaluation.comparison` then tells apart: p below .05, {exchanges} exchanges, one metric, {comparisons:,}
studies, Monte-Carlo error {error:.3f}. Disturbances of the two correlate by {shared}.
**{good} of {cells} lie between .75 and .85.**

| setting | metric | first model | second model | difference | power |
|---|---|---|---|---|---|
"""
_END = """
Where the second model is better, no worse one is bad enough: a guess is too near to the first model to be
told apart from it.{absent}

## What is assumed and what is not

- The interval is the report's own formula ([0024](../decisions/0024-intervals.md)) with the standard error
  and the degrees of freedom that the jackknife has on average. Both follow from the influence of single
  recordings, by integrals over one normal variable; nothing is resampled.
- The mean width is forecast, where a report finds the value that is expected. The width of one report has a
  standard deviation of {spread} of it for AUC.
- The test is taken as Student's of paired persons, and is that of one metric; Holm's correction over several
  needs a larger difference.
- A forecast with fewer than two persons of a class to be expected gives the reason in the place of an AUC.
- Of fewer than three tested persons it gives no interval, as the report does, and of one person nothing.
- A reader is the best linear guess, which shrinks to a constant where it is weak, and its CCC with it. Where
  less than half of its correlation with the scores is left of CCC (a correlation below .27, here an AUC of
  about .63), the reason stands in the place of a CCC: a network does not shrink so.

Written by `python -m studies.forecast{options}`.
"""


def write(
    docs: Path,
    *,
    realized: Mapping[Setting, Mapping[str, Widths]],
    made: Mapping[Setting, Widths],
    off: Mapping[Setting, Mapping[str, Any]],
    compared: Sequence[Mapping[str, Any]],
    prevalence: float,
    asked: int,
    studies: int,
    comparisons: int,
    options: str,
) -> None:
    """Write page and picture.

    Args:
        docs: Folder.
        realized: Widths of the reports (`cells.widths`).
        made: Forecasts of them.
        off: Forecasts with an assumption off, and `small`.
        compared: Pairs of models (`cells.seen`).
        prevalence: Share of positive visits.
        asked: Pairs of models that were asked for.
        studies: Simulated for the widths.
        comparisons: Simulated for the differences.
        options: Of the command.
    """
    main = [one for one in realized if one.seen == "severity" and one.stratified]
    ratios = [made[one][name] / realized[one][name]["mean"] for one in main for name in METRICS]
    powers = [row["hits"] / row["studies"] for row in compared]
    spreads = [realized[one]["auc"]["sd"] / realized[one]["auc"]["mean"] for one in main]
    errors = [
        own["sd"] / own["mean"] / np.sqrt(own["studies"]) for one in main for own in realized[one].values()
    ]
    columns = {
        "names": " | ".join(CATALOG[name].label for name in METRICS),
        "rule": "|".join(["---"] * len(METRICS)),
    }
    absent = asked - len(compared)
    text = "".join(
        [
            _TOP.format(
                prevalence=100 * prevalence, reliability=RELIABILITY, stability=100 * STABILITY,
                habit=100 * HABIT, auc=AUC, studies=studies, error=100 * max(errors),
                good=sum(abs(one - 1) <= _WITHIN for one in ratios), cells=len(ratios),
                worst=100 * max(abs(one - 1) for one in ratios),
                missed=_missed(main, realized, made), **columns,
            ),
            *(_width_row(one, realized[one], made[one], studies) for one in main),
            _OFF.format(habit=100 * HABIT, corpora=len(off[main[0]]["small"]["auc"]), corpus=CORPUS),
            *(_off_row(one, realized[one], off[one]) for one in main),
            _OTHERS.format(**columns),
            *(_width_row(one, realized[one], made[one], studies) for one in realized if one not in main),
            _POWER_TOP.format(
                exchanges=EXCHANGES, comparisons=comparisons, shared=SHARED,
                error=np.sqrt(0.8 * 0.2 / comparisons), cells=len(powers),
                good=sum(_POWER[0] <= one <= _POWER[1] for one in powers),
            ),
            *_power_rows(compared),
            _END.format(
                absent=f" {absent} pairs are missing: no second model can be." if absent else "",
                spread=f"{100 * min(spreads):.0f} to {100 * max(spreads):.0f} %", studies=studies,
                options=options,
            ),
        ]
    )  # fmt: skip
    docs.mkdir(parents=True, exist_ok=True)
    (docs / "forecast.md").write_text(text, encoding="utf-8")
    draw(docs / "forecast.png", {one: realized[one] for one in main})


def _missed(
    main: Sequence[Setting], realized: Mapping[Setting, Mapping[str, Widths]], made: Mapping[Setting, Widths]
) -> str:
    """Which forecasts are not within 10 %, in words."""
    found = [
        f"{CATALOG[name].label} of {one.name}"
        for one in main
        for name in METRICS
        if abs(made[one][name] / realized[one][name]["mean"] - 1) > _WITHIN
    ]
    return f". Not within: {', '.join(found)}" if found else ""


def _width_row(setting: Setting, realized: Mapping[str, Widths], made: Widths, studies: int) -> str:
    cells = []
    for name in METRICS:
        own = realized[name]
        ratio = made[name] / own["mean"]
        few = "" if own["studies"] == studies else f" ({own['studies']} with one)"
        digits = 3 if CATALOG[name].unit != "points" else 2
        cells.append(f"{own['mean']:.{digits}f}, {made[name]:.{digits}f}, **{ratio:.2f}**{few}")
    return f"| {setting.name} | {' | '.join(cells)} |\n"


def _off_row(setting: Setting, realized: Mapping[str, Widths], off: Mapping[str, Any]) -> str:
    cells = [
        " / ".join(f"{off[which][name] / realized[name]['mean']:.2f}" for name in ("auc", "mae"))
        for which in ("auc - .05", "auc + .05", "icc 0", "icc .9")
    ]
    for name in ("auc", "mae"):
        low, high = (off["small"][name][end] / realized[name]["mean"] for end in (0, -1))
        cells.append(f"{low:.2f} to {high:.2f}")
    return f"| {setting.name} | {' | '.join(cells)} |\n"


def _power_rows(compared: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for row in compared:
        digits = 3 if CATALOG[row["metric"]].unit != "points" else 2
        numbers = " | ".join(f"{row[key]:.{digits}f}" for key in ("first", "second", "difference"))
        power = row["hits"] / row["studies"]
        yield f"| {row['setting']} | {CATALOG[row['metric']].label} | {numbers} | **{power:.3f}** |\n"
