"""Settings and networks of a cache as lines of a page."""

from collections.abc import Iterator, Mapping
from typing import Any


def settings(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of each setting, `aligner.size` and so on, as the command line takes them."""
    return list(_leaves(record.get("settings") or {}))


def models(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of what the provenance tells: versions, digests and licences of the networks."""
    return list(_leaves(record.get("provenance") or {}))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        for place, inner in enumerate(value):
            yield from _leaves(inner, f"{name}.{place}")
    else:
        yield name, ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
