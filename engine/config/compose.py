"""Resolve Hydra's config into one plain dict, and refuse keys that nothing reads."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationKeyError, InterpolationToMissingValueError, MissingMandatoryValue

from datamodules.wording import nearest
from engine.config.choices import options, root_config, root_groups
from engine.config.short_keys import placed
from engine.config.source_code import arguments
from engine.config.unknown_keys import right_word

# what the commands read of nodes that are no class; further keys are names for interpolations
_READ: dict[str, tuple[str, ...]] = {
    "analysis": ("name", "title", "notes", "channels", "extractors", "phase", "steps"),
    "data": ("manifest", "module", "scale", "channels", "places"),
    "data.scale": ("name", "low", "high", "bands"),
    "evaluation": ("aggregate", "n_boot", "seed", "lines", "test", "filmstrips", "cluster"),
    "paths": ("output", "data"),
    "selection": ("monitor", "mode"),
}
_NO_NODES = ("hydra", "experiment", "sweep", "debug")  # of groups that write to the root
_HYDRA = ("_target_", "_partial_", "_args_", "_convert_", "_recursive_")


class ConfigError(ValueError):
    """A config that cannot be run as it stands."""


def root_keys(command: str) -> frozenset[str]:
    """The root keys of a command: those that `conf/<command>.yaml` has, and the groups it is composed of."""
    groups = (name.partition("/")[0] for name in root_groups(command))
    return frozenset({*map(str, root_config(command)), *groups} - {"defaults", *_NO_NODES})


def plain_config(config: DictConfig, *, keys: Collection[str]) -> dict[str, Any]:
    """Resolve a composed config into nested dicts and lists of plain values, short keys in their places.

    Args:
        config: What Hydra composed.
        keys: The root keys that exist, see `root_keys`. Hydra checks an override on the command line against
            the composed tree, but takes any key that an experiment file or a `+` adds, so a misspelt one
            there would otherwise do nothing, or be refused by its class after minutes.

    Raises:
        ConfigError: A key is one that nothing reads (its nearest known name is suggested), or a mandatory
            value is missing.
        ShortKeyError: A short key contradicts its long one, or has no place in this config.
    """
    command = "train" if "epochs" in keys else ""  # words of training mean nothing elsewhere
    for key in map(str, config):
        if key not in keys:
            answer = right_word(key, "", command=command)
            raise ConfigError(answer or _unknown(key, "at the root of the config", sorted(keys)))
    config = placed(config, keys=keys)
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except (MissingMandatoryValue, InterpolationToMissingValueError) as error:
        key = error.full_key or "A mandatory key"
        known = f", one of {', '.join(options(key))}" if options(key) else ""
        raise ConfigError(f"{key} has no value. Give it on the command line: {key}=...{known}") from error
    except InterpolationKeyError as error:
        why = str(error).splitlines()[0]
        raise ConfigError(
            f"{error.full_key}: {why}. Choose a data= and a model= (or model/trunk=) of the same "
            "kind, pixels or series."
        ) from error
    assert isinstance(plain, dict)
    _check_known(plain, "", command=command, interpolated=str(OmegaConf.to_container(config)))
    return without_cohort(plain)


def without_cohort(plain: Any) -> dict[str, Any]:
    """Drop `data.cohort`: it is where settings are given, and `data.manifest` holds a resolved copy of it.

    Raises:
        ConfigError: It holds settings, but `data.manifest` is not made of them.
    """
    kept = {str(key): value for key, value in plain.items()}
    if isinstance(data := kept.get("data"), dict) and "cohort" in data:
        kept["data"] = {key: value for key, value in data.items() if key != "cohort"}
        if not _holds(kept["data"], data["cohort"]):
            raise ConfigError(f"data.cohort={data['cohort']}: nothing reads it. Choose another data=.")
    return kept


def _holds(node: Any, part: Any) -> bool:
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return bool(node == part) or any(_holds(child, part) for child in children)


def with_value(config: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The config with another value of a dotted key, such as `model.optimizer.lr`."""
    first, _, rest = key.partition(".")
    return dict(config) | {first: with_value(config[first], rest, value) if rest else value}


def _check_known(node: Any, key: str, *, command: str, interpolated: str) -> None:
    """Refuse keys below the root that neither a command, nor a class, nor an interpolation reads."""
    if isinstance(node, list):
        for index, child in enumerate(node):
            _check_known(child, f"{key}[{index}]", command=command, interpolated=interpolated)
    if not isinstance(node, Mapping):
        return
    target = node.get("_target_")
    known, place = _READ.get(key), f"of `{key}`"
    if isinstance(target, str):
        known, place = arguments(target), f"of {target}"
    for name, child in node.items():
        path = f"{key}.{name}".lstrip(".")
        named = rf"\$\{{({re.escape(key)}|\.*)\.{re.escape(name)}\b"  # by an interpolation, full or relative
        special = name in _HYDRA or re.search(named, interpolated)
        if known is not None and name not in known and not special:
            there = [other for other in node if other in known]
            answer = right_word(path, "", command=command)
            raise ConfigError(answer or _unknown(path, place, known, likely=there))
        _check_known(child, path, command=command, interpolated=interpolated)


def _unknown(key: str, place: str, known: Collection[str], *, likely: Collection[str] = ()) -> str:
    name = key.rpartition(".")[2]
    hint = nearest(name, likely) or nearest(name, known) or f". Known keys: {', '.join(known)}."
    return f"Unknown key {key!r} {place}: nothing reads it{hint}"
