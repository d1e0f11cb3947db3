"""What can be had without the network, beside it: each number, and the difference, with its interval."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evaluation.baselines.line_names import chief_lines
from evaluation.report.first_page.numbers import (
    Estimate,
    gap_in_points,
    gap_of_100,
    hundred,
    range_in_points,
    range_of_100,
)
from evaluation.report.headline import known

_MINUS = "the network minus that is"


def beside_lines(reference: Mapping[str, Any]) -> Iterator[str]:
    """What ranks without the network, a sentence a kind of line.

    Args:
        reference: Of `metrics.json`.
    """
    for opening, lines in (
        (
            "How a recording was made (such as its length or light), without a look at the face, reaches",
            [reference.get("nuisance")],
        ),
        (
            "What the person scored at earlier visits, without a recording, reaches",
            [reference.get("last_score"), reference.get("mean_score")],
        ),
        (
            "Simple methods on the same measurements, without a network, reach",
            [line for _, line in chief_lines(reference).values()],
        ),
    ):
        pairs = [(known(line, "auc"), known((line or {}).get("difference"), "auc")) for line in lines]
        measured = [(auc, gap) for auc, gap in pairs if auc is not None and gap is not None]
        if measured:  # the number is that of the best line, and so is a verdict against the network
            auc, gap = max(measured, key=lambda pair: pair[0]["value"])
            verdict = _beside([own for _, own in measured], gap)
            told = f"{hundred(auc['value'])} of 100 pairs ({range_of_100(auc)})"
            best = f", the best of {len(measured)}" if len(measured) > 1 else ""
            yield f"{opening} {told}{best}; {_MINUS} {gap_of_100(gap)}: {verdict}."


def _beside(gaps: Sequence[Estimate], best: Estimate) -> str:
    """Whether the network is better than all of some lines, or worse than the best, by model minus line."""
    if all(gap.get("low") is not None and gap["low"] > 0 for gap in gaps):
        return "better by more than chance"
    if best.get("high") is not None and best["high"] < 0:
        return "worse by more than chance"
    beats_best = best.get("low") is not None and best["low"] > 0
    return f"not shown to be better{' than each of them' if beats_best else ''}"


def missed_points(test: Mapping[str, Any], reference: Mapping[str, Any]) -> Iterator[str]:
    """By how many points predictions miss, beside the mean of the persons who taught.

    Args:
        test: Of `metrics.json`.
        reference: Of `metrics.json`.
    """
    error = known(test, "mae")
    if error is None:
        return
    told = (
        f"On average over {test['counts']['labeled_score']} recordings predictions miss the questionnaire's "
        f"total by {error['value']:.1f} points ({range_in_points(error)})"
    )
    line = reference.get("constant") or {}
    mean, gap = known(line, "mae"), known(line.get("difference"), "mae")
    if mean is None:
        yield f"{told}."
        return
    told += (
        f"; always answering the mean of the persons it learned from misses by {mean['value']:.1f} "
        f"({range_in_points(mean)})"
    )
    if gap is None:
        yield f"{told}. Whether the difference is more than chance is not known."
        return
    told += f"; {_MINUS} {gap_in_points(gap)}."
    if gap.get("low") is None:
        yield f"{told} Whether that is more than chance is not known."
    elif gap["high"] < 0:
        yield f"{told} The network is closer by more than chance."
    elif gap["low"] > 0:
        yield f"{told} The network is further off than that."
    else:
        yield f"{told} The network is not shown to be closer than that."
