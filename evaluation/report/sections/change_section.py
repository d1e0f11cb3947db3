"""Section of a report about changes between visits: what is noise, who changed, and a plot of both."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from evaluation.report.page import Section
from evaluation.report.style import BLUE, GRAY, INK, VERMILION, canvas, svg

TITLE = "Who changed between visits?"
_SHOWN = 40  # rows of the table, the largest changes first: our choice
_SIZE = (9.8, 3.6)


def change_section(found: Mapping[str, Any], changes: pd.DataFrame | None) -> Section:
    """The plot, the table of the largest changes and how to read them; or the reason why there are none.

    Args:
        found: entry `change` of `metrics.json`.
        changes: see `evaluation.change.change_scores`.
    """
    if changes is None or changes.empty:
        return Section("changes", TITLE, f"No change scores: {found.get('reason', 'none were computed')}.")
    smallest = ", ".join(f"{value:.1f} after {n}" for n, value in found["smallest_change"].items())
    text = (
        f"{found['changed']} of {len(changes)} visits differ from the person's visits before by more than "
        f"noise. Smallest change that is not noise, in points, by the number of earlier visits: {smallest}. "
        f"It was learned on {found['validation_persons']} validation persons; of persons who do not change "
        "about 5 % are flagged in each comparison. Predictions are shrunken, so that a predicted change is "
        f"divided by their slope, {found['slope']:.2f}."
    )
    if found["baseline"] == "known scores":
        text += (
            " What a prediction takes over from the known scores is taken out of it before, so that a change "
            "is not the prediction minus their mean."
        )
    largest = changes.loc[changes["change"].abs().sort_values(ascending=False).index].head(_SHOWN)
    rows = [_row(one) for one in largest.to_dict("records")]
    columns = ("Person", "From", "To", "Change, points", "Smallest change", "By questionnaire", "Changed")
    noise = found.get("questionnaire_noise")
    remark = (
        "The noise of the questionnaire is not known, so that false alarms are rarer than 5 %"
        if noise is None
        else f"A total of the questionnaire has a standard error of {noise:.1f} points"
    )
    return Section(
        "changes", TITLE, text, plot=_plot(changes), columns=columns, rows=rows, remarks=(remark,)
    )  # fmt: skip


def _row(one: Mapping[Any, Any]) -> list[Any]:
    target = "" if np.isnan(one["target"]) else f"{one['target']:+.1f}"
    estimate = {name: float(one[name]) for name in ("low", "high")} | {"value": float(one["change"])}
    return [
        str(one["subject_id"]), str(one["from"]), str(one["to"]), estimate, f"{one['smallest_change']:.1f}",
        target, "yes" if one["changed"] else "no",
    ]  # fmt: skip


def _plot(changes: pd.DataFrame) -> str:
    """All changes from the most negative to the most positive, in the band of what is noise."""
    table = changes.sort_values("change", ignore_index=True)
    place, band = np.arange(len(table)), table["smallest_change"].to_numpy()
    flagged = table["changed"].to_numpy() == 1
    with canvas(*_SIZE) as figure:
        axes = figure.add_subplot()
        axes.fill_between(place, -band, band, color=GRAY, alpha=0.25, linewidth=0, label="noise")
        axes.axhline(0, color=INK, linewidth=0.8)
        for own, color, label in ((~flagged, BLUE, "not beyond noise"), (flagged, VERMILION, "changed")):
            axes.vlines(
                place[own], table["low"][own], table["high"][own], color=color, alpha=0.2, linewidth=1
            )
            axes.scatter(place[own], table["change"][own], s=14, color=color, label=label, linewidths=0)
        axes.set(xlabel="later visits of tested persons, by predicted change", ylabel="change (points)")
        axes.set_xticks([])
        figure.legend(loc="outside upper left", ncols=3)
        return svg(figure)
