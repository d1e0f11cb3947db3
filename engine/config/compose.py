"""Resolve Hydra's config into one plain dict, and refuse keys that nothing reads."""

import difflib
from collections.abc import Collection
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
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


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
