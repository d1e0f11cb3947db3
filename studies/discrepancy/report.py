"""Report of the trial: increments by factor, in `discrepancy_trial.md`, `.csv` and `.png`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from engine.runs.environment import hardware
from evaluation.uncertainty.confidence_intervals import limits
from studies.claim.table import Interval, over_seeds
from studies.discrepancy.cells import INSIDE, METRICS, OURS, RECIPE, SHARES
from studies.discrepancy.cohort import SETTINGS
from studies.discrepancy.figure import draw_increments

Key = tuple[str, bool, float, float, str]  # procedure, leak, share of training and of test left out, part

_NAMES = {"f1": "F1", "uar": "UAR", "auc": "AUC"}


def _key(procedure: str, leak: bool = False, train: float = 0.0, test: float = 0.0, part: str = "all") -> Key:
    return (procedure, leak, train, test, part)


LEVELS: Mapping[str, Key] = {
    "ours: no leak, no filter": _key(OURS),
    "ours, with the 21 items among the features": _key(OURS, leak=True),
    "recipe, fitted inside the folds, no leak, no filter": _key(INSIDE),
    "recipe, no leak, no filter": _key(RECIPE),
    "recipe, with the items": _key(RECIPE, leak=True),
    "recipe, 10 % filtered before the folds": _key(RECIPE, False, 0.1, 0.1, "retained"),
    "recipe with the items, 10 % filtered": _key(RECIPE, True, 0.1, 0.1, "retained"),
    "recipe, the 10 % that were filtered, alone": _key(RECIPE, False, 0.1, 0.1, "removed"),
    "recipe with the items, the 10 % alone": _key(RECIPE, True, 0.1, 0.1, "removed"),
}


@dataclass(frozen=True)
class Factor:
    """A difference of two cells that differ in one thing."""

    name: str
    plus: Key
    minus: Key
    deployable: bool = True


def _filters() -> list[Factor]:
    found = [Factor(f"training filter, {share:.0%}", _key(OURS, train=share), _key(OURS)) for share in SHARES]
    found += [
        Factor(
            f"test filter after it, {share:.0%}",
            _key(OURS, False, share, share, "retained"),
            _key(OURS, train=share),
            deployable=False,
        )
        for share in SHARES
    ]
    beside = Factor(
        "training filter beside the leak, 10%", _key(OURS, True, 0.1), _key(OURS, True), deployable=False
    )
    return [*found, beside]


FACTORS = (
    *_filters(),
    Factor("item leak", _key(OURS, leak=True), _key(OURS), deployable=False),
    Factor("scaling and PCA outside the folds", _key(RECIPE), _key(INSIDE), deployable=False),
    Factor(
        "recipe: 10% filtered before the folds",
        LEVELS["recipe, 10 % filtered before the folds"],
        _key(RECIPE),
        deployable=False,
    ),
    Factor("recipe: item leak", _key(RECIPE, leak=True), _key(RECIPE), deployable=False),
    Factor(
        "recipe: leak and filter together",
        LEVELS["recipe with the items, 10 % filtered"],
        _key(RECIPE),
        deployable=False,
    ),
)


def by_seed(table: pd.DataFrame) -> pd.DataFrame:
    """Mean over models of every cell of every seed, indexed by setting, cell and seed."""
    keys = ["setting", "procedure", "leak", "train_share", "test_share", "part", "seed"]
    return table.groupby(keys)[list(METRICS)].mean().sort_index()


def level(means: pd.DataFrame, setting: str, key: Key, metric: str) -> Interval:
    """Mean over seeds of a cell."""
    return over_seeds(_of(means, setting, key)[metric].dropna().tolist(), limits=limits(metric))


def increment(means: pd.DataFrame, setting: str, factor: Factor, metric: str) -> Interval:
    """Mean over seeds of the paired difference of a factor."""
    plus, minus = (_of(means, setting, key)[metric] for key in (factor.plus, factor.minus))
    return over_seeds((plus - minus).dropna().tolist(), limits=limits(metric, difference=True))


def _of(means: pd.DataFrame, setting: str, key: Key) -> pd.DataFrame:
    """The rows of a cell, by seed."""
    names = ["setting", "procedure", "leak", "train_share", "test_share", "part"]
    found = means.xs((setting, *key), level=names)
    return pd.DataFrame(found)


def write_report(table: pd.DataFrame, *, folder: Path, command: str) -> str:
    """Write the files of the trial and return the text of its page.

    Args:
        table: All cells.
        folder: Where the files go.
        command: That made them.
    """
    means = by_seed(table)
    settings = [name for name in SETTINGS if name in means.index.get_level_values("setting")]
    found = {(s, f.name): increment(means, s, f, "f1") for s in settings for f in FACTORS}
    table.to_csv(folder / "discrepancy_trial.csv", index=False)
    draw_increments(
        found, FACTORS, folder / "discrepancy_trial.png", labels={s: SETTINGS[s].label for s in settings}
    )
    text = "\n".join(
        [
            *_head(table, command),
            *_answer(found, settings),
            *_increments(found, settings),
            *_verdicts(means, settings),
            *_auc(means, settings),
            *_tables(means, table, settings),
        ]
    )
    (folder / "discrepancy_trial.md").write_text(text, encoding="utf-8")
    return text


def _head(table: pd.DataFrame, command: str) -> list[str]:
    machine = hardware()
    hardware_text = ", ".join(f"{key} {value}" for key, value in machine.items())
    persons, seeds = int(table["persons"].iloc[0]), table["seed"].nunique()
    return [
        "# Does leaving out unusual answers raise performance?",
        "",
        f"`{command}`, {datetime.now(UTC).date().isoformat()}, {hardware_text}.",
        "",
        f"{persons} simulated persons with one visit each, {seeds} seeds. A seed is a cohort, a split and "
        "the seed of the models, so that intervals (95 %, Student's t over seeds) cover all three. Numbers "
        "are means over random forest, SVM and logistic regression on twelve statistics of every channel; "
        "differences are paired.",
        "",
        "The target is a BDI-II total of 14 or more. (The source uses DASS-21 depression; in this cohort "
        "each subscale of the DASS-21 asks about one domain of symptoms, so that equal totals cannot hide "
        "unequal symptoms; the BDI-II asks about four.) F1 is given as it would be at a prevalence of "
        "one half, `2 t / (1 + t + f)` of sensitivity t and false alarms f: F1 rises with "
        "prevalence, and the published one is on balanced data. There a coin has .50 and the answer "
        '"everybody" .67. AUC stands beside it, for which no threshold is chosen.',
        "Where a model knows nothing its threshold is arbitrary, and F1 moves with it although AUC does not.",
        "",
        "*Ours* is a holdout over persons: all fitted on training persons, class weights, threshold from "
        "validation. The *recipe* is that of the published scripts: majority thrown away, scaling, "
        "components and filter on everybody, then folds.",
        "",
    ]


def _answer(found: Mapping[tuple[str, str], Interval], settings: list[str]) -> list[str]:
    """In a sentence: how far each factor moves F1, over the cohorts whose faces tell something."""
    cohorts = [name for name in settings if not SETTINGS[name].noise]

    def span(factor: str) -> str:
        means = [found[name, factor].mean for name in cohorts]
        return f"{min(means):+.2f} to {max(means):+.2f}" if means else "not tried"

    train, test = span("training filter, 10%"), span("test filter after it, 10%")
    return [
        "**In short**, over the cohorts whose faces tell something: answers among the features move F1 by "
        f"{span('item leak')}, leaving out a tenth of the training persons by {train}, leaving them out of "
        f"the test set too by {test} more, and fitting scaling and components on everybody by "
        f"{span('scaling and PCA outside the folds')}. Intervals below.",
        "",
    ]


def _increments(found: Mapping[tuple[str, str], Interval], settings: list[str]) -> list[str]:
    lines = ['## Which part of "50 to 80" each factor explains', ""]
    lines.append("Increments of F1. Only the training filter could be used on a person not yet asked.")
    lines += ["", "![Increments of F1](discrepancy_trial.png)", ""]
    lines.append("| factor | " + " | ".join(SETTINGS[s].label for s in settings) + " | deployable |")
    lines.append("|---|" + "---:|" * len(settings) + "---|")
    for factor in FACTORS:
        cells = " | ".join(_signed(found[s, factor.name]) for s in settings)
        lines.append(f"| {factor.name} | {cells} | {'yes' if factor.deployable else 'no'} |")
    return [*lines, ""]


def _verdicts(means: pd.DataFrame, settings: list[str]) -> list[str]:
    """The claim itself: a tenth left out of training, nobody of the test, no item among the features."""
    claim = FACTORS[0]
    lines = ["The claim, a tenth left out of training and nothing else:", ""]
    for setting in settings:
        f1, auc = (increment(means, setting, claim, metric) for metric in ("f1", "auc"))
        lines.append(f"- {SETTINGS[setting].label}: F1 {_words(f1)}; AUC {_words(auc)}.")
    count = len(FACTORS) * len(settings)
    chance = f"The table holds {count} intervals; about one in twenty misses a zero by chance."
    return [*lines, "", chance, ""]


def _auc(means: pd.DataFrame, settings: list[str]) -> list[str]:
    lines = ["| increment of AUC | " + " | ".join(SETTINGS[s].label for s in settings) + " |"]
    lines.append("|---|" + "---:|" * len(settings))
    for factor in FACTORS:
        cells = " | ".join(_signed(increment(means, s, factor, "auc")) for s in settings)
        lines.append(f"| {factor.name} | {cells} |")
    return [*lines, ""]


def _tables(means: pd.DataFrame, table: pd.DataFrame, settings: list[str]) -> list[str]:
    lines = ["## Levels", ""]
    for metric in ("f1", "auc"):
        lines.append(f"| {_NAMES[metric]} | " + " | ".join(SETTINGS[s].label for s in settings) + " |")
        lines.append("|---|" + "---:|" * len(settings))
        for name, key in LEVELS.items():
            lines.append(
                f"| {name} | " + " | ".join(str(level(means, s, key, metric)) for s in settings) + " |"
            )
        lines.append("")
    lines += ["## Tested persons by their answers, nobody left out of training", ""]
    lines.append("| AUC (share positive) | " + " | ".join(SETTINGS[s].label for s in settings) + " |")
    lines.append("|---|" + "---:|" * len(settings))
    for share in SHARES:
        for part, words in (("retained", f"nearest {1 - share:.0%}"), ("removed", f"farthest {share:.0%}")):
            key = _key(OURS, False, 0.0, share, part)
            cells = [
                f"{level(means, s, key, 'auc')} ({_prevalence(table, s, share, part):.0%})" for s in settings
            ]
            lines.append(f"| {words} | " + " | ".join(cells) + " |")
    return [*lines, ""]


def _prevalence(table: pd.DataFrame, setting: str, share: float, part: str) -> float:
    rows = table[(table["setting"] == setting) & (table["procedure"] == OURS) & ~table["leak"]]
    rows = rows[(rows["train_share"] == 0) & (rows["test_share"] == share) & (rows["part"] == part)]
    return float(rows["prevalence"].mean())


def _signed(found: Interval) -> str:
    if found.low is None or found.high is None:
        return f"{found.mean:+.3f}"
    return f"{found.mean:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"


def _words(found: Any) -> str:
    if found.low is None:
        return f"{_signed(found)}; one seed says nothing"
    if found.low > 0:
        return f"helps, {_signed(found)}"
    if found.high < 0:
        return f"hurts, {_signed(found)}"
    return f"no difference shown, {_signed(found)}"
