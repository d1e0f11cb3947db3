"""Page of the coverage study."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

MAIN = {
    "auc": "AUC", "mae": "MAE", "ccc": "CCC", "auc, difference": "AUC, two models",
    "mae, difference": "MAE, two models", "ccc, difference": "CCC, two models",
    "change_mae": "change, MAE", "change_pearson": "change, Pearson r",
}  # fmt: skip
OTHERS = {
    "average_precision": "AP", "brier": "Brier", "uar": "UAR", "f1": "F1", "sensitivity": "sensitivity",
    "specificity": "specificity", "accuracy": "accuracy", "rmse": "RMSE", "pearson": "Pearson r",
    "pearson_within": "r within", "change_direction": "direction", "quadratic_kappa": "kappa",
}  # fmt: skip

_TOP = """# Do the intervals hold the truth?

A 95 % interval should hold the true value in 95 of 100 studies. Here the truth is known: each line stands for
{studies:,} simulated test sets, whose true metrics come from one of {large:,} recordings. The Monte-Carlo
error of a coverage is {error:.3f} (one standard error, at .95). *Before* are percentiles of {resamples:,}
resamples of persons, *after* what is printed now: the metric without each person in turn, on the scale where
its interval is symmetric ([0024](../decisions/0024-intervals.md)). Both see the same studies. A line names
persons x visits, whose label it is, and the true AUC.

## Coverage, before and after

| line | {names} |
|---|{rule}|
"""
_SIDES = """
## Where the truth lies when it is missed, and what the new intervals cost

Share of studies whose truth lies below / above the interval. A percentile interval misses downwards: a small
study looks better than it is. Width is that of the new interval divided by that of the old one.

| line | measure | before | after | width |
|---|---|---|---|---|
"""
_OTHERS = """
## The other measures, after (before)

| line | {names} |
|---|{rule}|
"""
_FEW = """
## Few persons of a class

40 persons, so many of them positive, with 1 or 3 visits, half as many studies a line: coverage of the new
intervals, lowest and highest of AUC .75 and .90 and both numbers of visits. A share in brackets is that of
studies with an interval, where it is not all. Below 5 persons of a class the report warns beside every
measure that needs them, below 10 beside UAR: where all persons of the small class are recognized, nothing
shows how far their recall varies.

| positive persons | AUC | AUC, two models | AP | UAR | F1 |
|---|---|---|---|---|---|
"""
_END = """
## Reading

- Studies without an interval do not count: where leaving out any person changes nothing (two models with the
  same order of persons), or where one person alone is a class, a reason is printed instead.
- Where nobody is on the wrong side (AUC 1, sensitivity 1) the interval is Wilson's with the persons of the
  smallest class as its count: an AUC of 1 with 8 persons of a class reads .68 to 1.
- With 20 persons and one visit, measures that count few errors are steps, and their intervals hold the truth
  more often than they say: AUC .90 reaches .983 in 10,000 studies (standard error .001), and two models
  of one AUC near 1 more than that.
- A simulated person has a severity and a habit of face, as described in `studies/coverage/simulated.py`;
  other mechanisms give other numbers in the second digit.

Written by `python -m studies.coverage{options}`.
"""


def write_page(
    path: Path, found: Sequence[Mapping[str, Any]], few: Sequence[Mapping[str, Any]], *, studies: int
) -> None:
    """Write the tables of coverage.

    Args:
        path: Of the page.
        found: Results of `studies.coverage.simulate`, one a line.
        few: The same where few persons are positive.
        studies: Simulated a line.
    """
    error = float(np.sqrt(0.95 * 0.05 / studies))
    top = _TOP.format(studies=studies, large=120_000, error=error, resamples=1000, **_columns(MAIN))
    lines = [f"| {one['line']} | {' | '.join(_main(one))} |" for one in found]
    sides = [row for one in found for row in _sides(one)]
    others = [f"| {one['line']} | {' | '.join(_others(one))} |" for one in found]
    options = "" if studies == 2000 else f" studies={studies}"
    parts = [top, *_rows(lines), _SIDES, *_rows(sides), _OTHERS.format(**_columns(OTHERS)), *_rows(others)]
    parts += [_FEW, *_rows(_few(few)), _END.format(options=options)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(parts), encoding="utf-8")


def _columns(names: Mapping[str, str]) -> dict[str, str]:
    return {"names": " | ".join(names.values()), "rule": "|".join(["---"] * len(names))}


def _rows(lines: Iterable[str]) -> list[str]:
    return [line + "\n" for line in lines]


def _main(one: Mapping[str, Any]) -> Iterator[str]:
    for name in MAIN:
        known = name in one["after"]
        yield f"{_share(one['before'][name])} → **{_share(one['after'][name])}**" if known else "-"


def _others(one: Mapping[str, Any]) -> Iterator[str]:
    for name in OTHERS:
        known = name in one["after"]
        yield f"{_share(one['after'][name])} ({_share(one['before'][name])})" if known else "-"


def _sides(one: Mapping[str, Any]) -> Iterator[str]:
    for name, label in MAIN.items():
        if name not in one["after"]:
            continue
        before, after = one["before"][name], one["after"][name]
        width = after["width"] / before["width"]
        yield f"| {one['line']} | {label} | {_missed(before)} | {_missed(after)} | {width:.2f} |"


def _few(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = ("auc", "auc, difference", "average_precision", "uar", "f1")
    most = max(one["studies"] for line in found for one in line["after"].values())
    for positives in sorted({line["positives"] for line in found}):
        own = [line["after"] for line in found if line["positives"] == positives]
        cells = []
        for name in names:
            shares = sorted(_share(line[name]) for line in own)
            with_one = min(line[name]["studies"] / most for line in own)
            cells.append(f"{shares[0]} to {shares[-1]}" + ("" if with_one > 0.995 else f" ({with_one:.2f})"))
        yield f"| {positives} | {' | '.join(cells)} |"


def _share(counts: Mapping[str, float], key: str = "covered") -> str:
    return f"{counts[key] / counts['studies']:.3f}".removeprefix("0")


def _missed(counts: Mapping[str, float]) -> str:
    return f"{_share(counts, 'below')} / {_share(counts, 'above')}"
