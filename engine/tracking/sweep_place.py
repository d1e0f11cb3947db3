"""Where a run stands among others: a fold of one, a job of a sweep, or by itself."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

_SWEEP = "multirun.yaml"  # Hydra writes it into the folder of a sweep before the first job begins
_STUDY = ".study.lock"  # in the folder of a study of sweep.py, whose trials may have a run a seed


def place_of(folder: Path, config: Mapping[str, Any], *, whole: Path | None) -> tuple[str, str, str | None]:
    """Name, kind and group of a run, see `RunFacts`.

    A group is the experiment with a digest of the folder that its runs share: equal for all of them, and no
    path.

    Args:
        folder: Of the run.
        config: Its config, plain.
        whole: Folder of the run that this one is a fold of.
    """
    name = str(config["experiment_name"])
    if whole is not None:
        fold = folder.relative_to(whole).as_posix().replace("/", " ")
        return f"{name} {fold}", "fold", _group(name, whole)
    study = next((above for above in list(folder.parents)[:2] if (above / _STUDY).is_file()), None)
    if study is not None:
        job = folder.relative_to(study).as_posix().replace("/", " ").replace("_", " ")
        return f"{name} trial {job}", "trial", _group(name, study)
    if not (folder.parent / _SWEEP).is_file():
        return name, "run", None
    seeds = _swept(OmegaConf.load(folder.parent / _SWEEP)) == {"seed"}
    job = f"seed {config['seed']}" if seeds else f"trial {folder.name}"
    return f"{name} {job}", "seed" if seeds else "trial", _group(name, folder.parent)


def _group(name: str, folder: Path) -> str:
    return f"{name}-{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]}"


def _swept(sweep: Any) -> set[str]:
    """The keys that the jobs of a sweep differ in."""
    hydra = sweep.hydra
    given = [f"{name}={value}" for name, value in (hydra.sweeper.get("params") or {}).items()]
    parsed = OverridesParser.create().parse_overrides([*given, *map(str, hydra.overrides.task)])
    latest = {one.get_key_element(): one for one in parsed}
    return {name for name, one in latest.items() if one.is_sweep_override()}
