"""Hash the config of a run, and compare it with that of another run."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

# what a run computes does not depend on these
_NOT_HASHED = ("paths", "ckpt_path", "resume", "logger", "trust")


def canonical_json(value: Any) -> str:
    """JSON with one spelling per value (sorted keys, no spaces), as input of digests."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def moved(config: Mapping[str, Any], folder: Path | str) -> dict[str, Any]:
    """The same config writing to another folder: every path below `paths.output` follows it."""
    old, new = str(config["paths"]["output"]), str(folder)

    def move(node: Any) -> Any:
        if isinstance(node, Mapping):
            return {key: move(value) for key, value in node.items()}
        if isinstance(node, list):
            return [move(value) for value in node]
        if isinstance(node, str) and (node == old or node.startswith(f"{old}/")):
            return new + node[len(old) :]
        return node

    return {key: move(value) for key, value in config.items()}


def config_hash(config: Mapping[str, Any]) -> str:
    """SHA-256 of what a run computes: the config without its output paths, loggers and resume checkpoint."""
    content = {key: value for key, value in moved(config, "").items() if key not in _NOT_HASHED}
    content["data"] = edited(
        content.get("data"), lambda name, value: None if name in _WORKERS else (name, value)
    )
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


_WORKERS = ("num_workers", "workers", "timeout")  # who reads and draws: the result does not depend on it
_ANYWHERE = ("root", "path", "workers")  # of a manifest: where recordings lie and who makes them
_FREE = (
    "evaluation.test",  # a run whose test part was not read yet goes on to read it
    "data.module.num_workers",
    "data.module.timeout",
    "data.root",  # where the data lie; that they are the same is checked by their digest
    "data.path",
    *(f"trainer.{name}" for name in ("devices", "num_nodes", "accelerator", "strategy", "sync_batchnorm")),
    *(f"trainer.{name}" for name in ("default_root_dir", "enable_progress_bar", "enable_model_summary")),
    *(f"trainer.{name}" for name in ("log_every_n_steps", "profiler", "max_epochs")),
)


def differences(earlier: Mapping[str, Any], config: Mapping[str, Any]) -> list[str]:
    """What a run that goes on must not change, as `key: earlier, here` lines; empty if it may go on.

    Paths, loggers, workers and devices are free, and training may become longer, not shorter.
    """
    was, now = (dict(_flat(_comparable(side))) for side in (earlier, config))
    found = []
    for key in sorted(was.keys() | now.keys()):
        if key not in _FREE and was.get(key) != now.get(key):
            found.append(f"{key}: {was.get(key)} there, {now.get(key)} here")
    longest: list[Any] = [side.get("trainer.max_epochs") for side in (was, now)]
    if all(isinstance(epochs, int) for epochs in longest) and -1 < longest[1] < longest[0]:
        found.append(f"trainer.max_epochs: {longest[0]} there, {longest[1]} here")
    return found


def _comparable(config: Mapping[str, Any]) -> dict[str, Any]:
    content = {key: value for key, value in moved(config, "").items() if key not in _NOT_HASHED}
    if isinstance(data := content.get("data"), Mapping) and "manifest" in data:
        content["data"] = {**data, "manifest": without_places(data["manifest"])}
    return content


def without_places(manifest: Any) -> Any:
    """The settings of `data.manifest` that tell what its recordings are, not where they lie, at any depth."""
    return edited(manifest, lambda name, value: None if name in _ANYWHERE else (name, value))


def edited(node: Any, edit: Callable[[str, Any], tuple[str, Any] | None]) -> Any:
    """A copy of plain nested values; `edit` renames, replaces or, by None, drops each entry of a dict."""
    if isinstance(node, Mapping):
        kept = [edit(name, value) for name, value in node.items()]
        return {name: edited(value, edit) for name, value in filter(None, kept)}
    return [edited(value, edit) for value in node] if isinstance(node, list | tuple) else node


def _flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _flat(value, f"{prefix}{key}.")
    elif not (prefix.startswith("trainer.strategy") or node in (None, {}, [])):
        yield prefix[:-1], node
