"""The certificate of an export: how far its predictions are from those of the checkpoint, and on what."""

import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from datamodules.manifests.manifest import Manifest
from engine.checkpoints.checkpoint import RunCheckpoint, digest
from engine.exporting.bundle import ExportError
from engine.exporting.program import EXTRAS, Program, made_up, named_outputs
from engine.inference.trained_network import TrainedNetwork
from evaluation.tables.predictions import HEADS, items_of, scales_of

Answers = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]
TOLERANCE = 1e-5  # of the largest value of an output, of 1 at least: points, probabilities, bands
_BATCHES = (1, 2, 3, 9)  # sizes that a program must take, of which it was traced with none; our choice
_PACKAGES = ("euthymia", "torch", "safetensors", "onnx", "onnxruntime", "onnxscript", "numpy")


def parity_made_up(
    program: Program, answers: Answers, trained: TrainedNetwork, *, known: bool
) -> dict[str, Any]:
    """Largest differences of all outputs on batches of noise: single clips, unknown persons, padded clips.

    Args:
        program: The network that was exported.
        answers: The export, opened from its bytes: inputs by name -> outputs by name.
        trained: Says what a clip is.
        known: Whether batches have a history.
    """
    largest: dict[str, float] = {}
    values: dict[str, float] = {}
    for size in _BATCHES:
        batch = made_up(trained, clips=size, seed=size, known=known)
        given = {name: batch[name] for name in program.inputs}
        with torch.inference_mode():
            wanted, found = named_outputs(program, given), answers(given)
        for name, value in wanted.items():
            apart = float((value.double() - found[name].double()).abs().max())
            largest[name] = max(largest.get(name, 0.0), apart)
            values[name] = max(values.get(name, 0.0), float(value.double().abs().max()))
    return {"clips_a_batch": list(_BATCHES), "largest_difference": largest, "largest_value": values}


def parity_recordings(before: pd.DataFrame, after: pd.DataFrame) -> dict[str, Any]:
    """Largest differences of the predictions of the same clips.

    Args:
        before: Predicted clips of the checkpoint, see `engine.inference.clip_predictions`.
        after: Of the export.

    Raises:
        ExportError: The two are of different clips.
    """
    keys = ["recording_id", "clip"]
    if before[keys].to_dict("list") != after[keys].to_dict("list"):
        raise ExportError("the exported network answers for other clips than the checkpoint: not exported")
    heads = [
        *(name for name in HEADS if name in before),
        *items_of(before.columns),
        *scales_of(before.columns),
    ]
    return {
        "part": "validation",
        "recordings": int(before["recording_id"].nunique()),
        "clips": len(before),
        "largest_difference": {name: float((before[name] - after[name]).abs().max()) for name in heads},
        "largest_value": {name: float(before[name].abs().max()) for name in heads},
    }


def first_persons(manifest: Manifest, ids: Sequence[str], least: int) -> tuple[str, ...]:
    """Recordings of whole persons in the order of the table, of as many persons as `least` of them take.

    Args:
        manifest: The recordings.
        ids: Those to choose from.
        least: How many at least, where there are as many.
    """
    table = manifest.table[manifest.table["recording_id"].isin(set(ids))]
    kept: list[str] = []
    for _, own in table.groupby("subject_id", sort=False):
        if len(kept) < least:
            kept += own["recording_id"].tolist()
    return tuple(kept)


def certificate_of(
    checkpoint: RunCheckpoint, form: str, found: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The certificate of an export, to which a bundle adds the digests of its members.

    Args:
        checkpoint: What was exported.
        form: Format of the network.
        found: On what -> the differences.

    Raises:
        ExportError: Predictions are further from those of the checkpoint than `TOLERANCE` of the largest.
    """
    for where, one in found.items():
        differences = one.get("largest_difference", {})
        for name in set(differences) - set(EXTRAS):
            allowed = TOLERANCE * max(1.0, one["largest_value"][name])
            if not differences[name] <= allowed:  # NaN is no parity
                raise ExportError(
                    f"format={form}: on {where}, {name} is {differences[name]:.3g} from what the checkpoint "
                    f"predicts, more than {allowed:.3g}: not exported. Use format=safetensors, which runs "
                    "the network itself"
                )
    return {
        "format": form,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "checkpoint": {"name": checkpoint.path.name, "weights": digest(checkpoint.state_dict, {})},
        "weights": checkpoint.weights,
        "tolerance": TOLERANCE,
        "device": "cpu",
        "precision": "float32",
        "parity": {where: dict(one) for where, one in found.items()},
        "versions": {"python": platform.python_version(), **_versions()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found
