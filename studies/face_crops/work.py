"""What the study does: film, preprocess, train, and let each training's record stand for it from then on."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.partition import Split
from datamodules.synthetic.cohort import synthetic_manifest
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.build import build
from engine.config.source_code import ROOT
from engine.inference.clip_predictions import Predictor
from engine.inference.recordings import predicted_recordings
from engine.runs.environment import git_state
from engine.runs.provenance import write_json
from engine.training.fit import fit_split
from engine.training.prepare import compose_training
from evaluation.metrics.definitions import auc
from evaluation.tables.predictions import write_predictions
from studies.face_crops.plan import COHORT, Unit

_ROOM_HEIGHT = 480


def filmed(data: Path, subjects: int, workers: int) -> Manifest:
    """The cohort in rooms."""
    return synthetic_manifest(
        root=data / "synthetic",
        n_subjects=subjects,
        size=_ROOM_HEIGHT,
        scene="room",
        workers=workers,
        **COHORT,
    )


def preprocessed(rooms: Manifest, cache: Path, workers: int) -> None:
    """Run `preprocess.py` on the videos, as a user would; what is done already is left alone.

    Raises:
        RuntimeError: It failed, or refused recordings, so that arms would not be compared on the same ones.
    """
    called(
        "preprocess.py",
        f"input={rooms.root / 'manifest.csv'}",
        f"output={cache}",
        f"executor.workers={workers}",
    )
    kept = set(pd.read_csv(cache / "manifest.csv")["recording_id"])
    if refused := sorted(set(rooms.table["recording_id"]) - kept):
        raise RuntimeError(
            f"{cache}: {len(refused)} recordings are refused ({', '.join(refused[:3])}), so that whole "
            "frames and crops would not be compared on the same ones; read refused.csv"
        )


def called(command: str, *words: str) -> None:
    """Run a command of the project.

    Raises:
        RuntimeError: It failed.
    """
    if subprocess.run([sys.executable, str(ROOT / command), *words], check=False).returncode:
        raise RuntimeError(f"{command} {' '.join(words)}: failed, see above")


def done(unit: Unit) -> dict[str, Any]:
    """The record of a unit; it is trained and tested unless an earlier call left it.

    Raises:
        ValueError: The record belongs to other settings.
    """
    record = unit.folder / "result.json"
    if not record.is_file():
        with tempfile.TemporaryDirectory() as work:  # the checkpoints go with it
            write_json(record, _trained(unit, Path(work)))
    kept: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    if (kept["overrides"], kept.get("rates", [])) != (list(unit.overrides), list(unit.rates)):
        raise ValueError(f"{record}: made with other settings; take another out= or delete it")
    return kept | {"predictions": unit.folder / "predictions.csv"}


def _trained(unit: Unit, work: Path) -> dict[str, Any]:
    """Train once at each rate, and test the one that validation chooses."""
    clock, found = time.process_time(), []
    for number, words in enumerate(unit.trainings):
        config = compose_training(words, output=work / str(number))
        manifest, split = _material(config)
        found.append((config, fit_split(config, manifest, split, folder=work / str(number))))
    reached = [-1.0 if one.objective is None else one.objective for _, one in found]
    best = reached.index(max(reached))
    config, fitted = found[best]
    predict = Predictor.of(load_checkpoint(fitted.best), config)
    test = predicted_recordings(predict, manifest, split, config=config).recordings["test"]
    unit.folder.mkdir(parents=True, exist_ok=True)
    write_predictions(unit.folder / "predictions.csv", test)
    return {
        "arm": unit.arm,
        "seed": unit.seed,
        "test_auc": auc(test["binary_target"], test["binary_prediction"]).value,
        "val_auc": fitted.objective,
        "epochs": fitted.epochs,
        "rates": list(unit.rates),
        "val_aucs": [one.objective for _, one in found],
        "rate": unit.rates[best] if unit.rates else None,
        "pretrained": fitted.facts.get("pretrained"),
        "seconds": round(time.process_time() - clock, 1),
        "git": git_state(),
        "overrides": list(unit.overrides),
    }


def _material(config: dict[str, Any]) -> tuple[Manifest, Split]:
    """Recordings and their split by persons.

    Not by `engine.training.prepare`, whose guard compares contents: recordings of 4 s with a glare in
    the same second correlate by .99 over time, whoever is in them, and would be taken for copies.
    """
    manifest = build(config["data"]["manifest"], key="data.manifest")
    (split,) = build(config["protocol"], key="protocol").splits(manifest)
    check_split(manifest, split, subject_disjoint=True)
    return manifest, split
