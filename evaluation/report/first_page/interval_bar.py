"""A number with its interval on a scale, beside what it must beat, as the places of a small drawing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.report.first_page.numbers import hundred, range_in_points, range_of_100
from evaluation.report.headline import known

WIDTH = 400.0  # of the drawing, in its own units
_MARGIN = 8.0
_ROOM = 1.25  # of the scale of an error, beyond the longest that is drawn


@dataclass(frozen=True)
class IntervalBar:
    """The places of a value, the ends of its interval (none, where it has none) and of what it must beat.

    Attributes:
        title: What is drawn, shown above it.
        alt: All of it in words.
        ends: Labels of both ends of the scale.
        mark: Label of what must be beaten.
        value, low, high, at: Places, in units of the drawing.
    """

    title: str
    alt: str
    ends: tuple[str, str]
    mark: str
    value: float
    low: float | None
    high: float | None
    at: float

    @property
    def anchor(self) -> str:
        """Toward the middle of the drawing, so that no label leaves it."""
        return "start" if self.at < WIDTH / 3 else "end" if self.at > 2 * WIDTH / 3 else "middle"


def interval_bars(metrics: Mapping[str, Any]) -> list[IntervalBar]:
    """A bar of what is ranked rightly, and one of the points that are missed, where they were measured."""
    test = metrics["test"]
    bars = []
    if (auc := known(test, "auc")) is not None:
        alt = f"{hundred(auc['value'])} of 100 pairs ranked rightly, {range_of_100(auc)}; a coin: 50"
        bars.append(_bar("Pairs ranked rightly, of 100", alt, ("0", "100"), "a coin", auc, at=0.5, top=1.0))
    error, mean = known(test, "mae"), known((metrics.get("reference") or {}).get("constant"), "mae")
    if error is not None and mean is not None:
        top = _ROOM * max(error.get("high") or error["value"], error["value"], mean["value"])
        alt = (
            f"missed by {error['value']:.1f} points, {range_in_points(error)}; the mean: {mean['value']:.1f}"
        )
        ends = ("0: exact", f"{top:.0f} points")
        if top > 0:
            bars.append(
                _bar(
                    "Points missed on average", alt, ends, "always the mean", error, at=mean["value"], top=top
                )
            )
    return bars


def _bar(
    title: str,
    alt: str,
    ends: tuple[str, str],
    mark: str,
    estimate: Mapping[str, Any],
    *,
    at: float,
    top: float,
) -> IntervalBar:
    def place(value: float | None) -> float | None:
        return None if value is None else round(_MARGIN + value / top * (WIDTH - 2 * _MARGIN), 1)

    value, low, high = (place(estimate.get(name)) for name in ("value", "low", "high"))
    return IntervalBar(title, alt, ends, mark, value or _MARGIN, low, high, place(at) or _MARGIN)
