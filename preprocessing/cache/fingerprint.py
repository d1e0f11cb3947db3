"""Fingerprint of a cache: everything that decides what its pixels and series are."""

import json
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import Any

FORMAT = 1
"""Raise it when the same settings give other crops, series or masks than before."""

_LIBRARIES = ("av", "opencv-python-headless", "scipy")  # they decode and encode, warp, and smooth
# where files lie, whose digests are in the provenance, and where it runs, which changes rounding at most
_PLACES = ("models", "device", "batch")


def plain_settings(nodes: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without those that say where files lie and where it runs.

    Args:
        nodes: Plain settings of the parts of the pipeline, by the names that a command line has for them.
    """
    return {
        name: plain_settings(node) if isinstance(node, Mapping) else node
        for name, node in nodes.items()
        if name not in _PLACES
    }


def libraries() -> dict[str, str]:
    """Installed versions of the libraries that touch pixels, and of this format."""
    found = {"format": str(FORMAT)}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # OpenCV has several names
            continue
    return found


def fingerprint(settings: Mapping[str, Any], provenance: Mapping[str, Any]) -> str:
    """SHA-256 of settings and provenance, whatever the order of their keys."""
    text = json.dumps([settings, provenance], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return sha256(text.encode()).hexdigest()


def differences(before: Mapping[str, Any], now: Mapping[str, Any], key: str = "") -> list[str]:
    """Leaves that differ, as `store.crf: 18 there, 23 here`."""
    found = []
    for name in dict.fromkeys((*before, *now)):
        path = f"{key}.{name}".lstrip(".")
        was, new = before.get(name), now.get(name)
        if isinstance(was, Mapping) and isinstance(new, Mapping):
            found += differences(was, new, path)
        elif was != new:
            found.append(f"{path}: {was} there, {new} here")
    return found
