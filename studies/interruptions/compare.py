"""Bitwise comparison of two runs: weights, optimizer, curves, predictions and numbers."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.checkpoints.checkpoint import KEY

_TEXTS = ("history.csv", "metrics.json", "predictions.csv")
_NUMBERS = (
    *("found_lr", "test_looks", "objective", "skipped", "status", "data_digest", "splits"),
    *("chosen", "warmup_epochs", "weights"),
)
_PARTS = (
    *("state_dict", "current_model_state", "averaging_state", "optimizer_states", "lr_schedulers"),
    *("loops", "epoch", "global_step"),
)


def different(whole: Path, resumed: Path) -> list[str]:
    """What differs between an uninterrupted run and one that went on; empty if nothing does."""
    faults = []
    for name in _TEXTS:
        if not (resumed / name).is_file():
            faults.append(f"{name} is missing")
        elif (whole / name).read_bytes() != (resumed / name).read_bytes():
            faults.append(name)
    if not (resumed / "report.html").is_file():
        faults.append("report.html is missing")
    records = [json.loads((folder / "manifest.json").read_text()) for folder in (whole, resumed)]
    faults += [f"manifest.json: {name}" for name in _NUMBERS if records[0].get(name) != records[1].get(name)]
    for name in ("best.ckpt", "last.ckpt"):
        paths = [folder / "checkpoints" / name for folder in (whole, resumed)]
        if not paths[1].is_file():
            faults.append(f"{name} is missing")
            continue
        first, second = (torch.load(path, map_location="cpu", weights_only=True) for path in paths)
        faults += [f"{name}: {part}" for part in _PARTS if not same(first.get(part), second.get(part))]
        kept = ("statistics", "split", "calibration", "data_digest")
        faults += [f"{name}: {part}" for part in kept if not same(first[KEY][part], second[KEY][part])]
        scores = [_callbacks(content) for content in (first, second)]
        faults += [f"{name}: callbacks"] if not same(*scores) else []
    return faults


def same(first: Any, second: Any) -> bool:
    """Whether two nested structures of tensors and plain values are equal, bit by bit."""
    if isinstance(first, Tensor) or isinstance(second, Tensor):
        equal_kind = isinstance(first, Tensor) and isinstance(second, Tensor) and first.dtype == second.dtype
        return bool(equal_kind and torch.equal(first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second or (first != first and second != second))


def _callbacks(content: dict[str, Any]) -> Any:
    """States of the callbacks, files by their names: folders may differ."""

    def plain(node: Any) -> Any:
        if isinstance(node, dict):
            return {_name(key): plain(value) for key, value in node.items() if key != "dirpath"}
        return _name(node)

    return plain(content["callbacks"])


def _name(value: Any) -> Any:
    return Path(value).name if isinstance(value, str) and value.endswith(".ckpt") else value
