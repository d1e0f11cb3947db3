"""The forecast in words and tables, for a screen and for a page."""

from collections.abc import Mapping, Sequence
from typing import Any

from datamodules.checks.describe import Section
from evaluation.metrics.catalog import METRICS, MIN_CLASS
from evaluation.uncertainty.confidence_intervals import FEWEST_PERSONS, MIN_PERSONS

_NONE = "-"


def said(name: str, value: float | None) -> str:
    """A value of a metric as it is written: shares and correlations without the zero before the point."""
    if value is None:
        return _NONE
    if METRICS[name].unit == "points":
        return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"


def sections(found: Mapping[str, Any]) -> list[Section]:
    """All of a forecast (`engine.forecast.made.make`), in the order in which it is read."""
    known = {name: row for name, row in found["metrics"].items() if "width" in row}
    reasons = [
        (METRICS[name].label, row["reason"]) for name, row in found["metrics"].items() if "reason" in row
    ]
    parts = [
        Section(title="Who is tested", header=("",), rows=[(line,) for line in found["tested"]]),
        Section(
            title=f"Labels, of {found['read_of']}", header=("",), rows=[(line,) for line in found["read"]]
        ),
        Section(title="Assumed", header=("", "", ""), rows=[tuple(row) for row in found["assumed"]]),
        Section(
            title="What a report will print, where it finds what is expected",
            header=("", "expected", "95 % interval", "width", "persons needed"),
            rows=[_interval(name, row) for name, row in known.items()],
        ),
        Section(
            title=f"What a comparison can tell apart in {100 * found['power']:.0f} of 100 studies",
            header=("", "first model", "second model", "difference", "persons needed"),
            rows=[_difference(name, row) for name, row in known.items()],
            remark="one metric, named before looking (metric=); Holm's correction over several asks for more",
        ),
        Section(
            title="The ceiling that label noise allows",
            header=("", "", ""),
            rows=_ceiling(found),
            empty="no scores were read" if found["reliability"]["value"] else found["reliability"]["source"],
        ),
    ]
    if reasons:
        parts.append(Section(title="Not told", header=("", ""), rows=reasons))
    return [*parts, Section(title="In words", header=("",), rows=[(line,) for line in sentences(found)])]


def sentences(found: Mapping[str, Any]) -> list[str]:
    """What to remember of a forecast."""
    who = f"{found['persons']} persons of {found['part']}"
    lines = []
    for name in ("auc", "mae"):
        row = found["metrics"][name]
        if row.get("width") is None:
            continue
        article = "an AUC of" if name == "auc" else "a mean absolute error of"
        unit = "" if name == "auc" else " points"
        lines.append(
            f"With the {who} {article} {said(name, row['value'])}{unit} comes with an interval of about "
            f"{said(name, row['low'])} to {said(name, row['high'])}; {_told_apart(name, row, unit)}."
        )
    ccc, mae = found["metrics"]["ccc"], found["metrics"]["mae"]
    if "value" in mae and "value" not in ccc:  # both rest on scores; what lacks them is told above
        lines.append(f"Nothing is said of CCC: {ccc['reason']}.")
    return [*lines, *_against_ceiling(found), *_warnings(found)]


def _told_apart(name: str, row: Mapping[str, Any], unit: str) -> str:
    needed = row["persons"]["difference"]
    count = f"{needed['persons']:,} persons" if needed["persons"] else "more persons than exist"
    more = f"a difference of {said(name, needed['wanted'])}{unit} takes {count}"
    if row["difference"] is None:
        return f"no second model can be told apart, neither one that guesses nor one that knows all; {more}"
    far = f"{said(name, row['difference'])}{unit}"
    if row["weaker"]:
        return f"a second model must be worse by {far} to be told apart; {more}"
    return f"a second model must be better by {far} to be told apart, and none can be bad enough; {more}"


def _against_ceiling(found: Mapping[str, Any]) -> list[str]:
    ceiling = found.get("ceiling")
    if not ceiling:
        return []
    auc = f"an AUC of {said('auc', ceiling['auc'])}, " if ceiling["auc"] is not None else ""
    lines = [
        f"Label noise (reliability {said('auc', ceiling['reliability'])}) ends at {auc}a correlation of "
        f"{said('auc', ceiling['correlation'])} and an error of {said('mae', ceiling['mae'])} points: what "
        "goes beyond, in many persons, is a leak or what single items ask apart from severity."
    ]
    for name in ("auc", "mae", "rmse", "ccc"):
        row, best = found["metrics"][name], ceiling[name]
        if best is None or "value" not in row:
            continue
        beyond = row["value"] > best if METRICS[name].higher_is_better else row["value"] < best
        if beyond:
            lines.append(f"{METRICS[name].label} {said(name, row['value'])} is expected beyond the ceiling.")
    return lines


def _warnings(found: Mapping[str, Any]) -> list[str]:
    few = found["fewest_of_a_class"]
    lines = []
    if few is not None and few < MIN_CLASS:
        lines.append(
            f"About {few:.1f} persons of the rarer class are to be expected: below {MIN_CLASS} the report "
            "warns that no interval can be relied on."
        )
    if found["persons"] < FEWEST_PERSONS:
        lines.append(
            f"Only {found['persons']} persons are tested, and so few show nothing: a report makes an "
            f"interval of {FEWEST_PERSONS} or more, and below {MIN_PERSONS} it may miss the truth too often; "
            "test more (test=, protocol=kfold), or ask with persons=."
        )
    elif found["persons"] < MIN_PERSONS:
        lines.append(f"Below {MIN_PERSONS} persons every interval may miss the truth too often.")
    return lines


def _interval(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    needed = row["persons"]["width"]
    ends = _NONE if row["low"] is None else f"{said(name, row['low'])} to {said(name, row['high'])}"
    return (
        METRICS[name].label, said(name, row["value"]), ends, said(name, row["width"]),
        f"{_count(needed['persons'])} for a width of {said(name, needed['wanted'])}",
    )  # fmt: skip


def _difference(name: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    needed = row["persons"]["difference"]
    second = said(name, row.get("second")) if row.get("difference") is not None else "none"
    return (
        METRICS[name].label, said(name, row["value"]), second, said(name, row.get("difference")),
        f"{_count(needed['persons'])} for {said(name, needed['wanted'])}",
    )  # fmt: skip


def _ceiling(found: Mapping[str, Any]) -> Sequence[tuple[str, ...]]:
    ceiling = found.get("ceiling")
    if not ceiling:
        return ()
    best = (
        ("reliability", "auc", "reliability"), ("correlation", "pearson", "Pearson r, highest"),
        ("ccc", "ccc", "CCC, highest"), ("mae", "mae", "MAE, lowest"), ("rmse", "rmse", "RMSE, lowest"),
        ("auc", "auc", "AUC, highest"), ("accuracy", "accuracy", "Accuracy, highest"),
    )  # fmt: skip
    return [
        (label, said(metric, ceiling[key]), found["reliability"]["source"] if key == "reliability" else "")
        for key, metric, label in best
        if ceiling[key] is not None
    ]


def _count(persons: int | None) -> str:
    return "no number" if persons is None else f"{persons:,}"
