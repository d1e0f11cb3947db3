"""A training that only waits: what a kill meets of it is on disk, as of a real one, and costs no time."""

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.runs.atomic_write import put
from engine.runs.lock import FolderInUse, FolderLock
from engine.runs.provenance import FILE, read_manifest_json, write_json
from engine.sweeping.trial_runs import TrialRuns

EPOCHS, SECONDS = 10, 0.5  # of a training, and of an epoch
_STATE = "state.json"
_ROWS = "recording_id,subject_id,split,binary_target,binary_prediction\n"


def run(
    runs: TrialRuns,
    params: Mapping[str, Any],
    seed: int | None,
    place: Path,
    *,
    test: bool,
    watching: Sequence[Any] = (),
) -> None:
    """Go on from the epoch that is on disk; the value is a sum over epochs, each a function of the settings.

    Args:
        runs: Whose method this takes the place of.
        params: Of the trial.
        seed: Of the run.
        place: Its folder, which is held by one process at a time.
        test: Count a look at the test part.
        watching: Nothing watches.
    """
    del runs, watching
    lock = FolderLock(place)
    while True:
        try:
            lock.acquire()
        except FolderInUse:
            time.sleep(SECONDS)
        else:
            break
    try:
        _train(params, seed or 0, place)
        record = read_manifest_json(place)
        if test:
            write_json(place / FILE, record | {"test_looks": record.get("test_looks", 0) + 1})
    finally:
        lock.release()


def _train(params: Mapping[str, Any], seed: int, place: Path) -> None:
    file = place / _STATE
    state: dict[str, Any] = {"epochs": [], "value": 0.0}
    if file.is_file():
        state = json.loads(file.read_text())
    if 0 < len(state["epochs"]) < EPOCHS:
        sys.stdout.write(f"epochs {len(state['epochs']) + 1} to {EPOCHS}\n")  # as a training says it
        sys.stdout.flush()
    settings = sum(float(value) for value in params.values()) + seed
    for epoch in range(len(state["epochs"]), EPOCHS):
        time.sleep(SECONDS)
        state["value"] += math.sin(100 * settings + epoch) / EPOCHS
        state["epochs"].append(epoch)
        put(file, json.dumps(state).encode())
    if not (place / FILE).is_file():
        rows = "".join(f"r{n},p{n},val,{n % 2},{abs(math.sin(n + settings)):.6f}\n" for n in range(6))
        put(place / "predictions.csv", (_ROWS + rows).encode())
        chosen = {"epoch": EPOCHS - 1, "monitor": "val/auc", "value": state["value"], "of": EPOCHS}
        write_json(place / FILE, {"status": "finished", "chosen": chosen})
