"""What may be said of numbers that stand on few tested persons."""

from collections.abc import Mapping
from typing import Any

from evaluation.uncertainty.confidence_intervals import MIN_PERSONS, WILSON

_COUNTED = ("sensitivity", "specificity", "precision")  # shares of persons, on which no verdict rests


def without_doubtful_intervals(metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metrics for sentences that judge: of fewer than ten tested persons, without their intervals.

    These may miss the truth too often (`MIN_PERSONS`), and with four persons a difference can look certain in
    either direction. Tables go on to show them, with their warning. Where all or none of some were found,
    Wilson's interval of so many persons stays: it holds for two as well, and says how little two are.

    Args:
        metrics: Content of `metrics.json`.
    """
    counts = metrics["test"].get("counts") or {}
    persons = counts.get("subjects", 0) + counts.get("unknown_subject", 0)  # each may be another's
    if not 0 < persons < MIN_PERSONS:
        return metrics
    return {key: _bare(part) if key in ("test", "reference") else part for key, part in metrics.items()}


def _bare(node: Any, name: str = "") -> Any:
    if not isinstance(node, Mapping):
        return node
    bare = {key: _bare(child, str(key)) for key, child in node.items()}
    doubtful = not (name in _COUNTED and str(bare.get("method")).startswith(WILSON))
    return (
        bare | {"low": None, "high": None} if doubtful and {"value", "low", "high"} <= bare.keys() else bare
    )
