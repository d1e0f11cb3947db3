"""Numbers of `metrics.json` as a reader without statistics says them, with their interval."""

from collections.abc import Mapping
from typing import Any

from evaluation.uncertainty.confidence_intervals import WILSON

Estimate = Mapping[str, Any]  # of `metrics.json`: value, low, high, maybe method, reason and warning

LEVEL = "95 % interval"
_NONE = "no interval to rely on"


def unit(counts: Mapping[str, int]) -> str:
    """What is counted: persons where each has one recording, else recordings."""
    alone = counts.get("recordings") == counts.get("subjects") and not counts.get("unknown_subject")
    return "person" if alone else "recording"


def flipped(share: Estimate) -> dict[str, Any]:
    """The share of all others, as of those who are missed where the share is of those who are found."""
    turned = {**share, "value": 1 - share["value"]}
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


def of_100(share: Estimate) -> str:
    """A share as a count of 100 with its interval, which goes beside the real counts."""
    return f"{hundred(share['value'])} of 100; {range_of_100(share)}"


def range_of_100(share: Estimate) -> str:
    """Interval of a share in counts of 100, or that there is none; a share of nobody or all has Wilson's."""
    if share.get("low") is None:
        return _NONE
    name = f"Wilson {LEVEL}" if str(share.get("method")).startswith(WILSON) else LEVEL
    return f"{name} {hundred(share['low'])} to {hundred(share['high'])}"


def gap_of_100(gap: Estimate) -> str:
    """A difference of shares in counts of 100, with the ends of its interval, named beside it already."""
    if gap.get("low") is None:
        return f"{signed(100 * gap['value'])} ({_NONE})"
    ends = " to ".join(signed(100 * gap[end]) for end in ("low", "high"))
    return f"{signed(100 * gap['value'])} ({ends})"


def range_in_points(error: Estimate) -> str:
    """Interval of an error in points, or that there is none."""
    if error.get("low") is None:
        return _NONE
    return f"{LEVEL} {error['low']:.1f} to {error['high']:.1f}"


def gap_in_points(gap: Estimate) -> str:
    """A difference of errors in points, with the ends of its interval, named beside it already."""
    if gap.get("low") is None:
        return f"{signed(gap['value'], 1)} ({_NONE})"
    return f"{signed(gap['value'], 1)} ({signed(gap['low'], 1)} to {signed(gap['high'], 1)})"


def signed(value: float, digits: int = 0) -> str:
    """A difference with its sign; zero has none.

    Examples:
        >>> signed(7.4), signed(-0.2), signed(1.25, 1)
        ('+7', '0', '+1.2')
    """
    rounded = round(value, digits) + 0.0
    return f"{rounded:{'+' if rounded else ''}.{digits}f}".replace("-", "\N{MINUS SIGN}")


def listed(names: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)
