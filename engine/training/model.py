"""Check that the model of a config can be built, before a cohort is made."""

from collections.abc import Mapping
from typing import Any

from engine.checkpoints.recorded_config import check_recorded, recorded
from engine.config.build import build
from engine.config.selection import check_monitors
from engine.config.targets import ForbiddenTarget
from engine.inference.rebuild import form


def check_model(config: Mapping[str, Any]) -> None:
    """Build the model without memory, so that a wrong model stops the run before a cohort is made.

    Nor should a checkpoint wait for a value that this model never logs.

    Raises:
        ConfigError: Something monitors a value that is not logged.
        ForbiddenTarget: What it names may not stand in a checkpoint, so its checkpoints could not be read.
        Exception: What the constructor raised, with the key of the config.
    """
    task: Any = form(config["model"])
    check_monitors(config, task.logged_names("val"))
    for name in ("optimizer", "scheduler"):
        build(config["model"].get(name), key=f"model.{name}")
    try:
        check_recorded(recorded(config))
    except ForbiddenTarget as error:
        error.add_note("The checkpoints of this run could not be read again, so it is not started.")
        raise
