"""Config leaves of installed packages, chosen by name like ours: found by entry point, read where trusted.

A package names its folder of leaves, laid out as `conf/`, in its pyproject.toml:

    [project.entry-points."euthymia.conf"]
    my_package = "my_package.conf"

`trust=[my_package]` on the command line puts the folder on Hydra's search path, behind ours. Without it
nothing of the package is read, and a leaf of it that is asked for is told with what to add.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import ClassVar

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.plugins import Plugins
from hydra.errors import HydraException
from hydra.plugins.search_path_plugin import SearchPathPlugin

from datamodules.wording import first_few
from engine.config.installed import GROUP, places_of, title_of
from engine.config.source_code import ROOT

_log = logging.getLogger(__name__)
_OURS = ROOT / "conf"


class ExtensionError(ValueError):
    """An entry point that names no folder of leaves."""


@dataclass(frozen=True)
class Extension:
    """An installed package with leaves: its top package, which `trust=` names, and where they lie."""

    package: str
    folder: Path

    def leaves(self) -> list[str]:
        """Names of the leaves as they are chosen, `model/trunk/last_frame` for `model/trunk=last_frame`."""
        return leaves_in(self.folder)


def leaves_in(folder: Path) -> list[str]:
    """The leaves of a folder, without those that begin with `_` and are for other leaves only."""
    return [leaf for leaf in _files_in(folder) if "/" in leaf and leaf.rpartition("/")[2][0] != "_"]


def _files_in(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).with_suffix("").as_posix() for file in folder.rglob("*.yaml"))


def extensions() -> list[Extension]:
    """The installed packages that have leaves, by name; one that cannot be found is none."""
    values = sorted({point.value for point in metadata.entry_points(group=GROUP)})
    found = [(value.partition(".")[0], _folder(value)) for value in values]
    return [Extension(package, folder) for package, folder in found if folder is not None]


def _folder(value: str) -> Path | None:
    """Where an entry point says that leaves lie: in the first place of a package that has the folder."""
    package, _, below = value.partition(".")
    folders = [place.joinpath(*below.split(".")) for place in places_of(package)]
    return next((folder for folder in folders if folder.is_dir()), next(iter(folders), None))


def extend_search_path(words: Sequence[str]) -> None:
    """Let Hydra find the leaves of the packages that a command line trusts, where there is none of ours.

    Raises:
        ExtensionError: The entry point of such a package names no folder.
    """
    names = _trusted_in(words)
    _Leaves.trusted = [one for one in extensions() if one.package in names] if names else []
    for one in _Leaves.trusted:
        if not one.folder.is_dir():
            raise ExtensionError(
                f"{title_of(one.package)}: its entry point of {GROUP} names {one.folder}, no folder. "
                "Name that of its leaves with dots, my_package.conf, and list its *.yaml in package-data."
            )
    _tell_shadowed(_Leaves.trusted)
    Plugins.instance().register(_Leaves)


class _Leaves(SearchPathPlugin):
    """Puts folders of leaves on Hydra's search path, where the first that has a leaf counts."""

    trusted: ClassVar[list[Extension]] = []

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        for one in self.trusted:
            search_path.append(provider=one.package, path=f"file://{one.folder}")


def _trusted_in(words: Sequence[str]) -> set[str]:
    """The packages that `trust=` of a command line names; what is wrong with it is told where it is read."""
    found: set[str] = set()
    for word in (word for word in words if word.lstrip("+").startswith("trust=")):
        with suppress(HydraException):
            value = OverridesParser.create().parse_override(word).value()
            found |= {str(name) for name in value} if isinstance(value, list) else set()
    return found


def _tell_shadowed(found: Sequence[Extension]) -> None:
    """Name leaves that are not read because one of ours, or of a package before, has their name.

    Raises:
        ExtensionError: Such a leaf is one for other leaves, which would be made of another's without a word.
    """
    taken = dict.fromkeys(_files_in(_OURS), "ours")
    for one in found:
        own = _files_in(one.folder)
        for owner in sorted({taken[leaf] for leaf in own if leaf in taken}):
            twice = [leaf for leaf in own if taken.get(leaf) == owner]
            text = (
                f"{title_of(one.package)}: {first_few(twice)}: not read, one of {owner} has this name and "
                "comes first. Rename the leaf in the package"
            )
            if any(leaf.rpartition("/")[2][0] == "_" for leaf in twice):
                raise ExtensionError(f"{text}: its other leaves build on it.")
            _log.warning("%s", text)
        taken = dict.fromkeys(own, title_of(one.package)) | taken


def owner_advice(leaf: str) -> str | None:
    """What to add to a command that asks for a leaf of a package it does not trust; None if it is none."""
    owners = [one.package for one in extensions() if one not in _Leaves.trusted and leaf in one.leaves()]
    if not owners:
        return None
    return (
        f"{leaf} is of the installed package {title_of(owners[0])}: where you trust its code, add "
        f"trust=[{owners[0]}] to the command."
    )


def offered(tops: Sequence[str]) -> list[tuple[str, str]]:
    """Leaves of installed packages as `<group>=<name>`, each with its package, for the help of a command.

    Args:
        tops: First parts of the groups that the command has.
    """
    return [
        ("=".join(leaf.rsplit("/", 1)), one.package)
        for one in extensions()
        for leaf in one.leaves()
        if leaf.partition("/")[0] in tops
    ]
