"""Page of `probe.py`: what validation said of each learning rate, and what the chosen heads reach."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.report.forest import panels
from evaluation.report.page import Section, write_page
from evaluation.report.style import BLUE, VERMILION, canvas, svg
from evaluation.uncertainty.scale_limits import cut_to_scale, span_of
from evaluation.uncertainty.table_estimates import estimates

_SHOWN = ("auc", "ccc", "mae", "rmse")
LIMITS = (
    "Research software: this page describes the persons of one table and diagnoses nobody. Learning rate and "
    "step were chosen on validation, in each fold and for each seed; the test part was looked at once."
)


def write_probes(
    path: Path,
    *,
    trials: pd.DataFrame,
    tables: Sequence[pd.DataFrame],
    constant: Mapping[str, Any],
    record: Mapping[str, Any],
) -> None:
    """Write the page.

    Args:
        path: File to write.
        trials: As `engine.probing.heads.chosen` returns them.
        tables: Recording table of the tested, one a seed.
        constant: Estimates of the training means, which read nothing.
        record: Content of `manifest.json`.
    """
    groups = {"mean over seeds": tables} | {f"seed {table['seed'].iloc[0]}": [table] for table in tables}
    found = {name: cut_to_scale(estimates(own), span_of(record)) for name, own in groups.items()}
    mean = found["mean over seeds"]
    known = [name for name in _SHOWN if name in mean and mean[name]["value"] is not None]
    at = {name: (constant.get(name) or {}).get("value") for name in known}
    result = Section(
        "result",
        "What do the heads reach on persons they have not met?",
        f"{trials['fold'].nunique()} folds, {len(tables)} seeds of the weights; intervals over persons. "
        "Line: the mean of the training persons, which is read from no token.",
        plot=panels(
            [(name, {metric: own[metric] for metric in known}, False) for name, own in found.items()],
            lines=at,
        ),
        columns=("Heads", *known),
        rows=[
            *((name, *(own[metric] for metric in known)) for name, own in found.items()),
            ("constant", *(constant.get(metric) or {"value": None} for metric in known)),
        ],
    )
    rates = Section(
        "rates",
        "Which learning rate did validation choose?",
        "Loss of validation, the mean over folds and seeds, after each look; dots: what was chosen.",
        plot=_curves(trials),
        columns=("Learning rate", "lowest loss, mean", "chosen"),
        rows=[
            (
                f"{rate:g}",
                f"{own.groupby(['fold', 'seed'])['loss'].min().mean():.4f}",
                f"{own['chosen'].sum()}",
            )
            for rate, own in trials.groupby("rate")
        ],
    )
    write_page(
        path,
        title="Heads on stored tokens",
        subtitle=f"{len(tables[0])} recordings of {tables[0]['subject_id'].nunique()} persons",
        sections=[result, rates],
        limits=LIMITS,
        record=record,
    )


def _curves(trials: pd.DataFrame) -> str | None:
    with canvas(6.5, 3.2) as figure:
        axes = figure.subplots()
        rates = sorted(trials["rate"].unique())
        for place, rate in enumerate(rates):
            own = trials[trials["rate"] == rate]
            means = own.groupby("step")["loss"].mean()
            axes.plot(means.index, means, color=BLUE, alpha=(place + 1) / len(rates), label=f"{rate:g}")
        best = trials[trials["chosen"]]
        axes.plot(best["step"], best["loss"], ".", color=VERMILION, ms=4)
        axes.set(xlabel="step", ylabel="loss of validation")
        axes.legend(title="rate", frameon=False, fontsize=8)
        return svg(figure)
