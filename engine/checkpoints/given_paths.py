"""A look at the paths of a command line before anything heavy is imported to read them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.config.compose import ConfigError

_REMEDIES = {
    "ckpt_path": "Give the path of a best.ckpt or last.ckpt",
    "exported": "Give a bundle that export.py wrote",
    "manifest": "Give a table of recordings, .csv or .parquet",
    "input": "Give a video, a folder or a table",
    "history": "Give a table of earlier visits with their scores",
}


def check_given_paths(config: Mapping[str, Any]) -> None:
    """Refuse a command that names a file which is not there.

    Args:
        config: Plain, of a command that reads a checkpoint.

    Raises:
        ConfigError: Names the setting and the path.
    """
    for name, remedy in _REMEDIES.items():
        path = config.get(name)
        if isinstance(path, str) and not Path(path).exists():
            raise ConfigError(f"{name}={path}: no such file. {remedy}.")
