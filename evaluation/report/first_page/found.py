"""What came out of a run, with its uncertainty, in plain sentences; every number is one of `metrics.json`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import shorten
from typing import Any

from evaluation.baselines.line_names import chief_lines
from evaluation.metrics.definitions import NO_ALARM
from evaluation.report.first_page.asked import Sides
from evaluation.report.first_page.numbers import (
    Estimate,
    flipped,
    hundred,
    range_in_points,
    range_of_100,
    ten,
)
from evaluation.report.headline import known

Metrics = Mapping[str, Any]  # content of `metrics.json`

GROUPED = ("sex", "age", "site")  # columns whose groups are told; the audit has all
_COLUMNS, _GROUPS, _NAME = 2, 4, 24  # of them, of a column, and letters of a name that a sheet has room for
_NO_INTERVAL = "There is no interval to rely on, so that chance cannot be ruled out."


def findings(
    metrics: Metrics, *, words: Sides, threshold: Mapping[str, Any] | None, tested: Mapping[str, Any]
) -> list[str]:
    """What was measured of the tested persons; of hidden labels that nothing was.

    Args:
        metrics: Content of `metrics.json`.
        words: How the classes are called.
        threshold: `Threshold.as_dict()`.
        tested: Row of the tested part, see `sections.data_section.data_rows`; may be empty.
    """
    test = metrics["test"]
    if test.get("reason"):
        return [*_hidden(metrics, words)]
    sentences = [
        *_ranking(test, words, unit(test["counts"])),
        *_beside_lines(metrics.get("reference") or {}),
        *_points(test, metrics.get("reference") or {}),
        *_flagged(test, words, threshold or {}, tested),
        *_calibration(test),
        *_answers(test),
    ]
    return sentences or [
        "Nothing could be measured: no question of this run is defined on the tested persons."
    ]


def unit(counts: Mapping[str, int]) -> str:
    """What is counted: persons where each has one recording, else recordings."""
    alone = counts.get("recordings") == counts.get("subjects") and not counts.get("unknown_subject")
    return "person" if alone else "recording"


def _hidden(metrics: Metrics, words: Sides) -> Iterator[str]:
    count = metrics["test"]["counts"]["recordings"]
    yield (
        f"No result: the answers of the tested persons are hidden or missing. Their {count} recordings were "
        "predicted, and how good these predictions are is not known."
    )
    val = metrics.get("val") or {}
    if (auc := known(val, "auc")) is not None:
        yield (
            "Only on the persons on whom settings were chosen, which flatters: of 100 pairs, one "
            f"{words.above} and one {words.below}, about {hundred(auc['value'])} are ranked rightly "
            f"({range_of_100(auc)})."
        )
    elif (error := known(val, "mae")) is not None:
        yield (
            "Only on the persons on whom settings were chosen, which flatters: predictions miss the total by "
            f"{error['value']:.1f} points on average ({range_in_points(error)})."
        )


def _ranking(test: Mapping[str, Any], words: Sides, one: str) -> Iterator[str]:
    auc = known(test, "auc")
    if auc is None:
        return
    pairs = (
        f"pairs of one person {words.above} and one {words.below}"
        if one == "person"
        else f"pairs of recordings, one of somebody {words.above} and one of somebody {words.below}"
    )
    yield (
        f"Of 100 {pairs}, the network ranks about {hundred(auc['value'])} rightly ({range_of_100(auc)}; "
        f"this is called AUC); a coin reaches 50. {_against_coin(auc)}"
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


def _beside_lines(reference: Mapping[str, Any]) -> Iterator[str]:
    """What can be had without the network, a sentence a kind of line."""
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
            "Simple statistics of the same measurements, without a network, reach",
            [line for _, line in chief_lines(reference).values()],
        ),
    ):
        pairs = [(known(line, "auc"), known((line or {}).get("difference"), "auc")) for line in lines]
        measured = [(auc, gap) for auc, gap in pairs if auc is not None and gap is not None]
        if measured:  # the number is that of the best line, and so is a verdict against the network
            best = max(measured, key=lambda pair: pair[0]["value"])
            verdict = _beside([gap for _, gap in measured], best[1])
            yield f"{opening} {hundred(best[0]['value'])}; the network is {verdict}."


def _beside(gaps: Sequence[Estimate], best: Estimate) -> str:
    """Whether the network is better than all of some lines, or worse than the best, by model minus line."""
    if all(gap.get("low") is not None and gap["low"] > 0 for gap in gaps):
        return "better than that by more than chance"
    if best.get("high") is not None and best["high"] < 0:
        return "worse than that by more than chance"
    return "not shown to be better than that"


def _points(test: Mapping[str, Any], reference: Mapping[str, Any]) -> Iterator[str]:
    error = known(test, "mae")
    if error is None:
        return
    told = (
        f"On average predictions miss the questionnaire's total by {error['value']:.1f} points "
        f"({range_in_points(error)})"
    )
    line = reference.get("constant") or {}
    mean, gap = known(line, "mae"), known(line.get("difference"), "mae")
    if mean is None:
        yield f"{told}."
        return
    told += f"; always answering the mean of the persons it learned from misses by {mean['value']:.1f}."
    if gap is None or gap.get("low") is None:
        yield f"{told} Whether the difference is more than chance is not known."
    elif gap["high"] < 0:
        yield f"{told} The network is closer by more than chance."
    elif gap["low"] > 0:
        yield f"{told} The network is further off than that."
    else:
        yield f"{told} The network is not shown to be closer than that."


def _flagged(
    test: Mapping[str, Any], words: Sides, threshold: Mapping[str, Any], tested: Mapping[str, Any]
) -> Iterator[str]:
    right, hit, clear = (known(test, name) for name in ("precision", "sensitivity", "specificity"))
    if hit is None and clear is None:
        if known(test, "auc") and threshold.get("reason"):
            yield f"How many would be flagged rightly was not counted: {threshold['reason']}."
        return
    plural = f"{unit(test['counts'])}s"
    if right is not None:
        yield (
            f"Of 10 {plural} that it flags, {ten(right['value'])} would be flagged rightly "
            f"({hundred(right['value'])} of 100; {range_of_100(right)}; PPV){_at_share(tested)}."
        )
    elif (test.get("precision") or {}).get("reason") == NO_ALARM:
        yield f"It flags none of the tested {plural}."
    if hit is not None:
        missed = flipped(hit)
        alarms = "" if clear is None else _false_alarms(flipped(clear), words)
        yield (
            f"Of 10 {plural} {words.above}, it misses {ten(missed['value'])} "
            f"({hundred(missed['value'])} of 100; {range_of_100(missed)}){alarms}."
        )
    elif clear is not None:
        yield f"Nobody {words.above} was tested{_false_alarms(flipped(clear), words)}."


def _at_share(tested: Mapping[str, Any]) -> str:
    """The share on which how many flags are right depends."""
    if not tested.get("labeled") or tested.get("positive") is None:
        return ""
    share = hundred(tested["positive"] / tested["labeled"])
    return f", where {share} of 100 tested are; where fewer are, fewer flags are right"


def _false_alarms(alarms: Estimate, words: Sides) -> str:
    return (
        f"; of 10 {words.others}, it flags {ten(alarms['value'])} wrongly "
        f"({hundred(alarms['value'])} of 100; {range_of_100(alarms)})"
    )


def _calibration(test: Mapping[str, Any]) -> Iterator[str]:
    error = known(test, "ece")
    if error is not None:
        yield (
            "The percentages that it gives and what came true lie about "
            f"{hundred(error['value'])} of 100 apart on average (calibration error; few persons push it up)."
        )


def _answers(test: Mapping[str, Any]) -> Iterator[str]:
    kappa = known(test, "item_kappa")
    if kappa is not None:
        ends = (
            "no interval can be given"
            if kappa.get("low") is None
            else f"95 % interval {kappa['low']:.2f} to {kappa['high']:.2f}"
        )
        yield (
            f"Predicted and given answers to single questions agree by {kappa['value']:.2f} ({ends}; kappa), "
            "where 0 is chance and 1 is perfect."
        )


def groups(found: Mapping[str, Any] | None) -> str:
    """How the network did in groups of persons, where that was measured.

    Args:
        found: `evaluation.audit.slices.slices`; None where no audit was asked for.
    """
    if not found:
        return "Whether it does worse for some groups (sex, age, site) was not measured in this run."
    for metric, opening, shown in (
        ("auc", "Of 100 pairs within a group, ranked rightly", hundred),
        ("mae", "Points missed on average within a group", "{:.1f}".format),
    ):
        columns = {name: _measured(found.get(name) or {}, metric) for name in GROUPED}
        told = [f"by {name}: {_named(own, shown)}" for name, own in columns.items() if len(own) > 1]
        if told:
            text = f"{opening}, {'; '.join(told[:_COLUMNS])}."
            star = " A star: differs from the others by more than chance." if "*" in text else ""
            return f"{text}{star} Elsewhere no difference is shown, and none is ruled out."
    return "Groups (sex, age, site) could not be compared: too few persons, or no such column."


def _measured(part: Mapping[str, Any], metric: str) -> list[tuple[str, Estimate, bool]]:
    """Name and estimate of every group of a column, and whether it differs from the others."""
    return [
        (str(group["group"]), estimate, _differs(group, metric))
        for group in part.get("groups") or ()
        if (estimate := known(group, metric)) is not None
    ]


def _named(own: list[tuple[str, Estimate, bool]], shown: Callable[[float], str]) -> str:
    told = []
    for name, estimate, differs in own[:_GROUPS]:
        low, high = estimate.get("low"), estimate.get("high")
        ends = "no interval" if low is None or high is None else f"{shown(low)} to {shown(high)}"
        told.append(f"{shorten(name, _NAME)} {shown(estimate['value'])} ({ends}){'*' if differs else ''}")
    more = [f"{len(own) - _GROUPS} more in audit.html"] if len(own) > _GROUPS else []
    return ", ".join([*told, *more])


def _differs(group: Mapping[str, Any], metric: str) -> bool:
    gap = known(group.get("difference"), metric)
    return gap is not None and gap.get("low") is not None and not gap["low"] <= 0 <= gap["high"]
