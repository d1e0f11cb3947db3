"""Plots of the report, one function each; each returns a data URI, or `None` when its data do not exist.

All plots show recordings of one split, in the recording table's form (see `metrics.applicable`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from datamodules.manifests.visits import place_of_visits
from evaluation.baselines import line_names
from evaluation.baselines.line_names import FAMILIES, READINGS, SIMPLE
from evaluation.metrics import resampled as weighted
from evaluation.metrics.applicable import labeled, ranking_column, usable
from evaluation.metrics.catalog import METRICS
from evaluation.metrics.definitions import auc
from evaluation.report.forest import mark_estimate, mark_line, name_rows
from evaluation.report.style import (
    BLUE,
    GRAY,
    GREEN,
    INK,
    LIGHT,
    ORANGE,
    PURPLE,
    VERMILION,
    Form,
    canvas,
    png,
    svg,
)
from evaluation.tables.clusters import units
from evaluation.uncertainty.bootstrap import Resampling, subject_weights
from evaluation.uncertainty.calibration import reliability
from evaluation.uncertainty.prediction_intervals import COVERAGE

_HALF = (4.7, 3.9)  # inches: half of the page's width
_WIDE = 9.8
_MAX_PANELS = 12
_MAX_FRAMES = 8
_LABEL_ROOM = 28  # characters below one trajectory panel
_ROC_GRID = np.linspace(0, 1, 101)
_ROC_BAND = Resampling(1000)

LINES = {
    "model": ("This model", BLUE),
    "constant": (SIMPLE["constant"], GRAY),
    "identity": (SIMPLE["identity"], PURPLE),
    "nuisance": (SIMPLE["nuisance"], ORANGE),
    "traits": (SIMPLE["traits"], ORANGE),
    "last_score": (SIMPLE["last_score"], PURPLE),
    "mean_score": (SIMPLE["mean_score"], PURPLE),
    **{
        f"{family} {reading}": (f"{label}, {words}", VERMILION)
        for family, label in FAMILIES.items()
        for reading, words in READINGS.items()
    },
    "oracle": ("Oracle", GREEN),
    **{f"oracle {kind}": (label, GREEN) for kind, (label, _) in line_names.ORACLES.items()},
}
ORACLES = tuple(name for name in LINES if name.startswith("oracle"))  # they read the truth: no lines to beat
FOREST = ("auc", "ccc", "mae")  # our choice: ranking, agreement, error


@dataclass(frozen=True)
class AttentionExample:
    """Frames of a clip and the attention over its time: `frames` uint8 (T, H, W, 3) RGB, `weights` (T',)."""

    recording_id: str
    caption: str
    frames: NDArray[np.uint8]
    weights: NDArray[np.floating[Any]]


def predictions_against_truth(recordings: pd.DataFrame, *, constant: float | None = None) -> str | None:
    """Predicted score against true score in points, with the identity line and the constant guess."""
    if not usable(recordings, "score_target", "score_prediction"):
        return None
    rows = labeled(recordings, "score_target")
    y, p = rows["score_target"].to_numpy(dtype=float), rows["score_prediction"].to_numpy(dtype=float)
    low, high = min(y.min(), p.min()), max(y.max(), p.max())
    pad = 0.05 * (high - low or 1)
    limits = (low - pad, high + pad)
    with canvas(*_HALF) as figure:
        axes = figure.add_subplot()
        ylim = limits
        if {"low", "high"} <= set(rows) and rows["low"].notna().all():
            ylim = (
                min(low - pad, float(rows["low"].min()) - 1),
                max(high + pad, float(rows["high"].max()) + 1),
            )
            axes.vlines(y, rows["low"], rows["high"], color=BLUE, alpha=0.12, linewidth=1)
            # the legend shows a darker line: the bars themselves are too faint for a key
            axes.plot([], [], color=BLUE, alpha=0.5, linewidth=1.2, label=f"{100 * COVERAGE:.0f} % interval")
        axes.plot(limits, limits, color=INK, linewidth=1, label="prediction = truth")
        if constant is not None:
            axes.axhline(constant, color=GRAY, linestyle=(0, (4, 3)), linewidth=1.2, label="constant guess")
        axes.scatter(y, p, s=16, color=BLUE, alpha=0.65, linewidths=0)
        axes.set(
            xlim=limits,
            ylim=ylim,
            xlabel="true score (points)",
            ylabel="predicted score (points)",
        )
        figure.legend(loc="outside upper left", ncols=3, handlelength=1.6, columnspacing=1.2)
        return svg(figure)


def roc(recordings: pd.DataFrame, *, threshold: float | None, form: Form = svg) -> str | None:
    """ROC curve, the pointwise 95 % band of a bootstrap over persons, the validation threshold."""
    column = ranking_column(recordings)
    if column is None or labeled(recordings, "binary_target")["binary_target"].nunique() < 2:
        return None
    rows = labeled(recordings, "binary_target")
    y, p = rows["binary_target"].to_numpy(dtype=float), rows[column].to_numpy(dtype=float)
    weights = np.concatenate(list(subject_weights(units(rows), _ROC_BAND)))
    low, high = np.nanquantile(weighted.roc(y, p, weights, _ROC_GRID), [0.025, 0.975], axis=0)
    alarms, hits = weighted.roc_points(y, p, np.ones((1, y.size)))
    with canvas(*_HALF) as figure:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=GRAY, linestyle=(0, (4, 3)), linewidth=1.2, label="chance")
        axes.fill_between(_ROC_GRID, low, high, color=BLUE, alpha=0.15, linewidth=0, label="95 % band")
        axes.plot(alarms[0], hits[0], color=BLUE, label=f"model, AUC {auc(y, p).value:.2f}")
        if threshold is not None:
            point = (
                ((p >= threshold) & (y == 0)).sum() / (y == 0).sum(),
                ((p >= threshold) & (y == 1)).sum() / y.sum(),
            )
            axes.scatter(*point, s=42, color=VERMILION, zorder=5, label="validation threshold")
        axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        axes.set(xlabel="false alarms (1 \N{MINUS SIGN} specificity)", ylabel="hits (sensitivity)")
        axes.legend(loc="lower right")
        return form(figure)


def calibration(recordings: pd.DataFrame, *, form: Form = svg) -> str | None:
    """Observed frequency against predicted probability, with Wilson intervals and the count of every bin."""
    if not usable(recordings, "binary_target", "binary_prediction"):
        return None
    rows = labeled(recordings, "binary_target")
    table = reliability(rows["binary_target"], rows["binary_prediction"])
    fewest, most = table["count"].min(), table["count"].max()
    held = f"{fewest} to {most}" if fewest < most else str(most)
    with canvas(*_HALF) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[4, 1])
        top.plot([0, 1], [0, 1], color=INK, linewidth=1, label="perfectly calibrated")
        errors = [table["observed"] - table["low"], table["high"] - table["observed"]]
        top.errorbar(
            table["predicted"], table["observed"], yerr=errors, color=BLUE, fmt="o-", markersize=4.5,
            capsize=2, elinewidth=1, linewidth=1.2, label=f"{held} recordings per bin",
        )  # fmt: skip
        top.set(ylim=(-0.02, 1.02), ylabel="observed frequency")
        top.legend(loc="upper left")
        bottom.hist(
            rows["binary_prediction"].to_numpy(dtype=float), bins=np.linspace(0, 1, 31), color=BLUE, alpha=0.5
        )
        bottom.set(xlim=(-0.02, 1.02), xlabel="predicted probability", ylabel="count")
        return form(figure)


def trajectories(recordings: pd.DataFrame) -> str | None:
    """Target and prediction over the visits of up to 12 persons, from the lowest to the highest mean.

    Persons the order of whose visits is not known are left out.
    """
    head = next(
        (h for h in ("score", "binary") if {f"{h}_target", f"{h}_prediction"} <= set(recordings)), None
    )
    if head is None:
        return None
    target, prediction = f"{head}_target", f"{head}_prediction"
    rows = labeled(recordings, target)
    rows = rows.assign(place=place_of_visits(rows))  # missing where nobody can know the order: no line then
    visits = rows.groupby(["subject_id", "session_id", "place"])[[target, prediction]].mean().reset_index()
    counts = visits.groupby("subject_id")["session_id"].transform("size")
    visits = visits[counts > 1]
    if visits.empty:
        return None
    ranked = visits.groupby("subject_id")[target].mean().sort_values().index
    shown = ranked[
        np.unique(np.linspace(0, len(ranked) - 1, min(_MAX_PANELS, len(ranked))).round().astype(int))
    ]
    columns = min(4, len(shown))
    lines = -(-len(shown) // columns)
    with canvas(_WIDE, 0.6 + 1.55 * lines) as figure:
        grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
        for axes in grid.flat[len(shown) :]:
            axes.set_axis_off()
        for axes, subject in zip(grid.flat, shown, strict=False):
            own = visits[visits["subject_id"] == subject].sort_values("place")
            place = np.arange(len(own))
            axes.plot(place, own[target], color=INK, marker="o", markersize=4, linewidth=1.3, label="truth")
            axes.plot(
                place, own[prediction], color=BLUE, marker="s", markersize=4, linewidth=1.3,
                linestyle=(0, (3, 1.5)), label="prediction",
            )  # fmt: skip
            axes.set_title(_short(str(subject), 24), fontsize=8, fontweight="normal", pad=3)
            axes.set_xticks(place, _visit_labels(own["session_id"].tolist()))
            axes.margins(x=0.12)
        figure.supylabel("score (points)" if head == "score" else "probability", fontsize=8.5)
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
        return svg(figure)


def _short(name: str, length: int) -> str:
    """Shorten in the middle: long ids of one study often share their beginning and differ at the end."""
    return name if len(name) <= length else f"{name[: length // 3]}…{name[-(length - length // 3 - 1) :]}"


def _visit_labels(sessions: list[str]) -> list[str]:
    """Session names where they fit below the axis, else the visits' numbers."""
    fits = max(map(len, sessions)) * len(sessions) <= _LABEL_ROOM
    return sessions if fits else [str(i + 1) for i in range(len(sessions))]


def reference_forest(lines: Mapping[str, Mapping[str, Any]], *, form: Form = svg) -> str | None:
    """The model beside the reference lines, with 95 % intervals, one panel per metric; oracles below a rule.

    Args:
        lines: summary of each line by its name (a key of `LINES`), the model first.
        form: how it is written.
    """
    names = defined(lines.values())
    if not names:
        return None
    with canvas(_WIDE, 0.95 + 0.34 * len(lines)) as figure:
        grid = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
        for axes, metric in zip(grid, names, strict=True):
            for place, (key, line) in enumerate(lines.items()):
                marker = "D" if key == "model" else "^" if key in ORACLES else "o"
                _mark(axes, place, line.get(metric) or {}, color=LINES[key][1], marker=marker)
            first = next((place for place, key in enumerate(lines) if key in ORACLES), None)
            if first:
                axes.axhline(first - 0.5, color=INK, linewidth=0.9, gid="oracles")
            shown = METRICS[metric]
            if shown.chance is not None:
                mark_line(axes, shown.chance)
            if shown.unit == "points":
                axes.set_xlim(left=0)
            axes.set_title(shown.label)
            axes.set_xlabel("higher is better" if shown.higher_is_better else "lower is better")
            axes.margins(x=0.12)
            axes.grid(axis="y", visible=False)
        name_rows(grid[0], [LINES[key][0] for key in lines], room=0.75)
        return form(figure)


def defined(lines: Iterable[Mapping[str, Any]]) -> list[str]:
    """Metrics of the forest that at least one line has."""
    known = list(lines)
    return [m for m in FOREST if any((line.get(m) or {}).get("value") is not None for line in known)]


def _mark(axes: Any, place: int, estimate: Mapping[str, Any], *, color: str, marker: str) -> None:
    """One row of the forest: point, interval, number above; the model's are the strong ones."""
    strong = marker == "D"
    mark_estimate(
        axes, place, estimate, color=color, width=3 if strong else 2, size=44 if strong else 28,
        marker=marker,
    )  # fmt: skip
    if estimate.get("value") is not None:
        axes.annotate(
            f"{round(estimate['value'], 2) + 0.0:.2f}", (estimate["value"], place), ha="center", fontsize=7.5,
            xytext=(0, 6 if strong else 5), textcoords="offset points",
            fontweight="bold" if strong else "normal",
        )  # fmt: skip


def filmstrip(example: AttentionExample) -> str:
    """Up to eight frames spread over a clip, and below them the attention over the same time.

    Raises:
        ValueError: frames are not uint8 (T, H, W, 3), or there are no weights.
    """
    frames, weights = np.asarray(example.frames), np.asarray(example.weights, dtype=float)
    if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or not weights.size:
        raise ValueError(
            f"{example.recording_id}: frames must be uint8 (T, H, W, 3), got {frames.dtype} {frames.shape}"
        )
    count = min(_MAX_FRAMES, len(frames))
    # frame i of the strip stands over the middle of its share of the clip, so strip and bars agree in time
    picks = ((np.arange(count) + 0.5) / count * len(frames)).astype(int)
    strip = np.concatenate(list(frames[picks]), axis=1)
    height = _WIDE * strip.shape[0] / strip.shape[1]
    with canvas(_WIDE, height + 1.0) as figure:
        top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=[height, 0.8])
        top.imshow(strip, extent=(0, 1, 0, 1), aspect="auto", interpolation="nearest")
        for edge in np.arange(1, count) / count:
            top.axvline(edge, color="white", linewidth=2)
        top.set_axis_off()
        centers = (np.arange(weights.size) + 0.5) / weights.size
        bottom.bar(centers, weights, width=0.86 / weights.size, color=VERMILION)
        bottom.axhline(1 / weights.size, color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        bottom.annotate(
            "uniform",
            (1, 1 / weights.size),
            xytext=(2, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
            annotation_clip=False,
        )
        bottom.set(xlim=(0, 1), xticks=[], ylabel="attention", yticks=[0, round(float(weights.max()), 2)])
        bottom.grid(visible=False)
        bottom.spines["bottom"].set_color(LIGHT)
        return png(figure)
