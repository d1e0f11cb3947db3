"""Figure of the forecast study: forecast widths over persons, and realized ones."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from evaluation.metrics.catalog import METRICS
from evaluation.report.style import BLUE, VERMILION, canvas
from studies.forecast.cells import forecasts
from studies.forecast.simulated import Setting

_PERSONS = tuple(int(one) for one in np.geomspace(15, 220, 12))
_COLORS = {1: BLUE, 3: VERMILION}


def draw(path: Path, realized: Mapping[Setting, Mapping[str, Mapping[str, float]]]) -> None:
    """Draw curves of the forecast and marks of what reports printed, AUC and MAE.

    Args:
        path: Of the picture.
        realized: Widths by setting and metric.
    """
    with canvas(8.6, 3.2) as figure:
        for axes, name in zip(figure.subplots(1, 2), ("auc", "mae"), strict=True):
            for visits, color in _COLORS.items():
                made = [forecasts(Setting(persons, visits))[name] for persons in _PERSONS]
                axes.plot(_PERSONS, made, color=color, label=f"forecast, visits: {visits}")
                own = [(one.persons, found[name]) for one, found in realized.items() if one.visits == visits]
                axes.errorbar(
                    [persons for persons, _ in own],
                    [found["mean"] for _, found in own],
                    yerr=[found["sd"] for _, found in own],
                    fmt="o", color=color, capsize=3, label="reports, mean and sd",
                )  # fmt: skip
            axes.set(xscale="log", xlabel="persons", ylim=(0, None), title=f"{METRICS[name].label}: width")
            axes.set_xticks([20, 50, 150], ["20", "50", "150"])
            axes.minorticks_off()
            axes.legend()
        figure.savefig(path, dpi=150, metadata={"Software": None})
