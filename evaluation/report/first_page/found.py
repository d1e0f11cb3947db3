"""What came out of a run, with its uncertainty, in plain sentences; every number is one of `metrics.json`."""

from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.report.first_page.asked import Sides
from evaluation.report.first_page.beside import beside_lines, missed_points
from evaluation.report.first_page.flagged import flagged
from evaluation.report.first_page.numbers import Estimate, hundred, of_100, range_in_points, unit
from evaluation.report.headline import known

Metrics = Mapping[str, Any]  # content of `metrics.json`

_NO_INTERVAL = "There is no interval to rely on, so that chance cannot be ruled out."


def findings(metrics: Metrics, *, words: Sides, threshold: Mapping[str, Any] | None) -> list[str]:
    """What was measured of the tested persons; of hidden labels that nothing was.

    Args:
        metrics: Content of `metrics.json`.
        words: How the classes are called.
        threshold: `Threshold.as_dict()`.
    """
    test, reference = metrics["test"], metrics.get("reference") or {}
    if test.get("reason"):
        return [*_hidden(metrics, words)]
    sentences = [
        *_ranking(test, words),
        *beside_lines(reference),
        *missed_points(test, reference),
        *flagged(test, words, threshold or {}),
        *_calibration(test, reference),
        *_answers(test),
    ]
    return sentences or [
        "Nothing could be measured: no question of this run is defined on the tested persons."
    ]


def _hidden(metrics: Metrics, words: Sides) -> Iterator[str]:
    count = metrics["test"]["counts"]["recordings"]
    yield (
        f"No result: the answers of the tested persons are hidden or missing. Their {count} recordings were "
        "predicted, and how good these predictions are is not known."
    )
    val = metrics.get("val") or {}
    if (auc := known(val, "auc")) is not None:
        yield (
            "Only on the persons on whom settings were chosen, which flatters: "
            f"{_ranked(auc, val['counts'], words)}."
        )
    elif (error := known(val, "mae")) is not None:
        yield (
            "Only on the persons on whom settings were chosen, which flatters: predictions miss the total by "
            f"{error['value']:.1f} points on average over {val['counts']['labeled_score']} recordings "
            f"({range_in_points(error)})."
        )


def _ranking(test: Mapping[str, Any], words: Sides) -> Iterator[str]:
    auc = known(test, "auc")
    if auc is not None:
        told = _ranked(auc, test["counts"], words)
        yield f"{told[0].upper()}{told[1:]}; a coin reaches 50. {_against_coin(auc)}"


def _ranked(auc: Estimate, counts: Mapping[str, int], words: Sides) -> str:
    """How many pairs are ranked rightly; of ties, and over repeats, the number is a mean."""
    total = counts["positive"] * counts["negative"]
    right = auc["value"] * total
    about = "" if abs(right - round(right)) < 1e-6 else "about "
    pairs = (
        f"pairs of one person {words.above} and one {words.below}"
        if unit(counts) == "person"
        else f"pairs of recordings, one of somebody {words.above} and one of somebody {words.below}"
    )
    return (
        f"of {total:,} {pairs}, the network ranks {about}{right:,.0f} rightly "
        f"({of_100(auc)}; this is called AUC)"
    )


def _against_coin(auc: Estimate) -> str:
    if auc.get("low") is None:
        return _NO_INTERVAL
    if auc["low"] > 0.5:
        return "The interval lies above 50, so that this is more than chance."
    if auc["high"] < 0.5:
        return (
            "The interval lies below 50: it ranks wrongly more often than a coin, which points to a fault in "
            "labels or groups. Turning the answers round is no remedy."
        )
    return "The interval holds 50, so that it is not shown to be better than chance."


def _calibration(test: Mapping[str, Any], reference: Mapping[str, Any]) -> Iterator[str]:
    """How far probabilities lie from what came true: two errors, of which one has an interval."""
    apart, squared = known(test, "ece"), known(test, "brier")
    if apart is None or squared is None:
        return
    line = known(reference.get("constant"), "brier")
    beside = (
        "" if line is None else f"; always giving the share of those it learned from has {_squared(line)}"
    )
    yield (
        f"Over {test['counts']['labeled_binary']} recordings, the probabilities that it gives and the shares "
        f"that came true differ by {hundred(apart['value'])} of 100 on average (calibration error; it has no "
        f"interval). Their squared error is {_squared(squared)}{beside}; 0 is exact."
    )


def _squared(error: Estimate) -> str:
    return f"{error['value']:.2f} ({_ends(error)})"


def _ends(estimate: Estimate) -> str:
    if estimate.get("low") is None:
        return "no interval to rely on"
    return f"95 % interval {estimate['low']:.2f} to {estimate['high']:.2f}"


def _answers(test: Mapping[str, Any]) -> Iterator[str]:
    kappa = known(test, "item_kappa")
    if kappa is not None:
        yield (
            f"Predicted and given answers to single questions agree by {kappa['value']:.2f} ({_ends(kappa)}; "
            "kappa), where 0 is chance and 1 is perfect."
        )
