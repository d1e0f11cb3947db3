"""Whom a run flags at its threshold: rightly, wrongly, and whom it misses, in counts with their shares."""

from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.metrics.definitions import NO_ALARM
from evaluation.report.first_page.asked import Sides
from evaluation.report.first_page.numbers import Estimate, flipped, hundred, of_100, unit
from evaluation.report.headline import known


def flagged(test: Mapping[str, Any], words: Sides, threshold: Mapping[str, Any]) -> Iterator[str]:
    """Sentences on flags; where none were counted, why.

    Args:
        test: Of `metrics.json`, with its counts.
        words: How the classes are called.
        threshold: `Threshold.as_dict()`.
    """
    hit, clear = known(test, "sensitivity"), known(test, "specificity")
    if hit is None and clear is None:
        if known(test, "auc") and threshold.get("reason"):
            yield f"How many would be flagged rightly was not counted: {threshold['reason']}."
        return
    yield from _rightly(test, words, hit, clear)
    counts, plural = test["counts"], f"{unit(test['counts'])}s"
    alarms = "" if clear is None else _wrongly(flipped(clear), counts, words, plural)
    if hit is not None:
        missed, positive = flipped(hit), counts["positive"]
        yield (
            f"Of the {positive} {plural} {words.above}{_of_persons(counts, 'positive')}, it misses "
            f"{_part(missed, positive)} ({of_100(missed)}){alarms and f'; {alarms}'}."
        )
    else:
        yield f"Nobody {words.above} was tested; {alarms}."


def _rightly(
    test: Mapping[str, Any], words: Sides, hit: Estimate | None, clear: Estimate | None
) -> Iterator[str]:
    """Of those that are flagged, how many are so rightly: which depends on how many there are."""
    counts, plural = test["counts"], f"{unit(test['counts'])}s"
    positive, total = counts["positive"], counts["positive"] + counts["negative"]
    share = f"{positive} of the {total} ({hundred(positive / total)} of 100)"
    right = known(test, "precision")
    if right is not None:
        hits = 0 if hit is None else round(hit["value"] * positive)
        wrong = 0 if clear is None else round((1 - clear["value"]) * counts["negative"])
        yield (
            f"It flags {hits + wrong} of the {total} {plural}, {hits} of them rightly "
            f"({of_100(right)}; PPV); {share} are {words.above}"
            f"{': where fewer are, fewer flags are right' if positive else ''}."
        )
    elif (test.get("precision") or {}).get("reason") == NO_ALARM:
        yield f"It flags none of the {total} tested {plural}."


def _wrongly(alarms: Estimate, counts: Mapping[str, int], words: Sides, plural: str) -> str:
    negative = counts["negative"]
    return (
        f"of the {negative} {plural} {words.others}{_of_persons(counts, 'negative')}, it flags "
        f"{_part(alarms, negative)} wrongly ({of_100(alarms)})"
    )


def _part(share: Estimate, count: int) -> str:
    """How many of so many; none and all by name."""
    number = round(share["value"] * count)
    return {0: "none", count: f"all {count}"}.get(number, str(number))


def _of_persons(counts: Mapping[str, int], side: str) -> str:
    """Of how many persons these recordings are, where a person has several."""
    persons = counts[f"{side}_subjects"]
    if unit(counts) == "person" or not persons or counts.get("unknown_subject"):
        return ""
    return f" (of {persons} person{'s' if persons > 1 else ''})"
