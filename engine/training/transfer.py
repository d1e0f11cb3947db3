"""Initialize the trunk from an earlier run (`init_from`), refusing runs that saw held-out persons."""

import hashlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.split_leakage.split_checks import check_split
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import CheckpointError, RunCheckpoint, load_checkpoint
from engine.checkpoints.seen_data import BadMemory, met
from engine.cohort.network_needs import READS
from models.tuning import under_low_rank

_log = logging.getLogger(__name__)

_TRUNK = "network.depression.trunk."
_KINDS = {"video": "pixels", "series": "series", "features": "feature sets"}
_HOW = {
    "series": "experiment=mpdrm_series data/clips=series",
    "pixels": "experiment=mpdrm data/clips=pixels",
    "feature sets": "experiment=feature_sets with the same model/fusion",
}


def start_from(
    task: pl.LightningModule, path: str | Path, *, config: Mapping[str, Any], manifest: Manifest, split: Split
) -> str:
    """Copy the depression trunk of a checkpoint into a task that is about to be trained.

    Heads, attention and statistics stay as they are: they belong to the labels of this training. So does a
    personality trunk of its own.

    Args:
        task: With a network whose trunk has the form of the checkpoint's.
        path: best.ckpt or last.ckpt of an earlier run.
        config: Of the training.
        manifest: What is trained on.
        split: Likewise.

    Returns:
        SHA-256 of the file, for the run's record.

    Raises:
        CheckpointError: The file, or one that it started from, is none of ours, altered or gone; or its trunk
            is another one, of another kind of data, or reads other channels.
        LeakageError: The checkpoint was trained on persons who validate or test here, or selected on persons
            who test here; or on files that do, or that hold nearly the same.
    """
    earlier = load_checkpoint(path)
    _check_kind(earlier, config)
    _tell_preprocessing(earlier, manifest)
    for run in lineage(earlier):
        _check_persons(run, manifest, split)
    _check_channels(earlier, config)
    weights = {
        name.removeprefix(_TRUNK): value
        for name, value in earlier.state_dict.items()
        if name.startswith(_TRUNK)
    }
    try:
        trunk = task.get_submodule(_TRUNK.rstrip("."))
        trunk.load_state_dict(under_low_rank(weights, trunk.state_dict()), strict=True)
    except (AttributeError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: its trunk does not fit this model. Use the model/trunk, model/mmp, model/readout and "
            f"width of its run{_width(earlier)}, model/tuning=lora where it had that, or init_from=null"
        ) from error
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def lineage(run: RunCheckpoint) -> Iterator[RunCheckpoint]:
    """The run, the one it started from, and so on: weights remember all of their persons.

    Raises:
        CheckpointError: The line leads back into itself: a file was replaced by a run that started from it.
    """
    yield run
    seen = {run.path.resolve()}
    while (path := run.config.get("init_from")) is not None:
        run = load_checkpoint(path)
        if run.path.resolve() in seen:
            raise CheckpointError(
                f"{run.path}: started from itself, by its config: the run wrote over the checkpoint that it "
                "started from, so that nobody knows whom its weights remember. Give another init_from=..."
            )
        seen.add(run.path.resolve())
        yield run


def _check_persons(earlier: RunCheckpoint, manifest: Manifest, split: Split) -> None:
    if earlier.data_digest != manifest.digest():
        _check_met(earlier, manifest, split)
        return
    trained, selected = (tuple(earlier.split[part]) for part in ("train", "val"))
    name = f"{split.name} after {earlier.path}"
    try:  # the same persons may select twice
        for known, val in ((trained, split.val), (selected, ())):
            after = replace(split, name=name, train=known, val=val)
            check_split(manifest, after, subject_disjoint=split.subject_disjoint)
    except LeakageError as error:
        error.add_note("init_from must come from persons who neither validate nor test here.")
        raise


def _check_met(earlier: RunCheckpoint, manifest: Manifest, split: Split) -> None:
    """Of another manifest: by what the checkpoint remembers of persons and files."""
    problems = []
    judged_by = {"train": ("trained", (*split.val, *split.test)), "val": ("selected", split.test)}
    for part, (verb, judged) in judged_by.items():
        try:
            found = met(earlier.seen, manifest, judged, (part,))
        except BadMemory as fault:
            raise CheckpointError(f"{earlier.path}: {fault}. Copy it again from its run.") from fault
        said = {"files": found.files, "nearly the same content": found.alike}
        if split.subject_disjoint:
            said["persons (by subject_id)"] = found.persons
        problems += [
            f"{len(names)} recording(s) judged here share {what} with what {verb} it, e.g. "
            f"{', '.join(names[:3])}"
            for what, names in said.items()
            if names
        ]
    if problems:
        raise LeakageError(
            f"{split.name} after {earlier.path} leaks: {'; '.join(problems)}. init_from must come from "
            "persons who neither validate nor test here; other persons of the same ids need others, such as "
            "clinic2:001"
        )


def _check_kind(earlier: RunCheckpoint, config: Mapping[str, Any]) -> None:
    """Before the channels: a network of pixels has none, and naming some would not help."""
    names = (_source(run)["_target_"].rpartition(".")[2] for run in (earlier.config, config))
    was, now = (_KINDS.get(READS.get(name, "")) for name in names)
    if was != now and was is not None and now is not None:
        raise CheckpointError(
            f"{earlier.path}: is of a model of {was}, this training is one of {now}: a trunk fits its "
            f"own kind only. Train on {was} ({_HOW[was]}), give the checkpoint of a run on {now}, or "
            "init_from=null"
        )


def _tell_preprocessing(earlier: RunCheckpoint, manifest: Manifest) -> None:
    """Warn only: a trunk goes on learning, and what it came from is in no number of this run."""
    was, now = (one and one.fingerprint for one in (earlier.preprocessing, manifest.preprocessing))
    if was != now:
        _log.warning(
            "init_from=%s: was trained on recordings of another preprocessing than %s (fingerprint %s there, "
            "%s here): its trunk has to learn what is new in these pictures",
            earlier.path, manifest, was and was[:12], now and now[:12],
        )  # fmt: skip


def _source(config: Mapping[str, Any]) -> Mapping[str, Any]:
    source: Mapping[str, Any] = config["data"]["module"]["source"]
    return source


def _width(earlier: RunCheckpoint) -> str:
    width = earlier.config.get("width")
    return "" if width is None else f" (width={width})"


def _check_channels(earlier: RunCheckpoint, config: Mapping[str, Any]) -> None:
    was, now = (_source(run).get("channels") for run in (earlier.config, config))
    if was != now:
        raise CheckpointError(
            f"{earlier.path}: its trunk reads the channels {was}, this training {now}: name the same ones, "
            "in the same order, with data.module.source.channels=[...]"
        )
