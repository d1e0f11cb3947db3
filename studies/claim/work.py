"""What a worker of the claim study does: a training, oracles, reference lines, or the common start."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from engine.checkpoints.checkpoint import load_checkpoint
from engine.inference.clip_predictions import ClipPredictions, Predictor, part_of
from engine.inference.lines import Lines
from engine.inference.recordings import predicted_recordings, recording_features, targets
from engine.runs.environment import git_state
from engine.runs.provenance import write_json
from engine.training.fit import fit_split
from engine.training.prepare import compose_training, material
from evaluation.baselines.oracle import oracle_lines
from evaluation.baselines.reference import Line
from evaluation.baselines.reference_lines import LINES as ROW_LINES
from evaluation.metrics.definitions import auc
from evaluation.tables.predictions import write_predictions
from studies.claim.habits_probe import habit_r2
from studies.claim.plan import LINES, ORACLE, START, Unit

_HEADS = ("score", "binary")
PREDICTIONS = "predictions.csv"


def run_unit(unit: Unit, work: Path) -> str:
    """Do one unit and write its files, the result last; return its name."""
    clock = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(dir=work) as folder:  # the checkpoint goes with it
            found = _WORK.get(unit.variant, _train)(unit, Path(folder))
    except Exception as error:
        error.add_note(f"In unit {unit.name}.")
        raise
    write_json(
        unit.result,
        {
            "input": unit.input,
            "cell": unit.cell,
            "seed": unit.seed,
            "variant": unit.variant,
            **found,
            "seconds": round(time.monotonic() - clock, 1),
            "git": git_state(),
            "overrides": list(unit.overrides),
        },
    )
    return unit.name


def _train(unit: Unit, folder: Path) -> dict[str, Any]:
    config = compose_training(unit.overrides, output=folder)
    manifest, split = material(config)
    fitted = fit_split(config, manifest, split, folder=folder)
    predict = Predictor.of(load_checkpoint(fitted.best), config)
    predicted = predicted_recordings(predict, manifest, split, config=config)
    test, habits = predicted.recordings["test"], None
    predictions = folder / PREDICTIONS
    write_predictions(predictions, test)
    unit.folder.mkdir(parents=True, exist_ok=True)
    predictions.replace(unit.folder / PREDICTIONS)
    # without the confound nobody has habits
    if unit.confound > 0 and "personality" in predicted.clips["test"].features:
        assert manifest.truth is not None
        trained = predict(manifest, part_of(split, "train"))
        parts = {"train": trained, "test": predicted.clips["test"]}
        hidden = pd.concat([_personality(clips).assign(split=part) for part, clips in parts.items()])
        habits = habit_r2(hidden, pd.read_csv(manifest.truth), movement=unit.movement > 0)
    return {
        "test_auc": auc(test["binary_target"], test["binary_prediction"]).value,
        "val_auc": fitted.objective,
        "epochs": fitted.epochs,
        "habit_r2": habits,
    }


def _personality(clips: ClipPredictions) -> pd.DataFrame:
    """The personality feature of each recording, the mean over its clips: ids, `f0`, `f1`, ..."""
    ids, features = recording_features(clips)
    return ids.join(pd.DataFrame(features["personality"]).add_prefix("f"))


def _start(unit: Unit, folder: Path) -> dict[str, Any]:
    config = compose_training(unit.overrides, output=folder)
    fitted = fit_split(config, *material(config), folder=folder)
    unit.folder.mkdir(parents=True, exist_ok=True)
    fitted.best.replace(unit.checkpoint)
    return {"val_auc": fitted.objective, "epochs": fitted.epochs}


def _oracle(unit: Unit, folder: Path) -> dict[str, Any]:
    manifest, split = material(compose_training(unit.overrides, output=unit.folder))
    assert manifest.truth is not None
    truth = pd.read_csv(manifest.truth)
    lines = oracle_lines(truth, manifest.table, split.train, split.test)
    return {"auc": {name: line["auc"]["value"] for name, line in lines.items()}}


def _lines(unit: Unit, folder: Path) -> dict[str, Any]:
    """Predictions of every reference line, one file a line, and their AUC."""
    config = compose_training(unit.overrides, output=unit.folder)
    manifest, split = material(config)
    table = targets(manifest)
    train, test = (table[table["recording_id"].isin(set(ids))] for ids in (split.train, split.test))
    found = Lines(config, manifest).of(split, split.test, heads=_HEADS)
    asked: dict[str, Line] = {f"line {i}": line for i, line in enumerate((*ROW_LINES, *found.further))}
    for family, readings in found.families.items():
        if not isinstance(readings, str):
            asked |= {f"{family}, {reading}": line for reading, line in readings.items()}
    aucs = {}
    unit.folder.mkdir(parents=True, exist_ok=True)
    for name, line in asked.items():
        answer = line(train, test, heads=_HEADS)
        if answer.predictions is None:
            continue
        name = answer.name if name.startswith("line ") else name
        answer.predictions.to_csv(unit.folder / f"{name}.csv", index=False)
        aucs[name] = auc(answer.predictions["binary_target"], answer.predictions["binary_prediction"]).value
    return {"auc": aucs}


_WORK: dict[str, Callable[[Unit, Path], dict[str, Any]]] = {
    ORACLE: _oracle,
    LINES: _lines,
    START: _start,
}  # every other variant is a training
