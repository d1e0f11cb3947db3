"""One file that a checkpoint needs: weights, config, statistics, split, calibration and a digest over them.

`eval.py` and `predict.py` rebuild everything from it. It loads with `weights_only=True`, so no code travels
in it; the config it carries names callables, which is why that is checked against the allow-list before
anything is built. The digest finds damage and edits made in passing. It is no signature: who rewrites a file
on purpose can rewrite its digest, and what such a file can make this program build is bounded by the
allow-list alone.
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.compose import canonical_json
from engine.targets import check_targets

KEY = "euthymia"
FORMAT = 1
_FIELDS = {"format", "config", "statistics", "data_digest", "split", "calibration", "seen", "digest"}


class CheckpointError(ValueError):
    """A checkpoint that is damaged, altered, or not one of this project."""


@dataclass(frozen=True)
class RunCheckpoint:
    """What a checkpoint holds, verified.

    Attributes:
        path: The file.
        config: Resolved config of the run, plain.
        statistics: What the network was standardized with; plain lists and numbers.
        data_digest: Digest of the manifest the run read.
        split: `name`, and the recording ids of `train`, `val` and `test`.
        calibration: Targets and predictions of the validation recordings, without ids: what decision
            thresholds and intervals are learned from. Empty before the run has ended.
        seen: Digests of persons and files that trained or selected; see `engine.seen`.
        state_dict: Weights of the task.
    """

    path: Path
    config: dict[str, Any]
    statistics: dict[str, Any]
    data_digest: str
    split: dict[str, Any]
    calibration: dict[str, list[float]]
    seen: dict[str, Any]
    state_dict: dict[str, Tensor]


def new_record(
    *,
    config: Mapping[str, Any],
    statistics: Mapping[str, Any],
    data_digest: str,
    split: Mapping[str, Any],
    seen: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a run puts into its checkpoints besides the weights: plain values only."""
    return {
        "format": FORMAT,
        "config": dict(config),
        "statistics": {name: _plain(value) for name, value in statistics.items()},
        "data_digest": data_digest,
        "split": {name: list(part) if isinstance(part, tuple) else part for name, part in split.items()},
        "calibration": {},
        "seen": dict(seen or {}),
    }


def seal(state_dict: Mapping[str, Tensor], record: Mapping[str, Any]) -> dict[str, Any]:
    """The record with the digest over it and the weights."""
    return dict(record) | {"digest": digest(state_dict, record)}


def load_checkpoint(path: str | Path) -> RunCheckpoint:
    """Read and verify a checkpoint, on the CPU, without importing or calling anything its config names.

    Raises:
        CheckpointError: The file is missing, is no checkpoint of this project, needs more than
            `weights_only=True`, or does not match its digest.
        ForbiddenTarget: Its config names a callable outside the allow-list.
    """
    path = Path(path)
    content = _read(path)
    record = content.get(KEY)
    if not isinstance(record, dict) or set(record) != _FIELDS:
        raise CheckpointError(f"{path}: no checkpoint of this project. Train one with train.py.")
    if record.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: checkpoint format {record.get('format')!r}, but this version reads {FORMAT}. "
            "Check out the commit named in its run's manifest.json."
        )
    check_targets(record["config"])
    if record.get("digest") != digest(content["state_dict"], record):
        raise CheckpointError(
            f"{path}: the digest does not match weights and config: the file was altered or damaged. "
            "Copy it again from the run that wrote it, or train anew."
        )
    return RunCheckpoint(
        path=path,
        config=record["config"],
        statistics=record["statistics"],
        data_digest=record["data_digest"],
        split=record["split"],
        calibration=record["calibration"],
        seen=record["seen"],
        state_dict=content["state_dict"],
    )


def add_calibration(path: str | Path, calibration: Mapping[str, Sequence[float]]) -> None:
    """Write what validation taught into a finished checkpoint, with a new digest, in one step.

    Raises:
        CheckpointError: See `load_checkpoint`.
    """
    path = Path(path)
    load_checkpoint(path)
    content = _read(path)
    plain = {name: [float(value) for value in values] for name, values in calibration.items()}
    record = content[KEY] | {"calibration": plain}
    content[KEY] = seal(content["state_dict"], record)
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


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise CheckpointError(f"{path}: no such file. Give the path of a best.ckpt or last.ckpt.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that are no pickle make the unpickler stumble in any way there is
        raise CheckpointError(
            f"{path}: cannot be read as plain weights ({type(error).__name__}). It is damaged, or holds "
            "code, which is never loaded. Copy it again from the run that wrote it."
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("state_dict"), dict):
        raise CheckpointError(f"{path}: holds no weights. Give the path of a best.ckpt or last.ckpt.")
    return content


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, Tensor) else float(value)
