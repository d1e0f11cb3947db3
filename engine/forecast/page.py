"""The forecast as a page, with width and smallest difference over the number of persons."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from engine.forecast.words import sections, sentences
from evaluation.metrics.catalog import METRICS
from evaluation.report.page import Section, write_page
from evaluation.report.style import BLUE, GRAY, VERMILION, canvas, svg

LIMITS = (
    "A forecast stands on its assumptions. It does not say whether a network will reach what is expected, "
    "and it says nothing about patients."
)
_DRAWN = ("auc", "mae")


def write(path: Path, found: Mapping[str, Any], *, title: str) -> None:
    """Write the page.

    Args:
        path: File.
        found: Forecast.
        title: Name of the corpus.
    """
    tables = sections(found)[:-1]  # their sentences stand above the figure
    parts = [
        Section(key="persons", title="How much would more persons help?", text=_CAPTION, plot=drawn(found)),
        *(
            Section(
                key=f"part{number}",
                title=one.title,
                text="" if one.rows else one.empty,
                columns=one.header,
                rows=one.rows,
                remarks=(one.remark,) if one.remark else (),
                faces=False,
            )
            for number, one in enumerate(tables)
        ),
    ]
    record = {"data": title, "synthetic": found.get("synthetic", False)}
    write_page(
        path,
        title="What can this corpus show?",
        subtitle=title,
        sections=parts,
        limits=LIMITS,
        about=sentences(found),
        record=record,
    )


_CAPTION = (
    "Width of the 95 % interval and smallest difference of two models that is seen in 80 of 100 studies; "
    "the mark is this corpus. Left of where differences begin no second model can be told apart; where they "
    "jump, a weaker one can be, and not only a better one."
)


def drawn(found: Mapping[str, Any]) -> str | None:
    """Curves of AUC and MAE, a panel each, as a data URI; None where there is neither."""
    known = [name for name in _DRAWN if found["metrics"][name].get("width") is not None]
    if not known:
        return None
    with canvas(4.4 * len(known), 3.1) as figure:
        for axes, name in zip(figure.subplots(1, len(known), squeeze=False)[0], known, strict=True):
            _panel(axes, name, found["metrics"][name], found["persons"])
        return svg(figure)


def _panel(axes: Axes, name: str, row: Mapping[str, Any], persons: int) -> None:
    curves = (("width", "width of the interval", BLUE), ("difference", "smallest difference", VERMILION))
    for key, label, color in curves:
        points = [(one["persons"], one[key]) for one in row["curve"] if one[key] is not None]
        if points:
            axes.plot(*zip(*points, strict=True), color=color, label=label)
        if row[key] is not None:
            axes.plot(persons, row[key], "o", color=color)
    axes.axvline(persons, color=GRAY, linewidth=0.8, zorder=0)
    axes.set(xscale="log", xlabel="persons", ylim=(0, None), title=METRICS[name].label)
    ticks = [10, 30, 100, 300, 1000]
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.minorticks_off()
    axes.legend()
