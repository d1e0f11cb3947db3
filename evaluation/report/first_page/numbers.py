"""Numbers of `metrics.json` as a reader without statistics says them: of 10, of 100, in points."""

from collections.abc import Mapping
from typing import Any

Estimate = Mapping[str, Any]  # of `metrics.json`: value, low, high, maybe reason and warning

LEVEL = "95 % interval"


def flipped(share: Estimate) -> dict[str, Any]:
    """The share of all others, as of those who are missed where the share is of those who are found."""
    turned = {"value": 1 - share["value"], "low": None, "high": None}
    if share.get("low") is not None:
        turned |= {"low": 1 - share["high"], "high": 1 - share["low"]}
    return turned


def hundred(share: float) -> str:
    """A share as a count of 100.

    Examples:
        >>> hundred(0.787)
        '79'
    """
    return f"{100 * share:.0f}"


def ten(share: float) -> str:
    """A share as a count of 10, never rounded to nobody or to everybody.

    Examples:
        >>> ten(0.62), ten(0.02), ten(0.97), ten(1.0)
        ('about 6', 'fewer than 1', 'more than 9', 'all')
    """
    if share in (0.0, 1.0):
        return "all" if share else "none"
    count = round(10 * share)
    return {0: "fewer than 1", 10: "more than 9"}.get(count, f"about {count}")


def range_of_100(share: Estimate) -> str:
    """Interval of a share in counts of 100, or that there is none."""
    if share.get("low") is None:
        return "no interval to rely on"
    return f"{LEVEL} {hundred(share['low'])} to {hundred(share['high'])}"


def range_in_points(error: Estimate) -> str:
    """Interval of an error in points, or that there is none."""
    if error.get("low") is None:
        return "no interval to rely on"
    return f"{LEVEL} {error['low']:.1f} to {error['high']:.1f}"


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
