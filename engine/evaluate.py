"""The command `eval.py`: evaluate a checkpoint on the split of its own run, or on another manifest."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from datamodules.commands import typed
from datamodules.manifests.known_visits import Known
from datamodules.manifests.manifest import Manifest, read_manifest
from datamodules.splits.longitudinal import everybody_later
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import CheckpointError, RunCheckpoint
from engine.checkpoints.seen_data import BadMemory, met
from engine.cohort.data_facts import data_facts
from engine.cohort.file_checks import check_files
from engine.cohort.leak_check import audit_leaks
from engine.cohort.network_needs import check_content, check_history
from engine.cohort.restored_data import own_manifest
from engine.cohort.same_preprocessing import check_preprocessing
from engine.cohort.splits import report_split
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.targets import trusting
from engine.exporting.exported import Exported, open_exported
from engine.inference.clip_predictions import Predictor, part_of
from engine.inference.outputs import write_run
from engine.inference.recorded_run import own_split, recorded_run, taught, unlike
from engine.inference.recordings import predicted_recordings
from engine.inference.results import Assessment, assess
from engine.inspection.attribution import explain, explained_head
from engine.inspection.audit import audit, by_group, check_fitted
from engine.inspection.filmstrips import filmstrips
from engine.runs.provenance import RunManifest, add_look, read_manifest_json
from engine.runs.terminal import conclude, place_word, shown, trust_word
from engine.training.checks import check_scale

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Material:
    """What is evaluated: recordings, their split, and remarks for the report."""

    manifest: Manifest
    split: Split
    own: bool
    notes: tuple[str, ...]
    seen: Mapping[str, int] = field(default_factory=dict)  # recordings of its training, by what tells it


@trusting
def evaluate(config: Mapping[str, Any], *, folder: Path) -> Assessment:
    """Evaluate a checkpoint: write its predictions, changes between visits, metrics, report and manifest.

    With `audit`, also `audit.json` and `audit.html`, after a look at what the statistics were fitted on. With
    `attribution`, also `attribution.json`, `attribution.html` and `tables/attribution.csv`.

    On the run's own split this repeats what training measured, to the last digit on the same kind of machine.

    Args:
        config: Resolved config of `conf/eval.yaml`.
        folder: Where everything is written; the run's own folder is not touched, but for the count of looks.

    Raises:
        CheckpointError: The checkpoint is altered, or its run's data are not what they were.
        ForbiddenTarget: A config names a callable outside the allow-list.
        LeakageError: Single facts of another manifest's recordings give their label away. Under `audit`:
            statistics that were not fitted on the training recordings alone.
        ConfigError: The recordings were preprocessed in another way than those of the training; or the
            network reads scores of earlier visits, and neither its protocol nor `known` makes any known.
            Under `attribution`: captum is missing, or the network has no head it can explain.
        SplitError: No visit of another manifest follows the known ones, or their order is not known.
    """
    exported = None if config.get("exported") is None else _exported(config)
    checkpoint, run = recorded_run(
        config, folder=folder, checkpoint=None if exported is None else exported.checkpoint
    )
    if exported is not None:
        run = exported.config(run)
    with RunManifest(folder=folder, config=run) as record:
        _log.info("reading the recordings, or making them")
        accepted = bool(config.get("accept_preprocessing"))
        material = _material(
            checkpoint,
            config["manifest"],
            data=Path(run["paths"]["data"]),
            accepted=accepted,
            known=config.get("known"),
        )
        check_scale(material.manifest, run)
        _record(checkpoint, material, run, record=record)
        predict = (
            Predictor.of(checkpoint, run, one_device=True) if exported is None else exported.predictor(run)
        )
        check_history(predict.task, material.split.known, where=str(checkpoint.path))
        parameters = predict.parameters if exported is None else exported.card.get("parameters")
        record.record(parameters=parameters, pretrained=checkpoint.pretrained)
        if config.get("attribution"):
            explained_head(predict.task)  # refuse before the work, not after it
        manifest, split, notes = material.manifest, material.split, material.notes
        parts = ("test", "val") if material.own else ("test",)
        predicted = predicted_recordings(predict, manifest, split, parts=parts, config=run)
        # what validation taught about another manifest is what the checkpoint remembers of its own run
        calibration = None
        if not material.own:
            checkpoint, remarks = taught(checkpoint, run)
            calibration, notes = pd.DataFrame(checkpoint.calibration), (*notes, *remarks)
        found = assess(run, manifest, split, predicted, calibration=calibration, change=checkpoint.change)
        clips = predicted.clips["test"]
        strips = filmstrips(clips, manifest, run)
        scale = run["data"]["scale"]
        span = scale["high"] - scale["low"]
        groups = by_group(found, manifest, span=span) if config.get("audit") else None
        write_run(folder, found, config=run, record=record, attention=strips, notes=notes, groups=groups)
        common: Any = {"config": run, "folder": folder, "notes": notes, "record": record.content}
        if groups is not None:
            if material.own:
                check_fitted(checkpoint, manifest)
            audit(found, clips, manifest, split, predict=predict, groups=groups, **common)
        if config.get("attribution"):
            tested, statistics = part_of(split, "test"), checkpoint.statistics
            explain(predict.task, manifest, tested, statistics=statistics, **common)
    conclude("evaluation is finished", folder, following=_following(config, checkpoint.path, folder))
    return found


def _exported(config: Mapping[str, Any]) -> Exported:
    """The bundle of `exported`, whose network is evaluated in the place of a checkpoint's."""
    if config.get("ckpt_path") is not None:
        raise ConfigError(
            "exported and ckpt_path are given: a bundle has the record of its run. Give one of them"
        )
    if config.get("weights") is not None:
        raise ConfigError(f"weights={config['weights']}: a bundle holds the one set it was exported with")
    found = open_exported(config["exported"])
    inside = [name for name in ("audit", "attribution") if config.get(name)]
    if inside and found.network is not None:
        raise ConfigError(
            f"{inside[0]}=true looks inside the network, and format={found.format} gives its answers alone: "
            "give ckpt_path=<run>/checkpoints/best.ckpt, or a bundle of format=safetensors"
        )
    return found


def _following(config: Mapping[str, Any], checkpoint: Path, folder: Path) -> list[str]:
    """What to type after an evaluation: the audit, if it has not been made, and a comparison."""
    if config.get("exported") is not None:
        return [f"{typed('compare')} {shown(folder)} FOLDER  # of another run"]
    given = [f"ckpt_path={shown(checkpoint)}", *trust_word(config)]
    if config["manifest"] is not None:
        given.append(f"manifest={shown(Path(config['manifest']))}")
    given += place_word(config)
    audited = [] if config.get("audit") else [" ".join([typed("eval"), *given, "audit=true"])]
    return [*audited, f"{typed('compare')} {shown(folder)} FOLDER  # of another run"]


def _record(
    checkpoint: RunCheckpoint, material: _Material, run: Mapping[str, Any], *, record: RunManifest
) -> None:
    """Note what is evaluated, what leaks there or leaked in training, and count this look at the data."""
    manifest, trained = material.manifest, list(checkpoint.config.get("accept_leaks") or ())
    record.record(
        experiment=run["experiment_name"],
        checkpoint=str(checkpoint.path),
        weights=checkpoint.weights,
        trained_with=checkpoint.config.get("trainer"),
        notes=list(material.notes),
        seen_in_training=dict(material.seen),
        **data_facts(manifest, [material.split]),
        **{"leaks_on_purpose" if material.own else "leaks_of_training": trained},
    )
    if material.own:
        report_split(manifest, material.split, record=record)
    else:
        if trained:
            _log.warning(
                "this network was trained with accept_leaks=%s; what another manifest leaks takes an "
                "accept_leaks=[...] of this command",
                trained,
            )
        source = build(run["data"]["module"]["source"], key="data.module.source")
        source = source.prepared(manifest.recordings())
        audit_leaks(manifest, material.split, source, accepted=run["accept_leaks"], record=record)
    place, looks = checkpoint.path.absolute().parents[1], None
    if other := unlike(checkpoint, read_manifest_json(place)):
        _log.warning(
            "%s: lies in the folder of another run (%s), so this look is not counted", checkpoint.path, other
        )
    elif (looks := add_look(place, digest=manifest.digest(), own=material.own)) is None:
        _log.warning("%s: its run cannot be written to, so this look is not counted", checkpoint.path)
    record.record(test_looks=looks)


def _material(
    checkpoint: RunCheckpoint,
    path: str | None,
    *,
    data: Path,
    accepted: bool = False,
    known: Known | None = None,
) -> _Material:
    """What is evaluated; recordings of another preprocessing must have been accepted.

    Of another manifest, the first visits are known as in training, or as `known` says.
    """
    manifest = own_manifest(checkpoint, data=data) if path is None else read_manifest(path)
    check_files(manifest)
    notes = check_preprocessing(checkpoint, manifest, accepted=accepted)
    own = path is None or manifest.digest() == checkpoint.data_digest
    if own and known not in (None, checkpoint.split.get("known")):
        raise ConfigError(
            f"known={known}: the run's own split has protocol.known={checkpoint.split.get('known')}, which "
            "decides whom it tests. Leave known out, or give another manifest=<csv>"
        )
    if path is None:
        return _Material(manifest, own_split(checkpoint), True, notes)
    if own:
        _log.info("%s: the very recordings of the checkpoint's run, so its own split is evaluated", path)
        return _Material(manifest, own_split(checkpoint), True, notes)
    if not any(name in manifest.table and manifest.table[name].notna().any() for name in ("score", "binary")):
        given = [f"ckpt_path={shown(checkpoint.path)}", *trust_word(checkpoint.config)]
        raise ConfigError(
            f"{manifest}: no recording has a label (score, or binary), so there is nothing to measure. "
            f"Predict with {' '.join([typed('predict'), *given, f'input={shown(Path(path))}'])}"
        )
    check_content(manifest, checkpoint.config, trained=True)
    known = checkpoint.split.get("known") if known is None else known
    ids = tuple(manifest.table["recording_id"])
    split = Split(name=manifest.name, train=(), val=(), test=ids)
    if known is not None:
        split = everybody_later(manifest, known)
    remarks, seen = _seen(checkpoint, manifest)
    return _Material(manifest, split, False, (*notes, *split.notes, *remarks), seen)


def _seen(checkpoint: RunCheckpoint, manifest: Manifest) -> tuple[tuple[str, ...], dict[str, int]]:
    """Remarks where another manifest holds ids, persons or contents that trained or selected the network.

    With them, how many recordings are known by each.

    Raises:
        CheckpointError: What the checkpoint remembers cannot be read.
    """
    ids = tuple(manifest.table["recording_id"])
    known = {*checkpoint.split["train"], *checkpoint.split["val"]}
    shared = tuple(name for name in ids if name in known)
    try:
        found = met(checkpoint.seen, manifest, ids)
    except BadMemory as fault:
        raise CheckpointError(
            f"{checkpoint.path}: {fault}. Copy it again from the run that wrote it."
        ) from fault
    said = (
        (shared, "carry ids", "Unless another corpus uses the same ids, this"),
        (found.persons, "show persons, by subject_id,", "Unless they are others of the same ids, this"),
        (found.files, "are files", "This"),
        (found.alike, "hold nearly the content", "This"),
    )
    notes = tuple(
        f"{len(names)} of {len(ids)} recordings {what} that the network was trained or selected on, e.g. "
        f"{', '.join(names[:3])}. {unless} is no test."
        for names, what, unless in said
        if names
    )
    for note in notes:
        _log.warning("%s", note)
    counts = {"ids": shared, "persons": found.persons, "files": (*found.files, *found.alike)}
    return notes, {name: len(set(names)) for name, names in counts.items() if names}
