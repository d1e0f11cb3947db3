"""Checks of model selection: only a logged validation value may choose, in the direction it improves.

Checked before anything is built or made.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from datamodules.split_leakage.split_checks import check_selection
from engine.config.compose import ConfigError
from evaluation.metrics.catalog import METRICS

_DIRECTIONS = {"min": "minimize", "max": "maximize"}
_FOLLOWING = ("EarlyStopping", "ModelCheckpoint")  # of Lightning: their own default is min for everything
_WHY_NOT = {
    "decision": "decisions need a threshold, which is chosen after training",
    "within": "training does not know whose recordings it sees",
    "change": "training does not know whose recordings it sees",
    "direction": "training does not know whose recordings it sees",
    "probability": "it needs a binary head",
    "rank": "it needs a binary or a score head",
    "score": "it needs a score head",
    "band": "it needs an ordinal head, model/heads=bands or all",
    "item": "it needs a head of items, model/heads=items",
}


def check_run(config: Mapping[str, Any]) -> None:
    """Stop if checkpoints or early stopping monitor anything but validation, or in the wrong direction.

    Raises:
        LeakageError: A monitored quantity does not start with `val/`.
        ConfigError: A mode is neither min, max nor null, or contradicts its metric; or checkpoints are kept,
            but none by `selection.monitor`.
    """
    for key, node in _monitors(config):
        monitor, mode = str(node["monitor"]), node.get("mode")
        if mode not in (None, *_DIRECTIONS):
            raise ConfigError(f"{key}.mode: {mode!r}; write min or max, or null to take the metric's own")
        check_selection(monitor)
        if mode not in (None, mode_of(monitor)):
            better = "higher" if mode_of(monitor) == "max" else "lower"
            raise ConfigError(
                f"{key}: mode={mode} would keep the worst, as {monitor} is better when it is {better}; "
                f"leave {key}.mode out, the metric has its own"
            )
    _check_chooser(config)
    _check_kept(config)


def _check_chooser(config: Mapping[str, Any]) -> None:
    """Stop where checkpoints are kept, but none by what the run says that it selects by.

    Further ones may be kept by other values: `engine.training.fit.chosen` takes the one of `selection`.
    """
    monitor = str(config["selection"]["monitor"])
    kept = {key: str(node["monitor"]) for key, node in _monitors(config) if _is(node, "ModelCheckpoint")}
    if kept and monitor not in kept.values():
        key, other = next(iter(kept.items()))
        raise ConfigError(
            f"{key}.monitor={other} would choose the checkpoint, while selection.monitor={monitor} is what "
            f"the run records and a sweep searches by. Give selection.monitor={other}, which the callbacks "
            f"follow, or keep a ModelCheckpoint that monitors {monitor} beside it."
        )


def _check_kept(config: Mapping[str, Any]) -> None:
    """Stop where the file that a callback calls its best would hold another epoch than the best.

    Raises:
        ConfigError: It keeps none, several under one name, or another callback writes to the same file.
    """
    owners: dict[tuple[Any, Any], str] = {}
    for key, node in (config["callbacks"] or {}).items():
        if not isinstance(node, Mapping) or not str(node.get("_target_")).endswith(".ModelCheckpoint"):
            continue
        name, kept = node.get("filename"), node.get("save_top_k", 1)
        fixed = name is not None and "{" not in name and node.get("enable_version_counter", True) is False
        if node.get("monitor") is not None and kept == 0:
            raise ConfigError(
                f"callbacks.{key}.save_top_k=0: keeps no checkpoint, so nothing would be chosen. Leave it at "
                "1; callbacks=none evaluates the last weights, and says so"
            )
        if node.get("monitor") is not None and kept != 1 and fixed:
            raise ConfigError(
                f"callbacks.{key}.save_top_k={kept}: all would be written to one file, {name}.ckpt, and the "
                f"last of them is not the best. Leave it at 1, or tell them apart with "
                f"\"callbacks.{key}.filename='{name}-{{epoch}}'\""
            )
        place = (node.get("dirpath"), name)
        if fixed and place in owners:
            raise ConfigError(
                f"callbacks.{key}.filename={name}: callbacks.{owners[place]} writes to that file too; give "
                "it a name of its own"
            )
        if fixed:
            owners[place] = key


def mode_of(monitor: str) -> str:
    """Direction in which a logged value improves, `min` or `max`; what is no metric is a loss."""
    metric = METRICS.get(monitor.partition("/")[2])
    return "max" if metric is not None and metric.higher_is_better else "min"


def with_modes(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with every mode that was left open filled in from what is monitored."""
    selection = dict(config["selection"])
    selection["mode"] = selection["mode"] or mode_of(str(selection["monitor"]))
    callbacks = {name: _with_mode(node) for name, node in (config["callbacks"] or {}).items()}
    return {**config, "selection": selection, "callbacks": callbacks or config["callbacks"]}


def monitored(config: Mapping[str, Any]) -> list[str]:
    """Everything that is monitored, each once, what selects first."""
    return list(dict.fromkeys(str(node["monitor"]) for _, node in _monitors(config)))


def check_monitors(config: Mapping[str, Any], logged: Collection[str]) -> None:
    """Stop where something waits for a value that the run never logs.

    Args:
        config: Resolved config.
        logged: Names of a validation, `models.task.Task.logged_names`.

    Raises:
        ConfigError: Names the key, why the value does not exist, and the nearest one that does.
    """
    for key, node in _monitors(config):
        monitor = str(node["monitor"])
        if monitor in logged:
            continue
        metric = METRICS.get(monitor.partition("/")[2])
        nearest = difflib.get_close_matches(monitor, sorted(logged), n=1)
        if metric is not None:
            why = f"is not computed in training: {_WHY_NOT[metric.kind]}."
        else:
            why = "does not exist" + (f", did you mean {nearest[0]}?" if nearest else ".")
        raise ConfigError(f"{key}.monitor={monitor} {why} There are {', '.join(sorted(logged))}.")
    scheduler = config["model"].get("scheduler")
    if isinstance(scheduler, Mapping) and str(scheduler.get("_target_")).endswith("ReduceLROnPlateau"):
        raise ConfigError(
            "model.scheduler: ReduceLROnPlateau waits for a monitored value, but schedules are stepped once "
            "an epoch without one; choose model/scheduler=cosine or another that follows the epochs"
        )


def reads_test(config: Mapping[str, Any]) -> bool:
    """Whether a run predicts its test part: a trial of a sweep does not (`evaluation.test=false`)."""
    return bool((config.get("evaluation") or {}).get("test", True))


def direction_of(monitor: str) -> str:
    """What a search does with a logged value: `minimize` or `maximize`."""
    return _DIRECTIONS[mode_of(monitor)]


def check_sweep(config: Mapping[str, Any]) -> None:
    """Stop a sweep that would search for the worst run, or that cannot run at all.

    Args:
        config: Resolved config of one run of the sweep.

    Raises:
        LeakageError: Anything but validation is selected by.
        ConfigError: The mode contradicts what is selected by, or a run takes more than one device: Lightning
            starts the other ranks by repeating the command line, so every rank would start the whole sweep.
    """
    check_run(config)
    devices = config["trainer"].get("devices")
    if devices not in (1, "1"):
        raise ConfigError(
            f"trainer.devices={devices} in a sweep: every rank would start the sweep again. Sweep over "
            "runs of one device (trainer=gpu or trainer=cpu)."
        )


def _monitors(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Key and node of everything that monitors, `selection` first."""
    yield "selection", config["selection"]
    for name, node in (config["callbacks"] or {}).items():
        if isinstance(node, Mapping) and node.get("monitor") is not None:
            yield f"callbacks.{name}", node


def _with_mode(node: Any) -> Any:
    if not isinstance(node, Mapping) or node.get("monitor") is None or node.get("mode") is not None:
        return node
    follows = _is(node, *_FOLLOWING)
    return {**node, "mode": mode_of(str(node["monitor"]))} if follows or "mode" in node else node


def _is(node: Mapping[str, Any], *names: str) -> bool:
    """Whether a callback's class has one of the names."""
    return str(node.get("_target_")).rpartition(".")[2] in names
