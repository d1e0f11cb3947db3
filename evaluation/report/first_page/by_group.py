"""How a run did in groups of persons, in one sentence."""

from collections.abc import Callable, Mapping
from textwrap import shorten
from typing import Any

from evaluation.report.first_page.numbers import Estimate, hundred
from evaluation.report.headline import known

GROUPED = ("sex", "age", "site")  # columns whose groups are told; the audit has all
_COLUMNS, _GROUPS, _NAME = 2, 4, 24  # of them, of a column, and letters of a name that a sheet has room for

_Group = tuple[Mapping[str, Any], Estimate, bool]


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
            text = f"{opening} (95 % interval; persons), {'; '.join(told[:_COLUMNS])}."
            star = " A star: differs from the others by more than chance." if "*" in text else ""
            return f"{text}{star} Elsewhere no difference is shown, and none is ruled out."
    return "Groups (sex, age, site) could not be compared: too few persons, or no such column."


def _measured(part: Mapping[str, Any], metric: str) -> list[_Group]:
    """Every group of a column, its estimate, and whether it differs from the others."""
    return [
        (group, estimate, _differs(group, metric))
        for group in part.get("groups") or ()
        if (estimate := known(group, metric)) is not None
    ]


def _named(own: list[_Group], shown: Callable[[float], str]) -> str:
    told = []
    for group, estimate, differs in own[:_GROUPS]:
        low, high = estimate.get("low"), estimate.get("high")
        ends = "no interval" if low is None or high is None else f"{shown(low)} to {shown(high)}"
        name, star = shorten(str(group["group"]), _NAME), "*" if differs else ""
        told.append(f"{name} {shown(estimate['value'])} ({ends}; {group['persons']}){star}")
    more = [f"{len(own) - _GROUPS} more in audit.html"] if len(own) > _GROUPS else []
    return ", ".join([*told, *more])


def _differs(group: Mapping[str, Any], metric: str) -> bool:
    gap = known(group.get("difference"), metric)
    return gap is not None and gap.get("low") is not None and not gap["low"] <= 0 <= gap["high"]
