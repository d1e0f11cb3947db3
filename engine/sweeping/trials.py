"""The trials of a study: planned, claimed, told, and taken back from workers that died.

A trial has a number of its own, which names its folder. Optuna gives every attempt at it another one, so that
a trial whose worker was killed is a chain of attempts; its last one counts.
"""

import logging
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import fail_stale_trials
from optuna.trial import FrozenTrial, TrialState

from engine.sweeping.storage import locked

_log = logging.getLogger(__name__)

_NUMBER, _WORKER, _REASON = "trial", "worker", "reason"
_OPEN = (TrialState.WAITING, TrialState.RUNNING)


def number_of(trial: FrozenTrial) -> int:
    """The number of a trial, whichever attempt at it this is."""
    return int(trial.user_attrs.get(_NUMBER, trial.number))


@dataclass(frozen=True)
class Row:
    """A trial as it stands: its last attempt, how often its worker died, and why it has no value."""

    number: int
    last: FrozenTrial
    restarts: int

    @property
    def reason(self) -> str:
        """Why it failed or was pruned; empty where it has a value or none yet."""
        return str(self.last.user_attrs.get(_REASON, ""))


class Trials:
    """The trials of a study, in the hands of one of its workers or of who started them.

    Args:
        study: On a database, with heartbeats.
        folder: Of the sweep, which all workers share.
        dimensions: What is searched.
        retries: How often a trial whose worker died is taken up again.
    """

    def __init__(
        self,
        study: optuna.Study,
        *,
        folder: Path,
        dimensions: Mapping[str, BaseDistribution],
        retries: int,
    ) -> None:
        self.study, self._dimensions = study, dimensions
        self._folder, self._retries = folder, retries
        self._storage = study._storage  # `Study` shows it under no other name

    def rows(self) -> list[Row]:
        """All trials by their number."""
        attempts: dict[int, list[FrozenTrial]] = {}
        for one in self.study.get_trials(deepcopy=False):
            attempts.setdefault(number_of(one), []).append(one)
        return [Row(number, own[-1], sum(map(_died, own))) for number, own in sorted(attempts.items())]

    def plan(self, total: int, *, retry_failed: bool = False) -> None:
        """Let the study have so many trials in all; those that failed may be tried again."""
        with locked(self._folder):
            rows = self.rows()
            for number in range(len(rows), total):
                self.study.enqueue_trial({}, user_attrs={_NUMBER: number})
            for row in rows if retry_failed else ():
                if row.last.state == TrialState.FAIL:
                    self._again(row)

    def unfinished(self) -> list[Row]:
        """Trials that wait or run."""
        return [row for row in self.rows() if row.last.state in _OPEN or _died(row.last)]

    def claim(self, sampler: Callable[[int], Any]) -> tuple[int, optuna.Trial] | None:
        """Take the first trial that waits; None where none does.

        Args:
            sampler: Makes the sampler of a trial from its number: what is drawn then depends on neither the
                worker that draws nor on what it drew before.
        """
        with locked(self._folder):
            self.take_back()
            for row in self.rows():
                if row.last.state != TrialState.WAITING:
                    continue
                own = row.last._trial_id
                # before it runs: a trial that runs without a sign of life would run for ever
                self._storage.record_heartbeat(own)
                self._storage.set_trial_user_attr(own, _WORKER, _this_process())
                if self._storage.set_trial_state_values(own, TrialState.RUNNING):
                    break
            else:
                return None
        self.study.sampler = sampler(row.number)
        trial = optuna.Trial(self.study, own)
        for name, distribution in self._dimensions.items():
            _suggest(trial, name, distribution)
        return row.number, trial

    def take_back(self) -> None:
        """Let trials wait again whose worker is gone; the lock is held."""
        for row in self.rows():
            if row.last.state == TrialState.RUNNING and _is_gone(row.last.user_attrs.get(_WORKER)):
                with suppress(UpdateFinishedTrialError):
                    self._storage.set_trial_state_values(row.last._trial_id, TrialState.FAIL)
        with catch_warnings():
            simplefilter("ignore", ExperimentalWarning)
            fail_stale_trials(self.study)
        for row in self.rows():
            if _died(row.last):
                self._again(row)

    def tell(
        self,
        trial: optuna.Trial,
        values: Sequence[float] | None = None,
        *,
        reason: str = "",
        pruned: bool = False,
    ) -> None:
        """Write down how a trial ended: with values, or with the reason why it has none."""
        try:
            if reason:
                trial.set_user_attr(_REASON, reason)
            state = TrialState.COMPLETE if values is not None else TrialState.FAIL
            state = TrialState.PRUNED if pruned else state
            self.study.tell(trial, values, state=state)
        except (ValueError, UpdateFinishedTrialError):
            # it gave no sign of life for so long that another worker took it up, which will find the result
            _log.warning("trial %d was taken up by another worker meanwhile", trial.user_attrs.get(_NUMBER))

    def put_back(self, trial: optuna.Trial) -> None:
        """Let a trial wait again whose worker was asked to end."""
        with suppress(ValueError, UpdateFinishedTrialError):
            self.study.tell(trial, state=TrialState.FAIL)
        with locked(self._folder):
            self.take_back()

    def _again(self, row: Row) -> None:
        """Another attempt at a trial, with the parameters that it had and what it reported; or give it up."""
        last = row.last
        if _died(last) and row.restarts > self._retries:
            # Optuna changes no finished trial: the attempt that says why is one of its own
            reason = f"its worker died {row.restarts} times"
            state, attributes = TrialState.FAIL, {_REASON: reason}
        else:
            state, attributes = TrialState.WAITING, {}
            _log.warning("trial %d waits again: its worker is gone, or it is tried once more", row.number)
        # half of them were drawn: all are drawn again, or the second half would be another than undisturbed
        whole = last.params.keys() >= self._dimensions.keys()
        self.study.add_trial(
            optuna.create_trial(
                state=state,
                params=last.params if whole else {},
                distributions=last.distributions if whole else {},
                user_attrs={_NUMBER: row.number, **attributes},
                intermediate_values=last.intermediate_values,
            )
        )


def _died(trial: FrozenTrial) -> bool:
    """Whether an attempt ended without anybody saying why."""
    return trial.state == TrialState.FAIL and not trial.user_attrs.get(_REASON)


def _this_process() -> str:
    return f"{platform.node()}:{os.getpid()}"


def _is_gone(worker: str | None) -> bool:
    """Whether a worker was of this machine and lives no more; of others their heartbeat tells."""
    host, _, process = (worker or "").rpartition(":")
    if host != platform.node():
        return False
    if int(process) == os.getpid():
        return True  # who asks is at no trial: one before it had the same number
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> None:
    if isinstance(distribution, FloatDistribution):
        trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
    elif isinstance(distribution, IntDistribution):
        step, log = distribution.step, distribution.log
        trial.suggest_int(name, distribution.low, distribution.high, step=step, log=log)
    else:
        trial.suggest_categorical(name, distribution.choices)
