"""Self-contained checkpoints: weights, config, statistics, split, calibration and a digest in one file.

`eval.py` and `predict.py` rebuild network, loader and cohort from it. It loads with `weights_only=True`, so
no code travels in it, and what its config names is a closed list, called with plain data; see
`engine.checkpoints.recorded_config`.
The digest finds damage and edits made in passing. It is no signature: who rewrites a file on purpose can
rewrite its digest, and what such a file can make this program do is bounded by that list alone.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from datamodules.manifests.preprocessing import Preprocessing
from engine.checkpoints.archive import BadArchive, read_archive
from engine.checkpoints.record_checks import check_plain, check_record
from engine.checkpoints.recorded_config import BadRecord, origin, recorded
from engine.config.differences import canonical_json
from engine.config.targets import ForbiddenTarget

KEY = "euthymia"
TRAINED = "current_model_state"  # as Lightning names the trained weights, where `state_dict` is their average
_AVERAGE = "averaging_state"  # how many steps it is of
# 5: baselines are MPDRM; 4: modules in folders; 3: origin of the recordings, fingerprints by channel
FORMAT = 5


class CheckpointError(ValueError):
    """A checkpoint that is damaged, altered, or not one of this project."""


@dataclass(frozen=True)
class RunCheckpoint:
    """What a checkpoint holds, verified.

    Attributes:
        path: The file.
        state_dict: Weights of the task: the average over steps (EMA), where the run made one.
        config: What the run recorded of its config, plain; see `engine.checkpoints.recorded_config`.
        statistics: What the network was standardized with; plain lists and numbers.
        data_digest: Digest of the manifest the run read.
        split: `name`, and the recording ids of `train`, `val` and `test`.
        calibration: Targets and predictions of the validation recordings, without ids: what decision
            thresholds and intervals are learned from. Empty before the run has ended.
        seen: Digests of persons and files that trained or selected; see `engine.checkpoints.seen_data`.
        origin: What the recordings were made of; see `recorded_config.origin`. Empty in older checkpoints.
        preprocessing: How the recordings were made of raw videos; None where `preprocess.py` did not make
            them, as in older checkpoints.
        trained: The weights that training went on from, where `state_dict` is their average; None elsewhere.
        weights: Which of two sets `state_dict` is, `ema` or `raw`; None where there is only one.
        change: What validation taught about changes between visits, see `engine.inference.person_changes`;
            empty where that is nothing, as in older checkpoints.
        pretrained: Place in the network -> weights it began with, see `models.weights.record.WeightsRecord`;
            empty where all began at random, as in older checkpoints.
    """

    path: Path
    state_dict: dict[str, Tensor]
    config: dict[str, Any]
    statistics: dict[str, Any]
    data_digest: str
    split: dict[str, Any]
    calibration: dict[str, list[float]]
    seen: dict[str, Any]
    origin: str = ""
    preprocessing: Preprocessing | None = None
    trained: dict[str, Tensor] | None = None
    weights: str | None = None
    change: dict[str, Any] = field(default_factory=dict)
    pretrained: dict[str, dict[str, Any]] = field(default_factory=dict)


# Every further attribute is a field of the record; a check of its own goes to `record_checks.CHECKS`.
_LATER: dict[str, Any] = {
    "origin": "",
    "preprocessing": None,
    "change": {},
    "pretrained": {},
}  # what records of this format came to hold, as before
_FIELDS = {own.name for own in fields(RunCheckpoint)} - {"path", "state_dict", "trained", "weights"}


def new_record(
    *,
    config: Mapping[str, Any],
    statistics: Mapping[str, Any],
    data_digest: str,
    split: Mapping[str, Any],
    seen: Mapping[str, Any] | None = None,
    preprocessing: Preprocessing | None = None,
    pretrained: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The record of a run in its checkpoints: all but the weights, as plain values.

    Args:
        config: Resolved config of the run, plain.
        statistics: Tensors and numbers that the network was standardized with.
        data_digest: Of the manifest.
        split: Name and recording ids.
        seen: See `engine.checkpoints.seen_data.memory`.
        preprocessing: Of the manifest.
        pretrained: Weights that the network began with, by their place in it.
    """
    kept = recorded(config)
    return {
        "format": FORMAT,
        "config": kept,
        "statistics": {name: _plain(value) for name, value in statistics.items()},
        "data_digest": data_digest,
        "split": {name: list(part) if isinstance(part, tuple) else part for name, part in split.items()},
        "calibration": {},
        "seen": dict(seen or {}),
        "origin": origin(kept["data"]["manifest"], data_digest),
        "preprocessing": None if preprocessing is None else preprocessing.plain(),
        "pretrained": {place: dict(record) for place, record in (pretrained or {}).items()},
    }


def seal(state_dict: Mapping[str, Tensor], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the record with a digest over itself and the weights."""
    return dict(record) | {"digest": digest(state_dict, record)}


def all_weights(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """What is sealed: every weight of a checkpoint as Lightning saves it, of both sets where it has two."""
    trained = {f"{TRAINED}.{name}": value for name, value in content.get(TRAINED, {}).items()}
    return {**content["state_dict"], **trained}


def with_weights(checkpoint: RunCheckpoint, weights: str | None) -> RunCheckpoint:
    """The checkpoint with one of its sets of weights as `state_dict`.

    Args:
        checkpoint: As it was loaded.
        weights: `ema`, the average over steps, or `raw`, the weights of the last step; None takes the set
            that validation looked at in training: the average where there is one.

    Raises:
        CheckpointError: It has no such set.
    """
    if weights not in (None, "ema", "raw"):
        raise CheckpointError(f"weights={weights}: write ema or raw, or null for those that were validated")
    if weights == "ema" and checkpoint.trained is None:
        raise CheckpointError(
            f"{checkpoint.path}: weights=ema: its run kept no average of its weights. Leave weights out, or "
            "train with callbacks/ema=average."
        )
    if checkpoint.trained is None or weights != "raw":
        return checkpoint
    # thresholds, intervals and noise were learned from what the average predicted, and say nothing of these
    return replace(checkpoint, state_dict=checkpoint.trained, weights="raw", calibration={}, change={})


def load_checkpoint(path: str | Path) -> RunCheckpoint:
    """Read and verify a checkpoint, on the CPU, without calling anything its config names.

    Raises:
        CheckpointError: The file is missing, is no checkpoint of this project, needs more than
            `weights_only=True`, holds a field that no run writes, or does not match its digest.
        ForbiddenTarget: Its config names what a checkpoint may not name, or calls it in another way.
    """
    path = Path(path)
    content, most = _read(path)
    record = content.get(KEY)
    if not isinstance(record, dict) or "format" not in record:
        raise CheckpointError(f"{path}: no checkpoint of this project. Train one with train.py.")
    if record["format"] != FORMAT:
        raise CheckpointError(
            f"{path}: checkpoint format {record['format']!r:.20}, but this version reads {FORMAT}. Use it "
            "with the commit named in its run's manifest.json, or train anew with this version."
        )
    _check_record(path, {**_LATER, **record}, most)
    if record["digest"] != digest(all_weights(content), record):
        raise CheckpointError(
            f"{path}: the digest does not match weights and config: the file was altered or damaged. "
            "Copy it again from the run that wrote it, or train anew."
        )
    trained = content.get(TRAINED)
    weights = None if trained is None else "ema"
    return _held(path, record, state_dict=content["state_dict"], trained=trained, weights=weights)


def record_of(checkpoint: RunCheckpoint) -> dict[str, Any]:
    """The record of a checkpoint as plain values, without weights and digest, for `from_record`."""
    held = {name: getattr(checkpoint, name) for name in sorted(_FIELDS)}
    if checkpoint.preprocessing is not None:
        held["preprocessing"] = checkpoint.preprocessing.plain()
    return {**held, "format": FORMAT}


def from_record(
    path: Path, record: Any, *, most: int, state_dict: Mapping[str, Tensor], weights: str | None = None
) -> RunCheckpoint:
    """A checkpoint of which record and weights come from another file, checked like its own.

    Args:
        path: The file, for messages.
        record: From `record_of`.
        most: How many values the file can hold.
        state_dict: Weights of the task; empty where the network is a program.
        weights: Which set they are, where its run had two.

    Raises:
        CheckpointError: See `load_checkpoint`.
        ForbiddenTarget: See `load_checkpoint`.
    """
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: its record is not of the format {FORMAT}, which this version reads. Export it anew "
            "from a checkpoint of this version."
        )
    _check_record(path, {**_LATER, **record, "digest": ""}, most)
    return _held(path, record, state_dict=dict(state_dict), trained=None, weights=weights)


def _held(path: Path, record: Mapping[str, Any], **weights: Any) -> RunCheckpoint:
    held = {name: record[name] for name in _FIELDS if name in record}
    if held.get("preprocessing") is not None:
        held["preprocessing"] = Preprocessing.of(held["preprocessing"])
    return RunCheckpoint(path=path, **held, **weights)


def add_calibration(
    path: str | Path, calibration: Mapping[str, Sequence[float]], *, change: Mapping[str, Any] | None = None
) -> None:
    """Write what validation taught into a finished checkpoint, with a new digest, in one step.

    Raises:
        CheckpointError: See `load_checkpoint`.
    """
    path = Path(path)
    load_checkpoint(path)  # a new digest over a damaged file would declare it whole
    content, _ = _read(path)
    plain = {name: [float(value) for value in values] for name, values in calibration.items()}
    record = content[KEY] | {"calibration": plain, "change": dict(change or {})}
    content[KEY] = seal(all_weights(content), record)
    partial = path.with_name(f".{path.name}.partial")
    torch.save(content, partial)
    os.replace(partial, path)  # noqa: PTH105 - atomic on every platform, which is the point


def digest(state_dict: Mapping[str, Tensor], record: Mapping[str, Any]) -> str:
    """SHA-256 over the tensors' bytes in the order of their names, and over the record but for its digest."""
    sha = hashlib.sha256()
    for name in sorted(state_dict):
        tensor = state_dict[name].detach().cpu().contiguous()
        sha.update(f"{name}|{tensor.dtype}|{tuple(tensor.shape)}|".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    sha.update(canonical_json({key: value for key, value in record.items() if key != "digest"}).encode())
    return sha.hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], int]:
    """Content of the file, and how many plain values it can hold."""
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file. Give the path of a best.ckpt or last.ckpt.")
    try:
        content, most = read_archive(path)
    except BadArchive as error:
        raise CheckpointError(
            f"{path}: {error}. It is damaged, no checkpoint, or holds code, which is never loaded. Copy it "
            "again from the run that wrote it."
        ) from error
    weights = content.get("state_dict") if isinstance(content, dict) else None
    if not isinstance(weights, dict) or not all(_is_weight(*item) for item in weights.items()):
        raise CheckpointError(f"{path}: holds no weights. Give the path of a best.ckpt or last.ckpt.")
    if sum(tensor.numel() * tensor.element_size() for tensor in weights.values()) > path.stat().st_size:
        raise CheckpointError(f"{path}: its weights are larger than the file. Copy it again from its run.")
    if not _is_average(content):
        raise CheckpointError(
            f"{path}: its average and its trained weights are not of one network. Copy it again from its run."
        )
    return content, most


def _is_average(content: Mapping[str, Any]) -> bool:
    """Whether a second set of weights, if there is one, has the form of the first, and a count of steps."""
    if TRAINED not in content and _AVERAGE not in content:
        return True
    trained, weights = content.get(TRAINED), content["state_dict"]
    return (
        isinstance(content.get(_AVERAGE), dict)
        and isinstance(trained, dict)
        and trained.keys() == weights.keys()
        and all(_is_weight(*item) and item[1].shape == weights[item[0]].shape for item in trained.items())
    )


def _is_weight(name: Any, value: Any) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and not value.is_quantized
    )


def _check_record(path: Path, record: dict[str, Any], most: int) -> None:
    """Refuse a record that no run writes; `most` is how many values the file can hold without repeats."""
    try:
        check_plain(record, most)
        if strangers := sorted({*_FIELDS, "format", "digest"} ^ set(record)):
            how = "not known" if strangers[0] in record else "missing"
            raise BadRecord(f"the field {strangers[0]!r} of its record is {how}")
        check_record(record)
    except BadRecord as error:
        raise CheckpointError(
            f"{path}: {error}. No run of this project wrote this; copy the file again, or train anew."
        ) from error
    except ForbiddenTarget as error:
        error.add_note(f"In the config of {path}")
        raise


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, Tensor) else float(value)
