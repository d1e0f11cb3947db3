"""What a worker of the comparison does: the fit of an entry, its trials, a training, or the lines."""

import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.zoo.costs import costs
from benchmarks.zoo.plan import RATES, Unit
from benchmarks.zoo.sixteen import fit_sixteen
from engine.checkpoints.checkpoint import load_checkpoint
from engine.inference.clip_predictions import Predictor
from engine.inference.lines import Lines
from engine.inference.recordings import predicted_recordings, targets
from engine.inference.trained_network import load_network
from engine.runs.environment import git_state
from engine.runs.provenance import write_json
from engine.training.fit import Fitted, fit_split
from engine.training.prepare import compose_training, material
from evaluation.tables.predictions import write_predictions

PREDICTIONS = "predictions.csv"
_HEADS = ("score", "binary")


def run_unit(unit: Unit, work: Path) -> str:
    """Do one unit and write its files, the result last; return its name."""
    clock = time.process_time()
    try:
        with tempfile.TemporaryDirectory(dir=work) as folder:
            found = _WORK[unit.kind](unit, Path(folder))
    except Exception as error:
        error.add_note(f"In unit {unit.name}.")
        raise
    seconds = round(time.process_time() - clock, 1)
    about = {"entry": unit.entry.name, "seed": unit.seed, "overrides": list(unit.overrides)}
    write_json(unit.result, {**about, **found, "cpu_seconds": seconds, "git": git_state()})
    return unit.name


def _fit(unit: Unit, folder: Path) -> dict[str, Any]:
    """Whether the entry can fit 16 recordings of the training part."""
    config = compose_training(unit.overrides, output=folder)
    found = fit_sixteen(config, *material(config))
    unit.folder.mkdir(parents=True, exist_ok=True)
    return found


def _trials(unit: Unit, folder: Path) -> dict[str, Any]:
    """One training a rate; validation chooses, and what was chosen predicts the test part once."""
    trials = [(_trained(unit, rate, folder / f"{rate:g}"), rate) for rate in RATES]
    fitted, rate = max(trials, key=lambda trial: trial[0].objective or 0.0)
    known = {f"{one:g}": tried.objective or 0.0 for tried, one in trials}
    return {**_tested(unit, fitted, rate, folder), "trials": known}


def _training(unit: Unit, folder: Path) -> dict[str, Any]:
    """One training at the rate that validation chose at the first seed."""
    first: dict[str, Any] = json.loads(unit.trials.read_text(encoding="utf-8"))
    return _tested(unit, _trained(unit, first["rate"], folder / "training"), first["rate"], folder)


def _trained(unit: Unit, rate: float, folder: Path) -> Fitted:
    config = compose_training([*unit.overrides, f"model.optimizer.lr={rate}"], output=folder)
    return fit_split(config, *material(config), folder=folder)


def _tested(unit: Unit, fitted: Fitted, rate: float, folder: Path) -> dict[str, Any]:
    """Predictions of the test part as a file beside the result; what was reached, and costs."""
    config = compose_training([*unit.overrides, f"model.optimizer.lr={rate}"], output=folder)
    manifest, split = material(config)
    checkpoint = load_checkpoint(fitted.best)
    predicted = predicted_recordings(Predictor.of(checkpoint, config), manifest, split, config=config)
    unit.folder.mkdir(parents=True, exist_ok=True)
    write_predictions(folder / PREDICTIONS, predicted.recordings["test"])
    shutil.move(folder / PREDICTIONS, unit.folder / PREDICTIONS)
    return {"rate": rate, "val_auc": fitted.objective or 0.0, **costs(load_network(fitted.best))}


def _lines(unit: Unit, folder: Path) -> dict[str, Any]:
    """Predictions of the simple readers, raw, one file each; this makes the cohort, too."""
    config = compose_training(unit.overrides, output=folder)
    manifest, split = material(config)
    table = targets(manifest)
    train, test = (table[table["recording_id"].isin(set(ids))] for ids in (split.train, split.test))
    families = Lines(config, manifest).of(split, split.test, heads=_HEADS).families
    unit.folder.mkdir(parents=True, exist_ok=True)
    for name, readings in families.items():
        if isinstance(readings, str):  # the reason why there are none
            continue
        for reading, line in readings.items():
            answer = line(train, test, heads=_HEADS).predictions
            if answer is not None:
                answer.to_csv(unit.folder / f"{name}, {reading}.csv", index=False)
    return {"split": {part: len(getattr(split, part)) for part in ("train", "val", "test")}}


_WORK = {"lines": _lines, "fit": _fit, "trials": _trials, "training": _training}
