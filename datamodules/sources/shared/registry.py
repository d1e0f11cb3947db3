"""Registry of corpora: the modules of a package that have a given function."""

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import Any

from datamodules.sources.shared.draft import SourceError
from datamodules.wording import nearest


def corpora(package: ModuleType, function: str) -> dict[str, Callable[..., Any]]:
    """Find the modules of a package that have this function: module name -> function."""
    found = {}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            if hasattr(loaded, function):
                found[module.name] = getattr(loaded, function)
    return found


def corpus(package: ModuleType, name: str, function: str) -> Callable[..., Any]:
    """Find the function of one corpus by name.

    Raises:
        SourceError: There is no such corpus; the nearest name and all of them are listed.
    """
    known = corpora(package, function)
    if name not in known:
        raise SourceError(f"unknown source {name!r}{nearest(name, known)} (known: {', '.join(known)})")
    return known[name]
