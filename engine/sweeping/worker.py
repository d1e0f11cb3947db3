"""A worker: takes one trial after another until none is left, and says how each ended."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import optuna

from engine.config.build import build
from engine.config.user_errors import is_users, message
from engine.runs.provenance import Pruned
from engine.sweeping.space import Space
from engine.sweeping.storage import beating
from engine.sweeping.trial_runs import TrialRuns
from engine.sweeping.trials import Trials

_log = logging.getLogger(__name__)

ANEW = 75  # exit status of a worker after a fault of the program, which may have left its device unusable
STARTED_BY = "EUTHYMIA_SWEEP"
_POLL = 1.0  # seconds between two looks at trials that others run and may leave behind
_LONGEST = 1000  # characters of a reason: our choice


def sampler_of(node: Mapping[str, Any], space: Space) -> Callable[[int], Any]:
    """Makes the sampler of a trial from its number, seeded by (seed of the study, number).

    Args:
        node: `sampler` of the config.
        space: What is searched.
    """

    def make(number: int) -> Any:
        if "seed" not in node:
            return build(node, key="sampler", dimensions=dict(space.dimensions))
        own = int(np.random.SeedSequence([int(node["seed"]), number]).generate_state(1)[0])
        return build({**node, "seed": own}, key="sampler")

    return make


def work(trials: Trials, runs: TrialRuns, sampler: Callable[[int], Any]) -> int:
    """Train trials until none waits or runs; the exit status, `ANEW` where a fresh process is to go on."""
    parent = os.environ.get(STARTED_BY)
    while parent is None or os.getppid() == int(parent):
        claimed = trials.claim(sampler)
        if claimed is None:
            if not trials.unfinished():
                return 0
            time.sleep(_POLL)
            continue
        if not _attempt(trials, runs, *claimed):
            return ANEW
    _log.warning("who started this worker is gone, so it ends. The same command goes on with the study")
    return 0


def _attempt(trials: Trials, runs: TrialRuns, number: int, trial: optuna.Trial) -> bool:
    """Train a claimed trial; False where the process should not train another."""
    _log.info("trial %d: %s", number, trial.params)
    try:
        with beating(trials.study._storage, trial._trial_id):
            values = runs.train(number, trial)
    except Pruned as end:
        trials.tell(trial, reason=f"pruned {end}", pruned=True)
    except Exception as error:
        known = is_users(error)
        _log.error("trial %d failed", number, exc_info=not known)
        trials.tell(trial, reason=message(error, command="train")[:_LONGEST])
        return known
    except BaseException:  # asked to end
        trials.put_back(trial)
        raise
    else:
        trials.tell(trial, values)
    return True
