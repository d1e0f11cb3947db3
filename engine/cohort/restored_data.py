"""Restore the recordings that a checkpoint was trained on, below the user's own `paths.data`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datamodules.manifests.manifest import Manifest
from engine.checkpoints.checkpoint import CheckpointError, RunCheckpoint
from engine.checkpoints.recorded_config import PATHS, origin
from engine.config.allowlist import SYNTHETIC
from engine.config.build import build

_TABLE = "path"
_FRAMES, _PIXELS = 10**8, 10**12  # of a cohort, some fifty times the largest of conf/data: our choice
_SPARE = 20  # a cohort may have so many times the recordings of a split, which may leave some out: our choice


def own_manifest(checkpoint: RunCheckpoint, *, data: Path) -> Manifest:
    """Make or read the recordings of a checkpoint's own run.

    A synthetic cohort is made below `data`, wherever it was made before. A table or a corpus is read where
    the run read it if that is below `data`, links and `..` followed; a checkpoint names no other place.

    Args:
        checkpoint: Of the run.
        data: The user's `paths.data`.

    Raises:
        CheckpointError: The recordings lie elsewhere, or are not those that the run read.
    """
    asked = checkpoint.config["data"]["manifest"]
    if checkpoint.origin and checkpoint.origin != origin(asked, checkpoint.data_digest):
        raise CheckpointError(
            f"{checkpoint.path}: its data.manifest was changed after its run: these settings do not make the "
            "recordings that it was trained on. Nothing was made. Copy the file again from its run, or "
            "evaluate with manifest=<csv>."
        )
    node = _moved(asked, checkpoint, data.resolve())
    try:
        manifest: Manifest = build(node, key="data.manifest")
    except Exception as error:  # whatever a source raises for settings that it does not have
        if type(error).__module__ != "builtins" or isinstance(error, OSError | MemoryError):
            raise
        raise CheckpointError(
            f"{checkpoint.path}: its data.manifest cannot be made or read again "
            f"({type(error).__name__}: {str(error)[:200]}). Evaluate with manifest=<csv>, or train anew."
        ) from error
    if manifest.digest() != checkpoint.data_digest:
        raise CheckpointError(
            f"{manifest}: not the recordings this checkpoint was trained on (their digest differs), "
            "so its split cannot be repeated. Restore them, or evaluate all of them with manifest=<csv>."
        )
    return manifest


def _moved(node: Any, checkpoint: RunCheckpoint, data: Path) -> Any:
    """The node of a manifest with every path of it below the folder."""
    if isinstance(node, Mapping):
        if node.get("_target_") == SYNTHETIC:
            _check_count(node, checkpoint)
            return {**node, "root": str(data / "synthetic"), "workers": None}
        return {
            name: _below(name, value, checkpoint, data) if name in PATHS else _moved(value, checkpoint, data)
            for name, value in node.items()
        }
    return [_moved(value, checkpoint, data) for value in node] if isinstance(node, list | tuple) else node


def _check_count(node: Mapping[str, Any], checkpoint: RunCheckpoint) -> None:
    asked = node["n_subjects"] * node["n_visits"]
    known = sum(len(checkpoint.split[part]) for part in ("train", "val", "test"))
    frames = asked * node["fps"] * node["duration_s"]
    if asked > _SPARE * known or frames > _FRAMES or frames * (node["size"] or 0) ** 2 > _PIXELS:
        raise CheckpointError(
            f"{checkpoint.path}: asks for a cohort of {asked} recordings, {frames:.0f} frames in all, and "
            f"its split names {known}. It is not made. Train anew, or evaluate with manifest=<csv>."
        )


def _below(name: str, value: Any, checkpoint: RunCheckpoint, data: Path) -> str:
    place = os.path.realpath(str(value))
    if not Path(place).is_relative_to(data):
        table = name == _TABLE
        either = f"manifest={value}" if table else "manifest=<a table of these recordings>"
        raise CheckpointError(
            f"{checkpoint.path}: its run read {value}, which is not below paths.data={data}, and a "
            f"checkpoint opens nothing elsewhere. If that is where your recordings are, add {either}, or "
            f"paths.data={Path(place).parent if table else place}; `manifest=` takes a copy at any place."
        )
    return place
