"""Headline of the report: the result in words, no stronger than its intervals allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Tone = Literal["good", "mixed", "poor"]


@dataclass(frozen=True)
class Verdict:
    """A headline, its tone and the sentences that back it."""

    headline: str
    tone: Tone
    sentences: tuple[str, ...]


def judge(metrics: Mapping[str, Any]) -> Verdict:
    """Say whether the model beats chance, the constant guess and the nuisance-only line on the test split.

    Args:
        metrics: content of `metrics.json`.
    """
    test, reference = metrics["test"], metrics.get("reference") or {}
    findings = [f for f in (_ranking(test), _against_nuisance(reference), _error(test, reference)) if f]
    extras = [s for s in (_identity(reference), _ceiling(reference)) if s]
    marks = [mark for mark, _ in findings]
    return Verdict(
        headline=_headline(test, marks),
        tone="good" if marks and all(marks) else "mixed" if any(marks) else "poor",
        sentences=tuple([sentence for _, sentence in findings] + extras),
    )


def _headline(test: Mapping[str, Any], marks: list[bool]) -> str:
    if not marks:
        return "The test split cannot decide: no metric is defined on it"
    shown = next((f": {n.upper()} {number(test[n])}" for n in ("auc", "mae") if _known(test, n)), "")
    start = "Only partly better than" if any(marks) else "Not shown to be better than"
    return f"{'Better than' if all(marks) else start} its reference lines{shown}"


def _ranking(test: Mapping[str, Any]) -> tuple[bool, str] | None:
    auc = _known(test, "auc")
    if auc is None:
        return None
    text = f"Test AUC is {number(auc)}"
    if auc["low"] is None:
        return False, f"{text}; there is no interval, so chance cannot be ruled out."
    if auc["low"] > 0.5:
        return True, f"{text}: the interval lies above chance (0.50)."
    if auc["high"] < 0.5:
        return False, f"{text}: the interval lies below chance (0.50); check the labels and the split."
    return False, f"{text}: the interval includes chance (0.50)."


def _against_nuisance(reference: Mapping[str, Any]) -> tuple[bool, str] | None:
    line = reference.get("nuisance") or {}
    gap = _known(line.get("difference"), "auc")
    if gap is None:
        return None
    text = (
        f"Technical properties of the videos alone reach AUC {number(line['auc'])}; the model minus that is "
        f"{number(gap)}"
    )
    if gap["low"] is not None and gap["low"] > 0:
        return True, f"{text}, an interval above 0."
    return False, f"{text}: the model is not shown to use more than how the videos were made."


def _error(test: Mapping[str, Any], reference: Mapping[str, Any]) -> tuple[bool, str] | None:
    line = reference.get("constant") or {}
    gap = _known(line.get("difference"), "mae")
    if gap is None:
        return None
    text = (
        f"The mean absolute error is {number(test['mae'])} points, against {line['mae']['value']:.2f} for "
        f"always answering the training mean (difference {number(gap)})"
    )
    if gap["high"] is not None and gap["high"] < 0:
        return True, f"{text}: smaller than the constant guess."
    return False, f"{text}: not shown to be smaller than the constant guess."


def _identity(reference: Mapping[str, Any]) -> str | None:
    line = reference.get("identity")
    if not line:
        return None
    name = next((n for n in ("auc", "mae") if _known(line, n)), None)
    best = (
        "nothing defined" if name is None else f"{name.upper()} {number(line[name])} without a look at a face"
    )
    gap = None if name is None else _known(line.get("difference"), name)
    return (
        f"Caution: persons are shared with the training recordings ({line.get('note', 'see below')}). "
        f"Looking a person up reaches {best}"
        + ("" if gap is None else f"; the model minus that is {number(gap)}")
        + ". Results on shared persons say little about others."
    )


_CEILINGS = (("raw", "from the raw statistics"), ("relative", "relative to each person's habit"))


def _ceiling(reference: Mapping[str, Any]) -> str | None:
    oracle = reference.get("oracle") or {}
    parts = [
        f"{number(oracle[kind]['auc'])} {how}" for kind, how in _CEILINGS if _known(oracle.get(kind), "auc")
    ]
    if not parts:
        return None
    return f"The truth of this cohort is known; an oracle reaches AUC {' and '.join(parts)}."


def _known(line: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """The estimate of a metric, or `None` where the line or the value is missing."""
    estimate: Mapping[str, Any] | None = (line or {}).get(name)
    return estimate if estimate and estimate.get("value") is not None else None


def number(estimate: Mapping[str, Any], digits: int = 2) -> str:
    """A value with its interval, `0.81 [0.72, 0.89]`; a minus sign is typographic."""
    if estimate.get("value") is None:
        return "not defined"
    # adding 0.0 turns the rounded -0.0 into 0.0
    value, *ends = (
        f"{round(estimate[key], digits) + 0.0:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        for key in ("value", "low", "high")
        if estimate.get(key) is not None
    )
    return f"{value} [{', '.join(ends)}]" if ends else value
