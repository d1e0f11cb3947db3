"""The config inside a checkpoint: which part of a run's config is written, and what is accepted on reading.

Built again are the network, the objective, the loader and, below the user's own folder, the cohort. Trainer,
callbacks, loggers, optimizer and protocol are kept for reading, with `target` in the place of `_target_`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from math import inf, isfinite
from pathlib import Path
from typing import Any

from engine.config.allowlist import CHECKPOINT, COHORTS, LOADERS, NETWORKS, PARTIAL
from engine.config.differences import canonical_json, edited, without_places
from engine.config.signatures import Misfit, check_call
from engine.config.targets import ForbiddenTarget, is_trusted, leaves, trust_advice
from engine.config.value_ranges import Rule, or_null, real, whole

PATHS = ("root", "path")
"""Arguments of a manifest that are paths."""

_LEFT_OUT = ("paths", "trust")  # of the machine and of the command, not of the run
_UNBUILT = ("callbacks", "logger", "protocol", "train_filter", "trainer")
_UNBUILT_MODEL = ("optimizer", "scheduler")
_SPECIAL = ("_args_", "_convert_", "_recursive_", "_mode_", "_call_")
_PLACES = {"model": NETWORKS, "data.module": LOADERS, "data.manifest": COHORTS}
_BATCH = 2**34  # bytes of a batch of evaluation, some hundred times the largest of conf/: our choice

_TEXT = Rule(lambda value: isinstance(value, str), "text")
_NODE = Rule(lambda value: isinstance(value, dict), "a dict")
_BUILT = Rule(lambda value: isinstance(value, dict) and "_target_" in value, "a dict with a _target_")
_NUMBER = Rule(real(-inf).holds, "a finite number")
_SEED = whole(0, 2**32 - 1)
_FORM: dict[str, Rule] = {
    "experiment_name": _TEXT,
    "seed": _SEED,
    "init_from": or_null(_TEXT, "random weights"),
    "accept_leaks": Rule(
        lambda value: (
            value is None or (isinstance(value, list) and all(isinstance(one, str) for one in value))
        ),
        "a list of names, or null",
    ),
    "trainer": _NODE,
    "model": _BUILT,
    "data.module": _BUILT,
    "data.module.source": _NODE,
    "data.module.eval_clips": _NODE,
    "data.manifest": _BUILT,
    "data.scale.name": _TEXT,
    "data.scale.low": _NUMBER,
    "data.scale.high": _NUMBER,
    "evaluation.aggregate": Rule(
        lambda value: value in ("mean", "median", "trimmed"), "mean, median or trimmed"
    ),
    "evaluation.n_boot": whole(0, 1_000_000),  # each costs time: our choice
    "evaluation.seed": _SEED,
    "evaluation.filmstrips": whole(0, 1000),  # our choice
}
"""What every recorded config has, and what code reads of it without building anything."""


class BadRecord(ValueError):
    """A record in a checkpoint that no run could have written."""


def recorded(config: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a run's config that goes into its checkpoints; paths to its data become absolute."""
    kept = {name: value for name, value in config.items() if name not in _LEFT_OUT}
    kept |= {name: _unbuilt(kept[name]) for name in _UNBUILT if name in kept}
    if isinstance(model := kept.get("model"), Mapping):
        kept["model"] = without_downloads(
            {**model, **{name: _unbuilt(model[name]) for name in _UNBUILT_MODEL if name in model}}
        )
    if isinstance(data := kept.get("data"), Mapping) and "manifest" in data:
        kept["data"] = {**data, "manifest": edited(data["manifest"], _absolute)}
    return kept


def origin(manifest: Any, data_digest: str) -> str:
    """SHA-256 that ties what a run's recordings are made of to what they were, by `data.manifest` and digest.

    Recordings of other settings are then known before they are made; the digest is only known afterwards.
    """
    return hashlib.sha256(f"{canonical_json(without_places(manifest))}|{data_digest}".encode()).hexdigest()


def without_downloads(node: Any) -> Any:
    """The config of a model that begins at random: building it opens no file of weights and fetches none.

    Its weights are in the checkpoint; which ones it began with is in the record, see
    `RunCheckpoint.pretrained`.
    """
    return edited(node, _at_random)


def check_recorded(config: Any) -> None:
    """Refuse a config that asks for more than a network, its loader and its cohort, built from plain data.

    Args:
        config: Of a checkpoint, as it was read.

    Raises:
        ForbiddenTarget: A target that a checkpoint may not name, or one that is called in another way than by
            the plain values that its signature asks for; says which.
        BadRecord: A part is missing or of another kind.
    """
    for key, value in leaves(config):
        if key.rpartition(".")[2] == "_target_":
            _check_place(key, value)
    _check_parts(config)
    for key, node in _nodes(config, ""):
        _check_node(key, node)
    for key, value in leaves(config):
        if isinstance(value, float) and not isfinite(value):
            raise BadRecord(f"config.{key} is {value}, no finite number")
    _check_batch(config["data"]["module"])


def _check_place(key: str, target: Any) -> None:
    listed = next((names for place, names in _PLACES.items() if key.startswith(f"{place}.")), frozenset())
    if not isinstance(target, str) or not (target in listed or (listed and is_trusted(target))):
        known = isinstance(target, str) and target in CHECKPOINT
        why = "which is only for another part of it" if known else "which is not on its list"
        raise ForbiddenTarget(
            f"{key}: a checkpoint may not name {target!r:.200} here, {why} (engine/config/allowlist.py). "
            f"{trust_advice(target)}"
        )


def _check_node(key: str, node: Mapping[str, Any]) -> None:
    if is_trusted(target := node["_target_"]):
        return
    injected = _UNBUILT_MODEL if key == "model" else ()  # null for whoever does not train
    given = {name: value for name, value in node.items() if name not in ("_target_", "_partial_", *injected)}
    if special := sorted(name for name in given if name in _SPECIAL or name.startswith("_")):
        raise ForbiddenTarget(
            f"{key}.{special[0]}: a checkpoint gives {target} plain arguments by name only."
        )
    partial = node.get("_partial_", False)
    if partial is not False and (partial is not True or target not in PARTIAL):
        raise ForbiddenTarget(f"{key}._partial_: a checkpoint may not ask for {target} in parts.")
    try:
        check_call(target, given, injected=injected, partial=bool(partial))
    except Misfit as error:
        raise ForbiddenTarget(f"{key}.{error}") from error


def _check_parts(config: Any) -> None:
    if not isinstance(config, dict):
        raise BadRecord(f"its config is no dict but {type(config).__name__}")
    for key, rule in _FORM.items():
        value: Any = {"trainer": {}, **config}
        for name in key.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if not rule.holds(value):
            raise BadRecord(f"config.{key} is {value!r:.80}: it must be {rule.says}")
    if not config["data"]["scale"]["low"] < config["data"]["scale"]["high"]:
        raise BadRecord(f"config.data.scale is {config['data']['scale']!r:.120}: low must be below high")


def _check_batch(module: Mapping[str, Any]) -> None:
    """Bound the memory of clips: so many of such a length, of so many pixels or channels."""
    clips, source = module["eval_clips"], module["source"]
    if is_trusted(clips["_target_"]) or is_trusted(source["_target_"]):
        return
    video = source.get("video") or {}
    values = 3 * video.get("height", 1) * video.get("width", 1) * len(source.get("channels") or [1])
    count = max(module.get("max_eval_clips", 1), clips.get("clips", 1))
    if (asked := 4 * values * count * clips["length"]) > _BATCH:
        raise BadRecord(f"config.data.module asks for {asked} bytes a batch")


def _nodes(node: Any, key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every dict with a `_target_`, with its key."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield key, node
        for name, child in node.items():
            yield from _nodes(child, f"{key}.{name}" if key else name)
    elif isinstance(node, list | tuple):
        for index, child in enumerate(node):
            yield from _nodes(child, f"{key}[{index}]")


def _unbuilt(node: Any) -> Any:
    """The node as a remark: nothing in it is built any more."""
    return edited(node, lambda name, value: ("target" if name == "_target_" else name, value))


def _at_random(name: str, value: Any) -> tuple[str, Any]:
    if name in ("weights", "weights_sha256") and isinstance(value, str):
        return name, None
    return name, False if name == "pretrained" else value  # of classes of others


def _absolute(name: str, value: Any) -> tuple[str, Any]:
    return name, str(Path(value).absolute()) if name in PATHS and isinstance(value, str) else value
