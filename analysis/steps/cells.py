"""Cells of the tables of a page: estimates with their intervals, as several steps show them."""

from typing import Any

import numpy as np


def estimate(value: float, low: float, high: float) -> dict[str, float | None]:
    """A cell of a number and its interval; what is not defined is None."""
    cell = {"value": value, "low": low, "high": high}
    return {name: number if np.isfinite(number) else None for name, number in cell.items()}


def named_estimate(row: Any, name: str) -> dict[str, float | None]:
    """The cell of `name`, `<name>_low` and `<name>_high` in a row of a table."""
    return estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])
