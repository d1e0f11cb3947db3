"""The runs of a trial: one for each seed, in the folder of its number; what they came to on validation."""

import logging
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import optuna
import pandas as pd

from datamodules.splits.partition import Split
from engine.config.compose import ConfigError
from engine.runs.lock import FolderInUse
from engine.runs.provenance import read_manifest_json
from engine.sweeping.composed import run_config
from engine.sweeping.pruning import ReportEpochs, reporter
from engine.sweeping.settings import check_data_of, check_validated
from engine.sweeping.space import Space
from engine.train import train

_log = logging.getLogger(__name__)
_POLL = 5  # seconds between two looks at a folder that another process writes to


@dataclass(frozen=True)
class TrialRuns:
    """Trains the runs of trials.

    Attributes:
        space: What is searched.
        folder: Of the sweep.
        objectives: Values of validation.
        study: Keeps the digest of the data.
        prunes: Whether a trial may be ended early, in its first seed.
    """

    space: Space
    folder: Path
    objectives: Sequence[str]
    study: optuna.Study
    prunes: bool = False

    def places(self, number: int) -> list[tuple[int | None, Path]]:
        """Seed and folder of each run of a trial."""
        return run_places(self.folder, number, self.space.seeds)

    def train(self, number: int, trial: optuna.Trial) -> list[float]:
        """Train a trial, or go on with what is there of it; its values are means over the seeds.

        Raises:
            Pruned: It is behind the others.
            ConfigError: Validation gave it no finite value.
        """
        found: list[list[float]] = []
        for seed, place in self.places(number):
            watching = []
            if self.prunes and not found:
                watching = [ReportEpochs(monitor=self.objectives[0], report=reporter(trial))]
            self._run(trial.params, seed, place, test=False, watching=watching)
            found.append(chosen_values(place, self.objectives))
        return [fmean(values) for values in zip(*found, strict=True)]

    def test(self, number: int, params: Mapping[str, Any]) -> None:
        """Let the runs of the chosen trial read their test part, each once.

        Raises:
            ConfigError: A run is not in its folder any more: another training would be tested.
        """
        for _, place in self.places(number):
            if not {"chosen", "folds"} & read_manifest_json(place).keys():
                raise ConfigError(
                    f"{place}: trial {number} is chosen, and its run is not there: another training would "
                    "be tested. Put the folder back, or begin another study with study=..."
                )
        for seed, place in self.places(number):
            self._run(params, seed, place, test=True)

    def _run(
        self,
        params: Mapping[str, Any],
        seed: int | None,
        place: Path,
        *,
        test: bool,
        watching: Sequence[Any] = (),
    ) -> None:
        config = run_config(self.space.overrides(params, seed=seed), output=place, test=test)

        def check(manifest: Mapping[str, Any], digest: str, splits: Sequence[Split]) -> None:
            check_data_of(self.study, manifest, digest)
            check_validated(self.study, config["seed"], splits)

        told = False
        while True:
            try:
                train(config, folder=place, check_data=check, watching=watching)
            except FolderInUse as error:
                # who gave no sign of life for too long may live all the same; what it ends in is found here
                if not told:
                    _log.warning("waiting: %s", error)
                told = True
                time.sleep(_POLL)
            else:
                return


def run_places(folder: Path, number: int, seeds: Sequence[int]) -> list[tuple[int | None, Path]]:
    """Seed and folder of each run of a trial: the trial's own folder where there is one seed."""
    place = folder / str(number)
    return [(seed, place / f"seed_{seed}") for seed in seeds] if seeds else [(None, place)]


def chosen_values(folder: Path, objectives: Sequence[str]) -> list[float]:
    """Validation values of a finished run at the epoch that was chosen; means over folds.

    Raises:
        ConfigError: Nothing was chosen, or a value is no finite number there.
    """
    record = read_manifest_json(folder)
    places = [folder / name for name in record.get("folds", [])] or [folder]
    values = [[_value(place, name) for place in places] for name in objectives]
    return [fmean(each) for each in values]


def _value(folder: Path, name: str) -> float:
    chosen = read_manifest_json(folder).get("chosen")
    if not chosen:
        raise ConfigError(f"{name}: no epoch was chosen by validation, so the trial has no value")
    if name == chosen["monitor"]:
        value = float(chosen["value"])
    else:
        history = pd.read_csv(folder / "history.csv")
        at = history.loc[history["epoch"] == chosen["epoch"]]
        value = float(at[name].iloc[0]) if name in at and len(at) else math.nan
    if not math.isfinite(value):
        raise ConfigError(f"{name} is no finite number at the chosen epoch, {chosen['epoch'] + 1}")
    return value
