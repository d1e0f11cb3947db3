"""Installed packages of others: where their code lies, of which distribution it is, and a digest of it.

Nothing of a package is imported to find this out.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

GROUP = "euthymia.conf"
"""Group of entry points by which a package says where its config leaves lie, see `extensions`."""


def places_of(package: str) -> list[Path]:
    """Folders of a top package, or the file of a single module; none where it is not installed."""
    try:
        spec = find_spec(package) if package.isidentifier() else None
    except ValueError:  # loaded by other means than an import, such as `__main__`
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations:
        return [Path(place) for place in spec.submodule_search_locations]
    return [Path(spec.origin)] if spec.has_location and spec.origin else []


def distribution_of(package: str) -> tuple[str, str] | None:
    """Name and version of what a package was installed by; None where it merely lies on the path."""
    names = _distributions(tuple(sys.path)).get(package)
    if not names:  # an editable installation may list no file of its own
        points = metadata.entry_points(group=GROUP)
        own = [point for point in points if point.value.partition(".")[0] == package]
        names = [point.dist.name for point in own if point.dist is not None]
    if not names:
        return None
    names = sorted(set(names))  # of a namespace package there may be several
    return ", ".join(names), ", ".join(map(metadata.version, names))


@lru_cache(maxsize=1)
def _distributions(path: tuple[str, ...]) -> Mapping[str, list[str]]:
    """Distributions of every top package on the path of imports: reading all their lists takes a while."""
    return metadata.packages_distributions()


def title_of(package: str) -> str:
    """What a message calls an installed package: its distribution and version, or the package alone."""
    return " ".join(distribution_of(package) or (package,))


def code_digest(package: str) -> str:
    """SHA-256 of the names and contents of all .py files of a package; compiled parts do not count."""
    files = {  # in no order of the path of imports, which may find parts of a package in several places
        (file.relative_to(place.parent).as_posix(), file)
        for place in places_of(package)
        for file in (place.rglob("*.py") if place.is_dir() else [place])
    }
    digest = hashlib.sha256()
    for name, content in sorted((name, file.read_bytes()) for name, file in files):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def code_of(packages: Iterable[str]) -> dict[str, dict[str, str | None]]:
    """Distribution, version and digest of each package, as `manifest.json` records those that are trusted."""
    record: dict[str, dict[str, str | None]] = {}
    for package in packages:
        name, version = distribution_of(package) or (None, None)
        record[package] = {"distribution": name, "version": version, "sha256": code_digest(package)}
    return record
