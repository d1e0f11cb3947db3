"""Settings and networks of a cache as lines of a page."""

from collections.abc import Iterator, Mapping
from typing import Any

Lines = list[tuple[str, str]]


def settings(record: Mapping[str, Any]) -> Lines:
    """Name and value of each setting, `aligner.size` and so on, as the command line takes them."""
    return list(_leaves(record.get("settings") or {}))


def versions(record: Mapping[str, Any]) -> Lines:
    """Name and value of what the provenance tells: of a network its licence, digest and source."""
    return list(_leaves(record.get("provenance") or {}))


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """One line a value, and one line a thing of a list of things."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple) and any(isinstance(one, Mapping) for one in value):
        for place, inner in enumerate(value):
            facts = {key: text for key, text in inner.items() if key != "name"}
            told = " · ".join(f"{key} {_text(text)}" for key, text in facts.items())
            yield str(inner.get("name", f"{name}.{place}")), told
    else:
        yield name, ", ".join(map(_text, value)) if isinstance(value, list | tuple) else _text(value)


def _text(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
