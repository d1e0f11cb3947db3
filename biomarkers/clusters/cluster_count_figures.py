"""Figures for choosing a clustering: scree plot, indices, stability; each returns a data URI."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from biomarkers.clusters.cluster_pipeline import VARIANCE
from biomarkers.clusters.stability import Stability
from evaluation.report.style import BLUE, GRAY, INK, LIGHT, VERMILION, canvas, svg

Array = NDArray[np.float64]

_HALF = (4.7, 3.9)  # inches: half of the page's width
_WIDE = 9.8
_INDICES = {
    "silhouette": ("Silhouette", "higher is better"),
    "calinski_harabasz": ("Calinski-Harabasz", "higher is better"),
    "davies_bouldin": ("Davies-Bouldin", "lower is better"),
}


def scree(explained: Array) -> str:
    """Scree plot: explained variance per component (bars), cumulative (line), and the components kept.

    Args:
        explained: Shares (D,) of all components, largest first.
    """
    total, place = np.cumsum(explained), np.arange(1, len(explained) + 1)
    kept = int(np.searchsorted(total, VARIANCE)) + 1
    with canvas(*_HALF) as figure:
        axes = figure.add_subplot()
        axes.bar(place, explained, color=LIGHT, width=0.8, label="each component")
        axes.plot(place, total, color=BLUE, marker="o", markersize=3.5, label="all up to it")
        axes.axhline(VARIANCE, color=INK, linewidth=1, linestyle=(0, (4, 3)), label=f"{100 * VARIANCE:.0f} %")
        axes.axvline(kept, color=VERMILION, linewidth=1.2, label=f"{kept} components")
        axes.set(ylim=(0, 1.03), xlabel="component", ylabel="share of the variance")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.legend(loc="outside upper left", ncols=4, columnspacing=1.0)
        return svg(figure)


def indices_over_k(table: pd.DataFrame) -> str:
    """The three indices against the number of clusters, the best of each marked.

    Args:
        table: Of `pipeline.indices_by_k`.
    """
    with canvas(_WIDE, 2.9) as figure:
        for axes, (name, (title, direction)) in zip(figure.subplots(1, 3), _INDICES.items(), strict=True):
            rows = table[table[name].notna()]
            sign = -1 if name == "davies_bouldin" else 1
            best = rows.iloc[int((sign * rows[name]).argmax())]
            axes.plot(rows["k"], rows[name], color=BLUE, marker="o", markersize=4)
            axes.scatter(best["k"], best[name], color=VERMILION, s=55, zorder=3)
            axes.set_title(f"{title}: best at {best['k']:.0f}")
            axes.set_xlabel(f"number of clusters ({direction})")
            axes.set_xticks(table["k"])
        return svg(figure)


def stability_over_k(found: Mapping[int, Stability]) -> str:
    """Mean adjusted Rand index between subsamples against the number of clusters, bars holding 95 % of them.

    Args:
        found: Stability by number of clusters.
    """
    ks = sorted(found)
    with canvas(*_HALF) as figure:
        axes = figure.add_subplot()
        axes.vlines(ks, [found[k].low for k in ks], [found[k].high for k in ks], color=BLUE, linewidth=2)
        axes.plot(ks, [found[k].mean for k in ks], color=BLUE, marker="o", linewidth=1)
        axes.axhline(0, color=GRAY, linewidth=1, linestyle=(0, (4, 3)))
        axes.set(ylim=(-0.15, 1.05), xticks=ks)
        axes.set(xlabel="number of clusters", ylabel="adjusted Rand index of two subsamples")
        return svg(figure)
