"""What a trained network comes to: the chosen checkpoint measured on test, or on validation alone."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import add_calibration, load_checkpoint
from engine.inference.clip_predictions import Predictor
from engine.inference.outputs import write_run
from engine.inference.person_changes import plain
from engine.inference.recordings import predicted_recordings
from engine.inference.results import Assessment, assess
from engine.inspection.filmstrips import filmstrips
from engine.runs.atomic_write import writing
from engine.runs.provenance import RunManifest
from engine.runs.ranks import is_main
from evaluation.tables.predictions import HEADS, write_predictions


def measure(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    *,
    best: Path,
    folder: Path,
    record: RunManifest,
    unselected: str | None,
) -> Assessment:
    """Predict validation and test with what is on disk, not with what is in memory, and write the results.

    The weights in memory are those of the last epoch, and `eval.py` must find the same numbers later.

    Args:
        config: Resolved config of the run.
        manifest: The recordings.
        split: Who selects and tests.
        best: The checkpoint that was chosen.
        folder: Of the run.
        record: Its `manifest.json`, which counts the look at the test part.
        unselected: Why nothing was chosen by validation, if so.
    """
    predict = Predictor.of(load_checkpoint(best), config)
    predicted = predicted_recordings(predict, manifest, split, config=config)
    record.record(parameters=predict.parameters)
    record.count_look()
    found = assess(config, manifest, split, predicted)
    if is_main():
        val = predicted.recordings["val"]
        columns = [f"{head}_{side}" for head in HEADS for side in ("target", "prediction")]
        kept = {name: val[name].tolist() for name in columns if name in val}  # no answers to single items
        add_calibration(best, kept, change=plain(found.taught))
        strips = filmstrips(predicted.clips["test"], manifest, config)
        notes = [unselected] if unselected else []
        write_run(folder, found, config=config, record=record, attention=strips, notes=notes)
    predict.trainer.strategy.barrier()  # none begins the next fold while the first one still writes
    return found


def measure_validation(
    config: Mapping[str, Any],
    manifest: Manifest,
    split: Split,
    *,
    best: Path,
    folder: Path,
    record: RunManifest,
) -> None:
    """Predict validation alone: of a trial nobody learns what it does on the test part, nor does it."""
    hidden = manifest.without_labels(split.test)
    predict = Predictor.of(load_checkpoint(best), config)
    predicted = predicted_recordings(predict, hidden, split, config=config, parts=("val",))
    record.record(parameters=predict.parameters)
    if is_main():
        with writing(folder / "predictions.csv", lost="predictions; the checkpoints are whole"):
            write_predictions(
                folder / "predictions.csv", predicted.recordings["val"], unmeasured=predicted.unmeasured
            )
    predict.trainer.strategy.barrier()
