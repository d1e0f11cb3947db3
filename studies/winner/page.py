"""Page and picture of the study of the probability of rank 1."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.report.style import BLUE, GRAY, INK, canvas
from studies.winner.calibration import FLOOR, Slope, Stated, reliability, slope

Sweep = Mapping[str, Any]

_EDGES = np.array([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9])
_BOUNDS = (0.8, 1.2)  # that the slope was to lie within
_PICTURE = "images/winner.png"
_FEWEST = 30  # sweeps of a row: in fewer, stated and true may part completely and have no slope
_NAMES = {"auc": "AUC", "mae": "MAE", "ccc": "CCC"}

STRATA: dict[str, Callable[[Sweep], str]] = {
    "metric": lambda s: _NAMES[s["metric"]],
    "qualities of the trials": lambda s: str(s["shape"]),
    "trials": lambda s: _range(s["trials"], (5, 12, 24, 40)),
    "persons": lambda s: _range(s["persons"], (15, 30, 60, 100)),
    "visits": lambda s: str(s["visits"]),
    "seeds a trial": lambda s: "1 to 5, uneven" if s["ragged"] and s["seeds"] > 1 else str(s["seeds"]),
    "spread of the trials (tau)": lambda s: _range(s["tau"], (0.02, 0.06, 0.2, 0.6)),
    "spread of the seeds (omega)": lambda s: _range(s["omega"], (0.02, 0.05, 0.12, 0.3)),
    "errors that all models share": lambda s: _range(s["common"], (0.3, 0.5, 0.7, 0.9)),
}


def write_page(docs: Path, sweeps: Sequence[Sweep]) -> None:
    """Write winner.md and its picture.

    Args:
        docs: Their folder.
        sweeps: What `studies.winner.work.sweep` says of each.
    """
    judged = [one for one in sweeps if "reason" not in one]
    stated, plain = (collect(judged, name) for name in ("stated", "plain"))
    ours, theirs = slope(stated), slope(plain)
    kept = ours.low <= 1 <= ours.high and _BOUNDS[0] <= ours.low and ours.high <= _BOUNDS[1]
    text = _PAGE.format(
        sweeps=len(sweeps),
        unjudged=len(sweeps) - len(judged),
        ours=ours,
        plain=theirs,
        verdict="It holds" if kept else "**It is missed**",
        floor=FLOOR,
        picture=_PICTURE,
        winners="".join(_winners(judged)),
        strata="".join(_strata(judged, stated, plain)),
        bins="".join(_bins(stated)),
        options="" if len(sweeps) == 2000 else f" sweeps={len(sweeps)}",
        **_of_winner(judged),
    )
    (docs / _PICTURE).parent.mkdir(parents=True, exist_ok=True)
    (docs / "winner.md").write_text(text, encoding="utf-8")
    _draw(docs / _PICTURE, stated, plain, ours, theirs)


def collect(sweeps: Sequence[Sweep], name: str) -> Stated:
    """All trials of all sweeps, by one of the two kinds of probability."""
    p = np.concatenate([np.asarray(one[name]) for one in sweeps])
    true = np.concatenate([np.arange(len(one[name])) == one["best"] for one in sweeps])
    numbers = np.repeat(np.arange(len(sweeps)), [len(one[name]) for one in sweeps])
    return Stated(p, true.astype(np.float64), numbers)


def _range(value: float, edges: tuple[float, ...]) -> str:
    place = min(int(np.searchsorted(edges, value, side="right")) - 1, len(edges) - 2)
    return f"{edges[place]:g} to {edges[place + 1]:g}"


def _strata(sweeps: Sequence[Sweep], stated: Stated, plain: Stated) -> Iterator[str]:
    for title, key in STRATA.items():
        names = [key(one) for one in sweeps]
        for name in sorted(set(names), key=lambda one: (_number(one), one)):
            own = np.flatnonzero([one == name for one in names])
            if len(own) < _FEWEST:
                continue
            ours, theirs = (slope(kind.part(own)) for kind in (stated, plain))
            yield f"| {title} | {name} | {len(own)} | **{ours}** | {theirs.value:.2f} |\n"


def _number(name: str) -> float:
    try:
        return float(name.split()[0]) + 100 * name.endswith("uneven")
    except ValueError:
        return 0.0


def _bins(stated: Stated) -> Iterator[str]:
    for one in reliability(stated, _EDGES):
        yield f"| {one.trials:,} | {one.stated:.4f} | {one.true:.4f} |\n"


def _winners(sweeps: Sequence[Sweep]) -> Iterator[str]:
    for metric, label in _NAMES.items():
        own = [one for one in sweeps if one["metric"] == metric]
        if own:
            names = ("optimism", "expected_optimism", "regret", "expected_regret")
            cells = " | ".join(f"{np.mean([one[name] for one in own]):.4f}" for name in names)
            yield f"| {label} | {cells} |\n"


def _of_winner(sweeps: Sequence[Sweep]) -> dict[str, str]:
    held = np.mean([one["held"] for one in sweeps])
    size = np.mean([one["together"] / one["trials"] for one in sweeps])
    said = np.mean([one["stated"][one["winner"]] for one in sweeps])
    plain = np.mean([one["plain"][one["winner"]] for one in sweeps])
    right = np.mean([one["winner"] == one["best"] for one in sweeps])
    return {
        "held": f"{held:.1%}", "size": f"{size:.0%}", "said": f"{said:.2f}", "said_plain": f"{plain:.2f}",
        "right": f"{right:.2f}",
    }  # fmt: skip


def _draw(path: Path, stated: Stated, plain: Stated, ours: Slope, theirs: Slope) -> None:
    with canvas(5.2, 4.2) as figure:
        axes = figure.add_subplot()
        axes.plot([0.001, 1], [0.001, 1], color=INK, linewidth=0.8, linestyle=(0, (2, 2)))
        lines = ((plain, theirs, GRAY, "plain bootstrap"), (stated, ours, BLUE, "printed"))
        for kind, own, color, name in lines:
            bins = [one for one in reliability(kind, _EDGES) if one.true > 0]
            label = f"{name}, slope {own.value:.2f}"
            axes.plot([b.stated for b in bins], [b.true for b in bins], "o-", color=color, label=label)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("stated probability that a trial is the best")
        axes.set_ylabel("share of such trials that are the best")
        axes.legend(loc="upper left")
        figure.savefig(path, dpi=144)


_PAGE = """# Would the winner of a sweep win again?

The page of a sweep states for every trial the probability that it is the best of all with other persons and
other seeds, and what choosing it is expected to cost. Here that is held against {sweeps:,} simulated sweeps
whose best trial is known: tables of predictions of 5 to 40 trials with 1 to 5 seeds on 15 to 100 persons
with 1 to 4 visits, nothing is trained (`studies/winner/simulated.py`). How it is computed, and why the share
of resamples in which a trial is on top will not do: [0040](../decisions/0040-would-the-winner-win-again.md).

**The calibration slope is {ours}**; 1 is right, below 1 is too sure. It was to have an interval that contains
1 and lies within .8 to 1.2. {verdict}. A plain joint bootstrap of persons and seeds on the same tables has
{plain}.

![Stated probability against the share of such trials that are the best](../{picture})

The slope is that of a logistic regression of "this trial is the best of its sweep" on the log odds of its
stated probability, over all trials; its interval resamples sweeps. Probabilities below {floor} are read as
{floor} on both sides. Sweeps without probabilities, {unjudged} of them (a class was missing in more than a
tenth of the resamples of persons), are left out.

## What is said of the winner

The trial with the best value is the best one in a share of {right} of the sweeps. Printed is a probability of
{said} on average, the plain bootstrap says {said_plain}. The set of trials that cannot be told apart from the
winner holds the best one in {held} of the sweeps and {size} of the trials on average.

| metric | value above the truth | expected value above the truth | regret | expected regret |
|---|---|---|---|---|
{winners}
Means over sweeps, higher is better: the value of a winner is above what it is worth, because it was chosen by
it; the expected value should be on the truth, and the expected regret on the regret.

## Where it holds

Slopes by setting; no setting was told to the method.

| setting | | sweeps | printed | plain bootstrap |
|---|---|---|---|---|
{strata}
## Stated and true

| trials | mean stated | share that are the best |
|---|---|---|
{bins}
## Reading

- The method was settled on other sweeps of the same kind (other seeds). On 400 to 1,000 of them V as it is
  had a slope of .69, the jackknife in place of the bootstrap the same slope to .01; logarithms for MAE and
  Fisher's z for CCC had .91 in place of 1.00, leaving out trials far behind 1.09. A first 2,000 gave 1.04
  (1.01 to 1.08) with a V that is itself uncertain (times n over chi squared of n), which missed; that factor
  was left out, and the 2,000 of this page were drawn anew.
- The slope is a mean over settings. Where trials hardly differ the probabilities are too sure, where they
  differ much not sure enough: one prior stands for both.
- The expected regret errs to the safe side, and so does the set that cannot be told apart.
- With one seed a trial the spread of seeds cannot be seen: the prior stands in for it, as wide as seeds here
  happen to spread; where yours spread more, probabilities are too sure. The page of a sweep says so, and the
  remedy is to train the first trials again with other seeds.
- "Landscape" are two hyperparameters around an optimum, "failed" has 15 % of trials far behind: neither is
  normal, as the method takes the trials to be.
- Errors are normal, and every trial has seen the validation persons equally often. A checkpoint that was
  itself chosen on them is better there than elsewhere; this is not in the simulation.

Written by `python -m studies.winner{options}`.
"""
