"""The page `study.html` of a sweep: what was chosen, how the search went, and what became of each trial."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import pandas as pd

from engine.config.selection import direction_of
from engine.runs.provenance import read_manifest_json
from engine.sweeping.figures import bars, history, importances, parallel
from engine.sweeping.space import Space
from engine.sweeping.trial_runs import run_places
from evaluation.comparison.winner import would_win_again
from evaluation.comparison.winner_page import winner_figure, winner_rows, winner_sentence
from evaluation.metrics.catalog import METRICS
from evaluation.report.page import Section, write_page

LIMITS = (
    "Research software: this page describes a search over settings and diagnoses nobody. Trials are compared "
    "by validation; the value of the best of many is too good, and what it is worth the test part of the "
    "chosen trial says, which is read once."
)
_FACTS = ("data", "parts", "questionnaires", "synthetic")  # of the chosen trial, which all trials share
_SHOWN = ("auc", "ccc", "mae", "rmse")


def write_study(
    path: Path,
    *,
    study: optuna.Study,
    table: pd.DataFrame,
    validation: pd.DataFrame,
    space: Space,
    objectives: Sequence[str],
    chosen: int | None,
) -> None:
    """Write the page.

    Args:
        path: File to write, in the folder of the sweep.
        study: With its trials.
        table: As `trials_table` makes it.
        validation: As `validation_table` makes it.
        space: What was searched.
        objectives: Values of validation; the first chooses.
        chosen: Number of the chosen trial; None where none has a value.
    """
    record = {} if chosen is None else read_manifest_json(run_places(path.parent, chosen, space.seeds)[0][1])
    sections = [
        _result(path.parent, table, space, objectives, chosen),
        *winner_sections(validation, objective=objectives[0]),
        *(_history(table, name) for name in objectives),
        *(_importance(study, place, name) for place, name in enumerate(objectives)),
        _parallel(table, objectives[0], space),
        _trials(table, space, objectives),
    ]
    counts = ", ".join(f"{count} {state}" for state, count in table["state"].value_counts().items())
    write_page(
        path,
        title=f"Study {study.study_name}",
        subtitle=f"{len(table)} trials: {counts}",
        sections=sections,
        limits=LIMITS,
        record={name: record[name] for name in _FACTS if name in record},
    )


def winner_sections(validation: pd.DataFrame, *, objective: str) -> list[Section]:
    """Whether the winner would win again, by a joint bootstrap of persons and seeds; nothing of a loss.

    Args:
        validation: `trial, seed, subject_id, recording_id, target, prediction`.
        objective: The value of validation that chooses.
    """
    metric = objective.partition("/")[2]
    if metric not in METRICS or validation.empty:
        return []
    title = "Would the winner win again?"
    try:
        found = would_win_again(validation, metric)
    except ValueError as error:  # of folds, for example, that validate a recording twice
        return [Section("winner", title, f"That cannot be said: {error}.")]
    rows = winner_rows(found)
    return [
        Section(
            "winner",
            title,
            winner_sentence(found),
            plot=winner_figure(found),
            columns=tuple(rows.columns),
            rows=[tuple(_cell(value) for value in row) for row in rows.itertuples(index=False)],
        )
    ]


def _result(
    folder: Path, table: pd.DataFrame, space: Space, objectives: Sequence[str], chosen: int | None
) -> Section:
    title = "Which trial was chosen, and what does it reach on persons that nobody chose by?"
    if chosen is None:
        return Section("result", title, "No trial has a value; the table below says why.")
    row = table[table["trial"] == chosen].iloc[0]
    places = run_places(folder, chosen, space.seeds)
    rows = [("trial", str(chosen))]
    rows += [(name, _cell(row[name])) for name in space.dimensions]
    rows += [(name, _cell(row[name])) for name in objectives]
    for seed, place in places:
        found = _tested(place)
        which = "" if seed is None else f", seed {seed}"
        rows += [(f"test {name}{which}", found[name]) for name in _SHOWN if name in found]
    looked = table[table["test_looks"] > 0]
    looks = zip(looked["trial"], looked["test_looks"], strict=True)
    listed = ", ".join(f"trial {int(trial)}: {int(count)}" for trial, count in looks)
    ledger = f"Looks at a test part, of all trials: {listed}." if listed else "No test part was looked at."
    better = "highest" if direction_of(objectives[0]) == "maximize" else "lowest"
    finished = table[table["state"] == "finished"]
    equal = int((finished[objectives[0]] == row[objectives[0]]).sum())
    tie = f", the first of {equal} with this value" if equal > 1 else ""
    seeds = " A trial of several seeds is looked at once for each." if space.seeds and listed else ""
    text = f"Chosen: the {better} {objectives[0]} of {len(finished)} trials{tie}. {ledger}{seeds}"
    remarks = []
    if len(looked) > 1:
        remarks = [
            "More than one trial was tested, as the study went on after its choice: the later choice is not "
            "free of what was seen."
        ]
    return Section("result", title, text, columns=("", "value"), rows=rows, remarks=remarks)


def _tested(place: Path) -> Mapping[str, Any]:
    file = place / "metrics.json"
    found: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))["test"] if file.is_file() else {}
    return {name: found[name] for name in _SHOWN if (found.get(name) or {}).get("value") is not None}


def _history(table: pd.DataFrame, objective: str) -> Section:
    return Section(
        f"history {objective}",
        f"How did {objective} go on over the search?",
        "Trials without a value stand at the lower edge.",
        plot=history(table, objective),
    )


def _importance(study: optuna.Study, place: int, objective: str) -> Section:
    shares = importances(study, place)
    text = "Functional ANOVA of a random forest over the finished trials; a share of few trials is a guess."
    if not shares:
        text = "Too few trials are finished, or their values are equal, to say."
    rows = [(name, f"{share:.2f}") for name, share in shares.items()]
    title = f"Which settings did {objective} depend on?"
    return Section(
        f"importance {objective}", title, text, plot=bars(shares), columns=("Setting", "share"), rows=rows
    )


def _parallel(table: pd.DataFrame, objective: str, space: Space) -> Section:
    return Section(
        "parallel",
        "Which settings do good trials have in common?",
        f"Each line is a finished trial; the best tenth by {objective} is colored.",
        plot=parallel(table, objective, space),
    )


def _trials(table: pd.DataFrame, space: Space, objectives: Sequence[str]) -> Section:
    names = ["trial", "state", *objectives, *space.dimensions, "reason", "restarts", "test_looks"]
    rows = [tuple(_cell(row[name]) for name in names) for _, row in table.iterrows()]
    text = "A trial whose worker died went on from its checkpoint; restarts count such deaths."
    return Section("trials", "What became of each trial?", text, columns=tuple(names), rows=rows)


def _cell(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
