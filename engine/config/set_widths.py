"""Widths of feature sets in a config: `auto` until the files, or the command line, have told them."""

from collections.abc import Mapping, Sequence
from typing import Any

AUTO = "auto"
_NODES = ("data", "model")  # whose `channels` and `widths` are those of the sets


def is_open(config: Mapping[str, Any]) -> bool:
    """Whether the widths of the feature sets of a config are still to be read from their files."""
    return bool((config.get("data") or {}).get("widths") == AUTO)


def with_stated_widths(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config with the widths that `data.sets={name: width, ...}` states, if it does."""
    sets = (config.get("data") or {}).get("sets")
    if not is_open(config) or not isinstance(sets, Mapping):
        return dict(config)
    return with_widths(config, list(sets.values()))


def with_channel_widths(config: Mapping[str, Any], channels: Sequence[str] | None) -> dict[str, Any]:
    """The config with the widths of the sets that settled channels, `<set>/<column>`, belong to."""
    if not is_open(config) or not channels:
        return dict(config)
    widths: dict[str, int] = {}
    for channel in channels:
        name = channel.rpartition("/")[0]
        widths[name] = widths.get(name, 0) + 1
    return with_widths(config, list(widths.values()))


def with_widths(config: Mapping[str, Any], widths: Sequence[int]) -> dict[str, Any]:
    """The config with these widths, and their sum as the number of channels, wherever it says `auto`.

    Examples:
        >>> trunk = {"trunk": {"channels": "auto"}}
        >>> config = {"data": {"widths": "auto", "channels": "auto"}, "model": trunk}
        >>> with_widths(config, [2, 3])["model"], with_widths(config, [2, 3])["data"]["widths"]
        ({'trunk': {'channels': 5}}, [2, 3])
    """
    told = {"channels": sum(widths), "widths": list(widths)}
    return {name: _filled(node, told) if name in _NODES else node for name, node in config.items()}


def _filled(node: Any, told: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_filled(one, told) for one in node]
    if not isinstance(node, Mapping):
        return node
    return {
        name: told[name] if name in told and value == AUTO else _filled(value, told)
        for name, value in node.items()
    }
