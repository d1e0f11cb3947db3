"""Intervals of errors in points, cut to the errors that are possible on the scale of their questionnaire.

The interval of an error is made on the log scale, which knows no upper end, and that of a difference is
symmetric; of few persons both can reach beyond the whole scale. No table knows its questionnaire, so this is
done where the scale is known. Targets and predictions lie on the scale, and so does the truth about their
error, so that cutting leaves the coverage as it is (`confidence_intervals.within`).
"""

from collections.abc import Mapping
from math import inf
from typing import Any

from evaluation.metrics.catalog import METRICS
from evaluation.uncertainty.confidence_intervals import Limits, limits, within

_DIFFERENCE = "difference"


def cut_to_scale(found: Mapping[str, Any], span: float) -> dict[str, Any]:
    """The same results with every interval of an error in points within what is possible.

    Args:
        found: Estimates by metric at any depth, such as `metrics.json`; what is below `difference` are
            differences.
        span: Points from the lowest to the highest total of the questionnaire; infinite where not known.

    Raises:
        ValueError: The span is not positive.
    """
    if not span > 0:
        raise ValueError(f"a scale of {span} points: the highest total must be above the lowest")
    return {key: _cut(str(key), child, span, difference=key == _DIFFERENCE) for key, child in found.items()}


def span_of(record: Mapping[str, Any]) -> float:
    """Points of the longest questionnaire of a run, infinite where none is known.

    Args:
        record: Content of `manifest.json`.
    """
    spans = [one["high"] - one["low"] for one in record.get("questionnaires") or ()]
    return float(max(spans, default=inf))


def _cut(key: str, node: Any, span: float, *, difference: bool) -> Any:
    if isinstance(node, list):
        return [_cut(key, one, span, difference=difference) for one in node]
    if not isinstance(node, Mapping):
        return node
    if key in METRICS and METRICS[key].unit == "points" and {"value", "low", "high"} <= node.keys():
        return _within(node, limits(key, difference=difference, span=span), span)
    return {
        name: _cut(str(name), child, span, difference=difference or name == _DIFFERENCE)
        for name, child in node.items()
    }


def _within(estimate: Mapping[str, Any], possible: Limits, span: float) -> dict[str, Any]:
    """The interval cut, which its method then says; as it is where the value itself is no possible one."""
    ends = estimate["low"], estimate["high"]
    if None in ends or not possible[0] <= estimate["value"] <= possible[1]:
        return dict(estimate)
    low, high = within(ends, possible)
    if (low, high) == ends:
        return dict(estimate)
    method = f"{estimate['method']}, " if estimate.get("method") else ""
    return {**estimate, "low": low, "high": high, "method": f"{method}cut to a scale of {span:g} points"}
