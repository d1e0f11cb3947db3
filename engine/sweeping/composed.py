"""The config of one run of a trial, composed as `train.py` composes it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose
from hydra.errors import HydraException

from engine.config.compose import ConfigError, plain_config, root_keys, with_value
from engine.config.user_errors import message
from engine.sweeping.space import Space


def run_config(overrides: Sequence[str], *, output: Path, test: bool) -> dict[str, Any]:
    """The plain config of a training.

    Args:
        overrides: Of `conf/train.yaml`.
        output: Folder of the run.
        test: Whether it reads its test part.

    Raises:
        ConfigError: It cannot be composed, or a key is unknown.
    """
    try:
        config = compose("train", overrides=list(overrides))
    except HydraException as error:
        raise ConfigError(message(error, command="train")) from error
    config.paths.output = str(output)
    return with_value(plain_config(config, keys=root_keys("train")), "evaluation.test", test)


def first_config(space: Space, *, output: Path) -> dict[str, Any]:
    """The config of the first point of a space: what holds for it in general is checked on this one."""
    params: Mapping[str, Any] = {
        name: space.points[name][0] if name in space.points else one.low
        for name, one in space.dimensions.items()
    }
    seed = space.seeds[0] if space.seeds else None
    return run_config(space.overrides(params, seed=seed), output=output, test=False)
