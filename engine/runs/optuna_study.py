"""Continue a stopped Optuna study: mark the killed trial, run the missing ones, reuse no folder."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import optuna
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, read_write
from optuna.trial import TrialState

from engine.config.compose import ConfigError
from engine.runs.atomic_write import writing
from engine.runs.optuna_settings import check_data_of, check_settings_of, study_settings

try:
    import fcntl
except ImportError:  # Windows: without a lock
    fcntl = None  # type: ignore[assignment]

_log = logging.getLogger(__name__)
_SQLITE = "sqlite:///"


class ContinueStudy(Callback):
    """Prepares a search before Hydra's sweeper starts it; see `conf/sweep/optuna.yaml`.

    The sweeper itself would run `n_trials` more, leave a killed trial running for ever, number its jobs from
    0 again, and mix trials of other settings with the new ones.
    """

    def __init__(self) -> None:
        self._lock: IO[str] | None = None
        number_from(0)

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Mark killed trials as failed; set how many trials are missing and where numbering goes on."""
        del kwargs
        sweeper, folder = config.hydra.sweeper, Path(str(config.hydra.sweep.dir))
        trials = self._trials(config)
        taken = [int(path.name) for path in folder.glob("*") if path.name.isdigit()]
        number_from(max(len(trials), max(taken, default=-1) + 1))
        if not trials:
            return
        states = Counter(trial.state for trial in trials)
        done = states[TrialState.COMPLETE] + states[TrialState.PRUNED]
        missing = max(0, int(sweeper.n_trials) - done)
        _log.warning(
            "study %s goes on: %d of its %d trials are done", sweeper.study_name, done, sweeper.n_trials
        )
        with read_write(config):
            sweeper.n_trials = missing

    def _trials(self, config: DictConfig) -> list[optuna.trial.FrozenTrial]:
        """The trials of a study that goes on with the settings that it had; a new one keeps its settings."""
        sweeper = config.hydra.sweeper
        storage = sweeper.storage
        alone = self._alone(storage)
        if not isinstance(storage, str):
            return []
        settings = study_settings(config)
        study = optuna.create_study(
            study_name=sweeper.study_name,
            storage=storage,
            direction=settings["direction"],
            load_if_exists=True,
        )
        for trial in study.get_trials(states=(TrialState.RUNNING,)):
            if alone:
                with suppress(ValueError):  # ended in this moment
                    study.tell(trial.number, state=TrialState.FAIL)
                _log.warning("trial %d was killed: it is marked as failed", trial.number)
            else:
                _log.warning("trial %d is running: another search may be at it", trial.number)
        try:
            check_settings_of(study, settings)
        except ConfigError as error:  # of anything else Hydra would warn, and go on
            raise SystemExit(f"ConfigError: {error}") from None
        known: list[optuna.trial.FrozenTrial] = study.get_trials()
        return known

    def _alone(self, storage: Any) -> bool:
        """Whether no other search on this machine uses the study; known for SQLite files only."""
        if fcntl is None or not isinstance(storage, str) or not storage.startswith(_SQLITE):
            return False
        path = Path(storage.removeprefix(_SQLITE) + ".lock")
        with writing(path, lost="nothing yet"):
            self._lock = path.open("a+", encoding="utf-8")  # shared, and held until the search ends
        # Exclusive for the moment of asking, then shared: another search may join, and then neither is alone.
        try:
            fcntl.flock(self._lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except OSError:
            alone = False
        with suppress(OSError):
            fcntl.flock(self._lock.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        return alone


def data_check(sweeper: Mapping[str, Any]) -> Callable[[Mapping[str, Any], str], None] | None:
    """What holds the data of a trial against those of its study; None where a sweep keeps no study on disk.

    Args:
        sweeper: Hydra's settings of the sweep.
    """
    storage, name = sweeper.get("storage"), sweeper.get("study_name")
    if not isinstance(storage, str) or not isinstance(name, str):
        return None
    try:
        study = optuna.load_study(study_name=name, storage=storage)
    except KeyError:  # no such study: the job was started by another sweep
        return None
    return partial(check_data_of, study)


def number_from(first: int) -> None:
    """Let the resolver `trial` number the folders of jobs from `first`, so that none is written over."""
    OmegaConf.register_new_resolver("trial", lambda number: str(first + int(number)), replace=True)
