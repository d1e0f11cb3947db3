"""What may choose: validation, and nothing else. Checked before anything is built."""

from collections.abc import Mapping
from typing import Any

from datamodules.guard import check_selection
from engine.compose import ConfigError

_DIRECTIONS = {"min": "minimize", "max": "maximize"}


def check_run(config: Mapping[str, Any]) -> None:
    """Stop if checkpoints, early stopping or the sweep's objective would look at anything but validation.

    Raises:
        LeakageError: A monitored quantity does not start with `val/`.
        ConfigError: `selection.mode` is neither min nor max.
    """
    selection = config["selection"]
    if selection["mode"] not in _DIRECTIONS:
        raise ConfigError(f"selection.mode: {selection['mode']!r}; write min or max")
    check_selection(str(selection["monitor"]))
    for node in (config["callbacks"] or {}).values():
        if isinstance(node, Mapping) and node.get("monitor") is not None:
            check_selection(str(node["monitor"]))


def check_sweep(config: Mapping[str, Any], *, direction: Any) -> None:
    """Stop a sweep that would search for the worst run, or that cannot run at all.

    Args:
        config: Resolved config of one run of the sweep.
        direction: What the sweeper does with the returned metric; None for one that only enumerates.

    Raises:
        ConfigError: The direction contradicts `selection.mode`, or a run takes more than one device:
            Lightning starts the other ranks by repeating the command line, so every rank would start the
            whole sweep.
    """
    wanted = _DIRECTIONS[config["selection"]["mode"]]
    if direction is not None and str(getattr(direction, "name", direction)) != wanted:
        raise ConfigError(
            f"the sweep would {getattr(direction, 'name', direction)} {config['selection']['monitor']}, but "
            f"selection.mode={config['selection']['mode']}. Add hydra.sweeper.direction={wanted}."
        )
    devices = config["trainer"].get("devices")
    if devices not in (1, "1"):
        raise ConfigError(
            f"trainer.devices={devices} in a sweep: every rank would start the sweep again. Sweep over "
            "runs of one device (trainer=gpu or trainer=cpu)."
        )
