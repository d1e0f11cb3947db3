"""Settings of a study and the digest of its data, stored in it and compared when it goes on."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
from optuna.trial import TrialState

from datamodules.splits.partition import Split
from engine.config.compose import ConfigError
from engine.config.differences import canonical_json, differences, moved, without_places
from engine.config.short_keys import SHORT
from engine.runs.atomic_write import put
from engine.sweeping.space import Space

_log = logging.getLogger(__name__)

_NAME = "euthymia_settings"
_PIECE = 900  # characters: some storages of Optuna take no longer values
_DATA = "euthymia_data"
_HOME = "euthymia_home"
_MARK = ".study_id"
_OF_EACH_TRIAL = ("resume", "ckpt_path")
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


def study_settings(config: Mapping[str, Any], space: Space, *, sampler: Mapping[str, Any]) -> dict[str, Any]:
    """The settings under which values of trials compare, and what is searched and how, as plain values.

    Args:
        config: Plain config of one trial.
        space: What is searched.
        sampler: Settings of the sampler.
    """
    kept = {name: value for name, value in moved(config, "run").items() if name not in _OF_EACH_TRIAL}
    return {"config": kept, "space": dict(space.written), "sampler": dict(sampler)}


def check_settings_of(study: optuna.Study, settings: dict[str, Any]) -> None:
    """Store the settings in a study without values; compare them with those of a study that goes on.

    A trial that is running will have a value. The ranges may change, and the log says so: a value found in
    another range is still the same measure. Of a grid they may not: its points are counted.

    Raises:
        ConfigError: Its trials were trained with other settings.
    """
    kept = _read(study)
    valued = any(trial.state in (*_ENDED, TrialState.RUNNING) for trial in study.get_trials(deepcopy=False))
    if kept is None or not valued:  # trials that failed were tried with what is mended now
        for name in [name for name in study.user_attrs if name.startswith(_DATA)]:
            study.set_user_attr(name, "")
        _write(study, settings)
        return
    searched = {_long(name) for side in (kept, settings) for name in side["space"]}
    found = differences(kept["config"], settings["config"])
    found = [line for line in found if line.partition(":")[0] not in searched]
    longest = [side["config"].get("trainer", {}).get("max_epochs") for side in (kept, settings)]
    if longest[0] != longest[1] and "trainer.max_epochs" not in searched:
        found.append(f"trainer.max_epochs: {longest[0]} there, {longest[1]} here")
    old, new = kept["space"], settings["space"]
    moved = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    ranges = [f"{name}: {old.get(name)} there, {new.get(name)} here" for name in moved]
    counted = settings["sampler"].get("_target_", "").endswith(".GridPoints")
    if counted or "seed" in moved:  # the mean over other seeds is another measure
        found += [line for line in ranges if counted or line.startswith("seed:")]
    if found:
        raise ConfigError(
            f"study {study.study_name}: its trials were made with other settings: "
            f"{'; '.join(dict.fromkeys(found))}. Their values do not compare. Give the settings that it had, "
            "or begin another study with study=..."
        )
    if ranges:
        _log.warning("study %s goes on in other ranges: %s", study.study_name, "; ".join(ranges))
    if kept["sampler"] != settings["sampler"]:
        _log.warning("study %s goes on with another sampler", study.study_name)
    if ranges or kept["sampler"] != settings["sampler"]:
        _write(study, settings | {"config": kept["config"]})


def check_home(study: optuna.Study, folder: Path) -> None:
    """A study has one folder, in which its trials lie: a file there and the database know each other.

    A folder that was moved as a whole keeps its study.

    Raises:
        ConfigError: The trials of the study lie in another folder.
    """
    mark, home = folder / _MARK, study.user_attrs.get(_HOME)
    if not home:
        home = {"id": uuid4().hex, "folder": str(folder.resolve())}
        study.set_user_attr(_HOME, home)
        put(mark, home["id"].encode())
    # read anew: of two folders that begin a study at the same time one holds it
    home = study.user_attrs[_HOME]
    if not mark.is_file() or mark.read_text(encoding="utf-8") != home["id"]:
        raise ConfigError(
            f"study {study.study_name}: its trials lie in {home['folder']}, and this folder is {folder}. "
            f"Give hydra.run.dir={home['folder']}, or begin another study with study=..."
        )


def check_validated(study: optuna.Study, seed: int, splits: Sequence[Split]) -> None:
    """Hold the recordings that a trial validates against those of the trials before it, seed by seed.

    Raises:
        ConfigError: They are others, so that the values do not compare.
    """
    parts = [sorted(split.val) for split in splits]
    found = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    name = f"{_DATA}_validated_{seed}"
    kept = study.user_attrs.get(name)
    if not kept:
        study.set_user_attr(name, found)
        kept = study.user_attrs[name]
    if kept != found:
        raise ConfigError(
            f"study {study.study_name}: this trial would validate other recordings than those before it, so "
            "that values do not compare: the easiest recordings would win. Search no setting that changes "
            "the table or the split"
        )


def check_data_of(study: optuna.Study, manifest: Mapping[str, Any], digest: str) -> None:
    """Keep the digest of the data of a study's first trial; hold that of each later one against it.

    Args:
        study: The trial's.
        manifest: The settings `data.manifest` of the trial; others have data of their own.
        digest: Of the manifest that was read.

    Raises:
        ConfigError: Trials before it were trained on other data.
    """
    space = (_read(study) or {"space": {}})["space"]
    places = any(name.lstrip("+").rpartition(".")[2] in ("root", "path", "data") for name in space)
    settings = canonical_json(manifest if places else without_places(manifest))
    name = f"{_DATA}_{hashlib.sha256(settings.encode()).hexdigest()[:16]}"
    kept = study.user_attrs.get(name)
    if not kept:
        study.set_user_attr(name, digest)
    elif kept != digest:
        raise ConfigError(
            f"study {study.study_name}: its trials were trained on other data: the recordings or labels of "
            f"data.manifest had the digest {kept[:12]} there and have {digest[:12]} here, so that values do "
            "not compare. Restore the table and the files below paths.data or data.root, or begin another "
            "study with study=..."
        )


def _long(name: str) -> str:
    name = name.lstrip("+")
    return SHORT["train"].get(name, name)


def _read(study: optuna.Study) -> dict[str, Any] | None:
    attributes = study.user_attrs
    count = attributes.get(_NAME, 0)
    try:
        kept: dict[str, Any] = json.loads("".join(attributes[f"{_NAME}_{n}"] for n in range(count)))
    except (KeyError, TypeError, ValueError):
        return None
    return kept


def _write(study: optuna.Study, settings: dict[str, Any]) -> None:
    text = json.dumps(settings)
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    for index, piece in enumerate(pieces):
        study.set_user_attr(f"{_NAME}_{index}", piece)
    study.set_user_attr(_NAME, len(pieces))
