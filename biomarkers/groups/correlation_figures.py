"""Forest plots of rank correlations of features with scores, one panel per score; returns a data URI."""

import numpy as np
import pandas as pd

from biomarkers.naming import label
from evaluation.report.style import BLUE, GRAY, INK, VERMILION, canvas, svg

_WIDE = 9.8  # inches, the width of a page
_ALPHA = 0.05


def correlation_forest(found: pd.DataFrame) -> str:
    """Spearman's correlation with its interval, colored where p after Holm is below 0.05.

    Args:
        found: Of `correlation.correlate`; features of which nothing was tested are left to the table.

    Raises:
        ValueError: No pair was tested.
    """
    tested = found[found["rho"].notna()]
    if tested.empty:
        raise ValueError(f"none of {len(found)} correlations was tested: see the reasons in the table")
    features, scores = (list(dict.fromkeys(tested[name])) for name in ("feature", "score"))
    places = {name: place for place, name in enumerate(features)}
    reach = 1.05 * float(np.nanmax(np.abs(tested[["rho", "low", "high"]].to_numpy(dtype=np.float64))))
    with canvas(_WIDE, 1.0 + 0.27 * len(features)) as figure:
        panels = figure.subplots(1, len(scores), sharey=True, squeeze=False)[0]
        for axes, score in zip(panels, scores, strict=True):
            for row in tested[tested["score"] == score].to_dict("records"):
                color = GRAY if row["p_holm"] >= _ALPHA else VERMILION if row["rho"] > 0 else BLUE
                axes.hlines(places[row["feature"]], row["low"], row["high"], color=color, linewidth=2)
                axes.scatter([row["rho"]], [places[row["feature"]]], color=color, s=26, zorder=3)
            axes.axvline(0, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=1)
            axes.set(xlim=(-reach, reach), xlabel="Spearman's correlation", title=score)
            axes.grid(axis="y", visible=False)
        panels[0].set_yticks(range(len(features)), [label(name) for name in features])
        panels[0].set_ylim(len(features) - 0.5, -0.5)
        return svg(figure)
