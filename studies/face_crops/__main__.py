"""Does cutting out the face pay? `python -m studies.face_crops` writes docs/face_crops.md.

A cohort is filmed in rooms once and preprocessed once by `preprocess.py`; then MPDRM is trained on whole
frames, on the aligned crops, and on portraits without a room: the same persons, splits, initializations,
pixels into the network, epochs and learning rate. Every training leaves `<out>/<seed>/<arm>/result.json`;
started again, the study goes on with what is missing.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tqdm import tqdm

from datamodules.command_line import run, spelled
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
from engine.runs.quiet_warnings import quiet
from engine.training.fit import fit_split
from engine.training.prepare import compose_training
from evaluation.metrics.definitions import auc
from evaluation.tables.predictions import write_predictions
from studies.face_crops.page import write_page
from studies.face_crops.plan import ARMS, COHORT, EPOCHS, SUBJECTS, Unit, cache_of, plan

_ROOM_HEIGHT = 480


def main(
    *,
    seeds: int = 3,
    subjects: int = SUBJECTS,
    epochs: int = EPOCHS,
    out: Path = Path("outputs/face_crops"),
    data: Path = Path("data"),
    docs: Path = Path("docs"),
    arms: tuple[str, ...] = tuple(ARMS),
    workers: int = 2,
) -> None:
    """Film, preprocess, train, write the page.

    Args:
        seeds: Splits and initializations.
        subjects: Persons of the cohort.
        epochs: Of a training.
        out: Cache and results are kept there.
        data: Where cohorts are kept.
        docs: Folder of the page.
        arms: Inputs that are trained on; `frame` is what the others are compared with.
        workers: Processes that film and preprocess; trainings come one after the other.
    """
    quiet()
    torch.set_num_threads(1)
    out, data = out.resolve(), data.resolve()
    rooms = filmed(data, subjects, workers)
    preprocessed(rooms, cache_of(out, subjects), workers)
    units = plan(seeds=seeds, subjects=subjects, epochs=epochs, out=out, data=data, arms=arms)
    results = [done(unit) for unit in tqdm(units, desc="trainings", unit="run")]
    command = "python -m studies.face_crops " + spelled(
        seeds=seeds, subjects=subjects, epochs=epochs, arms=arms
    )
    cache = pd.read_csv(cache_of(out, subjects) / "manifest.csv")
    sys.stdout.write(write_page(results, docs / "face_crops.md", command=command, kept=len(cache)))


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
    words = [f"input={rooms.root / 'manifest.csv'}", f"output={cache}", f"executor.workers={workers}"]
    if subprocess.run([sys.executable, str(ROOT / "preprocess.py"), *words], check=False).returncode:
        raise RuntimeError(f"preprocess.py {' '.join(words)}: failed, see above")
    kept = set(pd.read_csv(cache / "manifest.csv")["recording_id"])
    if refused := sorted(set(rooms.table["recording_id"]) - kept):
        raise RuntimeError(
            f"{cache}: {len(refused)} recordings are refused ({', '.join(refused[:3])}), so that whole "
            "frames and crops would not be compared on the same ones; read refused.csv"
        )


def done(unit: Unit) -> dict[str, Any]:
    """The record of a training; it is trained unless an earlier call left it.

    Raises:
        ValueError: The record belongs to other settings.
    """
    record = unit.folder / "result.json"
    if not record.is_file():
        with tempfile.TemporaryDirectory() as work:  # the checkpoint goes with it
            write_json(record, _trained(unit, Path(work)))
    kept: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
    if kept["overrides"] != list(unit.overrides):
        raise ValueError(f"{record}: made with other settings; take another out= or delete it")
    return kept | {"predictions": unit.folder / "predictions.csv"}


def _trained(unit: Unit, work: Path) -> dict[str, Any]:
    clock = time.process_time()
    config = compose_training(unit.overrides, output=work)
    manifest, split = _material(config)
    fitted = fit_split(config, manifest, split, folder=work)
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


if __name__ == "__main__":
    sys.exit(run(main))
