"""Resolve Hydra's config into one plain dict, check its keys, hash it, and compare it with another run's."""

import difflib
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError, InterpolationToMissingValueError, MissingMandatoryValue

TRAIN_KEYS = frozenset(
    {
        "experiment_name",
        "seed",
        "ckpt_path",
        "resume",
        "init_from",
        "accept_leaks",
        "find_lr",
        "selection",
        "evaluation",
        "compile",
        "width",
        "data",
        "protocol",
        "train_filter",
        "model",
        "trainer",
        "callbacks",
        "logger",
        "paths",
        "trust",
    }
)
"""Root keys of a training config. A test holds this set against `conf/train.yaml`."""

EVAL_KEYS = frozenset(
    {
        "ckpt_path",
        "manifest",
        "accept_leaks",
        "audit",
        "attribution",
        "trainer",
        "evaluation",
        "num_workers",
        "paths",
        "trust",
    }
)
"""Root keys of `conf/eval.yaml`."""

PREDICT_KEYS = frozenset({"ckpt_path", "input", "trainer", "num_workers", "paths", "trust"})
"""Root keys of `conf/predict.yaml`."""

ANALYZE_KEYS = frozenset(
    {"seed", "data", "protocol", "train_filter", "accept_leaks", "analysis", "evaluation", "paths", "trust"}
)
"""Root keys of `conf/analyze.yaml`."""

_NOT_HASHED = (
    "paths",
    "ckpt_path",
    "resume",
    "logger",
    "trust",
)  # they say nothing about what a run computes


class ConfigError(ValueError):
    """A config that cannot be run as it stands."""


def plain_config(config: DictConfig, *, keys: Collection[str]) -> dict[str, Any]:
    """Resolve a composed config into nested dicts and lists of plain values.

    Args:
        config: What Hydra composed.
        keys: The root keys that exist. Hydra checks an override on the command line against the composed
            tree, but takes any key that an experiment file adds, so a misspelt one there would otherwise do
            nothing.

    Raises:
        ConfigError: A root key is unknown (its nearest known name is suggested), or a mandatory value is
            missing.
    """
    check_keys([str(key) for key in config], keys)
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except (MissingMandatoryValue, InterpolationToMissingValueError) as error:
        key = error.full_key or "A mandatory key"
        raise ConfigError(f"{key} has no value. Give it on the command line: {key}=...") from error
    except InterpolationKeyError as error:
        why = str(error).splitlines()[0]
        raise ConfigError(
            f"{error.full_key}: {why}. Choose a data= and a model= of the same kind, series or pixels."
        ) from error
    return without_cohort(plain)


def without_cohort(plain: Any) -> dict[str, Any]:
    """Drop `data.cohort`: it is where settings are given, and `data.manifest` holds a resolved copy of it.

    Raises:
        ConfigError: It holds settings, but `data.manifest` is not made of them.
    """
    assert isinstance(plain, dict)
    kept = {str(key): value for key, value in plain.items()}
    if isinstance(data := kept.get("data"), dict) and "cohort" in data:
        kept["data"] = {key: value for key, value in data.items() if key != "cohort"}
        if canonical_json(data["cohort"]) not in canonical_json(kept["data"]):
            raise ConfigError(f"data.cohort={data['cohort']}: nothing reads it. Choose another data=.")
    return kept


def check_keys(found: Collection[str], known: Collection[str]) -> None:
    """Refuse root keys that nothing reads.

    Raises:
        ConfigError: Names each stranger and the nearest known key.
    """
    for key in found:
        if key not in known:
            nearest = difflib.get_close_matches(key, sorted(known), n=1)
            hint = f"Did you mean {nearest[0]!r}?" if nearest else f"Known keys: {', '.join(sorted(known))}."
            raise ConfigError(f"Unknown key {key!r} at the root of the config: nothing reads it. {hint}")


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
    content["data"] = _without(content.get("data"), _WORKERS)
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()


_WORKERS = ("num_workers", "workers")  # who reads and draws: the result does not depend on it
_ANYWHERE = ("root", "path", "workers")  # of a manifest: where recordings lie and who makes them
_FREE = (
    "data.module.num_workers",
    "data.root",  # where the data lie; that they are the same is checked by their digest
    "data.path",
    *(f"trainer.{name}" for name in ("devices", "num_nodes", "accelerator", "strategy")),
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
    return _without(manifest, _ANYWHERE)


def _without(node: Any, names: Collection[str]) -> Any:
    if isinstance(node, Mapping):
        return {name: _without(value, names) for name, value in node.items() if name not in names}
    return [_without(value, names) for value in node] if isinstance(node, list | tuple) else node


def _flat(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _flat(value, f"{prefix}{key}.")
    elif not (prefix.startswith("trainer.strategy") or node in (None, {}, [])):
        yield prefix[:-1], node
