"""Check that the model of a config can be built, before a cohort is made."""

from collections.abc import Mapping
from typing import Any

from engine.checkpoints.config import check_recorded, recorded
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.config.selection import check_monitors
from engine.config.targets import ForbiddenTarget
from engine.inference.rebuild import form
from models.inputs import Input

_GIVES = {"PixelClips": "frames", "SeriesClips": "series"}


def check_model(config: Mapping[str, Any]) -> None:
    """Build the model without memory, so that a wrong model stops the run before a cohort is made.

    Nor should a checkpoint wait for a value that this model never logs.

    Raises:
        ConfigError: No network is chosen, or one that reads another kind of content than the data have; or
            something monitors a value that is not logged.
        ForbiddenTarget: What it names may not stand in a checkpoint, so its checkpoints could not be read.
        Exception: What the constructor raised, with the key of the config.
    """
    if (
        "_target_" not in config["model"]["network"]
    ):  # model=_task is what all networks share, and none itself
        raise ConfigError("model.network names no network: choose one, e.g. model=mpdrm or model=baseline")
    task: Any = form(config["model"])
    _check_kind(task, config)
    check_monitors(config, task.logged_names("val"))
    for name in ("optimizer", "scheduler"):
        build(config["model"].get(name), key=f"model.{name}")
    try:
        check_recorded(recorded(config))
    except ForbiddenTarget as error:
        error.add_note("The checkpoints of this run could not be read again, so it is not started.")
        raise


def _check_kind(task: Any, config: Mapping[str, Any]) -> None:
    """Hold what the network reads against what the data give, which otherwise the first batch would do."""
    given = _GIVES.get(config["data"]["module"]["source"]["_target_"].rpartition(".")[2])
    for reader in task.network.modules():
        if given is not None and isinstance(reader, Input) and reader.reads != given:
            raise ConfigError(
                f"the network reads {reader.reads} ({type(reader).__name__}), the data give {given}: choose "
                "a data= and a model= (or model/trunk=) of the same kind, pixels or series"
            )
