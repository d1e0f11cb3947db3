"""Short keys at the root of a config, such as `lr`, and their place: the settings changed most often.

They are null unless given, on the command line, in an experiment file or in a sweep; the long key then takes
their value and they are dropped, so that what is recorded has one name for one thing.
"""

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

SHORT: dict[str, dict[str, str]] = {
    "train": {
        "lr": "model.optimizer.lr",
        "epochs": "trainer.max_epochs",
        "workers": "data.module.num_workers",
        "batch": "data.module.subjects",
    },
    "eval": {"workers": "num_workers"},
    "predict": {"workers": "num_workers"},
}
"""The long key of each short one, by command."""

_SIZES = ("data.module.visits", "data.module.clips")  # what a step holds of each person


class ShortKeyError(ValueError):
    """A short key that contradicts its long one, or has no place in this config."""


def long_keys(keys: Collection[str]) -> Mapping[str, str]:
    """The short keys of the command whose root keys these are, with the long ones."""
    known = set(keys)
    return next((short for short in SHORT.values() if {*short, *map(_root, short.values())} <= known), {})


def _root(key: str) -> str:
    return key.partition(".")[0]


def placed(config: DictConfig, *, keys: Collection[str]) -> DictConfig:
    """The config with the values of its short keys in their places, and without the short keys.

    Args:
        config: What Hydra composed; interpolations of the long keys follow.
        keys: The root keys that exist.

    Raises:
        ShortKeyError: A long key was given on the command line with another value than its short one; `batch`
            is no multiple of what a step holds of each person; or the config has no such place.
    """
    short = long_keys(keys)
    if not any(name in config for name in short):
        return config
    config = deepcopy(config)
    OmegaConf.set_struct(config, False)
    given = {name: config.pop(name, None) for name in short}
    for name, value in given.items():
        if value is None:
            continue
        if name == "lr" and OmegaConf.select(config, "find_lr"):
            raise ShortKeyError(
                f"lr={value} and find_lr=true: the range test would replace it. Give one of them."
            )
        key = short[name]
        parent = key.rpartition(".")[0]
        if parent and not isinstance(OmegaConf.select(config, parent), DictConfig):
            raise ShortKeyError(f"{name}={value}: this config has no {parent}, so there is no {key} to set")
        wanted = _persons(config, value) if name == "batch" else value
        now = OmegaConf.select(config, key)
        if key in _overridden() and now != wanted:
            raise ShortKeyError(
                f"{name}={value} and {key}={now}: {name} is short for {key}"
                f"{f', {wanted} here' if name == 'batch' else ''}. Give one of them."
            )
        OmegaConf.update(config, key, wanted)
    return config


def _persons(config: DictConfig, batch: Any) -> int:
    """Persons in a step of so many recordings."""
    visits, clips = (OmegaConf.select(config, key) for key in _SIZES)
    each = (visits or 1) * (clips or 1) if isinstance(visits, int) and isinstance(clips, int) else 1
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ShortKeyError(f"batch={batch}: must be a whole number of recordings, a multiple of {each}")
    if batch % each:
        below = batch // each * each
        nearest = " or ".join(f"batch={size}" for size in (below, below + each) if size)
        raise ShortKeyError(
            f"batch={batch}: a step holds {visits} visits x {clips} clips of each person, so it must be a "
            f"multiple of {each}: {nearest}; or change {' or '.join(_SIZES)}"
        )
    return batch // each


def _overridden() -> set[str]:
    """Keys given on the command line or by a sweep, in a job of Hydra."""
    if not HydraConfig.initialized():
        return set()
    overrides: Sequence[str] = list(HydraConfig.get().overrides.task)
    return {override.partition("=")[0].lstrip("+") for override in overrides}
