"""The words of `preprocess.py` that do what a checkpoint's recordings went through."""

import json
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from engine.cohort.face_pipeline import PARTS
from engine.config.source_code import ROOT

_CONF = ROOT / "conf"


def preprocess_words(settings: Mapping[str, Any]) -> list[str]:
    """Overrides of `conf/preprocess.yaml` for recorded settings; what `conf` does not have is left out.

    Args:
        settings: Of a `Preprocessing`, by the names `PARTS`.
    """
    config = _read(_CONF / "preprocess.yaml")
    chosen = {
        name: option for one in config["defaults"] if isinstance(one, dict) for name, option in one.items()
    }
    words: list[str] = []
    for part in PARTS:
        recorded, default = settings.get(part), config.get(part)
        if part in chosen and isinstance(recorded, Mapping):
            option, default = _option(part, recorded.get("_target_"))
            words += [f"{part}={option}"] if option and option != chosen[part] else []
        if default is not None:
            words += _differing(part, default, recorded)
    return words


def _option(group: str, target: Any) -> tuple[str | None, Any]:
    """Name and content of the file of a group that builds the same class."""
    for path in sorted((_CONF / group).glob("*.yaml")):
        content = _read(path)
        if content.get("_target_") == target:
            return path.stem, content
    return None, None


def _differing(key: str, default: Any, recorded: Any) -> Iterator[str]:
    if isinstance(default, Mapping):
        for name in default if isinstance(recorded, Mapping) else ():
            if name != "_target_" and name in recorded:
                yield from _differing(f"{key}.{name}", default[name], recorded[name])
    elif recorded is not None and recorded != default:
        yield shlex.quote(f"{key}={json.dumps(recorded, separators=(',', ':'))}")


def _read(path: Path) -> Any:
    return OmegaConf.to_container(OmegaConf.load(path), resolve=False)
