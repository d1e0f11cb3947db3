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
# what is meant, most likely, where its folder is given
_INSIDE = {
    "ckpt_path": ("checkpoints/best.ckpt", "best.ckpt"),
    "exported": ("export/*.zip", "*.zip"),
    "manifest": ("manifest.csv",),
    "history": ("manifest.csv",),
}


def check_given_paths(config: Mapping[str, Any]) -> None:
    """Refuse a command whose files are not there, or are no files.

    Args:
        config: Plain, of a command that reads a checkpoint.

    Raises:
        ConfigError: Names the setting, its value and what to give.
    """
    for name, remedy in _REMEDIES.items():
        value = config.get(name)
        if value is None:
            if _is_needed(name, config):
                raise ConfigError(f"{name}=null: this command needs one. {remedy}.")
        elif fault := _fault(name, value):
            raise ConfigError(f"{name}={value}: {fault}. {remedy}{_meant(name, value)}.")


def _is_needed(name: str, config: Mapping[str, Any]) -> bool:
    """Whether a command goes nowhere without this setting; a bundle stands for a checkpoint."""
    return name in config and (name == "input" or (name == "ckpt_path" and config.get("exported") is None))


def _fault(name: str, value: Any) -> str:
    """What is wrong with a value as a path; empty where nothing is."""
    if isinstance(value, list | tuple | dict):
        return "give one path, this is a list" if not isinstance(value, dict) else "give one path, no mapping"
    if not isinstance(value, str):
        return "give one path, this is no text (a file of such a name is written ./<name>)"
    if not value:
        return "is empty, give one path"
    if not Path(value).exists():
        home = " (~ is not read as your home folder here: write the whole path)"
        return f"no such file{home if value.startswith('~') else ''}"
    return "is a folder" if name in _INSIDE and Path(value).is_dir() else ""


def _meant(name: str, value: Any) -> str:
    """The file that a folder holds of the kind that is asked for, as an end of the remedy."""
    if not isinstance(value, str) or not value or name not in _INSIDE:
        return ""
    found = [path for pattern in _INSIDE[name] for path in sorted(Path(value).glob(pattern))]
    return f": {name}={found[0]}" if found else ""
