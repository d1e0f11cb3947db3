"""Flows: what each picture shows, read from the tables beside this file.

A flow is a title and rows of boxes. A box has a name (`is`), a `note`, and either a `shape` as text or a
module of the network (`at`) whose output has that shape: `input` is what the network is given, and `#1`
behind a name the second tensor that the module returns.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TABLES = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class Box:
    """A box of a picture; `at` is the module that its shape is measured of."""

    name: str
    note: str = ""
    shape: str = ""
    at: str = ""


@dataclass(frozen=True)
class Flow:
    """A picture: rows of boxes from above to below.

    Attributes:
        title: What the picture shows.
        rows: Boxes that stand beside each other; no arrow is between them.
        of: Overrides of `train.py` that compose the network; none where shapes are text.
        values: Whether the network reads values to know shapes, so that it cannot run without memory.
    """

    title: str
    rows: tuple[tuple[Box, ...], ...]
    of: tuple[str, ...] = ()
    values: bool = False


def flows() -> dict[str, Flow]:
    """Every flow by the name of its picture."""
    found: dict[str, Flow] = {}
    for table in sorted(TABLES.glob("*.yaml")):
        for name, entry in yaml.safe_load(table.read_text(encoding="utf-8")).items():
            found[name] = _flow(entry)
    return found


def _flow(entry: dict[str, Any]) -> Flow:
    rows = tuple(
        tuple(_box(box) for box in (row if isinstance(row, list) else [row])) for row in entry["rows"]
    )
    return Flow(entry["title"], rows, tuple(entry.get("of", ())), bool(entry.get("values")))


def _box(box: dict[str, str]) -> Box:
    return Box(box["is"], box.get("note", ""), box.get("shape", ""), box.get("at", ""))
