"""Settings of an Optuna study, stored in it and compared when it is continued."""

import hashlib
import json
import logging
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import optuna
from omegaconf import DictConfig, OmegaConf, open_dict
from optuna.trial import TrialState

from engine.config.compose import ConfigError, root_keys, without_cohort
from engine.config.differences import canonical_json, differences, without_places
from engine.config.short_keys import placed

_log = logging.getLogger(__name__)

_NAME = "euthymia_settings"
_PIECE = 900  # characters: some storages of Optuna take no longer values
_DATA = "euthymia_data"
_OF_EACH_TRIAL = ("resume", "ckpt_path")
_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


def study_settings(config: DictConfig) -> dict[str, Any]:
    """The settings under which values of trials compare, and the ranges that are searched, as plain values.

    Args:
        config: Composed config of a search, `hydra` and all.
    """
    run = deepcopy(config)
    params: Any = OmegaConf.to_container(
        run.hydra.sweeper.get("params") or OmegaConf.create({}), resolve=True
    )
    space = {str(name): str(value) for name, value in params.items()}
    for override in run.hydra.overrides.task:
        name, _, value = str(override).partition("=")
        if name in space or _is_range(value):
            space[name] = value
    direction = run.hydra.sweeper.get("direction")
    with open_dict(run):
        run.pop("hydra")
        run.paths.output = "run"
        for name in _OF_EACH_TRIAL:
            run.pop(name, None)
    run = placed(run, keys=root_keys("train"))
    plain = without_cohort(OmegaConf.to_container(run, resolve=True))
    return {"config": plain, "space": space, "direction": str(getattr(direction, "name", direction))}


def check_settings_of(study: optuna.Study, settings: dict[str, Any]) -> None:
    """Store the settings in a study without values; compare them with those of a study that is continued.

    A trial that is running will have a value, so it counts until it is marked as failed. The ranges may
    change, and the log says so: a value found in another range is still the same measure.

    Raises:
        ConfigError: Its trials were trained with other settings, or searched in the other direction.
    """
    kept = _read(study)
    valued = any(trial.state in (*_ENDED, TrialState.RUNNING) for trial in study.trials)
    if (was := study.direction.name.lower()) != settings["direction"]:
        raise ConfigError(
            f"study {study.study_name}: hydra.sweeper.direction: {was} there, {settings['direction']} here. "
            "Begin another study with hydra.sweeper.study_name=..."
        )
    if kept is None or not valued:  # trials that failed were tried with what is mended now
        if valued:
            _log.warning(
                "study %s does not say what its trials were trained with; from here on it does",
                study.study_name,
            )
        else:
            for name in [name for name in study.user_attrs if name.startswith(_DATA)]:
                study.set_user_attr(name, "")
        _write(study, settings)
        return
    searched = {name.lstrip("+") for side in (kept, settings) for name in side["space"]}
    found = differences(kept["config"], settings["config"])
    found = [line for line in found if line.partition(":")[0] not in searched]
    longest = [side["config"].get("trainer", {}).get("max_epochs") for side in (kept, settings)]
    if longest[0] != longest[1] and not any(key.startswith("trainer.max_epochs") for key in found):
        found.append(f"trainer.max_epochs: {longest[0]} there, {longest[1]} here")
    if found:
        raise ConfigError(
            f"study {study.study_name}: its trials were made with other settings: {'; '.join(found)}. "
            "Their values do not compare. Give the settings that it had, or begin another study with "
            f"hydra.sweeper.study_name=...{_running(study)}"
        )
    old, new = kept["space"], settings["space"]
    if moved := sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)):
        ranges = "; ".join(f"{name}: {old.get(name)} there, {new.get(name)} here" for name in moved)
        _log.warning("study %s goes on in other ranges: %s", study.study_name, ranges)


def _running(study: optuna.Study) -> str:
    """What to do where no trial has a value, and one that is running or was killed keeps the settings."""
    numbers = [trial.number for trial in study.trials if trial.state == TrialState.RUNNING]
    if not numbers or any(trial.state in _ENDED for trial in study.trials):
        return ""
    return (
        f" Trial {numbers[0]} is marked as running: if it was killed, mark it as failed with "
        f"optuna.load_study(...).tell({numbers[0]}, state=optuna.trial.TrialState.FAIL)"
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
        if any(trial.state in _ENDED for trial in study.trials) and not places:
            _log.warning(
                "study %s does not say what data of these settings its trials had; from here on it does",
                study.study_name,
            )
        study.set_user_attr(name, digest)
    elif kept != digest:
        raise ConfigError(
            f"study {study.study_name}: its trials were trained on other data: the recordings or labels of "
            f"data.manifest had the digest {kept[:12]} there and have {digest[:12]} here, so that values do "
            "not compare. Restore the table and the files below paths.data or data.root, or begin another "
            "study with hydra.sweeper.study_name=..."
        )


def _is_range(value: str) -> bool:
    """Whether an override is one of a search: several values, or a function of Hydra's that gives some."""
    plain = not value.startswith(("[", "{", "'", '"'))
    return plain and ("," in value or value.startswith(("choice(", "range(", "interval(", "tag(", "glob(")))


def _read(study: optuna.Study) -> dict[str, Any] | None:
    count = study.user_attrs.get(_NAME, 0)
    try:
        kept: dict[str, Any] = json.loads("".join(study.user_attrs[f"{_NAME}_{n}"] for n in range(count)))
    except (KeyError, TypeError, ValueError):
        return None
    return kept


def _write(study: optuna.Study, settings: dict[str, Any]) -> None:
    text = json.dumps(settings)
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    for index, piece in enumerate(pieces):
        study.set_user_attr(f"{_NAME}_{index}", piece)
    study.set_user_attr(_NAME, len(pieces))
