"""The command `sweep.py`: a study whose trials are trainings, and one test of the trial that is chosen."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from datamodules.commands import typed
from datamodules.split_leakage.split_checks import check_selection
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.selection import check_sweep, direction_of
from engine.config.targets import check_targets, trusting
from engine.config.value_ranges import check_settings
from engine.runs.atomic_write import put, writing
from engine.runs.provenance import read_manifest_json
from engine.runs.quiet_warnings import quiet
from engine.runs.signals import Interrupted
from engine.runs.terminal import after_training, shown
from engine.sweeping.command_line import check_password, check_words, worker_command
from engine.sweeping.composed import first_config
from engine.sweeping.crew import Crew
from engine.sweeping.page import write_study
from engine.sweeping.settings import check_home, check_settings_of, study_settings
from engine.sweeping.space import Space, read_space
from engine.sweeping.storage import locked, open_study, shown_url, storage_url
from engine.sweeping.tables import best_of, trials_table, validation_table
from engine.sweeping.trial_runs import TrialRuns, run_places
from engine.sweeping.trials import Row, Trials
from engine.sweeping.worker import sampler_of, work
from evaluation.report.terminal_summary import block

_log = logging.getLogger(__name__)
_TRIALS = 20  # of a search that is given no number: our choice
_OPEN = (TrialState.WAITING, TrialState.RUNNING)


def sweep(config: Mapping[str, Any], overrides: Sequence[str], *, folder: Path) -> None:
    """Run a study to its number of trials, test the chosen one, and write `trials.csv` and `study.html`.

    Args:
        config: Resolved config of `conf/sweep.yaml`, plain.
        overrides: Settings of `train.py`, those that are searched among them.
        folder: Of the study: its database, a folder for each trial, tables and page.

    Raises:
        ConfigError: The settings do not serve, or are not those of the study that goes on.
        LeakageError: Something other than validation would choose.
        SystemExit: Of a worker, with its status.
    """
    quiet()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # this command tells of its trials itself
    check_words(overrides)
    check_password(str(config["storage"]))
    grid = str(config["sampler"].get("_target_")).endswith(".GridPoints")
    space = read_space(overrides, grid=grid)
    first = first_config(space, output=folder / "0")
    objectives = _checked(config, first)
    trusting(_allowed)(first)
    url = storage_url(config["storage"], folder)
    with locked(folder):
        study = open_study(
            url,
            name=config["study"],
            directions=[direction_of(name) for name in objectives],
            heartbeat=config["heartbeat"],
            pruner=build(config["pruner"], key="pruner"),
        )
        check_home(study, folder)
        check_settings_of(study, study_settings(first, space, sampler=config["sampler"]))
    trials = Trials(study, folder=folder, dimensions=space.dimensions, retries=config["retries"])
    runs = TrialRuns(space, folder, objectives, study, prunes=config["pruner"] is not None)
    if config["worker"]:
        raise SystemExit(work(trials, runs, sampler_of(config["sampler"], space)))
    total = max(_total(config, space, grid=grid), len(trials.rows()))
    trials.plan(total, retry_failed=config["retry_failed"])
    _log.info("study %s in %s: %d trials in all", config["study"], shown_url(url), len(trials.rows()))
    if trials.unfinished():
        most = config["workers"] + total * (config["retries"] + 1)
        crew = Crew(worker_command(folder), count=config["workers"], logs=folder / "workers", most=most)
        try:
            crew.work(Progress(trials, objectives))
        except Interrupted:
            done = sum(row.last.state not in _OPEN for row in trials.rows())
            _log.warning("stopped: %d of %d trials are done; the same command goes on", done, total)
            raise
    _conclude(trials, runs, folder=folder, test=config["test"])


def _checked(config: Mapping[str, Any], first: Mapping[str, Any]) -> list[str]:
    """The objectives, after a look at what would be refused in every trial."""
    check_sweep(first)
    objectives = list(config["objectives"] or [first["selection"]["monitor"]])
    for name in objectives:
        check_selection(str(name))
    if len(objectives) > 1 and config["pruner"] is not None:
        raise ConfigError("pruner: ends trials by one value, and several objectives are given. Leave one out")
    if len(objectives) == 1 and objectives[0] != first["selection"]["monitor"]:
        raise ConfigError(
            f"objectives={objectives}: trials choose their epoch by selection.monitor="
            f"{first['selection']['monitor']}; give selection.monitor={objectives[0]} instead"
        )
    for name, least in (("workers", 1), ("heartbeat", 1), ("retries", 0), ("n_trials", 1)):
        value = config[name]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < least):
            raise ConfigError(f"{name}={value}: give a whole number, {least} or more")
    return objectives


def _allowed(first: Mapping[str, Any]) -> None:
    check_targets(dict(first))
    check_settings(first)


def _total(config: Mapping[str, Any], space: Space, *, grid: bool) -> int:
    """How many trials there are to be: of a grid no more than it has points."""
    wanted = config["n_trials"]
    if grid:
        return min(space.size, wanted or space.size)
    return wanted or _TRIALS


class Progress:
    """Logs what became of trials since it was last called.

    Args:
        trials: Of the study.
        objectives: What is shown of those that finished.
    """

    def __init__(self, trials: Trials, objectives: Sequence[str]) -> None:
        self._trials, self._objectives = trials, objectives
        self._told = {row.number for row in trials.rows() if row.last.state not in _OPEN}

    def __call__(self) -> None:
        """Log a line for each trial that ended."""
        rows = self._trials.rows()
        ended = [row for row in rows if row.last.state not in _OPEN and (row.reason or row.last.values)]
        for row in ended:
            if row.number in self._told:
                continue
            self._told.add(row.number)
            given = " ".join(f"{name}={_short(value)}" for name, value in row.last.params.items())
            _log.info("trial %d of %d: %s, %s", row.number, len(rows), _outcome(row, self._objectives), given)


def _outcome(row: Row, objectives: Sequence[str]) -> str:
    if row.last.state != TrialState.COMPLETE:
        return row.reason if row.last.state == TrialState.PRUNED else f"failed: {row.reason}"
    return ", ".join(f"{name} {value:.4f}" for name, value in zip(objectives, row.last.values, strict=True))


def _tie(rows: Sequence[Row], best: Row) -> str:
    """What is said where others have the same value."""
    finished = [row.last.values[0] for row in rows if row.last.state == TrialState.COMPLETE]
    equal = [value for value in finished if value == best.last.values[0]]
    return f", the first of {len(equal)} with the same value" if len(equal) > 1 else ""


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _conclude(trials: Trials, runs: TrialRuns, *, folder: Path, test: bool) -> None:
    """Test the chosen trial, write the tables and the page, and say what to look at."""
    check_home(trials.study, folder)
    rows, objectives, space = trials.rows(), runs.objectives, runs.space
    best = best_of(rows, objectives)
    if best is not None and test:
        places = [place for _, place in runs.places(best.number)]
        tested = all(read_manifest_json(place).get("test_looks") for place in places)
        when = "was tested before" if tested else "is tested now"
        _log.info("trial %d is chosen by %s%s; it %s", best.number, objectives[0], _tie(rows, best), when)
        runs.test(best.number, best.last.params)
    table = trials_table(rows, folder=folder, objectives=objectives, space=space)
    put(folder / "trials.csv", table.to_csv(index=False).encode())
    validation = validation_table(rows, folder=folder, metric=objectives[0], space=space)
    put(folder / "validation_predictions.csv", validation.to_csv(index=False).encode())
    page, chosen = folder / "study.html", None if best is None else best.number
    with writing(page, lost="the page; the tables are whole"):
        write_study(
            page,
            study=trials.study, table=table, validation=validation,
            space=space, objectives=objectives, chosen=chosen,
        )  # fmt: skip
    told = [("trials", shown(folder / "trials.csv")), ("study", shown(page))]
    if best is None:
        raise ConfigError(f"no trial has a value; {shown(folder / 'trials.csv')} says why")
    place = run_places(folder, best.number, space.seeds)[0][1]
    given = [word for word in space.overrides(best.last.params) if not word.startswith("seed=")]
    again = " ".join([typed("train"), *map(shlex.quote, given), "sweep=seeds"])
    told = [
        ("chosen", f"trial {best.number}, {_outcome(best, objectives)}{_tie(rows, best)}"),
        ("folder", shown(place)), *told,
        ("next", "\n".join([again, *(after_training(place) if test else [])])),
    ]  # fmt: skip
    _log.info("%s", block(f"study {trials.study.study_name}: {len(rows)} trials are done", told))
