"""The groups of a command and the names to choose from, read from `conf/` for its `--help`."""

import textwrap
from typing import Any

from omegaconf import OmegaConf

from datamodules.commands import typed
from engine.config.extensions import offered
from engine.config.source_code import ROOT

_CONF = ROOT / "conf"
_WIDTH = 118


def choices(command: str) -> str:
    """The choices of a command as text, one group a line; a group of a single `default` is none."""
    tops = {name.partition("/")[0] for name in root_groups(command)} - {"hydra"}
    leaves = [leaf for top in tops for leaf in (_CONF / top).glob("**/*.yaml")]
    groups = sorted({leaf.parent.relative_to(_CONF).as_posix() for leaf in leaves})
    names = {group: options(group) for group in groups}
    shown = {group: known for group, known in names.items() if known not in ([], ["default"])}
    column = max(map(len, shown)) + 4
    lines = [
        textwrap.fill(
            ", ".join(known),
            _WIDTH,
            initial_indent=f"  {group}".ljust(column + 2),
            subsequent_indent=" " * (column + 2),
        )
        for group, known in shown.items()
    ]
    others = [f"  {leaf} trust=[{package}]" for leaf, package in offered(sorted(tops))]
    told = ["", "Choices of installed packages, with what they need", *others] if others else []
    return "\n".join(["Choices, as in <group>=<name>", *lines, *told, ""])


def options(group: str) -> list[str]:
    """The names that a group may be set to; those that begin with `_` are for other leaves only."""
    return sorted(leaf.stem for leaf in (_CONF / group).glob("[!_]*.yaml"))


def root_groups(command: str) -> list[str]:
    """The groups of the defaults list of a command, as `data` or `hydra/help`."""
    entries = [next(iter(entry)) for entry in root_config(command).defaults if not isinstance(entry, str)]
    return [str(name).removeprefix("override ") for name in entries]


def root_config(command: str) -> Any:
    """The file `conf/<command>.yaml` as it stands, with its defaults list."""
    return OmegaConf.load(_CONF / f"{command}.yaml")


def register_choices() -> None:
    """Let the help of the commands in `conf/hydra/help/` list their choices, and say how they are typed."""
    OmegaConf.register_new_resolver("choices", choices, replace=True)
    OmegaConf.register_new_resolver("typed", typed, replace=True)
